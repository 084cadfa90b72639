"""What the interface of a particular blueprint promises, case by case."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from nines.model.blueprint import (
    Access,
    Action,
    Authentication,
    Blueprint,
    Card,
    Field,
    FieldKind,
    Grant,
    GrantKind,
    Limit,
    OnDelete,
    Operation,
    Resource,
    State,
)
from nines.model.blueprint.operation import Deprecation
from nines.model.design import Design, PlannedAnswer, PlannedEndpoint, Source
from nines.planning import data, interface
from nines.planning.interface.nouns import deeds
from nines.readers import blueprint as reader

EXAMPLES = Path(__file__).parents[3] / "examples" / "blueprints"
OWNER = Grant(kind=GrantKind.OWNER)
SUPPORT = Grant(kind=GrantKind.ROLE, role="support")
PERSON = Resource(
    name="Person",
    fields=(Field(name="email", kind=FieldKind.EMAIL, is_personal=True), Field(name="note", is_optional=True)),
    states=(State(name="open", to=("closed",)), State(name="closed")),
    unique=(("email",),),
    access=Access(read=(OWNER, SUPPORT)),
)


def designed(blueprint: Blueprint) -> Design:
    bare = Design(card=blueprint.service, source=Source.BLUEPRINT, blueprint=blueprint)
    return interface.endpoints(data.tables(bare))


def of(*operations: Operation, **more: object) -> Design:
    whole = {"resources": (PERSON,), "auth": Authentication()} | more
    return designed(Blueprint(service=Card(name="people"), operations=operations, **whole))  # type: ignore[arg-type]


def example(name: str) -> Design:
    return designed(reader.read(EXAMPLES / f"{name}.yaml"))


def endpoint(design: Design, name: str) -> PlannedEndpoint:
    found = design.endpoint(name)
    assert found is not None
    return found


def answer(design: Design, name: str, problem: str) -> PlannedAnswer:
    return next(each for each in endpoint(design, name).answers if each.problem == problem)


def called(design: Design) -> dict[str, str]:
    return {each.id: f"{each.method} {each.path}" for each in design.endpoints}


def problems(design: Design, name: str) -> set[str]:
    return {each.problem for each in endpoint(design, name).answers if each.problem}


def test_paths_name_things_and_deeds_never_verbs() -> None:
    assert called(example("payments")) == {
        "createAccount": "POST /v1/accounts",
        "getAccount": "GET /v1/accounts/{account_id}",
        "listAccounts": "GET /v1/accounts",
        "closeAccount": "POST /v1/accounts/{account_id}/closures",
        "createPayment": "POST /v1/payments",
        "capturePayment": "POST /v1/payments/{payment_id}/captures",
        "voidPayment": "POST /v1/payments/{payment_id}/cancellations",
        "refundPayment": "POST /v1/payments/{payment_id}/refunds",
        "getPayment": "GET /v1/payments/{payment_id}",
        "listPayments": "GET /v1/payments",
        "listEntries": "GET /v1/entries",
    }


@pytest.mark.parametrize(
    ("operation", "state", "noun"),
    [
        ("approveOrder", "approved", "approvals"),
        ("activateCard", "active", "activations"),
        ("verifyPerson", "verified", "verifications"),
        ("rejectOrder", "rejected", "rejections"),
        ("replyMessage", "answered", "replies"),
        ("frobOrder", "on_hold", "on-hold-transitions"),
    ],
)
def test_a_deed_is_a_noun_and_an_unknown_verb_is_no_path(operation: str, state: str, noun: str) -> None:
    assert deeds(operation, state) == noun


def test_operations_at_the_same_place_are_told_apart_by_what_is_special() -> None:
    design = of(
        Operation(name="listPeople", on="Person", do=Action.LIST),
        Operation(name="listClosedPeople", on="Person", do=Action.LIST),
        Operation(name="listPeople2", on="Person", do=Action.LIST, roles=("support",)),
        Operation(name="closePerson", on="Person", do=Action.TRANSITION, to_state="closed"),
        Operation(name="closePersonForFraud", on="Person", do=Action.TRANSITION, to_state="closed"),
        Operation(name="exportPeople", on="Person", do=Action.CUSTOM, hook="export"),
        Operation(name="sendReceipt", on="Person", do=Action.CUSTOM, hook="send"),
        Operation(name="getBalance", on="Person", do=Action.CUSTOM, hook="balance"),
        Operation(name="recalculateRates", do=Action.CUSTOM, hook="rates"),
    )
    assert called(design) == {
        "listPeople": "GET /v1/people",
        "listClosedPeople": "GET /v1/closed-people",
        "listPeople2": "GET /v1/people2-people",
        "closePerson": "POST /v1/people/{person_id}/closures",
        "closePersonForFraud": "POST /v1/people/{person_id}/for-fraud-closures",
        "exportPeople": "POST /v1/person-exports",
        "sendReceipt": "POST /v1/people/{person_id}/receipt-dispatches",
        "getBalance": "GET /v1/people/{person_id}/balances",
        "recalculateRates": "POST /v1/rate-recalculations",
    }


def test_no_answer_tells_whether_somebody_has_an_account() -> None:
    design = example("login")
    for name in ("register", "resendCode", "requestPasswordReset"):
        told = endpoint(design, name)
        assert [each.status for each in told.answers if each.status < 400] == [202]
        assert not problems(design, name) & {"not-found", "already-exists", "unauthorized", "forbidden"}
    assert problems(design, "signIn") >= {"credentials-rejected", "rate-limited", "second-factor-required"}
    detail = answer(design, "signIn", "credentials-rejected").example["detail"]
    assert detail == "The name and the password do not belong together."
    assert "not-found" not in problems(design, "signIn")
    assert endpoint(design, "signIn").cache_control == "no-store"


def test_passwords_and_secrets_of_the_machinery_are_never_answered() -> None:
    login, payments, reach = example("login"), example("payments"), example("notifications")
    account = login.shape("Account")
    assert account is not None
    assert "password" not in account.schema["properties"]
    kept = payments.shape("Account")
    assert kept is not None
    assert "gateway_token" not in kept.schema["properties"]
    sent = payments.shape("AccountCreate")
    assert sent is not None
    assert "gateway_token" in sent.schema["required"]
    push = reach.shape("Push")
    assert push is not None
    assert "device_token" in push.schema["properties"], "personal data is shown to those whose it is"


def test_the_name_that_one_signs_in_with_is_not_changed_by_the_way() -> None:
    update = example("login").shape("AccountUpdate")
    assert update is not None
    assert set(update.schema["properties"]) == {"display_name", "locale"}


def test_callers_never_choose_the_tenant_or_what_the_service_sets() -> None:
    create = example("payments").shape("PaymentCreate")
    assert create is not None
    assert set(create.schema["properties"]) == {"amount", "account_id", "external_ref", "note"}
    assert create.schema["additionalProperties"] is False


def test_what_is_answered_stays_open_and_whole() -> None:
    payment = example("payments").shape("Payment")
    assert payment is not None
    assert "additionalProperties" not in payment.schema
    assert set(payment.schema["required"]) == set(payment.schema["properties"])
    item = example("payments").shape("PaymentItem")
    assert item is not None
    assert item.schema["required"] == ["id"], "a list may be asked for a part of each item"


def test_a_ledger_tells_amounts_and_both_accounts() -> None:
    entry = example("payments").shape("Entry")
    assert entry is not None
    assert {"debit_account_id", "credit_account_id", "amount_minor", "currency"} <= set(entry.schema["properties"])
    assert "updated_at" not in entry.schema["properties"]


def test_accepted_work_says_where_to_ask_for_it() -> None:
    design = example("payments")
    told = endpoint(design, "createPayment").success
    assert told is not None
    assert (told.status, told.shape) == (202, "Payment")
    assert {"Location", "Retry-After"} <= set(told.headers)
    assert told.example["status"] == "pending"


def test_accepted_work_without_states_gets_a_status_resource() -> None:
    plain = Resource(name="Report", fields=(Field(name="title"),))
    design = of(
        Operation(name="createReport", on="Report", do=Action.CREATE, is_asynchronous=True, share=0.5),
        Operation(name="getReport", on="Report", do=Action.READ),
        resources=(plain,),
    )
    told = endpoint(design, "getOperationStatus")
    assert told.path == "/v1/asynchronous-operations/{operation_id}"
    assert told.steady_hz == endpoint(design, "createReport").steady_hz
    accepted = endpoint(design, "createReport").success
    assert accepted is not None
    assert accepted.shape == "OperationStatus"
    assert told.path in accepted.says


def test_a_dependency_that_may_be_away_gives_both_answers() -> None:
    statuses = [each.status for each in endpoint(example("payments"), "capturePayment").answers if each.status < 400]
    assert statuses == [200, 202]


def test_an_object_of_somebody_else_is_answered_like_none() -> None:
    design = example("payments")
    told = answer(design, "getPayment", "not-found")
    assert told.example["detail"] == "There is no such payment, or it is not yours."
    shop = example("shop")
    assert answer(shop, "getProduct", "not-found").example["detail"] == "There is no such product."


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (Operation(name="a", on="Person", do=Action.READ), (OWNER, SUPPORT)),
        (Operation(name="a", on="Person", do=Action.UPDATE), (OWNER,)),
        (Operation(name="a", on="Person", do=Action.UPDATE, roles=("support",)), (OWNER, SUPPORT)),
        (Operation(name="a", on="Person", do=Action.CREATE), ()),
        (Operation(name="a", on="Person", do=Action.READ, is_public=True), ()),
    ],
)
def test_whose_object_it_must_be(operation: Operation, expected: tuple[Grant, ...]) -> None:
    assert endpoint(of(operation), "a").grants == expected


def test_what_was_wrong_is_pointed_at() -> None:
    told = answer(example("payments"), "createPayment", "invalid-request")
    assert told.example["errors"] == [
        {"pointer": "/amount/amount_minor", "detail": "Must be greater than 0."},
        {"pointer": "/account_id", "detail": "There is no such account, or it is not yours."},
    ]


def test_a_limit_is_told_in_words_and_its_absence_promises_nothing() -> None:
    reading = Operation(name="getPerson", on="Person", do=Action.READ)
    assert "rate-limited" not in problems(of(reading), "getPerson")
    limited = of(reading, limits=(Limit(count=1_000, period_s=3_600, per="tenant"),))
    told = answer(limited, "getPerson", "rate-limited")
    assert told.example["detail"] == "At most 1,000 requests in 1 h for each tenant."
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(told.headers)


def test_what_will_go_says_so_with_every_success() -> None:
    ending = Deprecation(since="2030-01-31", sunset="2030-07-31", successor="listPeople")
    design = of(Operation(name="getPerson", on="Person", do=Action.READ, deprecation=ending))
    told = endpoint(design, "getPerson")
    assert told.deprecation == ending
    assert told.success is not None
    assert {"Deprecation", "Sunset", "Link"} <= set(told.success.headers)


def test_deleting_what_others_refer_to_is_a_conflict() -> None:
    delete = Operation(name="deletePerson", on="Person", do=Action.DELETE)
    order = Resource(name="Order", fields=(Field(name="buyer", kind=FieldKind.REFERENCE, of="Person"),))
    told = answer(of(delete, resources=(PERSON, order)), "deletePerson", "in-use")
    assert told.example["detail"] == "It is referred to by an order."
    field = replace(order.fields[0], on_delete=OnDelete.CASCADE)
    free = of(delete, resources=(PERSON, replace(order, fields=(field,))))
    assert "in-use" not in problems(free, "deletePerson")


def test_of_what_everybody_has_once_a_second_one_is_a_conflict() -> None:
    once = replace(PERSON, unique=(("owner_id",),))
    create = Operation(name="createPerson", on="Person", do=Action.CREATE)
    change = Operation(name="updatePerson", on="Person", do=Action.UPDATE)
    design = of(create, change, resources=(once,))
    assert answer(design, "createPerson", "already-exists").example["detail"] == "A person of yours exists already."
    assert "already-exists" not in problems(design, "updatePerson")


def test_events_hold_no_personal_data() -> None:
    payments = example("payments")
    for shape in payments.shapes:
        if shape.name.endswith("Data"):
            assert "note" not in shape.schema["properties"]
    told = payments.shape("PaymentRefundedV1")
    assert told is not None
    assert told.example["type"] == "payments.payment.refunded.v1"
    assert told.example["data"]["status"] == "refunded"
    assert told.example["subject"] == told.example["data"]["id"]


def test_a_resource_keeps_its_name_and_what_is_derived_gets_another() -> None:
    order, item = Resource(name="Order"), Resource(name="OrderItem", fields=(Field(name="sku"),))
    design = of(
        Operation(name="listOrders", on="Order", do=Action.LIST), resources=(order, item, Resource(name="Problem"))
    )
    names = [each.name for each in design.shapes]
    assert sorted(names) == ["Order", "OrderItem", "OrderItemBody", "OrderPage", "Problem", "ProblemBody"]
    kept, page = design.shape("OrderItem"), design.shape("OrderPage")
    assert kept is not None
    assert "sku" in kept.schema["properties"]
    assert page is not None
    assert page.schema["properties"]["items"]["items"] == {"$ref": "#/components/schemas/OrderItemBody"}
    assert answer(design, "listOrders", "unauthorized").shape == "ProblemBody"
