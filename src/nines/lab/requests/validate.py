"""Whether a schema allows a value; None where that was not understood, for only a plain no may accuse."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import date, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from nines.lab.requests.shapes import DEPTH_MAX, as_schema
from nines.model.contract import Schema

_UNREAD = ("if", "not", "dependentSchemas", "dependentRequired", "patternProperties", "propertyNames", "contains")
_UNREAD_MORE = ("unevaluatedProperties", "unevaluatedItems", "prefixItems", "$ref", "$dynamicRef", "x-nines-recursive")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def allows(schema: Any, value: Any, depth: int = 0) -> bool | None:
    """True, False, or None when a keyword is not understood and nothing else forbids the value."""
    if schema is False:
        return False
    rules = as_schema(schema)
    if depth > DEPTH_MAX:
        return None
    if value is None and rules.get("nullable") is True:
        return True
    answers = list(_answers(rules, value, depth))
    if any(answer is False for answer in answers):
        return False
    if any(answer is None for answer in answers) or any(word in rules for word in (*_UNREAD, *_UNREAD_MORE)):
        return None
    return True


def _answers(rules: Schema, value: Any, depth: int) -> Iterator[bool | None]:
    yield _type_allows(rules, value)
    if "const" in rules:
        yield _same(rules["const"], value)
    if isinstance(rules.get("enum"), list):
        yield any(_same(item, value) for item in rules["enum"])
    yield from _combined(rules, value, depth)
    if isinstance(value, str):
        yield from _text(rules, value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number(rules, value)
    elif isinstance(value, list):
        yield from _array(rules, value, depth)
    elif isinstance(value, dict):
        yield from _object(rules, value, depth)


def _type_allows(rules: Schema, value: Any) -> bool:
    named = rules.get("type")
    names = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    return not names or any(_is_of(name, value) for name in names)


def _is_of(name: Any, value: Any) -> bool:
    if name == "integer":
        return not isinstance(value, bool) and (
            isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        )
    if name == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    classes: dict[Any, type] = {"string": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}
    return isinstance(value, classes[name]) if name in classes else True


def _combined(rules: Schema, value: Any, depth: int) -> Iterator[bool | None]:
    for part in rules.get("allOf") or ():
        yield allows(part, value, depth + 1)
    for word in ("anyOf", "oneOf"):
        if isinstance(rules.get(word), list):
            found = [allows(part, value, depth + 1) for part in rules[word]]
            if any(answer is True for answer in found):
                # Whether oneOf matches twice is left open: generators of documents are careless about it.
                yield True if word == "anyOf" or found.count(True) == 1 else None
            else:
                yield None if None in found else False


def _text(rules: Schema, value: str) -> Iterator[bool | None]:
    yield len(value) >= _limit(rules, "minLength", 0)
    yield len(value) <= _limit(rules, "maxLength", math.inf)
    if isinstance(rules.get("pattern"), str):
        try:
            yield re.search(rules["pattern"], value) is not None
        except re.error:
            yield None
    check = _FORMATS.get(rules.get("format") or "")
    if check is not None:
        yield _passes(check, value)
    elif rules.get("format"):
        yield None


def _number(rules: Schema, value: float) -> Iterator[bool | None]:
    if isinstance(value, float) and not math.isfinite(value):
        yield False
        return
    low, high = _limit(rules, "minimum", -math.inf), _limit(rules, "maximum", math.inf)
    # OpenAPI 3.0 makes exclusiveMinimum a flag beside minimum, 3.1 a number of its own.
    yield value > low if rules.get("exclusiveMinimum") is True else value >= low
    yield value < high if rules.get("exclusiveMaximum") is True else value <= high
    yield value > _limit(rules, "exclusiveMinimum", -math.inf)
    yield value < _limit(rules, "exclusiveMaximum", math.inf)
    step = _limit(rules, "multipleOf", 0)
    if step > 0 and isinstance(value, int) and float(step).is_integer():
        yield value % int(step) == 0
    elif step > 0:
        yield None
    width = {"int32": 31, "int64": 63}.get(rules.get("format") or "")
    if width:
        yield -(2**width) <= value < 2**width


def _array(rules: Schema, value: list[Any], depth: int) -> Iterator[bool | None]:
    yield _limit(rules, "minItems", 0) <= len(value) <= _limit(rules, "maxItems", math.inf)
    if rules.get("uniqueItems") is True:
        yield all(not _same(a, b) for i, a in enumerate(value) for b in value[:i])
    if "items" in rules:
        for item in value:
            yield allows(rules["items"], item, depth + 1)


def _object(rules: Schema, value: dict[str, Any], depth: int) -> Iterator[bool | None]:
    known = rules["properties"] if isinstance(rules.get("properties"), dict) else {}
    yield all(name in value for name in rules.get("required") or ())
    yield _limit(rules, "minProperties", 0) <= len(value) <= _limit(rules, "maxProperties", math.inf)
    for name, item in value.items():
        if name in known:
            yield allows(known[name], item, depth + 1)
        elif "patternProperties" not in rules and "additionalProperties" in rules:
            yield allows(rules["additionalProperties"], item, depth + 1)


def _limit(rules: Schema, word: str, otherwise: float) -> float:
    found = rules.get(word)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else otherwise


def _same(first: Any, second: Any) -> bool:
    return bool(first == second) and isinstance(first, bool) == isinstance(second, bool)


def _passes(check: Callable[[str], Any], value: str) -> bool:
    try:
        return check(value) is not False
    except ValueError:
        return False


_FORMATS: dict[str, Callable[[str], Any]] = {
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "uuid": uuid.UUID,
    "date": date.fromisoformat,
    "date-time": lambda text: "T" in text.upper() and datetime.fromisoformat(text.upper()),
    "ipv4": IPv4Address,
    "ipv6": IPv6Address,
    "uri": lambda text: re.match(r"[A-Za-z][A-Za-z0-9+.-]*:\S+$", text) is not None,
    "password": lambda _: True,
    "byte": lambda text: re.fullmatch(r"[A-Za-z0-9+/_=-]*", text) is not None,
    "binary": lambda _: True,
}
