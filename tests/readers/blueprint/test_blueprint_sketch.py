from __future__ import annotations

import math
from pathlib import Path

from nines.model.blueprint import Action, FieldKind, GrantKind, ResourceKind
from nines.readers.blueprint import read

SKETCH = Path(__file__).with_name("sketch.yaml")


def test_the_sketch_of_the_house_is_read_with_its_units() -> None:
    blueprint = read(SKETCH)
    assert blueprint.source == "sketch.yaml"
    assert blueprint.budgets.availability == 0.999
    assert blueprint.budgets.latency_p95_s == 0.2
    assert blueprint.budgets.loss_s == 0
    assert (blueprint.load.steady_hz, blueprint.load.growth_per_year, blueprint.load.payload_bytes) == (150, 3, 1024)
    payment = blueprint.resource("Payment")
    assert payment is not None
    assert payment.retention_s == 7 * 365 * 86_400
    assert [state.name for state in payment.states] == ["pending", "authorized", "captured", "failed", "refunded"]
    assert payment.unique == (("merchant_id", "external_ref"),)
    assert [(part.column, part.is_descending) for part in payment.indexes[0].parts] == [
        ("merchant_id", False),
        ("created_at", True),
        ("id", False),
    ]
    assert [(grant.kind, grant.role) for grant in payment.access.read] == [
        (GrantKind.OWNER, ""),
        (GrantKind.ROLE, "support"),
    ]
    amount = payment.field("amount")
    assert amount is not None
    assert (amount.kind, amount.of) == (FieldKind.VALUE, "Money")
    money = blueprint.value_type("Money")
    assert money is not None
    assert (money.fields[0].minimum, money.fields[0].is_minimum_exclusive) == (0, True)
    entry = blueprint.resource("Entry")
    assert entry is not None
    assert entry.kind is ResourceKind.LEDGER
    assert entry.retention_s is None or math.isfinite(entry.retention_s)


def test_the_sketch_says_what_callers_may_do() -> None:
    blueprint = read(SKETCH)
    capture = blueprint.operation("capturePayment")
    assert capture is not None
    assert (capture.do, capture.to_state, capture.needs_if_match) == (Action.TRANSITION, "captured", True)
    assert capture.calls == ("gateway.capture",)
    create = blueprint.operation("createPayment")
    assert create is not None
    assert create.idempotency is not None
    assert create.idempotency.ttl_s == 86_400
    assert create.emits == ("payment.authorized",)
    limit = blueprint.limit_of("createPayment")
    assert limit is not None
    assert (limit.count, limit.period_s, limit.per) == (20, 60, "subject")
    assert blueprint.events.types[0].resource == "Payment"
    gateway = blueprint.dependency("gateway")
    assert gateway is not None
    assert gateway.breaker is not None
    assert (gateway.timeout_s, gateway.breaker.open_s, gateway.bulkhead) == (2, 15, 32)
