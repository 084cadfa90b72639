"""What fails, how it shows, how it is contained, and the availability that is left."""

from __future__ import annotations

from nines.planning.failures.plan import failures

__all__ = ["failures"]
