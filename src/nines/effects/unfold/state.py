"""What changes along a trace: open transactions, and mapped objects that wait to be written."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """Copied at every branch, joined after it."""

    open: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """For each connection the open transaction's index, once for each nested scope."""
    pending: dict[Any, Pending] = field(default_factory=dict)
    deferred: list[Any] = field(default_factory=list)

    def copy(self) -> State:
        return State(dict(self.open), dict(self.pending), list(self.deferred))

    def current(self, connection: str = "") -> int | None:
        """The transaction that is open on a connection; without one named, the latest that is open at all."""
        if connection:
            stack = self.open.get(connection)
            return stack[-1] if stack else None
        return max((stack[-1] for stack in self.open.values() if stack), default=None)


def copied(pending: Pending) -> Pending:
    return Pending(**{name: getattr(pending, name) for name in Pending.__slots__})


def joined(states: list[State]) -> State:
    """After several arms: a transaction is open when one arm leaves it open; what waits on one arm, waits."""
    merged = states[0].copy()
    for state in states[1:]:
        for connection, stack in state.open.items():
            if len(stack) > len(merged.open.get(connection, ())):
                merged.open[connection] = stack
        for key, pending in state.pending.items():
            mine = merged.pending.get(key)
            if mine is None:
                merged.pending[key] = pending
            else:
                mine = merged.pending[key] = copied(mine)
                added = tuple(w for w in pending.written if w not in mine.written)
                mine.written = mine.written + added
                mine.is_added = mine.is_added or pending.is_added
        merged.deferred.extend(each for each in state.deferred if each not in merged.deferred)
    return merged
