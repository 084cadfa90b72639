"""What callers meet, derived from a blueprint: endpoints with everything that they may answer, and their bodies."""

from __future__ import annotations

from nines.planning.interface.endpoints import endpoints
from nines.planning.interface.protocol import protocol

__all__ = ["endpoints", "protocol"]
