"""Predicates, judged by a database."""

from __future__ import annotations

import re
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.security.policy import Policy, Rule, known, owner, public, role
from nines_runtime.web.caller import Caller
from nines_runtime.web.problem import Problem

ROWS = [(number, subject, tenant) for number, (subject, tenant) in enumerate(
    (subject, tenant) for subject in ("ada", "grace", "", "x' OR '1'='1") for tenant in ("m1", "m2", "")
)]  # fmt: skip
CALLERS = st.builds(
    Caller,
    subject=st.sampled_from(["ada", "grace", "", "x' OR '1'='1"]),
    tenant=st.sampled_from(["m1", "m2", ""]),
    roles=st.frozensets(st.sampled_from(["support", "merchant"])),
    has_second_factor=st.booleans(),
)
BASIC = st.sampled_from(["owner", "support", "strong", "known", "public"])


def seen(policy: Policy, caller: Caller, *, first: int = 1) -> set[int]:
    where, values = policy.predicate(caller, first=first)
    numbers = [int(each) for each in re.findall(r"\$(\d+)", where)]
    assert numbers == list(range(first, first + len(values)))
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE rows (number, owner_id, tenant_id)")
    database.executemany("INSERT INTO rows VALUES (?, ?, ?)", ROWS)
    query = re.sub(r"\$(\d+)", lambda found: f"?{int(found[1]) - first + 1}", where)
    found = database.execute(f"SELECT number FROM rows WHERE {query}", values).fetchall()
    database.close()
    return {number for (number,) in found}


def holds(name: str, caller: Caller, row: tuple[int, str, str]) -> bool:
    return {
        "owner": bool(caller.subject) and row[1] == caller.subject,
        "support": "support" in caller.roles,
        "strong": "merchant" in caller.roles and caller.has_second_factor,
        "known": bool(caller.subject),
        "public": True,
    }[name]


RULES: dict[str, Rule] = {
    "owner": owner(),
    "support": role("support"),
    "strong": role("merchant", needs_second_factor=True),
    "known": known(),
    "public": public(),
}
TREES = st.recursive(BASIC, lambda inner: st.tuples(st.sampled_from("|&"), inner, inner), max_leaves=6)


def built(tree: object) -> Rule:
    if isinstance(tree, str):
        return RULES[tree]
    assert isinstance(tree, tuple)
    first, second = built(tree[1]), built(tree[2])
    return first | second if tree[0] == "|" else first & second


def meant(tree: object, caller: Caller, row: tuple[int, str, str]) -> bool:
    if isinstance(tree, str):
        return holds(tree, caller, row)
    assert isinstance(tree, tuple)
    first, second = meant(tree[1], caller, row), meant(tree[2], caller, row)
    return first or second if tree[0] == "|" else first and second


@given(TREES, CALLERS, st.booleans(), st.integers(1, 9))
def test_the_database_shows_the_rows_that_are_meant(
    tree: object, caller: Caller, has_tenants: bool, first: int
) -> None:
    policy = Policy(built(tree), tenant="tenant_id" if has_tenants else "")
    expected = {
        row[0]
        for row in ROWS
        if meant(tree, caller, row) and (not has_tenants or (caller.tenant and row[2] == caller.tenant))
    }
    assert seen(policy, caller, first=first) == expected


def test_as_it_is_documented() -> None:
    policy = Policy(owner("owner_id") | role("support"), tenant="merchant_id")
    caller = Caller(subject="ada", tenant="m1")
    assert policy.predicate(caller, first=2) == ("(merchant_id = $2 AND (owner_id = $3))", ("m1", "ada"))
    assert policy.predicate(Caller(subject="ada", tenant="m1", roles=frozenset({"support"}))) == (
        "(merchant_id = $1)",
        ("m1",),
    )


def test_whoever_can_see_nothing_is_told_so() -> None:
    policy = Policy(role("support"))
    policy.require(Caller(subject="ada", roles=frozenset({"support"})))
    for caller, code in ((Caller(subject="ada"), "forbidden"), (Caller(), "unauthorized")):
        with pytest.raises(Problem) as caught:
            policy.require(caller)
        assert caught.value.code == code


@pytest.mark.parametrize("column", ["owner_id = 1 OR 1", "Owner", "", 'a"b', "a.b.c", "x" * 70])
def test_a_column_is_a_name(column: str) -> None:
    with pytest.raises(ValueError, match="column"):
        owner(column)
