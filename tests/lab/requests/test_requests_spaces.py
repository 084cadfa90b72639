"""Distinct values: each allowed, none twice, all of them where they are few."""

from __future__ import annotations

import itertools
import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nines.lab.requests.languages import Language
from nines.lab.requests.lists import listed
from nines.lab.requests.spaces import SPACE_MAX, Space
from nines.lab.requests.validate import allows
from tests.lab.requests.fakes import TODAY

NAMES = st.sampled_from(["currency", "number", "code", "day", "expires_at", "born_on", "size", "x", "phone", "country"])
PATTERNS = st.sampled_from(
    [r"^[A-Z]{3}$", r"^\d{2}$", r"^(a|b)?[01]{1,2}$", r"^[a-z0-9-]+$", r"^(\d)-\1$", r"^room_[0-9a-f]{32}$", r"x|y|zz"]
)


def space(schema: dict[str, Any], name: str = "x", seed: int = 1, first: Any = None) -> Space:
    return Space(schema, name, today=TODAY, rng=random.Random(seed), first=first)


def all_of(found: Space, most: int = 2_000) -> list[Any]:
    return [found.get(place) for place in range(most) if found.has(place + 1)]


def schemas() -> st.SearchStrategy[dict[str, Any]]:
    lengths = st.tuples(st.integers(0, 12), st.integers(0, 8))
    return st.one_of(
        lengths.map(lambda pair: {"type": "string", "minLength": pair[0], "maxLength": pair[0] + pair[1]}),
        PATTERNS.map(lambda pattern: {"type": "string", "pattern": pattern}),
        st.sampled_from(["date", "date-time", "time", "ipv4", "ipv6"]).map(lambda f: {"type": "string", "format": f}),
        st.sets(st.text(max_size=4), min_size=1, max_size=5).map(lambda found: {"enum": sorted(found)}),
        st.tuples(st.integers(-500, 500), st.integers(0, 300), st.integers(1, 7)).map(
            lambda t: {"type": "integer", "minimum": t[0], "maximum": t[0] + t[1], "multipleOf": t[2]}
        ),
        st.tuples(st.integers(-500, 500), st.integers(0, 3)).map(
            lambda t: {"type": "number", "minimum": t[0], "exclusiveMaximum": t[0] + t[1]}
        ),
        st.just({"type": "boolean"}),
        st.just({"type": "integer"}),
        st.just({"type": "string"}),
    )


@settings(max_examples=60, deadline=None)
@given(schemas(), NAMES, st.integers(0, 1_000))
def test_every_value_is_allowed_and_none_comes_twice(schema: dict[str, Any], name: str, seed: int) -> None:
    found = all_of(space(schema, name, seed), 120)
    assert len({repr(value) for value in found}) == len(found)
    for value in found:
        assert allows(schema, value) is not False, value
        assert Draft202012Validator(schema).is_valid(value), value
    assert found == all_of(space(schema, name, seed), 120)


@settings(max_examples=60, deadline=None)
@given(st.integers(-100, 100), st.integers(0, 200), st.integers(1, 9), NAMES)
def test_a_range_is_gone_through_whole(low: int, more: int, step: int, name: str) -> None:
    schema = {"type": "integer", "minimum": low, "maximum": low + more, "multipleOf": step}
    wanted = [number for number in range(low, low + more + 1) if number % step == 0]
    assert sorted(all_of(space(schema, name))) == wanted


@pytest.mark.parametrize(
    ("schema", "count"),
    [
        ({"type": "string", "pattern": "^[A-Z]{2}$"}, 676),
        ({"type": "string", "pattern": "^[a-c]{1,3}$"}, 39),
        ({"type": "string", "pattern": r"^(\d)-\1$"}, 10),
        ({"type": "string", "pattern": "^a*b?$", "maxLength": 3}, 7),
        ({"type": "string", "pattern": "^(a|a|b)$"}, 2),
        ({"enum": ["a", None, "b", "a"]}, 2),
        ({"type": "boolean"}, 2),
        ({"const": 7}, 1),
        ({"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.25}, 5),
    ],
)
def test_few_values_are_all_found(schema: dict[str, Any], count: int) -> None:
    assert len(all_of(space(schema))) == count


def test_short_texts_last_long_and_end() -> None:
    assert space({"type": "string", "maxLength": 3}, "code").has(SPACE_MAX)
    assert not space({"type": "string", "maxLength": 3}, "code").has(SPACE_MAX + 1)
    short = all_of(space({"type": "string", "maxLength": 1}, "code"))
    assert len(short) == len(set(short)) >= 33
    assert {len(text) for text in short} == {1}


def test_what_a_service_knows_by_heart_comes_first() -> None:
    currency = {"type": "string", "pattern": "^[A-Z]{3}$"}
    found = all_of(space(currency, "currency"), 200)
    assert found[:3] == ["EUR", "USD", "GBP"]
    assert found[: len(list(listed("currency")))] == list(listed("currency"))
    assert space(currency, "currency", first="CHF").get(0) == "CHF"
    assert space(currency, "currency", first="chf").get(0) == "EUR"


def test_account_numbers_have_check_digits() -> None:
    for text in itertools.islice(listed("iban"), 50):
        moved = text[4:] + "1314" + text[2:4]
        assert int(moved) % 97 == 1


def test_days_go_on_from_the_one_that_suits_the_name() -> None:
    day = {"type": "string", "format": "date"}
    assert all_of(space(day, "day"), 3) == ["2026-01-31", "2026-02-01", "2026-02-02"]
    assert all_of(space(day, "born_on"), 2) == ["1990-06-15", "1990-06-14"]


def test_a_place_beyond_the_end_begins_again_and_says_so() -> None:
    found = space({"enum": ["a", "b", "c"]})
    assert [found.place(number) for number in range(5)] == [("a", 0), ("b", 0), ("c", 0), ("a", 1), ("b", 1)]


@settings(max_examples=60, deadline=None)
@given(PATTERNS, st.integers(0, 10_000))
def test_every_place_of_a_language_matches(pattern: str, number: int) -> None:
    language = Language(pattern, 4)
    assert re.search(pattern, language.at(number % language.size))


@pytest.mark.parametrize("pattern", [r"(a{200}){200}", r"((a{90}){90}){90}", r"(", r"^(?!a)a$", r"\p{L}"])
def test_what_cannot_be_unfolded_ends(pattern: str) -> None:
    found = all_of(space({"type": "string", "pattern": pattern, "maxLength": 20}), 5)
    assert all(re.search(pattern, text) for text in found)
