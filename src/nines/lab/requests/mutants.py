"""Wrong variants of a valid request: one thing is changed at a time, and the contract says whether it may be."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec

from nines.lab.requests import paths
from nines.lab.requests.body_mutants import of_body
from nines.lab.requests.shapes import kind, settled
from nines.lab.requests.validate import allows
from nines.model.contract import ContractParameter, Operation, Schema
from nines.model.experiment import Call, Mutant


def mutants_of(operation: Operation, call: Call, limit: int, seed: int) -> tuple[Mutant, ...]:
    """At most `limit`, spread over the parts of the request; the same seed gives the same ones."""
    rng = random.Random(f"{seed}:{operation.id}")  # noqa: S311 - repeatable on purpose.
    sources = [
        list(of_body(operation, call)),
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
