"""Two versions of a contract, and what the newer one breaks."""

from __future__ import annotations

from nines.checkers.contracts.compare import compare
from nines.checkers.contracts.events import compare_events

__all__ = ["compare", "compare_events"]
