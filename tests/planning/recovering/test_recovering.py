"""What is told of a service that exists, and what is not invented."""

from __future__ import annotations

import pytest

from nines import planning
from nines.model.blueprint import Action, DependencyKind, Promises
from nines.model.contract import Answer, Contract, Operation, SecurityScheme
from nines.model.design import Design, StepKind
from nines.model.effect import Deadline, Effect, EffectKind, Handler, Known, Rows
from nines.model.place import Place
from nines.model.schema import Column, Table
from nines.model.service import Endpoint, EndpointKind, Guard, GuardKind, Service
from nines.model.trace import Blind, Trace, Transaction, Witness

PLACE = Place(file="app.py", line=3)


def recovered(*effects: Effect, endpoint: Endpoint | None = None, **more: object) -> Design:
    found = endpoint or Endpoint(
        id="GET /v1/orders", kind=EndpointKind.HTTP, function="app.orders", place=PLACE, method="GET", path="/v1/orders"
    )
    transactions = (Transaction(ordinal=0, isolation="SERIALIZABLE"),) if effects else ()
    trace = Trace(endpoint=found.id, witness=Witness.PREDICTED, effects=effects, transactions=transactions)
    service = Service(name="shop", endpoints=(found,), traces=(trace,), **more)  # type: ignore[arg-type]
    return planning.recover(service, budgets=Promises(), where="shop")


def read(table: str, **more: object) -> Effect:
    return Effect(kind=EffectKind.DATABASE_READ, target=table, action="SELECT", library="sqlalchemy", **more)  # type: ignore[arg-type]


def call(target: str, **more: object) -> Effect:
    return Effect(kind=EffectKind.REMOTE_CALL, target=target, action="POST", library="httpx", **more)  # type: ignore[arg-type]


def test_an_endpoint_is_about_the_table_that_its_path_names() -> None:
    design = recovered(
        read("sessions", transaction=0), read("orders", transaction=0, rows=Rows.MANY, reaches_response=True)
    )
    endpoint = design.endpoints[0]
    assert (endpoint.resource, endpoint.action, endpoint.isolation) == ("orders", Action.LIST, "serializable")
    assert [(step.kind, step.target) for step in endpoint.flow.steps] == [
        (StepKind.QUERY, "sessions"),
        (StepKind.QUERY, "orders"),
    ]


def test_each_dependency_is_told_once_with_a_deadline_that_holds_for_every_call() -> None:
    short, long = (Deadline(known=Known.SET, duration_s=seconds) for seconds in (2.0, 5.0))
    handled = (Handler(errors=("httpx.TimeoutException",)),)
    design = recovered(
        call("https://pay.example/v1/charges", deadline=short),
        call("https://pay.example/v1/refunds", deadline=long),
        call("https://mail.example/send", deadline=Deadline(known=Known.MISSING), handlers=handled),
    )
    told = {each.name: (each.kind, each.timeout_s, each.is_hard) for each in design.dependencies}
    assert told == {
        "pay.example": (DependencyKind.HTTP, 5.0, True),
        "mail.example": (DependencyKind.HTTP, None, False),
    }
    assert any("no deadline" in gap.question for gap in design.gaps)


@pytest.mark.parametrize("target", ["", "/charges", "{}/charges", "https://{}/charges", "no address"])
def test_an_address_that_only_the_configuration_knows_is_a_gap(target: str) -> None:
    design = recovered(call(target))
    assert [each.name for each in design.dependencies] == ["another service"]
    assert any("only the configuration knows" in gap.question for gap in design.gaps)


def test_what_was_not_understood_is_said_and_accuses_nobody() -> None:
    endpoint = Endpoint(
        id="POST /v1/orders",
        kind=EndpointKind.HTTP,
        function="app.order",
        place=PLACE,
        method="POST",
        path="/v1/orders",
        guards_known=False,
    )
    blind = (Blind(reason="call of an unknown object", place=PLACE),)
    design = recovered(endpoint=endpoint, blind=blind)
    assert not design.endpoints[0].is_public
    assert design.endpoints[0].peak_hz is None
    assert design.demand is None
    questions = " ".join(gap.question for gap in design.gaps)
    assert "Who may call 1 of 1 endpoints?" in questions
    assert "call of an unknown object (1)" in questions


def test_parents_come_before_their_children_and_keys_are_told_once() -> None:
    children = Table(
        name="lines",
        columns=(Column(name="id", is_primary=True), Column(name="order_id", references="orders.id", is_indexed=True)),
        unique=(("id",), ("order_id", "position")),
        indexes=(("order_id",),),
    )
    parents = Table(name="orders", columns=(Column(name="id", is_primary=True),), unique=(("id",),))
    design = recovered(tables=(children, parents))
    assert [table.name for table in design.tables] == ["orders", "lines"]
    assert [(index.columns, index.is_unique) for index in design.tables[1].indexes] == [
        (("id",), True),
        (("order_id", "position"), True),
        (("order_id",), False),
    ]


def test_tables_that_refer_to_one_another_in_a_circle_are_all_told() -> None:
    one = Table(name="a", columns=(Column(name="b_id", references="b.id"),))
    other = Table(name="b", columns=(Column(name="a_id", references="a.id"),))
    assert {table.name for table in recovered(tables=(one, other)).tables} == {"a", "b"}


def test_a_contract_tells_answers_and_how_callers_sign_in() -> None:
    operation = Operation(
        id="listOrders", method="GET", path="/v1/orders", answers=(Answer(status="200"), Answer(status="default"))
    )
    scheme = SecurityScheme(name="bearer", kind="http", scheme="Bearer")
    design = recovered(contract=Contract(title="Shop", operations=(operation,), security_schemes=(scheme,)))
    endpoint = design.endpoint("listOrders")
    assert endpoint is not None
    assert [answer.status for answer in endpoint.answers] == [200]
    assert (design.auth.scheme if design.auth else "", design.card.purpose) == ("oauth2-jwt", "Shop")


def test_a_guard_is_a_step_of_its_own() -> None:
    endpoint = Endpoint(
        id="GET /v1/orders",
        kind=EndpointKind.HTTP,
        function="app.orders",
        place=PLACE,
        method="GET",
        path="/v1/orders",
        guards=(Guard(kind=GuardKind.AUTHENTICATION, name="app.access.signed_in"),),
    )
    step = recovered(endpoint=endpoint).endpoints[0].flow.steps[0]
    assert (step.kind, step.says) == (StepKind.CHECK, "check the caller (signed_in)")
