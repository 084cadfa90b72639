"""Laws of comparing: nothing changes by itself, additions break nobody, and no loss is overlooked."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nines.checkers.contracts import compare
from nines.checkers.contracts.document import Document
from nines.checkers.contracts.schemas import Comparison
from nines.model.change import Impact

LAW = settings(max_examples=80, deadline=None)
SEARCH = settings(max_examples=400, deadline=None)
Json = dict[str, Any]
_NAMES = ("a", "b", "c")


def _bounded(type: str, low: str, high: str, limits: st.SearchStrategy[int]) -> st.SearchStrategy[Json]:
    return st.builds(
        lambda least, most: (
            {"type": type} | ({low: least} if least is not None else {}) | ({high: most} if most is not None else {})
        ),
        st.none() | limits,
        st.none() | limits,
    )


_SMALL = st.integers(0, 4)
_LEAVES = st.one_of(
    st.just({"type": "boolean"}),
    st.builds(lambda t: {"type": t}, st.sampled_from(["string", "integer", "number", "null", ["string", "null"]])),
    _bounded("string", "minLength", "maxLength", _SMALL),
    _bounded("integer", "minimum", "maximum", st.integers(-3, 3)),
    _bounded("integer", "exclusiveMinimum", "exclusiveMaximum", st.integers(-3, 3)),
    _bounded("number", "exclusiveMinimum", "maximum", st.integers(-3, 3)),
    st.builds(lambda v: {"enum": v}, st.lists(st.sampled_from(["x", "y", 1, None]), unique=True, min_size=1)),
    st.just({"const": "x"}),
    st.just({}),
)


def _objects(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.builds(
        lambda members, needed: {
            "type": "object",
            "additionalProperties": False,
            "properties": members,
            "required": sorted(set(needed) & set(members)),
        },
        st.dictionaries(st.sampled_from(_NAMES), inner, max_size=3),
        st.lists(st.sampled_from(_NAMES), unique=True),
    )


SCHEMAS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        _objects(inner),
        st.builds(lambda each: {"type": "array", "items": each}, inner),
        st.builds(lambda each: {"anyOf": each}, st.lists(inner, min_size=1, max_size=2)),
    ),
    max_leaves=5,
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-4, 4),
        st.sampled_from([0.5, -2.5]),
        st.sampled_from(["", "x", "y", "long"]),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=3),
    max_leaves=4,
)


def losses(wide: Json, narrow: Json) -> list[Any]:
    return list(Comparison(Document({}), Document({}), is_request=True).losses(wide, narrow))


@st.composite
def changed(draw: st.DrawFn) -> tuple[Json, Json]:
    """A schema and what became of it: one keyword of it, somewhere, is another one's, or is gone."""
    old = draw(SCHEMAS)
    new = copy.deepcopy(old)
    places = list(_places(new))
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.sampled_from(places))
        gone: str = draw(st.sampled_from(["", *sorted(place)]))
        if gone:
            del place[gone]
        else:
            place.update(draw(_LEAVES))
    return old, new


def _places(schema: Json) -> Iterator[Json]:
    yield schema
    for inner in (*schema.get("properties", {}).values(), *schema.get("anyOf", ())):
        yield from _places(inner)
    if "items" in schema:
        yield from _places(schema["items"])


@SEARCH
@given(changed(), st.lists(VALUES, min_size=5, max_size=10))
def test_what_the_old_schema_takes_the_new_one_takes_unless_a_loss_is_told(
    pair: tuple[Json, Json], values: list[Any]
) -> None:
    old, new = pair
    if losses(old, new):
        return
    before, after = Draft202012Validator(old), Draft202012Validator(new)
    for value in values:
        assert after.is_valid(value) or not before.is_valid(value), (value, old, new)


@LAW
@given(SCHEMAS, SCHEMAS)
def test_a_wider_alternative_loses_nothing(old: Json, other: Json) -> None:
    assert losses(old, {"anyOf": [copy.deepcopy(old), other]}) == []
    assert losses(old, {}) == []


@LAW
@given(SCHEMAS)
def test_a_schema_loses_nothing_to_itself(schema: Json) -> None:
    assert losses(schema, copy.deepcopy(schema)) == []


@st.composite
def documents(draw: st.DrawFn) -> Json:
    """An OpenAPI document whose bodies are any schema."""
    paths: Json = {}
    for path in draw(st.lists(st.sampled_from(["/v1/a", "/v1/b/{id}", "/v1/c"]), unique=True, min_size=1)):
        item = paths.setdefault(path, {})
        for method in draw(st.lists(st.sampled_from(["get", "post"]), unique=True, min_size=1)):
            names = draw(st.lists(st.sampled_from(_NAMES), unique=True))
            item[method] = {
                "operationId": f"{method}{path}",
                "parameters": [{"name": name, "in": "query", "schema": draw(SCHEMAS)} for name in names],
                "requestBody": {"content": {"application/json": {"schema": draw(SCHEMAS)}}},
                "responses": {"200": {"description": "x", "content": {"application/json": {"schema": draw(SCHEMAS)}}}},
            }
    return {"openapi": "3.1.1", "paths": paths}


@LAW
@given(documents())
def test_a_contract_has_no_change_from_itself(document: Json) -> None:
    assert compare(document, copy.deepcopy(document)) == ()


@LAW
@given(documents(), st.data())
def test_adding_what_is_optional_breaks_nobody(document: Json, data: st.DataObject) -> None:
    after = copy.deepcopy(document)
    after["paths"]["/v1/new"] = {"get": {"responses": {"200": {"description": "x"}}}}
    for item in after["paths"].values():
        for operation in item.values():
            operation.setdefault("parameters", []).append({"name": "new", "in": "query", "schema": data.draw(SCHEMAS)})
            operation["responses"]["418"] = {"description": "x"}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            if "properties" in body:
                body["properties"]["new"] = data.draw(SCHEMAS)
    found = compare(document, after)
    assert {each.rule for each in found} >= {"operation-added", "parameter-added", "answer-added"}
    assert [each for each in found if each.impact is not Impact.COMPATIBLE] == []


@LAW
@given(documents(), st.data())
def test_taking_an_operation_away_breaks_its_callers(document: Json, data: st.DataObject) -> None:
    after = copy.deepcopy(document)
    path = data.draw(st.sampled_from(sorted(after["paths"])))
    method = data.draw(st.sampled_from(sorted(after["paths"][path])))
    del after["paths"][path][method]
    assert [(each.rule, each.operation) for each in compare(document, after)] == [
        ("operation-removed", f"{method.upper()} {path}")
    ]


@LAW
@given(documents(), documents())
def test_breaking_changes_come_first_and_the_order_is_stable(before: Json, after: Json) -> None:
    assume(before != after)
    found = compare(before, after)
    order = [list(Impact).index(each.impact) for each in found]
    assert order == sorted(order)
    assert found == compare(before, after)


ODD = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 600),
        st.floats(allow_nan=False),
        st.sampled_from(["", "$ref", "object", "#/paths"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["$ref", "type", "enum", "properties", "required", "items", "anyOf", "schema"]),
            inner,
            max_size=3,
        )
        | st.dictionaries(st.integers(0, 3), inner, max_size=2)
    ),
    max_leaves=6,
)


def _holders(value: Any) -> Iterator[Any]:
    """Every mapping and list of a document."""
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _holders(inner)


@LAW
@given(documents(), st.data())
def test_a_document_in_which_anything_is_wrong_is_compared_all_the_same(document: Json, data: st.DataObject) -> None:
    document["components"] = {"schemas": {"A": {"$ref": "#/components/schemas/A"}}}
    document["security"] = [{"a": []}]
    broken = copy.deepcopy(document)
    for _ in range(2):
        holder = data.draw(st.sampled_from(list(_holders(broken))))
        if holder:
            key = data.draw(
                st.sampled_from(sorted(holder, key=str) if isinstance(holder, dict) else range(len(holder)))
            )
            holder[key] = data.draw(ODD)
    compare(document, broken)
    compare(broken, document)
    compare(broken, broken)
