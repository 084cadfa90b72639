"""The outcome of a claim."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """Listed from the strongest to the weakest: one broken part breaks the whole, and unknown is never a pass."""

    BROKEN = "broken"
    UNKNOWN = "unknown"
    HOLDS = "holds"

    @classmethod
    def merge(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """The verdict of a whole; nothing observed is unknown."""
        found = set(verdicts)
        return next((verdict for verdict in cls if verdict in found), cls.UNKNOWN)
