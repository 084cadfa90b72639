"""Writes every file of a service; deterministic, so that a second run changes no byte."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from operator import attrgetter

from nines.building.file import File
from nines.model.blueprint import DependencyKind
from nines.model.design import Design
from nines.model.errors import UsageError

Part = Callable[[Design], Iterator[File]]
"""A package beside this module that has such a function as `write` is a part."""


@functools.cache
def parts() -> tuple[Part, ...]:
    """Every part, by the name of its package."""
    around = importlib.import_module(__package__)
    names = sorted(found.name for found in pkgutil.iter_modules(around.__path__) if found.ispkg)
    return tuple(importlib.import_module(f"{around.__name__}.{name}").write for name in names)


def write(design: Design) -> tuple[File, ...]:
    """Every file that follows from the design, by its path; raises UsageError where nothing keeps anything."""
    if not any(each.kind is DependencyKind.POSTGRES for each in design.dependencies):
        raise UsageError(
            "a service without a database: that is not built",
            where="dependencies",
            hint="Add db: {type: postgres, replication: synchronous}; a laptop gets one of its own.",
        )
    return tuple(sorted((file for part in parts() for file in part(design)), key=attrgetter("path")))
