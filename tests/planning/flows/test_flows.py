"""Flows: what holds for every operation and job, of the examples and of blueprints drawn by chance."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from nines.model.blueprint import Blueprint
from nines.model.design import Design, Flow, FlowStep, StepKind
from nines.planning import plan
from tests.planning.data.blueprints import ALL, EXAMPLES, PAYMENTS, TRIPS, named
from tests.planning.data.random_blueprints import blueprints

_LEVELS = ("read committed", "repeatable read", "serializable")
_OUTSIDE = (StepKind.CALL, StepKind.PUBLISH, StepKind.RESPOND, StepKind.CHECK)


def _flows(design: Design) -> Iterator[tuple[str, Flow]]:
    yield from ((endpoint.id, endpoint.flow) for endpoint in design.endpoints)
    yield from ((job.name, job.flow) for job in design.jobs)


def _transactions(flow: Flow) -> dict[int, list[FlowStep]]:
    found: dict[int, list[FlowStep]] = {}
    for step in flow.steps:
        if step.transaction is not None:
            found.setdefault(step.transaction, []).append(step)
    return found


def _holds(design: Design) -> None:
    """Every law of flows, over one design."""
    for name, flow in _flows(design):
        assert flow.steps, name
        for step in flow.steps:
            _holds_of_step(design, name, step)
        for number, steps in _transactions(flow).items():
            kinds = [step.kind for step in steps]
            assert kinds[0] is StepKind.BEGIN, (name, number)
            assert kinds[-1] is StepKind.COMMIT, (name, number)
            assert kinds.count(StepKind.BEGIN) == kinds.count(StepKind.COMMIT) == 1, (name, number)
    for endpoint in design.endpoints:
        answers = [step for step in endpoint.flow.steps if step.kind is StepKind.RESPOND]
        assert len(answers) == 1, endpoint.id
        assert endpoint.isolation in _LEVELS
        assert endpoint.isolation_reason
        asked = {step.query for step in endpoint.flow.steps if step.query}
        assert asked <= set(endpoint.queries)
        assert set(endpoint.queries) <= {query.id for query in design.queries}


def _holds_of_step(design: Design, name: str, step: FlowStep) -> None:
    if step.kind in _OUTSIDE:
        assert step.transaction is None, (name, step.says)
    if step.kind is StepKind.CALL:
        assert step.timeout_s is not None, (name, step.says)
    if step.kind is StepKind.QUERY:
        query = design.query(step.query)
        assert query is not None, (name, step.query)
        assert name in query.used_by
        assert design.table(step.target) is not None


@pytest.mark.parametrize("blueprint", ALL, ids=named)
def test_laws_of_flows(blueprint: Blueprint) -> None:
    _holds(plan(blueprint))


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(blueprints())
def test_laws_of_flows_drawn_by_chance(blueprint: Blueprint) -> None:
    _holds(plan(blueprint))


@pytest.mark.parametrize("blueprint", ALL, ids=named)
def test_a_key_is_claimed_with_the_effect_and_finished_with_the_answer(blueprint: Blueprint) -> None:
    design = plan(blueprint)
    for endpoint in design.endpoints:
        if endpoint.idempotency is None:
            continue
        transactions = list(_transactions(endpoint.flow).values())
        assert transactions[0][1].query == "claim-idempotency-key"
        finishing = [steps for steps in transactions if any(step.query == "finish-idempotency-key" for step in steps)]
        assert len(finishing) == 1, endpoint.id
        assert finishing[0][-2].query == "finish-idempotency-key"


@pytest.mark.parametrize("blueprint", ALL, ids=named)
def test_events_and_audit_stand_in_the_transaction_of_their_change(blueprint: Blueprint) -> None:
    design = plan(blueprint)
    for name, flow in _flows(design):
        for step in flow.steps:
            if step.query.startswith("insert-outbox-event"):
                assert step.transaction is not None, name


@pytest.mark.parametrize("blueprint", ALL, ids=named)
def test_a_new_version_of_an_audited_object_is_always_audited(blueprint: Blueprint) -> None:
    """Else the length of its chain would tell nothing about its end."""
    design = plan(blueprint)
    audited = {table.name for table in design.tables if table.resource and table.audit != "none"}
    for name, flow in _flows(design):
        for steps in _transactions(flow).values():
            texts = [query.text for step in steps if (query := design.query(step.query)) and query.tables[0] in audited]
            changes = sum("version = version + 1" in text or text.startswith("INSERT INTO") for text in texts)
            entries = sum(step.query.startswith("append-audit-entry") for step in steps)
            assert entries == changes or (changes == 0 and entries == 1), name


def test_others_are_asked_between_a_reserving_and_a_settling_transaction() -> None:
    capture = plan(PAYMENTS).endpoint("capturePayment")
    assert capture
    kinds = [
        (step.transaction, step.kind, step.query.partition("-")[0])
        for step in capture.flow.steps
        if step.kind is StepKind.CALL or step.query.startswith(("reserve-", "settle-"))
    ]
    assert kinds == [
        (0, StepKind.QUERY, "reserve"),
        (None, StepKind.CALL, ""),
        (1, StepKind.QUERY, "settle"),
    ]
    job = next(each for each in plan(PAYMENTS).jobs if each.name == "finishCapturePayment")
    assert "claim-reserved-payment" in job.queries


def test_a_function_that_only_reads_sees_one_snapshot() -> None:
    trips = plan(TRIPS)
    summary, quote = trips.endpoint("summariseTrips"), trips.endpoint("quoteTrip")
    assert summary
    assert quote
    assert (summary.method, summary.isolation) == ("GET", "repeatable read")
    assert (quote.method, quote.isolation) == ("POST", "serializable")


def test_without_an_outbox_events_are_published_after_the_commit_and_may_be_lost() -> None:
    create = plan(TRIPS).endpoint("createTrip")
    assert create
    kinds = [step.kind for step in create.flow.steps]
    assert kinds.index(StepKind.PUBLISH) > max(i for i, kind in enumerate(kinds) if kind is StepKind.COMMIT)
    (published,) = (step for step in create.flow.steps if step.kind is StepKind.PUBLISH)
    assert "the event is lost" in published.branches[0].then


def test_every_wait_for_the_database_and_for_others_ends() -> None:
    for _, flow in _flows(plan(TRIPS)):
        for step in flow.steps:
            if step.kind is StepKind.QUERY:
                assert step.timeout_s == 0.5
            if step.kind is StepKind.CALL:
                assert step.timeout_s == 3.0


def test_a_saga_goes_back_over_what_was_done_the_last_first() -> None:
    shop = next(each for each in EXAMPLES if each.service.name == "shop")
    place = plan(shop).endpoint("placeOrder")
    assert place
    undone = [step.branches[0].then for step in place.flow.steps if step.undo]
    assert undone == [
        "the saga goes back: rejectOrder",
        "the saga goes back: releaseStock, then rejectOrder",
        "the saga goes back: voidPayment, then releaseStock, then rejectOrder",
    ]
    answered = next(index for index, step in enumerate(place.flow.steps) if step.kind is StepKind.RESPOND)
    assert all(step.after_response for step in place.flow.steps[answered + 1 :])
    assert not any(step.after_response for step in place.flow.steps[: answered + 1])
