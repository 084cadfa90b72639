"""Why a blueprint cannot hold: one module for each objection, found by being there."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection

Objector = Callable[[Blueprint], Iterator[Objection]]


@functools.cache
def objectors() -> tuple[tuple[str, Objector], ...]:
    """The code of each objection with the function that raises it, in the order of the codes."""
    found = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple((name.replace("_", "-"), importlib.import_module(f"{__name__}.{name}").object_to) for name in found)


def object_to(blueprint: Blueprint) -> tuple[Objection, ...]:
    """Everything that speaks against the blueprint: what is fatal first, then in the order of the file."""
    found = [objection for _, raise_ in objectors() for objection in raise_(blueprint)]
    return tuple(sorted(found, key=_order))


def _order(objection: Objection) -> tuple[bool, int, int, str, str]:
    line, _, column = objection.where.rpartition(":")
    line = line.rpartition(":")[2]
    is_placed = line.isdigit() and column.isdigit()
    at = (int(line), int(column)) if is_placed else (0, 0)
    return (not objection.is_fatal, *at, objection.code, objection.path)
