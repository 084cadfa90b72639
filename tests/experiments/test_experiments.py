"""Every experiment from end to end: the healthy service holds, each planted fault is found and named."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from nines import experiments
from nines.model.budget import Budgets
from nines.model.contract import Contract
from nines.model.experiment import Bench, Experiment, Judgement
from nines.model.settings import Identity, LoadSettings, SecuritySettings
from nines.model.verdict import Verdict
from tests.experiments.bench import IDENTITIES, PASSWORD, FakeBench
from tests.experiments.service import CONTRACT

KNOWN = {experiment.id: experiment for experiment in experiments.discover()}


def tried(id: str, *faults: str, budgets: Budgets | None = None, **options: object) -> tuple[Judgement, FakeBench]:
    async def all_of_it() -> tuple[Judgement, FakeBench]:
        bench = await FakeBench.opened(*faults, **options)
        bench.budgets = budgets or bench.budgets
        typed: Bench = bench
        await KNOWN[id].run(typed)
        return KNOWN[id].judge(bench.history(), bench.budgets), bench

    return asyncio.run(all_of_it())


@pytest.mark.parametrize("experiment", experiments.discover(), ids=lambda e: e.id)
def test_a_healthy_service_holds(experiment: Experiment) -> None:
    judgement, bench = tried(experiment.id)
    assert judgement.verdict is Verdict.HOLDS, (judgement.says, bench.history().skips, bench.history().notes)
    assert judgement.figures
    assert Verdict.BROKEN not in [verdict for _, verdict in judgement.subjects]


FAULTS = [
    ("load/steady", "slow-errors", "listItems"),
    ("load/steady", "slow", "listItems"),
    ("contract/no-5xx", "nul", "createItem"),
    ("contract/no-5xx", "leaks", "createItem"),
    ("contract/hostile-documents", "documents", "the graph"),
    ("contract/hostile-documents", "aliases", "the graph"),
    ("contract/hostile-messages", "messages", "rpc ListItems"),
    ("contract/hostile-messages", "open-calls", "rpc ListItems"),
    ("security/authentication", "open", "listItems"),
    ("security/authentication", "unsigned", "getItem"),
    ("security/object-authorization", "peer-reads", "getItem"),
    ("security/object-authorization", "peer-writes", "putItem"),
    ("security/object-authorization", "peer-writes", "deleteItem"),
    ("consistency/unique-race", "race", "createItem"),
    ("database/n-plus-one", "n-plus-one", "listItems"),
    ("dependencies/dependency-stall", "unbounded", "listItems"),
    ("dependencies/dependency-stall", "starves", "about"),
    ("dependencies/dependency-reset", "stale", "listItems"),
    ("crash/durable-kill", "forgets", "createItem"),
]


@pytest.mark.parametrize(("id", "fault", "operation"), FAULTS, ids=[f"{i}-{f}-{o}" for i, f, o in FAULTS])
def test_a_planted_fault_is_found(id: str, fault: str, operation: str) -> None:
    judgement, bench = tried(id, fault)
    assert judgement.verdict is Verdict.BROKEN, (judgement.says, bench.history().skips)
    assert dict(judgement.subjects)[operation] is Verdict.BROKEN
    assert judgement.offending
    assert all(0 <= index < len(bench.history().exchanges) for index in judgement.offending)


def test_a_service_that_never_comes_back_breaks_the_claim() -> None:
    judgement, _ = tried("crash/durable-kill", "dead")
    assert judgement.verdict is Verdict.BROKEN
    assert "no correct answer" in judgement.says


@pytest.mark.parametrize(("faults", "verdict"), [((), Verdict.HOLDS), (("forgets",), Verdict.BROKEN)])
def test_what_carries_no_marker_is_read_back_by_its_identifier(faults: tuple[str, ...], verdict: Verdict) -> None:
    judgement, _ = tried("crash/durable-kill", "hides-names", *faults)
    assert judgement.verdict is verdict, judgement.says
    assert dict(judgement.subjects) == {"createItem": verdict}


def test_what_may_be_created_twice_promises_nothing() -> None:
    judgement, bench = tried("consistency/unique-race", "twice")
    reasons = {skip.subject: skip.reason for skip in bench.history().skips}
    assert "may be created twice" in reasons["createItem"]
    assert dict(judgement.subjects).keys() == {"register"}


def test_a_service_that_fails_under_strain_is_not_blamed_for_a_race() -> None:
    judgement, bench = tried("consistency/unique-race", "overloads")
    assert judgement.verdict is Verdict.UNKNOWN
    assert any("different creates at once" in skip.reason for skip in bench.history().skips)


def test_objects_that_everybody_sees_accuse_nobody() -> None:
    judgement, bench = tried("security/object-authorization", "shared")
    assert judgement.verdict is Verdict.UNKNOWN
    assert any("security.shared" in skip.reason for skip in bench.history().skips)


def test_what_the_settings_declare_shared_is_not_judged() -> None:
    shared = SecuritySettings(shared=("/items/*",))
    judgement, _ = tried("security/object-authorization", "peer-reads", "peer-writes", security=shared)
    assert judgement.verdict is Verdict.UNKNOWN
    public = SecuritySettings(public=("listItems",))
    judgement, _ = tried("security/authentication", "open", security=public)
    assert judgement.verdict is Verdict.HOLDS


def test_a_few_failures_prolong_the_load() -> None:
    _, bench = tried("load/steady", load=LoadSettings(rate_hz=200.0, duration_s_max=20.0))
    assert sum(1 for _ in bench.history().during("steady")) >= 2_995


LENIENT = Budgets(error_rate=0.01)
"""It takes 299 requests to be shown, so that a tried service need not be asked thousands of times."""


def test_a_low_target_rate_is_raised_so_that_the_error_budget_is_shown_in_time() -> None:
    judgement, bench = tried("load/steady", load=LoadSettings(rate_hz=2.0), budgets=LENIENT)
    assert judgement.verdict is Verdict.HOLDS, judgement.says
    assert "asked at 5/s, 2.3 times the target rate, so that 299 requests fit" in judgement.says
    assert bench.clock_s() < 90.0


@pytest.mark.parametrize("faults", [("narrow",), ("narrow", "narrow later")])
def test_what_fails_above_the_target_rate_accuses_nobody(faults: tuple[str, ...]) -> None:
    judgement, bench = tried("load/steady", *faults, load=LoadSettings(rate_hz=2.8), budgets=LENIENT)
    assert judgement.verdict is Verdict.HOLDS, judgement.says
    assert "times the target rate" not in judgement.says
    assert any("target rate" in note for note in bench.history().notes)


def test_what_cannot_be_repeated_is_left_out_of_the_load() -> None:
    judgement, bench = tried("load/steady", "wears")
    assert judgement.verdict is Verdict.HOLDS, judgement.says
    assert {skip.subject: skip.reason for skip in bench.history().skips}["putItem"].endswith("answered 409")
    assert "putItem" not in dict(judgement.subjects)


def test_a_load_ends_early_when_the_budget_is_missed_beyond_doubt() -> None:
    judgement, bench = tried("load/steady", "slow")
    assert judgement.verdict is Verdict.BROKEN
    assert sum(1 for _ in bench.history().during("steady")) < 2_000
    assert any("was ended after" in note for note in bench.history().notes)


def test_a_late_generator_gets_a_second_try() -> None:
    judgement, bench = tried("load/steady", late_phases=("steady",))
    assert judgement.verdict is Verdict.HOLDS, judgement.says
    assert any(True for _ in bench.history().during("steady again"))
    judgement, _ = tried("load/steady", late_phases=("steady", "steady again"))
    assert judgement.verdict is Verdict.UNKNOWN
    assert "spoiled" in judgement.says


def test_whoever_has_the_role_is_asked_where_the_owner_may_not() -> None:
    clerk = Identity(name="clerk", username="clerk@example.com", password=PASSWORD)
    judgement, bench = tried("load/steady", "roles", identities=(*IDENTITIES, clerk))
    assert judgement.verdict is Verdict.HOLDS, (judgement.says, bench.history().skips)
    assert {e.identity for e in bench.history().during("steady") if e.operation == "listItems"} == {"clerk"}


@pytest.mark.parametrize("id", ["consistency/unique-race", "database/n-plus-one", "crash/durable-kill"])
def test_what_only_a_role_may_create_is_created_by_whoever_has_it(id: str) -> None:
    clerk = Identity(name="clerk", username="clerk@example.com", password=PASSWORD)
    judgement, bench = tried(id, "roles", identities=(*IDENTITIES, clerk))
    assert judgement.verdict is Verdict.HOLDS, (judgement.says, bench.history().skips)
    judgement, bench = tried("crash/durable-kill", "roles", "forgets", identities=(*IDENTITIES, clerk))
    assert judgement.verdict is Verdict.BROKEN, (judgement.says, bench.history().skips)


def test_recovery_is_measured_where_nothing_is_created() -> None:
    reads = Contract(
        operations=tuple(o for o in CONTRACT.operations if o.is_safe and not o.path_parameters),
        security_schemes=CONTRACT.security_schemes,
    )
    judgement, bench = tried("crash/durable-kill", contract=reads)
    assert judgement.verdict is Verdict.UNKNOWN
    assert "the worst recovery of the service took" in judgement.says
    assert sum(1 for _ in bench.history().marked("killed")) == 4


def test_where_only_one_can_be_made_reads_meet_the_crashes() -> None:
    judgement, bench = tried("crash/durable-kill", "only-one")
    assert judgement.verdict is Verdict.UNKNOWN, judgement.says
    assert "the worst recovery of the database took" in judgement.says
    assert any("only one can be made" in skip.reason for skip in bench.history().skips)
    assert sum(1 for _ in bench.history().marked("killed")) == 4


@pytest.mark.parametrize(("faults", "verdict"), [((), Verdict.HOLDS), (("forgets",), Verdict.BROKEN)])
def test_where_no_more_can_be_made_a_conflict_is_as_correct_as_before(
    faults: tuple[str, ...], verdict: Verdict
) -> None:
    judgement, bench = tried("crash/durable-kill", "fills", *faults)
    assert judgement.verdict is verdict, judgement.says
    assert "no correct answer" not in judgement.says
    assert sum(1 for _ in bench.history().marked("killed")) == 4


def test_weights_of_the_settings_choose_what_is_driven() -> None:
    judgement, bench = tried(
        "load/steady", load=LoadSettings(rate_hz=200.0, operations={"listItems": 1.0, "nope": 1.0})
    )
    assert {exchange.operation for exchange in bench.history().during("steady")} == {"listItems"}
    assert "nope" in {skip.subject for skip in bench.history().skips}
    assert judgement.verdict is Verdict.HOLDS


@pytest.mark.parametrize("experiment", experiments.discover(), ids=lambda e: e.id)
def test_an_empty_contract_is_no_pass_and_no_crash(experiment: Experiment) -> None:
    async def all_of_it() -> Judgement:
        bench = await FakeBench.opened()
        bench.contract = Contract()
        bench.planner = bench.planner.__class__(
            Contract(), send=bench.send, note=bench.note, seed=1, today=date(2024, 6, 1)
        )
        await experiment.run(bench)
        return experiment.judge(bench.history(), Budgets())

    assert asyncio.run(all_of_it()).verdict is Verdict.UNKNOWN


def test_every_module_of_a_topic_has_a_page() -> None:
    folder = Path(experiments.__file__).parent
    modules = {path.with_suffix("") for path in folder.glob("*/*.py") if path.name != "__init__.py"}
    assert {path.with_suffix("") for path in folder.glob("*/*.md")} == modules
    assert len(KNOWN) == len(modules)
