"""What people may try to do to the service: the data-flow diagram, STRIDE for each of its elements, and secrets."""

from __future__ import annotations

from nines.planning.threats.elements import kinds
from nines.planning.threats.plan import threats

__all__ = ["kinds", "threats"]
