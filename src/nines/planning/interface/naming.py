"""What the bodies are called: a resource keeps its name, and what is derived gets one that no other has.

A shop has an Order and an OrderItem; the item of a list of orders must not be called like the latter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from nines.model.design import Design, PlannedEndpoint

_OWN = "own"
_REFERENCE = "#/components/schemas/"


def derived(of: str, what: str) -> str:
    """The working name of what a resource, a type or an operation gives rise to."""
    return f"{of}.{what}"


def own(name: str) -> str:
    """The working name of what belongs to no resource."""
    return derived(_OWN, name)


def published(design: Design) -> Design:
    """The design with working names replaced by those that callers see, wherever they stand."""
    shapes = tuple({each.name: each for each in design.shapes}.values())
    names = _names(each.name for each in shapes)
    return replace(
        design,
        endpoints=tuple(_endpoint(each, names) for each in design.endpoints),
        shapes=tuple(replace(each, name=names[each.name], schema=_schema(each.schema, names)) for each in shapes),
    )


def _names(working: Iterable[str]) -> dict[str, str]:
    """The public name of each; those of the blueprint come first, and a number tells the rest apart."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(working, key=lambda each: "." in each):
        plain = name.removeprefix(f"{_OWN}.").replace(".", "")
        found, number = plain, 2
        while found in taken:
            found, number = f"{plain}Body{'' if number == 2 else number}", number + 1
        taken.add(found)
        names[name] = found
    return names


def _endpoint(endpoint: PlannedEndpoint, names: dict[str, str]) -> PlannedEndpoint:
    answers = tuple(replace(each, shape=names.get(each.shape, each.shape)) for each in endpoint.answers)
    return replace(endpoint, request=names.get(endpoint.request, endpoint.request), answers=answers)


def _schema(schema: Any, names: dict[str, str]) -> Any:
    if isinstance(schema, list):
        return [_schema(each, names) for each in schema]
    if not isinstance(schema, dict):
        return schema
    target = schema.get("$ref")
    if isinstance(target, str):
        name = target.removeprefix(_REFERENCE)
        schema = schema | {"$ref": _REFERENCE + names.get(name, name)}
    return {key: value if key == "$ref" else _schema(value, names) for key, value in schema.items()}
