"""Figures as people say them; the same in every chapter, and in what planning says."""

from __future__ import annotations

from nines.model.words import amount, count, duration, moment, rate, share, size

__all__ = ["amount", "count", "duration", "many", "moment", "rate", "share", "size"]


def many(number: int, noun: str, plural: str = "") -> str:
    """ "1 table", "12 tables"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
