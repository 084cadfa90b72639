"""Jobs: what happens outside a request."""

from __future__ import annotations

from typing import Any

from nines.model.blueprint import Job
from nines.readers.blueprint.combined import Listed
from nines.readers.blueprint.document import Node
from nines.readers.blueprint.reading import Reading
from nines.readers.blueprint.records import Key, Keys, Table
from nines.readers.blueprint.shapes import Number, Text
from nines.readers.blueprint.units import DURATION
from nines.readers.blueprint.vocabulary import names

_JOB = Keys(
    "job",
    "Work that happens outside a request.",
    (
        Key(name="on", shape=names.RESOURCE, says="The resource whose rows it takes."),
        Key(name="from", shape=names.STATE, to="from_state", says="It takes the rows in this state."),
        Key(name="to", shape=names.STATE, to="to_state", says="Where a row goes when it worked."),
        Key(
            name="failed",
            shape=names.STATE,
            to="failed_state",
            says="Where a row goes when every attempt failed: its dead letter.",
        ),
        Key(name="every", shape=DURATION, to="every_s", says="How often; without it, as soon as there is some."),
        Key(name="calls", shape=Listed(names.REMOTE_CALL, or_one=True), says="Remote calls of one piece, in order."),
        Key(
            name="emits",
            shape=Listed(names.EVENT_NAME, or_one=True),
            says="What is told to others when a piece is done.",
        ),
        Key(
            name="attempts",
            shape=Number(1, 100),
            to="attempts_max",
            says="How often a piece is tried.",
            default="5",
        ),
        Key(name="concurrency", shape=Number(1, 10_000), says="Pieces at once, per process.", default="8"),
        Key(name="hook", shape=names.HOOK, says="The owner's function that does a piece."),
        Key(name="says", shape=Text(), says="What it is for, in one sentence."),
    ),
    dict,
    scope="on",
)


def _job(name: str, told: dict[str, Any], node: Node, reading: Reading) -> Job:
    if not told.get("calls") and "hook" not in told and "to_state" not in told:
        reading.report(node, "the job does nothing: it needs calls, a hook, or a state to move its rows to")
    return Job(name=name, place=reading.place(node.mark), **told)


JOBS = Table("jobs", _JOB, _job, pattern=names.CAMEL, style=names.CAMEL_STYLE, declares="job")
