"""Values from schemas: always allowed by them, fresh where that matters, and never without an end."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nines.lab.requests.invent import Inventor, fresh_marker
from nines.lab.requests.shapes import settled, singular, words
from nines.lab.requests.spaces import matching
from nines.lab.requests.validate import allows
from tests.lab.requests.fakes import TODAY

NAMES = st.sampled_from(["name", "email", "amount", "country", "note", "start_date", "x", "code", "owner_name", "size"])


def strings() -> st.SearchStrategy[dict[str, Any]]:
    bounded = st.tuples(st.integers(0, 30), st.integers(0, 60)).map(
        lambda pair: {"type": "string", "minLength": pair[0], "maxLength": pair[0] + pair[1]}
    )
    formats = st.sampled_from(["email", "uuid", "date", "date-time", "ipv4", "uri", "byte", "password", "unheard-of"])
    patterns = st.sampled_from(
        [r"^[A-Z]{3}$", r"^\d{4}-\d{2}$", r"^[a-z0-9-]+$", r"^\+?[1-9]\d{1,14}$", r"^(a|bc)+\w$"]
    )
    return st.one_of(
        bounded,
        formats.map(lambda name: {"type": "string", "format": name}),
        patterns.map(lambda pattern: {"type": "string", "pattern": pattern}),
        st.lists(st.text(max_size=5), min_size=1, max_size=4).map(lambda choices: {"enum": choices}),
    )


def numbers() -> st.SearchStrategy[dict[str, Any]]:
    def bounds(pair: tuple[str, int, int]) -> dict[str, Any]:
        return {"type": pair[0], "minimum": pair[1], "maximum": pair[1] + pair[2]}

    kinds = st.sampled_from(["integer", "number"])
    return st.one_of(
        st.tuples(kinds, st.integers(-1_000, 1_000), st.integers(0, 500)).map(bounds),
        kinds.map(lambda kind: {"type": kind, "exclusiveMinimum": 0}),
        st.integers(1, 50).map(lambda step: {"type": "integer", "multipleOf": step}),
    )


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.dictionaries(NAMES, inner, max_size=4).flatmap(
            lambda properties: st.sets(st.sampled_from(sorted(properties)) if properties else st.nothing()).map(
                lambda needed: {
                    "type": "object",
                    "properties": properties,
                    "required": sorted(needed),
                    "additionalProperties": False,
                }
            )
        ),
        st.tuples(inner, st.integers(0, 3)).map(lambda p: {"type": "array", "items": p[0], "minItems": p[1]}),
        inner.map(lambda schema: {"anyOf": [{"type": "null"}, schema]}),
        inner.map(lambda schema: {"oneOf": [schema]}),
        inner.map(lambda schema: {"allOf": [schema, {"description": "x"}]}),
        inner.map(lambda schema: {**schema, "nullable": True}),
    )


SCHEMAS = st.recursive(st.one_of(strings(), numbers(), st.just({"type": "boolean"})), nested, max_leaves=8)


def inventor(seed: int = 1, **options: Any) -> Inventor:
    rng = random.Random(seed)
    return Inventor(rng, marker=fresh_marker(rng), today=TODAY, **options)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(SCHEMAS, st.integers(0, 1_000), NAMES)
def test_what_is_invented_is_allowed(schema: dict[str, Any], seed: int, name: str) -> None:
    value = inventor(seed).value(schema, name)
    assert allows(schema, value) is not False, (schema, value)
    assert Draft202012Validator(schema).is_valid(value), (schema, value)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(SCHEMAS, st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4))
def test_the_validation_never_contradicts_jsonschema(schema: dict[str, Any], value: Any) -> None:
    own = allows(schema, value)
    if "nullable" not in str(schema) and own is not None and "format" not in str(schema):
        assert own == Draft202012Validator(schema).is_valid(value)


@settings(deadline=None)
@given(
    st.sampled_from(
        [r"^[A-Z]{3}$", r"^\w{2,8}$", r"[^@]+@[^@]+", r"^(?:GB|DE)\d{2}[A-Z0-9]{4,10}$", r"^\S+$", r"^(\d)-\1$", r"a|b"]
    ),
    st.integers(0, 10_000),
)
def test_texts_match_their_pattern(pattern: str, seed: int) -> None:
    text = matching(pattern, random.Random(seed))
    assert text is not None
    assert re.search(pattern, text)


@pytest.mark.parametrize("pattern", [r"(", r"^(?=b)a$", r"\p{L}"])
def test_patterns_that_cannot_be_met_end(pattern: str) -> None:
    assert matching(pattern, random.Random(1)) is None


def test_unique_looking_fields_are_fresh_whatever_the_example_says() -> None:
    schema = {"type": "string", "example": "Widget"}
    assert inventor(1).value(schema, "name") != inventor(2).value(schema, "name")
    assert inventor().value(schema, "colour") == "Widget"
    assert inventor().value({"type": "string"}, "country_code") == "DE"
    assert inventor().value({"type": "string", "default": "de", "maxLength": 1}, "kind") != "de"


def test_an_end_lies_after_its_start_and_a_birth_in_the_past() -> None:
    made = inventor()
    day = {"type": "string", "format": "date"}
    assert (
        made.value(day, "birth_date") < TODAY.isoformat() < made.value(day, "start_date") < made.value(day, "end_date")
    )


def test_optional_fields_are_left_out_unless_they_carry_the_marker() -> None:
    schema = {
        "type": "object",
        "required": ["amount"],
        "properties": {
            "amount": {"type": "integer"},
            "note": {"type": "string"},
            "account_id": {"type": "string"},
            "id": {"type": "string", "readOnly": True},
        },
    }
    made = inventor()
    value = made.value(schema)
    assert set(value) == {"amount", "note"}
    assert made.marker in value["note"]
    assert made.is_marked


def test_a_change_without_required_fields_changes_something() -> None:
    schema = {"type": "object", "properties": {"done": {"type": "boolean"}, "weight": {"type": "integer"}}}
    assert inventor().value(schema) == {"done": True, "weight": inventor().value({"type": "integer"}, "weight")}


def test_recursion_is_cut() -> None:
    schema: dict[str, Any] = {"type": "object", "required": ["child"], "properties": {"child": {}}}
    schema["properties"]["child"] = {"x-nines-recursive": True, "type": "object"}
    assert inventor().value(schema) == {"child": {}}
    endless: dict[str, Any] = {"type": "object", "required": ["child"], "properties": {}}
    endless["properties"]["child"] = endless
    assert "child" in inventor().value(endless)


def test_a_discriminator_fits_its_branch() -> None:
    schema = {
        "oneOf": [{"type": "object", "properties": {"iban": {"type": "string"}}, "required": ["iban"]}],
        "discriminator": {"propertyName": "kind", "mapping": {"sepa": "#/a"}},
    }
    assert inventor().value(schema)["kind"] == "sepa"


def test_words_and_singulars() -> None:
    assert words("fromAccountID2") == ("from", "account", "id", "2")
    assert [singular(word) for word in ("entries", "boxes", "address", "status", "users", "bus")] == [
        "entry",
        "box",
        "address",
        "status",
        "user",
        "bus",
    ]
    assert settled({"allOf": [{"required": ["a"]}, {"required": ["b"]}]})["required"] == ["a", "b"]


def test_what_is_not_understood_is_left_open() -> None:
    assert allows({"not": {"type": "string"}}, 1) is None
    assert allows({"type": "string", "not": {}}, 1) is False
    assert allows({"type": "string", "pattern": "("}, "x") is None
    assert allows(False, 1) is False
    assert allows({"type": "integer", "format": "int32"}, 2**31) is False
