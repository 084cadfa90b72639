"""What a blueprint says of events that are taken, as it is written and as it is written wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from nines.model.blueprint import Action
from nines.model.errors import BlueprintError
from nines.readers.blueprint.read import read

_HEAD = """\
nines: 1
service: {name: orders}
resources:
  Order:
    fields: {payment_ref: {type: string, max: 40, optional: true}, total: int64}
    states: {placed: [paid]}
operations: {placeOrder: {on: Order, do: create, emits: order.placed}}
events: {order.placed: {}}
dependencies: {db: {type: postgres}, bus: {type: nats}}
consumes:
"""
_WHOLE = """\
  payOrder:
    event: payments.payment.captured.v1
    from: bus
    data: {order: {ref: Order}, id: {type: string, max: 40}}
    on: Order
    do: "-> paid"
    set: {payment_ref: id}
    attempts: 3
    peak: 60/m
"""


def told(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "orders.yaml"
    path.write_text(_HEAD + text)
    return path


def test_all_of_it_is_kept(tmp_path: Path) -> None:
    (found,) = read(told(tmp_path, _WHOLE)).consumers
    assert (found.name, found.event, found.source) == ("payOrder", "payments.payment.captured.v1", "bus")
    assert (found.do, found.to_state, found.sets) == (Action.TRANSITION, "paid", (("payment_ref", "id"),))
    assert (found.attempts_max, found.peak_hz) == (3, 1.0)
    assert [field.name for field in found.data] == ["order", "id"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("  payment.captured: {event: a.b, from: bus, do: custom, hook: x}", "for what it does"),
        ("  payOrder: {event: payment.captured, do: custom, hook: x}", "say with `from` what carries it"),
        ("  payOrder: {event: order.place, do: custom, hook: x}", "did you mean order.placed?"),
        ("  payOrder: {event: a.b, from: buss, do: custom, hook: x}", "did you mean bus?"),
        ("  payOrder: {event: a.b, from: bus, do: custom}", "needs `hook`"),
        ('  payOrder: {event: a.b, from: bus, do: "-> paid"}', "`on`"),
        ('  payOrder: {event: a.b, from: bus, on: Order, do: "-> payd"}', "did you mean paid?"),
        ("  payOrder: {event: a.b, from: bus, on: Order, do: update, set: {totals: x}, data: {x: int64}}", "total?"),
        ("  payOrder: {event: a.b, from: bus, on: Order, do: update, set: {total: xs}, data: {x: int64}}", '"xs"'),
        ("  payOrder: {event: a.b, from: bus, on: Order, do: create, find: {id: x}, data: {x: uuid}}", "makes one"),
        ("  payOrder: {event: order.placed, address: a, do: custom, hook: x}", "address goes with `from`"),
        ("  payOrder: {event: a.b, from: bus, do: custom, hook: x, attempts: 9}", "from 1 to 8"),
    ],
)
def test_what_is_wrong_is_said(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(BlueprintError) as refused:
        read(told(tmp_path, text + "\n"))
    assert says in str(refused.value)
