"""What a verb concluded, as people and machines want it: one file per format.

A format is a module here with `SUFFIX` and `render(report, *, width, is_coloured)`; being here is enough."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Protocol, cast

from nines.model.report import Report


class Format(Protocol):
    """What every format's module offers."""

    SUFFIX: str

    def render(self, report: Report, *, width: int, is_coloured: bool) -> str:
        """`width` in characters and colour matter to formats for terminals only."""
        ...


@cache
def formats() -> tuple[str, ...]:
    """The names of all formats, sorted."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(name for name in names if hasattr(importlib.import_module(f"{__name__}.{name}"), "SUFFIX"))


def suffix(name: str) -> str:
    """The usual file ending of a format, "" where there is none."""
    return _format(name).SUFFIX


def render(name: str, report: Report, *, width: int = 110, is_coloured: bool = False) -> str:
    """The whole report as text; raises KeyError for a name that `formats` does not list."""
    return _format(name).render(report, width=width, is_coloured=is_coloured)


def _format(name: str) -> Format:
    if name not in formats():
        raise KeyError(name)
    return cast("Format", importlib.import_module(f"{__name__}.{name}"))
