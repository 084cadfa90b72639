"""Finding things in an answer's body: identifiers, tokens, the items of a list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from nines.lab.requests.shapes import words
from nines.lab.requests.validate import allows
from nines.model.history import Exchange

DEPTH_MAX = 3
"""How deep wrappers such as {"data": {"item": ...}} are opened."""
_LISTS = ("items", "results", "data", "content", "records", "rows", "entries", "list", "objects", "values")


def parsed(exchange: Exchange) -> Any:
    """The body as JSON, or None."""
    try:
        return json.loads(exchange.body)
    except ValueError:
        return None


def at(body: Any, dotted: str) -> Any:
    """The value at a dotted path, None where there is none; numbers index lists."""
    found = body
    for part in dotted.split(".") if dotted else ():
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found


def pointed(body: Any, pointer: str) -> Any:
    """The value at a JSON pointer."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    found = body
    for part in parts:
        found = at(found, part) if isinstance(found, list) else found.get(part) if isinstance(found, dict) else None
    return found


def objects(body: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """The object itself, then those that wrap or sit just inside it, outermost first."""
    if isinstance(body, dict):
        yield body
        if depth < DEPTH_MAX:
            for value in body.values():
                if isinstance(value, dict):
                    yield from objects(value, depth + 1)
    elif isinstance(body, list) and len(body) == 1:
        yield from objects(body[0], depth + 1)


def identifier(exchange: Exchange, names: Sequence[str], schema: Any = None) -> Any:
    """The first value under one of these names, in any style of writing, that the schema does not forbid."""
    body = parsed(exchange)
    wanted = ["".join(words(name)) for name in names]
    if body is None:
        return _torn(exchange.body, names)
    if isinstance(body, str | int) and not isinstance(body, bool) and "id" in wanted:
        return body
    return identifier_in(body, wanted, schema)


def identifier_in(body: Any, wanted: Sequence[str], schema: Any = None) -> Any:
    """As `identifier`, for names that are already words without separators."""
    for holder in objects(body):
        plain = {"".join(words(key)): value for key, value in holder.items()}
        for name in wanted:
            value = plain.get(name)
            if isinstance(value, str | int) and not isinstance(value, bool) and value != "" and fits(schema, value):
                return value
    return None


def items(body: Any, depth: int = 0) -> list[Any] | None:
    """The list that a list operation shows, or None where there is none."""
    if isinstance(body, list):
        return body
    if not isinstance(body, dict) or depth > DEPTH_MAX:
        return None
    for name in _LISTS:
        if isinstance(body.get(name), list):
            return list(body[name])
    lists = [value for value in body.values() if isinstance(value, list)]
    if lists:
        return max(lists, key=len)
    inside = (items(value, depth + 1) for value in body.values() if isinstance(value, dict))
    return next((found for found in inside if found is not None), None)


def fits(schema: Any, value: Any) -> bool:
    """A path takes a number as text, so a number only has to fit as one of the two."""
    return not schema or allows(schema, value) is not False or allows(schema, str(value)) is not False


def _torn(text: str, names: Sequence[str]) -> Any:
    """An identifier from a body that was cut off: the first key of this name."""
    for name in names:
        found = re.search(rf'"{re.escape(name)}"\s*:\s*(?:"([^"\\]+)"|(-?\d+))', text)
        if found:
            return found[1] if found[1] is not None else int(found[2])
    return None
