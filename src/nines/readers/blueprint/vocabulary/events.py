"""Events: what is told to others."""

from __future__ import annotations

from typing import Any

from nines.model.blueprint import Event, Events
from nines.readers.blueprint.combined import Listed
from nines.readers.blueprint.document import Node
from nines.readers.blueprint.reading import Reading
from nines.readers.blueprint.records import Key, Keys, Table
from nines.readers.blueprint.shapes import Choice, Number
from nines.readers.blueprint.vocabulary import names

_EVENT = Keys(
    "event",
    "Something that happened.",
    (
        Key(name="version", shape=Number(1, 1_000), says="Raised when it changes incompatibly.", default="1"),
        Key(
            name="on",
            shape=names.RESOURCE,
            to="resource",
            says="The resource that it happened to, where the event's name does not begin with it.",
        ),
        Key(
            name="fields",
            shape=Listed(names.OWN_FIELD),
            says="What is told beside the identifier, the state and the time.",
        ),
    ),
    dict,
    scope="on",
)


def _event(name: str, told: dict[str, Any], node: Node, reading: Reading) -> Event:
    return Event(name=name, place=reading.place(node.mark), **told)


def _subject(name: str) -> str:
    """ "payment_method.added" is about PaymentMethod."""
    return "".join(part.capitalize() for part in name.partition(".")[0].split("_"))


EVENTS = Keys(
    "events",
    "What is told to others, and how.",
    (
        Key(
            name="transport",
            shape=Choice(
                {
                    "outbox": "written with the change in one transaction, and relayed",
                    "direct": "sent after the change; lost when the process dies in between",
                }
            ),
            says="How an event leaves the service.",
            default="outbox",
        ),
        Key(
            name="broker",
            shape=names.DEPENDENCY,
            says="The dependency that carries them; without it, subscribers get them over HTTP.",
        ),
    ),
    Events,
    rest=Table(
        "events",
        _EVENT,
        _event,
        pattern=names.EVENT,
        style=names.EVENT_STYLE,
        declares="event",
        scope=_subject,
        to="types",
    ),
)
