"""What changes for those who read a body: an answer, or an event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nines.checkers.contracts.document import Document
from nines.checkers.contracts.schemas import Comparison, members
from nines.model.change import ContractChange, Impact

READERS = "callers that read it"
_RULES = {
    "type": ("answer-type-widened", Impact.BREAKING),
    "enum": ("answer-values-added", Impact.RISKY),
    "bound": ("answer-bound-loosened", Impact.RISKY),
    "form": ("answer-form-changed", Impact.RISKY),
    "member-required": ("answer-member-optional", Impact.BREAKING),
    "unknown": ("answer-changed", Impact.RISKY),
}
_SAYS = {
    "type": "is {0.taken} instead of {0.limit}",
    "enum": "may be {0.taken}, too",
    "bound": "has {0.taken} instead of {0.limit}",
    "form": "has {0.taken} instead of {0.limit}",
    "member-required": "may be missing",
    "unknown": "{0.taken}",
}


def answered(
    old: Document, new: Document, schemas: tuple[Any, Any], *, name: str, code: str, whom: str = READERS
) -> Iterator[ContractChange]:
    """From the first of the schemas to the second, each of its document.

    A member that is gone is told once, and not again as one that is no longer promised."""
    then, now = schemas
    had, has = members(old, then), members(new, now)
    gone = had - has
    for pointer in topmost(gone):
        where = joined(code, pointer)
        yield ContractChange(
            rule="answer-member-removed", impact=Impact.BREAKING, operation=name, where=where, says="is gone", whom=whom
        )
    for loss in Comparison(new, old, is_request=False).losses(now, then):
        if loss.pointer in gone:
            continue
        rule, impact = _RULES[loss.kind]
        says, where = _SAYS[loss.kind].format(loss), joined(code, loss.pointer)
        yield ContractChange(rule=rule, impact=impact, operation=name, where=where, says=says, whom=whom)
    for pointer in topmost(has - had):
        where = joined(code, pointer)
        yield ContractChange(
            rule="answer-member-added", impact=Impact.COMPATIBLE, operation=name, where=where, says="is new"
        )


def topmost(pointers: set[str]) -> list[str]:
    """Without those below another one."""
    return sorted(each for each in pointers if not any(each.startswith(f"{other}/") for other in pointers))


def joined(where: str, pointer: str) -> str:
    return f"{where} {pointer}".strip() if pointer else where
