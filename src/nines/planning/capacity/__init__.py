"""How much the service carries: from rates and steps to the use of every resource, and what gives way first."""

from __future__ import annotations

from nines.planning.capacity.measured import measured
from nines.planning.capacity.plan import capacity
from nines.planning.capacity.simulation import Chance

__all__ = ["Chance", "capacity", "measured"]
