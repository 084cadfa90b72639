"""What a verb concluded, as people and machines want it: one file per format.

A format is a module here with `SUFFIX` and `render(report, *, width, is_coloured)`; being here is enough."""

from __future__ import annotations

import importlib
import pkgutil
from enum import StrEnum
from typing import Any, Protocol, cast

import msgspec

from nines.model.report import Report

_CONTROLS = {
    code: "\N{REPLACEMENT CHARACTER}"
    for code in (*range(0x20), 0x7F, *range(0x80, 0xA0), 0x202A, 0x202B, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068)
    if chr(code) not in "\t\n\r"
}
"""What moves a cursor, colours text or reverses its direction."""


_NOT_FORMATS = {"tree"}
"""Views of other things than a report."""


class Format(Protocol):
    """What every format's module offers."""

    SUFFIX: str

    def render(self, report: Report, *, width: int, is_coloured: bool) -> str:
        """`width` in characters and colour matter to formats for terminals only."""
        ...


def formats() -> tuple[str, ...]:
    """The names of all formats, sorted; none is imported for it, since some take a while."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(__path__) if found.name not in _NOT_FORMATS))


def suffix(name: str) -> str:
    """The usual file ending of a format, "" where there is none."""
    return _format(name).SUFFIX


def render(name: str, report: Report, *, width: int = 110, is_coloured: bool = False) -> str:
    """The whole report as text; raises KeyError for a name that `formats` does not list."""
    return _format(name).render(cast("Report", harmless(report)), width=width, is_coloured=is_coloured)


def harmless(value: Any) -> Any:
    """The same value with control characters replaced: a hostile repository must not drive anybody's terminal."""
    if isinstance(value, str) and not isinstance(value, StrEnum):
        return value if value.isprintable() else value.translate(_CONTROLS)
    if isinstance(value, msgspec.Struct):
        changed = {f: harmless(getattr(value, f)) for f in value.__struct_fields__}
        return msgspec.structs.replace(value, **changed)
    if isinstance(value, tuple):
        return tuple(harmless(item) for item in value)
    return value


def _format(name: str) -> Format:
    if name not in formats():
        raise KeyError(name)
    return cast("Format", importlib.import_module(f"{__name__}.{name}"))
