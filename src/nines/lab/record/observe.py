"""Makes an observed trace of what the proxies saw while one request was handled on a quiet system.

How the trace is inferred from the wire:

- Effects stand in the order in which they began. What a driver or a pool does for itself is left out, and so are
  transactions in which nothing else happens.
- A statement is in a transaction when the server's own status said so before it; a statement that commits by itself is
  in none. Remote calls and Redis commands that begin while a transaction is open on any connection are in that one.
- Statements of one shape that were sent together (executemany) are one effect, for they cost one round trip.
- Loops are inferred from repetition, see `loops`.
- Where a value comes from is not visible on the wire: origins are UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from nines.lab.record.calls import Commands, command_shape, request_effect, request_shape
from nines.lab.record.events import CommandSeen, ConnectionEnded, Event, RequestSeen, StatementSeen, when_s
from nines.lab.record.housekeeping import is_housekeeping
from nines.lab.record.loops import Sight, find_loops
from nines.lab.record.statements import statement_effect, statement_shape, without_cursor
from nines.lab.record.transactions import Ledger, empty_transactions
from nines.model.effect import Effect, EffectKind
from nines.model.statement import ReadStatement, Statement
from nines.model.trace import Blind, Trace, Transaction, Witness

EVENTS_MAX = 5_000
"""Events of one trace; more are cut off, and the trace says so."""


@dataclass
class _Seen:
    effect: Effect
    shape: str
    rows: int | None = None
    is_remote: bool = False
    """Not sent over the connection that carries the transaction."""


def observe(
    events: Sequence[Event],
    read: ReadStatement,
    *,
    endpoint: str,
    began_s: float,
    duration_s: float | None = None,
    status: int | None = None,
    blind: Sequence[tuple[str, str]] = (),
) -> Trace:
    """The trace of one request that began at `began_s` on the recorder's clock and was answered `duration_s` later.

    `events` come from `Recorder.window`, `blind` from `Recorder.blind`; `read` understands SQL."""
    ordered = sorted(events, key=when_s)
    dark = [Blind(reason="a connection could not be read", text=f"{where}: {why}") for where, why in blind]
    if len(ordered) > EVENTS_MAX:
        dark.append(Blind(reason="too many effects for one trace", text=f"{len(ordered) - EVENTS_MAX} were cut off"))
        ordered = ordered[:EVENTS_MAX]
    ledger = Ledger()
    seen = _Reader(read, began_s, ordered, ledger).all()
    effects, transactions = _with_transactions(seen, ledger, began_s)
    loops = find_loops([Sight(shape=each.shape, rows=each.rows) for each in effects])
    return Trace(
        endpoint=endpoint,
        witness=Witness.OBSERVED,
        effects=tuple(
            replace(each.effect, loops=around, after_response=_is_after(each.effect, duration_s))
            for each, around in zip(effects, loops, strict=True)
        ),
        transactions=transactions,
        blind=tuple(dark),
        status=status,
        duration_s=duration_s,
    )


def _is_after(effect: Effect, duration_s: float | None) -> bool:
    return duration_s is not None and effect.at_s is not None and effect.at_s > duration_s


class _Reader:
    """Turns events into effects, one after the other."""

    def __init__(self, read: ReadStatement, began_s: float, events: Sequence[Event], ledger: Ledger) -> None:
        self._read = read
        self._began_s = began_s
        self._events = events
        self._ledger = ledger
        self._statements: dict[str, Statement] = {}
        self._commands = Commands([event for event in events if isinstance(event, CommandSeen)])

    def all(self) -> list[_Seen]:
        seen = [found for group in self._groups() for found in self._group(group)]
        return sorted(seen, key=lambda each: each.effect.at_s or 0.0)

    def _groups(self) -> Iterator[tuple[Event, ...]]:
        """Statements of one shape that were sent together, everything else alone."""
        group: list[Event] = []
        for event in self._events:
            if group and not self._belong_together(group[-1], event):
                yield tuple(group)
                group = []
            group.append(event)
        if group:
            yield tuple(group)

    def _belong_together(self, one: Event, other: Event) -> bool:
        if not isinstance(one, StatementSeen) or not isinstance(other, StatementSeen):
            return False
        if (one.dependency, one.connection, one.batch) != (other.dependency, other.connection, other.batch):
            return False
        return one.text == other.text or self._shape(one) == self._shape(other)

    def _shape(self, event: StatementSeen) -> str:
        return statement_shape(event, self._understood(event))

    def _understood(self, event: StatementSeen) -> Statement:
        statement = self._statements.get(event.text)
        if statement is None:
            statement = self._statements[event.text] = self._read(without_cursor(event.text))
        return statement

    def _group(self, group: tuple[Event, ...]) -> Iterator[_Seen]:
        first = group[0]
        match first:
            case StatementSeen():
                yield from self._statement([event for event in group if isinstance(event, StatementSeen)])
            case RequestSeen():
                effect = request_effect(first, self._began_s)
                yield _Seen(effect, "" if effect.error else request_shape(first), is_remote=True)
            case CommandSeen():
                found = self._commands.effect(first, self._began_s)
                if found is not None:
                    yield _Seen(found, "" if found.error else command_shape(first), is_remote=True)
            case ConnectionEnded():
                kind, ordinal = self._ledger.take(first)
                if kind is not None:
                    text = "the connection ended"
                    yield _bound(kind, ordinal, text, first, at_s=first.ended_s - self._began_s, took_s=0.0)

    def _statement(self, group: list[StatementSeen]) -> Iterator[_Seen]:
        first = group[0]
        kind, ordinal = self._ledger.take(first)
        if kind is not None:
            at_s, took_s = first.started_s - self._began_s, first.ended_s - first.started_s
            yield _bound(kind, ordinal, first.text, first, at_s=at_s, took_s=took_s)
            return
        if is_housekeeping(first.text):
            return
        statement = self._understood(first)
        effect = statement_effect(group, statement, self._began_s)
        if effect is not None:
            rows = sum(event.rows or 0 for event in group) if effect.kind is EffectKind.DATABASE_READ else None
            shape = "" if effect.error else f"{first.dependency} {statement_shape(first, statement)}"
            yield _Seen(replace(effect, transaction=ordinal), shape, rows)


def _bound(
    kind: EffectKind,
    ordinal: int | None,
    text: str,
    event: StatementSeen | ConnectionEnded,
    *,
    at_s: float,
    took_s: float,
) -> _Seen:
    error = f"{event.error} {event.message}".strip() if isinstance(event, StatementSeen) else event.error
    effect = Effect(
        kind=kind,
        action=kind.value.upper(),
        text=" ".join(text.split())[:100],
        dependency=event.dependency,
        transaction=ordinal,
        at_s=at_s,
        duration_s=took_s,
        error=error,
    )
    return _Seen(effect, f"{event.dependency} {kind.value}")


def _with_transactions(
    seen: list[_Seen], ledger: Ledger, began_s: float
) -> tuple[list[_Seen], tuple[Transaction, ...]]:
    """Puts remote effects into the open transaction, drops empty transactions, and numbers what is left."""
    for each in seen:
        effect = each.effect
        if each.is_remote:
            each.effect = replace(effect, transaction=ledger.around((effect.at_s or 0.0) + began_s))
    empty = empty_transactions([e.effect.kind for e in seen], [e.effect.transaction for e in seen])
    kept = [each for each in seen if each.effect.transaction not in empty]
    used = {each.effect.transaction for each in kept}
    transactions = [t for t in ledger.transactions() if t.ordinal in used]
    numbers = {transaction.ordinal: index for index, transaction in enumerate(transactions)}
    for each in kept:
        if each.effect.transaction is not None:
            each.effect = replace(each.effect, transaction=numbers[each.effect.transaction])
    return kept, tuple(replace(t, ordinal=numbers[t.ordinal]) for t in transactions)
