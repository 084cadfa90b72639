"""Records of the runtime that hold the texts of the service's own statements."""

from __future__ import annotations

from nines.building import python
from nines.building.resources.code import Code
from nines.model.design import Design


def tenanted(design: Design) -> list[str]:
    return ["is_tenanted=True"] if is_tenanted(design) else []


def is_tenanted(design: Design) -> bool:
    return design.tenancy is not None and design.tenancy.isolation == "row"


def statements(code: Code, kind: str, pairs: tuple[tuple[str, str], ...]) -> python.Group:
    """A record of the runtime with the texts of the service's own tables."""
    code.runtime(kind)
    parts = []
    for name, base in pairs:
        query = next((each for each in code.design.queries if each.base == base), None)
        if query is not None:
            parts.append(f"{name}={code.statement(query)}")
    return python.call(kind, *parts)
