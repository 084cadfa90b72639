"""Services that keep nothing but accounts are tried by newcomers: healthy ones hold, planted faults are found."""

from __future__ import annotations

import asyncio

import pytest

from nines import experiments
from nines.model.budget import Budgets
from nines.model.experiment import Judgement
from nines.model.settings import Identity
from nines.model.verdict import Verdict
from tests.experiments.bench import IDENTITIES, PASSWORD, FakeBench
from tests.experiments.service import ACCOUNTS

KNOWN = {experiment.id: experiment for experiment in experiments.discover()}
ADMIN = Identity(name="admin", username="admin@example.com", password=PASSWORD, is_admin=True)


def tried(
    id: str, *faults: str, identities: tuple[Identity, ...] = (*IDENTITIES, ADMIN)
) -> tuple[Judgement, FakeBench]:
    async def all_of_it() -> tuple[Judgement, FakeBench]:
        bench = await FakeBench.opened(*faults, contract=ACCOUNTS, identities=identities)
        await KNOWN[id].run(bench)
        return KNOWN[id].judge(bench.history(), Budgets()), bench

    return asyncio.run(all_of_it())


HEALTHY = [
    ("security/object-authorization", (), {"getUser", "patchUser"}),
    ("consistency/unique-race", (), {"register"}),
    ("consistency/unique-race", ("silent",), {"register"}),
    ("database/n-plus-one", (), {"listUsers"}),
    ("crash/durable-kill", (), {"register", "patchUser"}),
    ("crash/durable-kill", ("silent",), {"register", "patchUser"}),
]


@pytest.mark.parametrize(("id", "kind", "subjects"), HEALTHY, ids=[f"{i}-{''.join(k)}" for i, k, _ in HEALTHY])
def test_accounts_that_are_kept_well_hold(id: str, kind: tuple[str, ...], subjects: set[str]) -> None:
    judgement, bench = tried(id, *kind)
    assert judgement.verdict is Verdict.HOLDS, (judgement.says, bench.history().skips, bench.history().notes)
    assert {name for name, verdict in judgement.subjects if verdict is Verdict.HOLDS} == subjects


FAULTS = [
    ("security/object-authorization", ("reads-accounts",), "getUser"),
    ("security/object-authorization", ("writes-accounts",), "patchUser"),
    ("consistency/unique-race", ("silent", "race"), "register"),
    ("consistency/unique-race", ("silent", "tells"), "register"),
    ("database/n-plus-one", ("n-plus-one",), "listUsers"),
    ("crash/durable-kill", ("forgets-users",), "register"),
    ("crash/durable-kill", ("forgets-names",), "patchUser"),
]


@pytest.mark.parametrize(("id", "faults", "operation"), FAULTS, ids=[f"{i}-{'-'.join(f)}" for i, f, _ in FAULTS])
def test_a_fault_among_accounts_is_found(id: str, faults: tuple[str, ...], operation: str) -> None:
    judgement, bench = tried(id, *faults)
    assert judgement.verdict is Verdict.BROKEN, (judgement.says, bench.history().skips, bench.history().notes)
    assert dict(judgement.subjects)[operation] is Verdict.BROKEN
    assert judgement.offending
    assert all(0 <= index < len(bench.history().exchanges) for index in judgement.offending)


def test_what_tells_in_a_race_is_said() -> None:
    judgement, _ = tried("consistency/unique-race", "silent", "tells")
    assert "tells that the account exists" in judgement.says


def test_where_nobody_sees_the_accounts_a_silent_registration_promises_nothing() -> None:
    judgement, bench = tried("consistency/unique-race", "silent", identities=IDENTITIES)
    assert judgement.verdict is Verdict.UNKNOWN
    assert any("may be created twice" in skip.reason for skip in bench.history().skips)


def test_where_nobody_may_list_accounts_their_list_is_not_grown() -> None:
    judgement, bench = tried("database/n-plus-one", identities=IDENTITIES)
    assert judgement.verdict is Verdict.UNKNOWN
    assert any("may list accounts" in skip.reason for skip in bench.history().skips)
