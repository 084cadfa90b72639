"""Sums in words, so that a reader can check them line by line."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nines.model import words
from nines.model.record import Record

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


def terms(found: Sequence[Term]) -> str:
    """The largest terms of a sum, and what the others come to."""
    ordered = sorted((term for term in found if term.product > 0), key=lambda term: (-term.product, term.name))
    whole = sum(term.product for term in ordered)
    shown = [term for term in ordered[:_SHOWN_MAX] if term.product >= whole * _NEGLIGIBLE]
    rest = ordered[len(shown) :]
    told = [f"{term.name} {words.rate(term.rate_hz)} × {term.text}" for term in shown]
    if rest:
        told.append(f"{len(rest)} more: {figure(sum(term.product for term in rest))}")
    return " + ".join(told) or "nothing"


def brief(seconds: float) -> str:
    """ "68 µs", "1.38 ms", "2 s"."""
    return f"{figure(seconds * 1e6)} µs" if 0 < seconds < 1e-3 else words.duration(seconds)


def figure(value: float) -> str:
    """Three digits, and thousands told apart."""
    if value >= 100 or value == 0:
        return f"{value:,.0f}"
    digits = 2 - math.floor(math.log10(value))
    text = f"{value:.{max(0, min(digits, 4))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
