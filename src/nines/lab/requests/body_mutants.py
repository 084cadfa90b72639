"""Wrong variants of a request's body: one field is changed at a time, or the whole is replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from nines.lab.requests import encode
from nines.lab.requests.shapes import kind, properties, required, settled, types
from nines.lab.requests.validate import allows
from nines.lab.requests.variety import Path
from nines.model.contract import Body, Operation, Schema
from nines.model.experiment import Call, Mutant

FIELDS_MAX = 40
"""How many fields of a body are made wrong."""
NESTING = 2_000
"""Deeper than most parsers recurse."""
LONG_TEXT = 70_000
"""Longer than any column that is meant for a name, short enough for any body limit."""

Change: TypeAlias = tuple[str, Any]
"""What is wrong, in words, and the value to put in place."""


class _Absent:
    """Stands for a field that is left out."""


ABSENT = _Absent()


def of_body(operation: Operation, call: Call) -> Iterator[Mutant]:
    body = operation.body
    if body is None or not call.body:
        return
    is_json = encode.is_json(body.media_type)
    value = _decoded(body, call)
    if not isinstance(value, dict):
        if is_json:
            yield from _replaced_whole(body, call)
        return
    rows: list[list[Mutant]] = []
    for path, schema, is_needed in list(_fields(settled(body.schema), value, ()))[:FIELDS_MAX]:
        changes = _changes(schema, is_needed=is_needed, is_json=is_json)
        rows.append([_with(body, call, value, path, change) for change in changes])
    # The first change of every field, then the second of every field, and so on.
    for turn in zip_longest(*rows):
        yield from (mutant for mutant in turn if mutant is not None)
    yield _with(body, call, value, ("nines_unknown_field",), ("unknown field", "x"))
    if is_json:
        yield from _replaced_whole(body, call)


def _fields(schema: Schema, value: Any, path: Path) -> Iterator[tuple[Path, Schema, bool]]:
    """Every field of the value and every optional field that it lacks, the shallow ones first."""
    if not isinstance(value, dict) or len(path) > 4:
        return
    known = properties(schema)
    deeper: list[tuple[Schema, Any, Path]] = []
    for name, rules in known.items():
        inner = settled(rules)
        if rules.get("readOnly") is True:
            continue
        yield (*path, name), inner, name in required(schema)
        if isinstance(value.get(name), dict):
            deeper.append((inner, value[name], (*path, name)))
        elif isinstance(value.get(name), list) and value[name]:
            items = settled(inner.get("items"))
            if isinstance(value[name][0], dict):
                deeper.append((items, value[name][0], (*path, name, "0")))
            else:
                yield (*path, name, "0"), items, True
    for each in deeper:
        yield from _fields(*each)


def _changes(schema: Schema, *, is_needed: bool, is_json: bool) -> Iterator[Change]:
    if is_json:
        yield from _typed_changes(schema)
        yield "null", None
    else:
        yield "not a value of its type", "nines\u0001" if kind(schema) == "string" else "nines"
    if is_needed:
        yield "left out", ABSENT
    if isinstance(schema.get("enum"), list):
        yield "not one of the alternatives", "nines-none-of-these"
    if kind(schema) in ("string", ""):
        yield from _text_changes(schema)
    if is_json:
        yield "an object", {"nines": {"nines": 1}}
        yield "a list", [1, "2", None]


def _typed_changes(schema: Schema) -> Iterator[Change]:
    allowed = types(schema)
    match kind(schema):
        case "integer" | "number":
            yield "a number beyond 64 bits", 2**63
            yield "text instead of a number", "nines"
            yield "a negative number", -1
            yield "a huge number", 10**40
            yield "a number beyond 32 bits", 2**31
            yield "a fraction", 0.5
            yield "not a number", float("nan")
            yield "infinite", float("inf")
            yield "zero", 0
            yield "a number as text", "1"
        case "string":
            yield "a NUL character", "nines\u0000"
            yield "a number instead of text", 12345
        case "boolean":
            yield "text instead of a boolean", "nines"
            yield "a number instead of a boolean", 7
        case "array":
            yield "text instead of a list", "nines"
            yield "a list of nulls", [None]
            yield "an empty list", []
            yield "a very long list", [{}] * 2_000
        case "object":
            yield "text instead of an object", "nines"
            yield "an empty object", {}
        case _:
            yield "a number", 12345
    if "boolean" not in allowed:
        yield "a boolean", True


def _text_changes(schema: Schema) -> Iterator[Change]:
    most = schema.get("maxLength")
    form = str(schema.get("format") or "")
    if form:
        yield f"not a {form}", "nines: not this"
    yield "empty text", ""
    if isinstance(most, int):
        yield "one character too long", "n" * (most + 1)
    yield "very long text", "n" * LONG_TEXT
    if form in ("date", "date-time"):
        yield "a day that does not exist", "2023-02-30" + ("T25:61:00Z" if form == "date-time" else "")
        yield "a year out of range", "99999-01-01" + ("T00:00:00Z" if form == "date-time" else "")
    yield "unpaired surrogate", "nines\ud800"
    yield "control characters and quotes", "nines'\"\\;--\u0007\r\n%s{{7*7}}"
    yield "unusual letters", "ǹ\u202e🤝\uffff 漢字"
    yield "only spaces", "   "


def _with(body: Body, call: Call, value: dict[str, Any], path: Path, change: Change) -> Mutant:
    words, wrong = change
    changed = _put(value, path, wrong)
    judged = allows(body.schema, changed)
    where = "body." + ".".join(path)
    return Mutant(call=_rebodied(body, call, changed), variant=f"{where}: {words}", is_invalid=judged is False)


def _put(value: Any, path: Path, wrong: Any) -> Any:
    """A copy of the value with one place changed, or left out."""
    name, rest = path[0], path[1:]
    if isinstance(value, list):
        index = int(name)
        changed = [_put(item, rest, wrong) if rest and i == index else item for i, item in enumerate(value)]
        if not rest:
            changed[index : index + 1] = [] if wrong is ABSENT else [wrong]
        return changed
    copied = dict(value) if isinstance(value, dict) else {}
    if rest:
        copied[name] = _put(copied.get(name), rest, wrong)
    elif wrong is ABSENT:
        copied.pop(name, None)
    else:
        copied[name] = wrong
    return copied


def _rebodied(body: Body, call: Call, value: Any) -> Call:
    raw, _ = encode.encoded(body, value)
    return msgspec.structs.replace(call, body=raw, marker="")


def _decoded(body: Body, call: Call) -> Any:
    if encode.is_json(body.media_type):
        try:
            return json.loads(call.body)
        except ValueError:
            return None
    if "urlencoded" in body.media_type:
        return dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    return None


def _replaced_whole(body: Body, call: Call) -> Iterator[Mutant]:
    raws: tuple[tuple[str, bytes], ...] = (
        ("broken JSON", b'{"nines": '),
        ("empty body", b""),
        ("null", b"null"),
        ("a list instead of an object", b"[]"),
        ("text instead of an object", b'"nines"'),
        ("invalid UTF-8", b'{"nines": "\xff\xfe"}'),
        ("deeply nested", b"[" * NESTING + b"]" * NESTING),
    )
    for words, raw in raws:
        try:
            judged = allows(body.schema, json.loads(raw))
        except (ValueError, RecursionError):
            judged = False
        if raw == b"" and not body.is_required:
            judged = True
        changed = msgspec.structs.replace(call, body=raw, marker="")
        yield Mutant(call=changed, variant=f"body: {words}", is_invalid=judged is False)
