"""The ordered effects of one entry point, as read in the code or as seen on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from nines.model.effect import Effect, EffectKind
from nines.model.place import Place, Step
from nines.model.record import Record


class Witness(StrEnum):
    """How a trace was obtained."""

    PREDICTED = "predicted"
    OBSERVED = "observed"


class Transaction(Record):
    """One database transaction of a trace."""

    ordinal: int
    place: Place | None = None
    is_explicit: bool = True
    """False when the library opened it by itself at the first statement (SQLAlchemy's autobegin)."""
    isolation: str = ""
    connection: str = ""
    """Which session or connection carries it, for traces with several."""


UNREAD_BASE = "a base of the view was not read"
"""The reason of a Blind: what a library's class does before and after the project's own code is not known."""


class Blind(Record):
    """Something that was not understood, so that silence about it is no pass."""

    reason: str
    """A short sentence: "call of an unknown object", "import cannot be resolved", "recursion cut"."""
    text: str = ""
    place: Place | None = None
    path: tuple[Step, ...] = ()


class Trace(Record):
    """Everything one entry point does, in order; effects on different arms of a branch are all present."""

    endpoint: str
    """The id of the endpoint, job or command."""
    witness: Witness
    effects: tuple[Effect, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    blind: tuple[Blind, ...] = ()
    status: int | None = None
    """Observed: the answer's status."""
    duration_s: float | None = None

    def of(self, *kinds: EffectKind) -> Iterator[tuple[int, Effect]]:
        """The effects of these kinds with their indexes, in order."""
        return ((index, effect) for index, effect in enumerate(self.effects) if effect.kind in kinds)

    def reads(self) -> Iterator[tuple[int, Effect]]:
        return self.of(EffectKind.DATABASE_READ)

    def writes(self) -> Iterator[tuple[int, Effect]]:
        return self.of(EffectKind.DATABASE_WRITE)

    def remote_calls(self) -> Iterator[tuple[int, Effect]]:
        return self.of(EffectKind.REMOTE_CALL)

    def transaction_of(self, effect: Effect) -> Transaction | None:
        """The transaction that is open while the effect happens, if one is."""
        ordinal = effect.transaction
        return self.transactions[ordinal] if ordinal is not None and ordinal < len(self.transactions) else None

    def opening(self, ordinal: int | None) -> Effect | None:
        """The first effect of a transaction, by its index: its BEGIN, where there is one."""
        return next((e for e in self.effects if e.transaction == ordinal), None) if ordinal is not None else None

    def within(self, transaction: int) -> Iterator[tuple[int, Effect]]:
        """The effects that happen while this transaction is open, in order."""
        return ((i, e) for i, e in enumerate(self.effects) if e.transaction == transaction)

    def share_transaction(self, first: int, last: int) -> bool:
        """Whether the two happen in one transaction that nothing certainly ends between them.

        A trace holds the arms of a branch one after the other: an end that stands in the arm of the first effect alone
        tells that the last one is reached on another way."""
        one, other = self.effects[first], self.effects[last]
        arms = {(condition.branch, condition.arm) for condition in one.conditions}
        ends = (
            each
            for each in self.effects[first + 1 : last]
            if each.kind in (EffectKind.COMMIT, EffectKind.ROLLBACK) and each.transaction == one.transaction
        )
        is_ended = any(arms >= {(condition.branch, condition.arm) for condition in end.conditions} for end in ends)
        return one.transaction is not None and one.transaction == other.transaction and not is_ended

    def may_have_ended(self, first: int, last: int) -> bool:
        """Whether something ends their common transaction between the two on a way that can be theirs."""
        one, arms = self.effects[first], self.effects[last].arms()
        return any(
            each.kind in (EffectKind.COMMIT, EffectKind.ROLLBACK)
            and each.transaction == one.transaction
            and not each.contradicts(arms)
            for each in self.effects[first + 1 : last]
        )

    def before(self, index: int) -> Iterator[tuple[int, Effect]]:
        """Earlier effects that can happen in the same request, nearest first."""
        arms = self.effects[index].arms()
        for earlier in range(index - 1, -1, -1):
            if not self.effects[earlier].contradicts(arms):
                yield earlier, self.effects[earlier]

    def after(self, index: int) -> Iterator[tuple[int, Effect]]:
        """Later effects that can happen in the same request, in order."""
        arms = self.effects[index].arms()
        for later in range(index + 1, len(self.effects)):
            if not self.effects[later].contradicts(arms):
                yield later, self.effects[later]
