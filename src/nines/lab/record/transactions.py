"""Which transaction each thing that was seen belongs to, as the wire's transaction status tells it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from nines.lab.record.events import ConnectionEnded, Event, StatementSeen
from nines.lab.record.sqltext import is_to_savepoint
from nines.model.effect import EffectKind
from nines.model.trace import Transaction

_ISOLATION = re.compile(
    r"\bisolation\s+level\s+(serializable|repeatable\s+read|read\s+(?:un)?committed)", re.IGNORECASE
)
_BEGINS = ("BEGIN", "START TRANSACTION")
_ENDS = ("COMMIT", "ROLLBACK", "PREPARE TRANSACTION")


@dataclass
class _Span:
    ordinal: int
    connection: str
    opened_s: float
    """When BEGIN was answered."""
    closing_s: float = float("inf")
    """When its end was asked for."""
    isolation: str = ""


@dataclass
class Ledger:
    """Follows the connections' transactions through the events, in the order in which they started."""

    _spans: list[_Span] = field(default_factory=list)
    _open: dict[tuple[str, int], _Span] = field(default_factory=dict)

    def take(self, event: Event) -> tuple[EffectKind | None, int | None]:
        """Whether the event begins or ends a transaction, and the one that it belongs to."""
        if isinstance(event, StatementSeen):
            return self._statement(event)
        if isinstance(event, ConnectionEnded) and event.status in ("T", "E"):
            span = self._open.pop((event.dependency, event.connection), None)
            if span is not None:
                span.closing_s = event.ended_s
                return EffectKind.ROLLBACK, span.ordinal
        return None, None

    def around(self, at_s: float) -> int | None:
        """The transaction that was open at this time on some connection; of several the one begun last."""
        found = [span for span in self._spans if span.opened_s <= at_s < span.closing_s]
        return max(found, key=lambda span: span.opened_s).ordinal if found else None

    def transactions(self) -> tuple[Transaction, ...]:
        return tuple(
            Transaction(ordinal=s.ordinal, isolation=s.isolation, connection=s.connection) for s in self._spans
        )

    def _statement(self, event: StatementSeen) -> tuple[EffectKind | None, int | None]:
        key = (event.dependency, event.connection)
        if event.tag in _BEGINS and event.before == "I":
            span = self._begin(key, event.ended_s)
            span.isolation = _isolation(event.text)
            return EffectKind.BEGIN, span.ordinal
        if event.before not in ("T", "E"):
            return None, None
        open = self._open.get(key)
        if open is None:
            # It was opened before the first event; that it is open is all that is known of it.
            open = self._begin(key, event.started_s)
        open.isolation = open.isolation or _isolation(event.text)
        if event.tag in _ENDS and not is_to_savepoint(event.text):
            return self._end(key, open, event)
        if event.error and event.after == "I":
            # A COMMIT that failed (a deferred constraint, a serialisation failure) has rolled back.
            return self._end(key, open, event)
        return None, open.ordinal

    def _begin(self, key: tuple[str, int], at_s: float) -> _Span:
        span = _Span(len(self._spans), f"{key[0]} {key[1]}", at_s)
        self._spans.append(span)
        self._open[key] = span
        return span

    def _end(self, key: tuple[str, int], span: _Span, event: StatementSeen) -> tuple[EffectKind, int]:
        span.closing_s = event.started_s
        del self._open[key]
        if event.after in ("T", "E"):
            self._begin(key, event.ended_s)
        is_commit = event.tag in ("COMMIT", "PREPARE TRANSACTION")
        return EffectKind.COMMIT if is_commit else EffectKind.ROLLBACK, span.ordinal


def empty_transactions(kinds: Sequence[EffectKind], ordinals: Sequence[int | None]) -> frozenset[int]:
    """Transactions in which nothing happens but their own beginning and end: a pool's ping, an unused session."""
    bounds = (EffectKind.BEGIN, EffectKind.COMMIT, EffectKind.ROLLBACK)
    used = {ordinal for kind, ordinal in zip(kinds, ordinals, strict=True) if kind not in bounds}
    return frozenset(ordinal for ordinal in ordinals if ordinal is not None and ordinal not in used)


def _isolation(text: str) -> str:
    match = _ISOLATION.search(text)
    return " ".join(match[1].lower().split()) if match else ""
