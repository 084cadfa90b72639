"""Two versions of a contract, and what the newer one breaks."""

from __future__ import annotations

from nines.checkers.contracts.compare import compare

__all__ = ["compare"]
