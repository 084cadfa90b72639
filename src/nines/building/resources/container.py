"""`_generated/service.py`: what operations and jobs get."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names
from nines.building.file import File
from nines.building.resources.code import Code
from nines.building.resources.facts import blueprint_of
from nines.building.resources.holdings import holdings
from nines.model.design import Design


def write(design: Design) -> Iterator[File]:
    says = '"""Written by nines; change the blueprint."""\n'
    yield File(path=names.source(design, "_generated/__init__.py"), text=says)
    yield File(path=names.source(design, "_generated/service.py"), text=_service(design))


def _service(design: Design) -> str:
    code = Code(design)
    found = list(holdings(design))
    code.imports.add("dataclasses", "dataclass")
    code.gap()
    code.line("@dataclass(kw_only=True, slots=True)")
    with code.block("class Service:"):
        code.doc("What operations and jobs get: opened at the start, closed at the end")
        code.line()
        for each in found:
            code.imports.add(each.module, each.type)
            code.line(f"{each.name}: {each.type}")
        code.imports.add("collections.abc", "Callable")
        code.line("wake: Callable[[str], None]")
        code.line('"""Tells a job that something is due."""')
    if any(each.calls for each in blueprint_of(design).operations):
        code.imports.add("collections.abc", "Mapping")
        code.imports.add("typing", "Any")
        code.gap()
        code.line("@dataclass(frozen=True, kw_only=True, slots=True)")
        with code.block("class Reserved:"):
            code.doc("A row that is held until others have answered, and what is remembered of who asked")
            code.line()
            code.line("row: Mapping[str, Any]")
            code.line("remembered: dict[str, Any]")
    return code.text("What operations get.")
