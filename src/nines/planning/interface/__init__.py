"""What callers meet, derived from a blueprint: endpoints with everything that they may answer, and their bodies."""

from __future__ import annotations

from nines.planning.interface.endpoints import endpoints

__all__ = ["endpoints"]
