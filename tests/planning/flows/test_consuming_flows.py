"""What a blueprint says of events that are taken is found again in its design."""

from __future__ import annotations

from pathlib import Path

from nines.model.blueprint import Blueprint
from nines.model.design import Design, StepKind
from nines.planning.plan import plan
from nines.readers.blueprint.read import read

ORDERS = Path(__file__).parents[2] / "verbs" / "orders.yaml"


def orders() -> Blueprint:
    return read(ORDERS)


def design() -> Design:
    return plan(orders())


def test_an_event_of_another_service_is_taken_where_that_one_tells_it() -> None:
    taking = {job.name: job for job in design().jobs if job.receives}
    assert set(taking) == {"payOrder", "noteRefund", "noteStock", "startShipment"}
    paying = taking["payOrder"].receives
    assert paying is not None
    assert (paying.type, paying.dependency, paying.address) == (
        "payments.payment.captured.v1",
        "bus",
        "payments.payment.captured.v1",
    )
    assert paying.finds == (("id", "order_id"),)
    assert dict(paying.sets) == {"payment_ref": "id", "captured_minor": "amount_minor"}
    own = taking["startShipment"].receives
    assert own is not None
    assert (own.type, own.dependency) == ("orders.order.paid.v1", "")


def test_of_a_log_the_topic_is_that_of_the_resource(tmp_path: Path) -> None:
    text = ORDERS.read_text().replace("type: nats", "type: kafka")
    found = tmp_path / "orders.yaml"
    found.write_text(text)
    job = next(each for each in plan(read(found)).jobs if each.name == "payOrder")
    assert job.receives is not None
    assert job.receives.address == "payments.payment"


def test_inbox_change_and_what_is_told_are_one_transaction() -> None:
    job = next(each for each in design().jobs if each.name == "payOrder")
    inside = [step for step in job.flow.steps if step.transaction == 0]
    assert [step.query for step in inside if step.kind is StepKind.QUERY] == [
        "take-from-inbox",
        "find-order-of-event",
        "store-order",
        "insert-outbox-event",
        "append-audit-entry",
    ]
    assert job.dead_letter == "dead_events"


def test_what_nobody_consumes_leaves_no_trace(tmp_path: Path) -> None:
    text = ORDERS.read_text()
    without = text[: text.index("consumes:")] + text[text.index("dependencies:") :]
    found = tmp_path / "orders.yaml"
    found.write_text(without)
    alone = plan(read(found))
    assert not {"inbox", "dead_events"} & {table.name for table in alone.tables}
    assert not any(job.receives for job in alone.jobs)


def test_its_own_events_add_to_what_it_is_told() -> None:
    found = {job.name: job.peak_hz for job in design().jobs}
    assert found["startShipment"] == found["payOrder"] == orders().load.peak_hz
