"""Sums in words, so that a reader can check them line by line."""

from __future__ import annotations

from collections.abc import Sequence

from nines.model.record import Record
from nines.model.words import amount, rate

_SHOWN_MAX = 4
_NEGLIGIBLE = 1e-3
"""Of the whole: what is less stands among the others."""


class Term(Record):
    """A rate times what each takes."""

    name: str
    rate_hz: float
    each: float
    text: str
    """What each takes, with its unit."""

    @property
    def product(self) -> float:
        return self.rate_hz * self.each


def cores(count: float) -> str:
    """ "1 core", "2.9 cores"."""
    told = amount(count)
    return f"{told} core{'' if told == '1' else 's'}"


def terms(found: Sequence[Term]) -> str:
    """The largest terms of a sum, and what the others come to."""
    ordered = sorted((term for term in found if term.product > 0), key=lambda term: (-term.product, term.name))
    whole = sum(term.product for term in ordered)
    shown = [term for term in ordered[:_SHOWN_MAX] if term.product >= whole * _NEGLIGIBLE]
    rest = ordered[len(shown) :]
    told = [f"{term.name} {rate(term.rate_hz)} × {term.text}" for term in shown]
    if rest:
        told.append(f"{len(rest)} more: {amount(sum(term.product for term in rest))}")
    return " + ".join(told) or "nothing"
