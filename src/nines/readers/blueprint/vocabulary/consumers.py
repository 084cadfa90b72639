"""Consumers: events of others, or of the service itself, and what each causes here."""

from __future__ import annotations

import re
from typing import Any

from nines.model.blueprint import Action, Consumer, FieldKind
from nines.model.design.graph import member_of
from nines.readers.blueprint.combined import Either, Listed, Made
from nines.readers.blueprint.document import Node
from nines.readers.blueprint.reading import Reading, advice, shown
from nines.readers.blueprint.records import Key, Keys, Table
from nines.readers.blueprint.shapes import Choice, Number, Text, Word
from nines.readers.blueprint.units import RATE
from nines.readers.blueprint.vocabulary import names
from nines.readers.blueprint.vocabulary.fields import BODY

ATTEMPTS_MAX = 8
"""So many, with their waits, fit into the time for which a broker lends out a batch."""
_TYPE = r"[A-Za-z][A-Za-z0-9]*(?:[./:_-][A-Za-z0-9]+)+"
_ARROW = re.compile(rf"-> ?({names.SNAKE})")
_DO = Choice(
    {
        "create": (Action.CREATE, "makes one"),
        "update": (Action.UPDATE, "changes fields of one"),
        "custom": (Action.CUSTOM, "the owner's function does it; `hook` names it"),
    }
)


def _acted(action: Action, node: Node, reading: Reading) -> dict[str, Any]:  # noqa: ARG001
    return {"do": action}


def _moved(text: str, node: Node, reading: Reading) -> dict[str, Any]:
    state = text.removeprefix("->").strip()
    reading.refer("state", state, node, of=reading.scope)
    return {"do": Action.TRANSITION, "to_state": state}


class _Doing(Either):
    """ "-> paid" moves the object to a state; any other word is an action."""

    def read(self, node: Node, reading: Reading) -> Any:
        moved, acted = self.shapes
        return (moved if getattr(node, "text", "").startswith("-") else acted).read(node, reading)


_MEMBER = Word("the name of a member of its data, such as order_id", pattern=names.SNAKE, examples=("order_id",))


def _set(name: str, member: str, node: Node, reading: Reading) -> tuple[str, str]:
    reading.refer("settable", name, node, of=reading.scope)
    return name, member


def _found(name: str, member: str, node: Node, reading: Reading) -> tuple[str, str]:
    reading.refer("column", name, node, of=reading.scope)
    return name, member


_CONSUMER = Keys(
    "consumer",
    "An event that is taken, once however often it comes, and what it causes.",
    (
        Key(
            name="event",
            shape=Word(
                "the type of an event such as payments.payment.captured.v1",
                pattern=_TYPE,
                examples=("payments.payment.captured.v1", "order.placed"),
            ),
            says="Its type, as the contract of events of whoever tells it has it; of an own event its name.",
            is_required=True,
        ),
        Key(
            name="from",
            shape=names.DEPENDENCY,
            to="source",
            says="The broker that carries it: kafka, nats or redis. Without it, it is an event of this service itself.",
        ),
        Key(
            name="address",
            shape=Word(
                "a topic, a stream or a subject such as payments.payment", pattern=r"[A-Za-z0-9][\w./:*>-]{0,199}"
            ),
            says="The topic, stream or subject, where it is not the one at which a service built by nines tells it.",
        ),
        Key(
            name="data",
            shape=BODY,
            says="The members of its data that are looked at; others are ignored. Of an own event: what that tells.",
        ),
        Key(name="on", shape=names.RESOURCE, says="The resource that it works on."),
        Key(
            name="do",
            shape=_Doing(
                Made(Word('a transition such as "-> paid"', pattern=_ARROW.pattern, examples=("-> paid",)), _moved),
                Made(_DO, _acted),
            ),
            to="action",
            says="What it does.",
            is_required=True,
        ),
        Key(
            name="find",
            shape=Table("keys", _MEMBER, _found, pattern=names.COLUMN, style=names.SNAKE_STYLE),
            to="finds",
            says="By which member the object is found, as field: member; without it, by the member that refers to it.",
        ),
        Key(
            name="set",
            shape=Table("fields", _MEMBER, _set, pattern=names.SNAKE, style=names.SNAKE_STYLE),
            to="sets",
            says="What it takes over, as field: member; create and update also take over whatever is called the same.",
        ),
        Key(name="emits", shape=Listed(names.EVENT_NAME, or_one=True), says="What is told to others with it."),
        Key(name="hook", shape=names.HOOK, says="The owner's function that decides or does it, in its transaction."),
        Key(
            name="attempts",
            shape=Number(1, ATTEMPTS_MAX),
            to="attempts_max",
            says="How often an event is tried before it is kept as a dead letter.",
            default="5",
        ),
        Key(
            name="peak",
            shape=RATE,
            to="peak_hz",
            says="How many come in the busiest minute; without it as many as the service is asked.",
        ),
        Key(name="says", shape=Text(), says="What it is for, in one sentence."),
    ),
    dict,
    scope="on",
)


def _consumer(name: str, told: dict[str, Any], node: Node, reading: Reading) -> Consumer:
    acted = told.pop("action")
    do, has_object = acted["do"], "on" in told
    if do is Action.CUSTOM and "hook" not in told:
        reading.report(node, "do: custom needs `hook`, the name of the function that does it")
    if do is not Action.CUSTOM and not has_object:
        reading.report(node, "on is missing: the resource that it works on")
    if not has_object and told.get("emits"):
        reading.report(node, "emits needs `on`: an event tells of an object")
    if do is Action.CREATE and told.get("finds"):
        reading.report(node, "find goes with an object that is there; do: create makes one")
    if "source" not in told:
        reading.refer("own event", told["event"], node)
        if "address" in told:
            reading.report(node, "address goes with `from`: the service's own events come from its own outbox")
    _members(told, node, reading)
    return Consumer(name=name, place=reading.place(node.mark), **acted, **told)


def _members(told: dict[str, Any], node: Node, reading: Reading) -> None:
    """Whether every member that is spoken of is declared; an own event's are known from what it tells."""
    if not told.get("data") and "source" not in told:
        return
    known = [member_of(each) if each.kind is FieldKind.REFERENCE else each.name for each in told.get("data", ())]
    for _, member in (*told.get("finds", ()), *told.get("sets", ())):
        if member not in known:
            reading.report(node, f"its data has no member {shown(member)}: {advice(member, known)}")


CONSUMERS = Table(
    "consumers",
    _CONSUMER,
    _consumer,
    pattern=names.CAMEL,
    style="name it in camel case for what it does, and say with `event` what it takes, such as payOrder",
    declares="consumer",
)
