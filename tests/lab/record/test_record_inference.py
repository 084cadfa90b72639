"""What is inferred without the wire: loops from repetition, and which statements are housekeeping."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nines.lab.record.housekeeping import is_housekeeping
from nines.lab.record.loops import ROUNDS_MIN, Sight, find_loops
from nines.lab.record.sqltext import changes_data, without_comments

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no defect."""


def sights(text: str, rows: dict[int, int] | None = None) -> list[Sight]:
    return [Sight(shape=letter.strip(), rows=(rows or {}).get(at)) for at, letter in enumerate(text)]


def depths(text: str, rows: dict[int, int] | None = None) -> str:
    return "".join(str(len(loops)) for loops in find_loops(sights(text, rows)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("abc", "000"),
        ("aab", "000"),
        ("aaab", "1110"),
        ("xabababy", "01111110"),
        ("ababy", "00000"),
        # The second round's three are a loop of their own, the first round's two are not.
        ("abbcabbbcabc", "111112221111"),
        ("abbbcabbbbcabbbc", "1222112222112221"),
        ("a a a", "00000"),
    ],
)
def test_repetition(text: str, expected: str) -> None:
    assert depths(text) == expected


def test_the_read_whose_rows_are_walked() -> None:
    (*_, last) = find_loops(sights("rsaaaa", {0: 4, 1: 9}))
    assert [loop.effect for loop in last] == [0]
    (*_, last) = find_loops(sights("rsaa", {0: 2, 1: 9}))
    assert [loop.effect for loop in last] == [0]


@calm
@given(st.text(alphabet="abcd ", max_size=60), st.dictionaries(st.integers(0, 59), st.integers(0, 6)))
def test_every_loop_is_a_run_with_its_reasons(text: str, rows: dict[int, int]) -> None:
    seen = sights(text, rows)
    found = find_loops(seen)
    assert len(found) == len(seen)
    members: dict[int, list[int]] = {}
    for index, loops in enumerate(found):
        for loop in loops:
            members.setdefault(loop.ordinal, []).append(index)
            assert loop.effect is None or loop.effect < members[loop.ordinal][0]
    for ordinal, indexes in members.items():
        assert indexes == list(range(indexes[0], indexes[-1] + 1))
        assert all(seen[index].shape for index in indexes)
        (driver,) = {loop.effect for index in indexes for loop in found[index] if loop.ordinal == ordinal}
        first = [seen[index].shape for index in indexes].count(seen[indexes[0]].shape)
        assert first >= (ROUNDS_MIN if driver is None else rows[driver])


@calm
@given(st.integers(3, 9), st.integers(3, 9), st.sampled_from(["", "c", "cd"]))
def test_nested_loops_are_found_again(outer: int, inner: int, tail: str) -> None:
    text = "r" + ("a" + "b" * inner + tail) * outer
    found = find_loops(sights(text))
    assert not found[0]
    assert all(len(loops) == (2 if text[at] == "b" else 1) for at, loops in enumerate(found) if at)
    assert len({loops[0].ordinal for loops in found[1:]}) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-- ping",
        ";",
        "SELECT 1",
        "select 1 as ping;",
        "SELECT 'x'",
        "select pg_catalog.version()",
        "select current_schema()",
        "show standard_conforming_strings",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET TIME ZONE 'UTC'",
        "SELECT pg_advisory_unlock_all()",
        "RESET ALL",
        "DISCARD ALL",
        "select set_config('app.tenant', $1, true)",
        "SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid WHERE typname = 'hstore'",
        "/* driver */ SELECT typname AS name, oid FROM pg_catalog.pg_type t WHERE t.oid = to_regtype($1)",
        "WITH RECURSIVE typeinfo_tree(oid) AS (SELECT ti.oid FROM pg_catalog.pg_type ti) SELECT * FROM typeinfo_tree",
        "select column_name from information_schema.columns where table_name = 'item'",
        'SELECT c.relname FROM "pg_class" c',
    ],
)
def test_housekeeping(text: str) -> None:
    assert is_housekeeping(text)


@pytest.mark.parametrize(
    "text",
    [
        "select * from item",
        "select 1 from item where id = $1",
        "insert into note values ('from pg_type')",
        "select pg_advisory_lock(1)",
        "select nextval('item_id_seq')",
        "update settings set a = 1",
        "select * from pg_types_of_mine",
        "select count(*) from page join pg on true",
        "delete from item -- from pg_type",
    ],
)
def test_no_housekeeping(text: str) -> None:
    assert not is_housekeeping(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select * from item for update", False),
        ("select * from item for no key update", False),
        ("update item set a = 1", True),
        ("with x as (insert into item values (1) returning id) select * from x", True),
        ("copy item to stdout", False),
        ("select updated_at from item", False),
    ],
)
def test_what_changes_data(text: str, expected: bool) -> None:
    assert changes_data(text) is expected


def test_comments_go_and_quotes_stay() -> None:
    text = "select '--' /* a /* b */ c */, \"/*\" -- end\n, $x$ -- kept $x$"
    assert without_comments(text).split() == ["select", "'--'", ",", '"/*"', ",", "$x$", "--", "kept", "$x$"]
