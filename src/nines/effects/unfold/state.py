"""What changes along a trace: open transactions, and mapped objects that wait to be written."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from nines.model.effect import Assignment, Condition, Handler, Loop, Predicate
from nines.model.origin import Origin
from nines.model.place import Place, Step


@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances under which something is done."""

    path: tuple[Step, ...] = ()
    loops: tuple[Loop, ...] = ()
    conditions: tuple[Condition, ...] = ()
    handlers: tuple[Handler, ...] = ()
    mode: str = ""
    after_response: bool = False


@dataclass(slots=True)
class Pending:
    """A mapped object with changes that were not written yet."""

    table: str
    place: Place
    context: Context
    state: str
    """new, loaded or deleted."""
    written: tuple[Assignment, ...] = ()
    predicates: tuple[Predicate, ...] = ()
    payload: tuple[Origin, ...] = ()
    connection: str = ""
    library: str = ""
    begins: str = ""
    blocks: bool = False
    is_added: bool = False
    is_active: bool = False


@dataclass(slots=True)
class State:
    """Copied at every branch, joined after it; what neither side has written since, both share."""

    open: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """For each connection the open transaction's index, once for each nested scope."""
    pending: dict[Any, Pending] = field(default_factory=dict)
    deferred: tuple[Any, ...] = ()
    is_shared: bool = False
    """The dictionaries belong to another state as well: ask `own` before writing to them."""

    def copy(self) -> State:
        self.is_shared = True
        return State(self.open, self.pending, self.deferred, True)

    def own(self) -> State:
        """The same state, with dictionaries that only it has."""
        if self.is_shared:
            self.open, self.pending, self.is_shared = dict(self.open), dict(self.pending), False
        return self

    def current(self, connection: str = "") -> int | None:
        """The transaction that is open on a connection; without one named, the latest that is open at all."""
        if connection:
            stack = self.open.get(connection)
            return stack[-1] if stack else None
        return max((stack[-1] for stack in self.open.values() if stack), default=None)


_FIELDS = attrgetter(*Pending.__slots__)


def copied(pending: Pending) -> Pending:
    return Pending(*_FIELDS(pending))


def joined(states: list[State]) -> State:
    """After several arms: a transaction is open when one arm leaves it open; what waits on one arm, waits."""
    merged = states[0].copy()
    for state in states[1:]:
        if state.open is not merged.open:
            for connection, stack in state.open.items():
                if len(stack) > len(merged.open.get(connection, ())):
                    merged.own().open[connection] = stack
        if state.pending is not merged.pending:
            _join_pending(merged, state)
        if state.deferred is not merged.deferred:
            merged.deferred += tuple(each for each in state.deferred if each not in merged.deferred)
    return merged


def _join_pending(merged: State, state: State) -> None:
    for key, pending in state.pending.items():
        mine = merged.pending.get(key)
        if mine is pending:
            continue
        if mine is not None:
            other, mine = mine, copied(mine)
            mine.written += tuple(w for w in pending.written if w not in other.written)
            mine.is_added = mine.is_added or pending.is_added
        merged.own().pending[key] = mine or pending
