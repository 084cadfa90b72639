"""Examples that keep the invariants of their resource, so that what the contract shows is accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from nines.model.blueprint import Blueprint, Field, FieldKind, Resource
from nines.planning.data.names import snake
from nines.planning.interface import examples
from nines.planning.interface.schemas import name_of

_COMPARED = re.compile(r"([A-Za-z_][\w.]*)\s*(<=|>=|<>|!=|==|<|>|=)\s*([A-Za-z_][\w.]*|-?\d+(?:\.\d+)?)")
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_SAME = {"==": "=", "<>": "!="}
_ROUNDS_MAX = 3
"""One invariant may undo what another asked for."""


class Comparison(NamedTuple):
    left: str
    sign: str
    right: str


def agreeing(example: dict[str, Any], resource: Resource, blueprint: Blueprint) -> dict[str, Any]:
    """The example with values that keep the plain comparisons among the invariants; others are left as they are."""
    found = {name: dict(value) if isinstance(value, dict) else value for name, value in example.items()}
    compared = tuple(_comparisons(resource))
    for _ in range(_ROUNDS_MAX):
        for each in compared:
            _settle(found, resource, blueprint, each)
    return found


def is_compared(field: Field, resource: Resource) -> bool:
    """Whether an invariant speaks of a field."""
    sides = (side for left, _, right in _comparisons(resource) for side in (left, right))
    return any(side.partition(".")[0] in (field.name, name_of(field)) for side in sides)


def _comparisons(resource: Resource) -> Iterator[Comparison]:
    for invariant in resource.invariants:
        for part in re.split(r"\s+(?i:and)\s+", invariant):
            found = _COMPARED.fullmatch(part.strip().strip("()"))
            if found:
                yield Comparison(found[1], _SAME.get(found[2], found[2]), found[3])


def _settle(example: dict[str, Any], resource: Resource, blueprint: Blueprint, compared: Comparison) -> None:
    """Moves one of the two sides, preferably the second, where the example breaks the comparison."""
    left, sign, right = compared
    first, second = _value(example, resource, left), _value(example, resource, right)
    if first is None or second is None or type(first) is not type(second) or _holds(first, sign, second):
        return
    for path, other, asked in ((right, first, _TURNED[sign]), (left, second, sign)):
        field = _field(resource, blueprint, path)
        if field is not None and _is_there(example, resource, path):
            moved = _moved(field, blueprint, asked, other)
            if moved is not None:
                _put(example, resource, path, moved)
                return


def _holds(first: Any, sign: str, second: Any) -> bool:
    if sign in ("=", "!="):
        return bool(first == second) == (sign == "=")
    is_less, is_same = first < second, first == second
    return bool(is_same and "=" in sign) or (bool(is_less) if "<" in sign else bool(not is_less and not is_same))


def _moved(field: Field, blueprint: Blueprint, sign: str, other: Any) -> Any:
    """What stands to the other as the sign says, as a body has it; None where there is nothing like that."""
    if sign == "=":
        return _written(other)
    if field.kind is FieldKind.REFERENCE:
        target = blueprint.resource(field.of)
        return examples.identifier(target.name, target.identifier, 1) if target else None
    further = 0 if sign in ("<=", ">=") else -1 if sign == "<" else 1
    if isinstance(other, datetime):
        return _written(other + timedelta(hours=further))
    if isinstance(other, date):
        return _written(other + timedelta(days=further))
    if isinstance(other, Decimal):
        value = other + further
        is_low = field.minimum is not None and value < Decimal(str(field.minimum))
        is_high = field.maximum is not None and value > Decimal(str(field.maximum))
        if is_low or is_high:
            return None
        return f"{value:.2f}" if field.kind is FieldKind.DECIMAL else int(value)
    return f"{other}-2"[: field.length_max] if sign == "!=" else None


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, Decimal) and value == int(value) else str(value)


def _value(example: dict[str, Any], resource: Resource, path: str) -> Any:
    """As it is compared: of what is not shown its default; None where nothing is known."""
    found = _raw(example, resource, path)
    if found is None:
        field = resource.field(path)
        found = field.default if field is not None else None
    if isinstance(found, bool) or found is None:
        return None
    if isinstance(found, int | float):
        return Decimal(str(found))
    text = str(found)
    for read in (_moment, date.fromisoformat, Decimal):
        try:
            return read(text)
        except (ValueError, InvalidOperation):
            continue
    return text


def _moment(text: str) -> datetime:
    if "T" not in text:
        raise ValueError(text)
    return datetime.fromisoformat(text).astimezone(UTC)


def _raw(example: dict[str, Any], resource: Resource, path: str) -> Any:
    head, _, rest = path.partition(".")
    if re.fullmatch(r"-?\d+(?:\.\d+)?", path):
        return Decimal(path)
    found = example.get(_member(resource, head))
    return found.get(snake(rest)) if rest and isinstance(found, dict) else None if rest else found


def _member(resource: Resource, head: str) -> str:
    field = resource.field(head)
    return name_of(field) if field else head


def _is_there(example: dict[str, Any], resource: Resource, path: str) -> bool:
    return not re.fullmatch(r"-?\d+(?:\.\d+)?", path) and _raw(example, resource, path) is not None


def _field(resource: Resource, blueprint: Blueprint, path: str) -> Field | None:
    head, _, rest = path.partition(".")
    field = resource.field(head)
    if field is None or not rest:
        return field
    value = blueprint.value_type(field.of)
    return next((part for part in value.fields if part.name == rest), None) if value else None


def _put(example: dict[str, Any], resource: Resource, path: str, value: Any) -> None:
    head, _, rest = path.partition(".")
    if rest:
        example[_member(resource, head)][snake(rest)] = value
    else:
        example[_member(resource, head)] = value
