"""Wrong variants of a valid request: one thing is changed at a time, and the contract says whether it may be."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec

from nines.lab.requests import encode, paths
from nines.lab.requests.invent import Path
from nines.lab.requests.shapes import kind, properties, required, settled, types
from nines.lab.requests.validate import allows
from nines.model.contract import Body, ContractParameter, Operation, Schema
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


def mutants_of(operation: Operation, call: Call, limit: int, seed: int) -> tuple[Mutant, ...]:
    """At most `limit`, spread over the parts of the request; the same seed gives the same ones."""
    rng = random.Random(f"{seed}:{operation.id}")  # noqa: S311 - repeatable on purpose.
    sources = [
        list(_of_body(operation, call)),
        list(_of_path(operation, call)),
        list(_of_query(operation, call)),
        list(_of_whole(operation, call)),
    ]
    mixed = [mutant for turn in zip_longest(*sources) for mutant in turn if mutant is not None]
    if len(mixed) <= limit:
        return tuple(mixed)
    # The head of each source holds what most often breaks a service; the rest is drawn by the seed.
    head = mixed[: limit * 2 // 3]
    rest = mixed[len(head) :]
    return tuple(head + rng.sample(rest, limit - len(head)))


# --- the body ------------------------------------------------------------------------------------------


def _of_body(operation: Operation, call: Call) -> Iterator[Mutant]:
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


# --- path, query and the whole ---------------------------------------------------------------------------


def _of_path(operation: Operation, call: Call) -> Iterator[Mutant]:
    parameters = [p for p in operation.parameters if p.location == "path"]
    known = paths.values_in(operation.path, call.path)
    if known is None:
        return
    query = urlsplit(call.path).query
    for parameter in reversed(parameters):
        if parameter.name not in known:
            continue
        for words, text in _path_changes(parameter, known[parameter.name]):
            values = {**known, parameter.name: "\0"}
            target = paths.fill(operation.path, values).replace("%00", text, 1) + (f"?{query}" if query else "")
            judged = _allows_text(parameter.schema, text)
            changed = msgspec.structs.replace(call, path=target, marker="")
            yield Mutant(call=changed, variant=f"path.{parameter.name}: {words}", is_invalid=judged is False)


def _path_changes(parameter: ContractParameter, value: str) -> Iterator[tuple[str, str]]:
    """What is wrong, and the text, already percent-encoded."""
    rules = settled(parameter.schema)
    looks_like_uuid = rules.get("format") == "uuid" or (len(value) == 36 and value.count("-") == 4)
    looks_like_number = kind(rules) in ("integer", "number") or value.isdigit()
    if looks_like_uuid:
        yield "well-formed but absent", "00000000-0000-4000-8000-00000000dead"
    elif looks_like_number:
        yield "well-formed but absent", "2147483647"
        yield "a number beyond 64 bits", str(2**63)
        yield "a number beyond 32 bits", str(2**31)
        yield "a negative number", "-1"
        yield "zero", "0"
    else:
        yield "well-formed but absent", "nines-is-absent"
    yield "malformed", "nines!!"
    yield "a NUL character", "nines%00"
    yield "invalid UTF-8", "%ff%fe"
    yield "quotes", quote("1'\"--", safe="")
    yield "very long", "9" * 300 if looks_like_number else "n" * 3_000


def _of_query(operation: Operation, call: Call) -> Iterator[Mutant]:
    base, _, query = call.path.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    for parameter in operation.parameters:
        if parameter.location != "query":
            continue
        others = [pair for pair in pairs if pair[0] != parameter.name]
        for words, text in _query_changes(parameter):
            target = base + "?" + "&".join(filter(None, (urlencode(others), f"{quote(parameter.name)}={text}")))
            judged = _allows_text(parameter.schema, text) if "%" not in text else None
            changed = msgspec.structs.replace(call, path=target, marker="")
            yield Mutant(call=changed, variant=f"query.{parameter.name}: {words}", is_invalid=judged is False)
        if parameter.is_required:
            target = base + ("?" + urlencode(others) if others else "")
            changed = msgspec.structs.replace(call, path=target, marker="")
            yield Mutant(call=changed, variant=f"query.{parameter.name}: left out")
        twice = urlencode([*others, (parameter.name, "1"), (parameter.name, "nines")])
        changed = msgspec.structs.replace(call, path=f"{base}?{twice}", marker="")
        yield Mutant(call=changed, variant=f"query.{parameter.name}: given twice", is_invalid=False)


def _query_changes(parameter: ContractParameter) -> Iterator[tuple[str, str]]:
    rules = settled(parameter.schema)
    if kind(rules) in ("integer", "number"):
        yield "a negative number", "-1"
        yield "text instead of a number", "nines"
        yield "a number beyond 64 bits", str(2**63)
        yield "a huge number", "9" * 40
        yield "zero", "0"
    else:
        yield "a NUL character", "nines%00"
        yield "quotes", quote("1'\"--%", safe="")
        yield "not one of the alternatives" if "enum" in rules else "unusual text", "nines-none"
        yield "invalid UTF-8", "%ff%fe"
        yield "very long", "n" * 3_000
    yield "empty", ""


def _of_whole(operation: Operation, call: Call) -> Iterator[Mutant]:
    """The request as a whole: another content type."""
    if operation.body is None or not call.body:
        return
    for media in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "nines"):
        if media in operation.body.media_type:
            continue
        headers = tuple((n, media if n.lower() == "content-type" else v) for n, v in call.headers)
        changed = msgspec.structs.replace(call, headers=headers, marker="")
        # Many services accept JSON under any name, which harms nobody.
        yield Mutant(call=changed, variant=f"content type {media}", is_invalid=False)


_READERS: dict[str, Callable[[str], Any]] = {"integer": int, "number": float, "boolean": json.loads}


def _allows_text(schema: Schema, text: str) -> bool | None:
    """Whether a parameter's schema allows what this text stands for."""
    reader = _READERS.get(kind(settled(schema)))
    if reader is None:
        return allows(schema, text) if "%" not in text else None
    try:
        return allows(schema, reader(text))
    except ValueError:
        return False
