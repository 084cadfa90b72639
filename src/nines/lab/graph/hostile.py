"""Documents that somebody hostile sends: small to write, large to answer, or no documents at all."""

from __future__ import annotations

import json
from collections.abc import Iterator

from nines.lab.graph.selecting import Selecting
from nines.model.contract import Document
from nines.model.experiment import Call, Mutant
from nines.model.graph import GraphField, GraphSchema

ALIASES = 500
DEPTH = 60
BRACKETS = 6_000
REPEATS = 3_000
DOUBLINGS = 22
"""Fragments that hold the next one twice: four million fields when they are put in their places."""
BATCH = 100
DIRECTIVES = 1_500
LONG_TEXT = 120_000
OPERATION = "the graph"
AMPLIFIED = "amplified"
"""How the variant of a document begins that asks for much work in few words."""


def documents(schema: GraphSchema, endpoint: str, identity: str) -> tuple[Mutant, ...]:
    """The plain question first: what everything else is measured against."""
    bodies = (
        ("the plain question", _asking("query nines { __typename }"), False),
        *_amplified(schema),
        *_malformed(),
        *_odd_requests(),
    )
    return tuple(
        Mutant(call=_call(endpoint, body, identity), variant=variant, is_invalid=is_invalid)
        for variant, body, is_invalid in bodies
    )


def _call(endpoint: str, body: bytes, identity: str) -> Call:
    return Call(
        operation=OPERATION,
        method="POST",
        path=endpoint,
        headers=(("content-type", "application/json"),),
        body=body,
        identity=identity,
        document=Document(endpoint=endpoint, text="", template=endpoint),
    )


def _asking(text: str, **more: object) -> bytes:
    return json.dumps({"query": text, **more}, separators=(",", ":")).encode()


def _amplified(schema: GraphSchema) -> Iterator[tuple[str, bytes, bool]]:
    selecting = Selecting(schema)
    field = _cheapest(schema, selecting)
    if field is not None:
        inner = _least(schema, field)
        aliases = " ".join(f"a{n}: {field.name}{inner}" for n in range(ALIASES))
        yield f"{AMPLIFIED}: {ALIASES} aliases of {field.name}", _asking(f"query nines {{ {aliases} }}"), False
        batch = [{"query": f"query nines {{ {field.name}{inner} }}"}] * BATCH
        yield f"{AMPLIFIED}: a batch of {BATCH}", json.dumps(batch).encode(), False
    loop = _loop(schema, selecting)
    if loop is not None:
        start, through, back = loop
        depth = DEPTH // 2
        text = f"{start} {{ " + f"{through} {{ {back} {{ " * depth + "__typename" + " } }" * depth
        text += " }" * (1 + start.count("{"))
        yield f"{AMPLIFIED}: {through} and back, {2 * depth} deep", _asking(f"query nines {{ {text} }}"), False
    telling = "{ __schema { types { fields { type { " + "fields { type { " * 20 + "name" + " } }" * 20 + " } } } } }"
    yield f"{AMPLIFIED}: a question for the schema, 40 deep", _asking("query nines " + telling), False
    plain = " ".join(f"a{n}: __typename" for n in range(ALIASES * 10))
    yield f"{AMPLIFIED}: {ALIASES * 10} aliases of nothing", _asking(f"query nines {{ {plain} }}"), False
    repeated = "__typename " * REPEATS
    yield f"{AMPLIFIED}: one field {REPEATS} times", _asking(f"query nines {{ {repeated} }}"), False
    root = schema.query
    chain = " ".join(f"fragment f{n} on {root} {{ ...f{n + 1} ...f{n + 1} }}" for n in range(DOUBLINGS))
    last = f"fragment f{DOUBLINGS} on {root} {{ __typename }}"
    yield (
        f"{AMPLIFIED}: fragments that double {DOUBLINGS} times",
        _asking(f"query nines {{ ...f0 }} {chain} {last}"),
        False,
    )
    switched = "@include(if: true) " * DIRECTIVES
    yield f"{AMPLIFIED}: {DIRECTIVES} directives", _asking(f"query nines {{ __typename {switched} }}"), False
    circle = f"query nines {{ ...a }} fragment a on {root} {{ ...b }} fragment b on {root} {{ ...a }}"
    yield "fragments in a circle", _asking(circle), True


def _malformed() -> Iterator[tuple[str, bytes, bool]]:
    yield "a bracket that never closes", _asking("{"), True
    yield f"{BRACKETS} brackets", _asking("{a" * BRACKETS), True
    yield f"{BRACKETS} brackets of a list", _asking("{a(b:" + "[" * BRACKETS), True
    yield "an empty document", _asking(""), True
    yield "only a comment", _asking("# nines"), True
    yield "a field that does not exist", _asking("{ ninesDoesNotExist }"), True
    yield "an argument that does not exist", _asking("{ __typename(nines: 1) }"), True
    yield "a directive that does not exist", _asking("{ __typename @nines }"), True
    yield "two operations and no name", _asking("query a { __typename } query b { __typename }"), True
    yield "the name of no operation", _asking("query a { __typename }", operationName="nines"), True
    yield "a name that is a number", _asking("query a { __typename }", operationName=7), True
    yield "a subscription", _asking("subscription { ninesDoesNotExist }"), True
    yield "a long text", _asking('{ __typename @include(if: "' + "n" * LONG_TEXT + '") }'), True
    yield "a number of 5,000 digits", _asking("{ __typename @include(if: " + "9" * 5_000 + ") }"), True
    yield "a NUL character", _asking('{ __type(name: "\\u0000") { name } }'), False
    yield "half a surrogate pair", b'{"query":"{ __type(name: \\"\\ud800\\") { name } }"}', False
    yield "control characters", _asking("{ \x07__typename }"), True
    yield "the wrong quotes", _asking("{ __type(name: 'a') { name } }"), True


def _odd_requests() -> Iterator[tuple[str, bytes, bool]]:
    plain = "query nines { __typename }"
    yield "no document", b"{}", True
    yield "a document that is null", b'{"query":null}', True
    yield "a document that is a number", b'{"query":7}', True
    yield "a document that is a list", b'{"query":["{ __typename }"]}', True
    yield "variables that are a text", _asking(plain, variables="nines"), True
    yield "variables that are a list", _asking(plain, variables=[1]), True
    yield "extensions that are a number", _asking(plain, extensions=7), True
    yield "a stored document that nobody stored", _stored(), True
    yield "a list of nothing", b"[]", True
    yield "a list of numbers", b"[1,2]", True
    yield "a text", b'"nines"', True
    yield "null", b"null", True
    yield "nothing at all", b"", True
    yield "broken JSON", b'{"query":', True
    yield "no UTF-8", b'{"query":"\xff\xfe"}', True
    yield "JSON nested 5,000 deep", b'{"query":"{ __typename }","variables":' + b"[" * 5_000 + b"]" * 5_000 + b"}", True


def _stored() -> bytes:
    return json.dumps({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}).encode()


def _cheapest(schema: GraphSchema, selecting: Selecting) -> GraphField | None:
    """A question that needs no values: one for a list before any other, for it reads the most."""
    plain = [each for each in schema.queries if not any(argument.is_needed for argument in each.arguments)]
    return min(plain, key=lambda each: not all(selecting.entity(each.type)), default=None)


def _least(schema: GraphSchema, field: GraphField) -> str:
    found = schema.type(field.type.name)
    return " { __typename }" if found is not None and (found.fields or found.members) else ""


def _loop(schema: GraphSchema, selecting: Selecting) -> tuple[str, str, str] | None:
    """A list (or what leads to its items), a field of its objects, and the field of theirs that leads back."""
    for query in schema.queries:
        if any(argument.is_needed for argument in query.arguments):
            continue
        name, _ = selecting.entity(query.type)
        start = query.name if name == query.type.name else ""
        page = schema.type(query.type.name)
        for inner in page.fields if page is not None and not start and name else ():
            if inner.type.name == name:
                start = f"{query.name} {{ {inner.name}"
        found = schema.type(name)
        for out, target in _links(schema, found.fields if found is not None and start else ()):
            other = schema.type(target)
            for back, home in _links(schema, other.fields if other is not None else ()):
                if home == name:
                    return start, out, back
    return None


def _links(schema: GraphSchema, fields: tuple[GraphField, ...]) -> Iterator[tuple[str, str]]:
    selecting = Selecting(schema)
    for each in fields:
        if selecting.identifier(each.type.name) and not any(argument.is_needed for argument in each.arguments):
            yield each.name, each.type.name
