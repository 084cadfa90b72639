"""A budget for retries, so that a provider in trouble is not given more to do."""

from __future__ import annotations

SHARE = 0.1
SAVED_MAX = 2.0


class RetryBudget:
    """Each call saves a tenth of a retry; few can be saved up."""

    def __init__(self) -> None:
        self._saved = 1.0

    def earn(self) -> None:
        """A first attempt is made."""
        self._saved = min(SAVED_MAX, self._saved + SHARE)

    def spend(self) -> bool:
        """Whether a retry may be made."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True
