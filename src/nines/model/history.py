"""What happened in an experiment: the only thing that its judgement may look at.

All times are seconds on one monotonic clock that starts at 0 with the experiment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from urllib.parse import quote, quote_plus

from nines.model.record import Record
from nines.model.trace import Trace


class Outcome(StrEnum):
    """How an exchange ended, as far as its effect is concerned."""

    OK = "ok"
    """2xx or 3xx: it happened."""
    FAILED = "failed"
    """A 4xx, or refused before a byte was sent: it did not happen."""
    INDEFINITE = "indefinite"
    """A timeout, a reset after bytes were sent, a 5xx: it may or may not have happened, and stays open for ever."""


class Exchange(Record):
    """One request and what came back."""

    operation: str
    """The contract's operation id."""
    method: str
    path: str
    """As sent, with its query."""
    outcome: Outcome
    status: int | None = None
    """None when no answer came."""
    identity: str = ""
    """The name of the identity that sent it; "" for anonymous."""
    marker: str = ""
    """A value that only this request carried, by which its effect can be found again."""
    key: str = ""
    """The idempotency key that it carried."""
    group: int = 0
    """Exchanges released together share a positive number; within a race the rounds count from 1."""
    phase: str = ""
    """Which part of the experiment: "control", "fault", "after" ..."""
    intended_s: float = 0.0
    """When it should have been sent; latency counts from here."""
    sent_s: float = 0.0
    ended_s: float = 0.0
    error: str = ""
    """Without an answer: refused, reset, timeout, protocol."""
    request_body: str = ""
    """Shortened."""
    body: str = ""
    """The answer's body, shortened; "" under load unless it was asked for."""
    media_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    """Of the answer, names in lower case; empty under load."""
    curl: str = ""
    """A command that repeats it; under load for what failed, and once for each operation and identity."""

    @property
    def latency_ms(self) -> float:
        return (self.ended_s - self.intended_s) * 1000.0

    @property
    def is_server_error(self) -> bool:
        return self.status is not None and self.status >= 500

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name.lower()), "")


class Mark(Record):
    """An event: "fault on", "fault off", "killed", "started", "ready", "drain"; `name` says of what."""

    time_s: float
    event: str
    name: str = ""
    detail: str = ""


class Sample(Record):
    """The service's processes at one moment."""

    time_s: float
    cpu_percent: float = 0.0
    memory_bytes: int = 0
    descriptors: int = 0
    connections: int = 0
    """Open connections to the proxied database."""


class Seen(Record):
    """What was found when the state was read back: the markers that exist, and how often."""

    marker: str
    count: int = 1


class Count(Record):
    """A measured pair: for `name`, at `x` (rows in the list) there were `y` (statements)."""

    name: str
    x: float
    y: float


class Skip(Record):
    """Something that the experiment could not try, and why."""

    subject: str
    reason: str


class Check(Record):
    """One cell of a matrix that an experiment tried: `got` against `expected`."""

    subject: str
    """The operation's id, or what else is being tried."""
    variant: str = ""
    """Which case: "expired token", "as peer", "body: null" ..."""
    expected: str = ""
    got: str = ""
    passed: bool | None = None
    """None: tried without a conclusion."""
    exchanges: tuple[int, ...] = ()
    """Indexes into History.exchanges, for the reproduction."""


class Credential(Record):
    """Something secret that requests carried; a report shows its variable instead."""

    variable: str
    """Such as OWNER_TOKEN."""
    how: str
    """One line: where to get it."""
    secret: str = ""
    """Emptied before a report is made."""

    @property
    def forms(self) -> frozenset[str]:
        """How it is written in a body, a form, an address."""
        if not self.secret:
            return frozenset()
        escaped = json.dumps(self.secret)[1:-1]
        return frozenset((self.secret, quote(self.secret, safe=""), quote_plus(self.secret), escaped))


class LoadReport(Record):
    """What the generator says about itself."""

    rate_hz: float
    duration_s: float
    sent: int = 0
    not_sent: int = 0
    """Requests that were due, but left out because too many were unanswered."""
    lag_ms_p99: float = 0.0
    """How late requests left, measured against their intended time while connections were free."""
    is_spoiled: bool = False
    """The generator could not keep its own schedule; latencies prove nothing."""
    reason: str = ""
    phase: str = ""
    """The phase of the exchanges that this load sent."""


class History(Record):
    """Everything that one experiment saw, in the order in which it happened."""

    seed: int = 0
    exchanges: tuple[Exchange, ...] = ()
    marks: tuple[Mark, ...] = ()
    samples: tuple[Sample, ...] = ()
    seen: tuple[Seen, ...] = ()
    counts: tuple[Count, ...] = ()
    checks: tuple[Check, ...] = ()
    skips: tuple[Skip, ...] = ()
    loads: tuple[LoadReport, ...] = ()
    traces: tuple[Trace, ...] = ()
    notes: tuple[str, ...] = ()
    credentials: tuple[Credential, ...] = ()

    def during(self, phase: str) -> Iterator[Exchange]:
        return (exchange for exchange in self.exchanges if exchange.phase == phase)

    def marked(self, event: str) -> Iterator[Mark]:
        return (mark for mark in self.marks if mark.event == event)
