"""From a blueprint, or from code that was read, to a design: one file for each thing that has to be decided."""

from __future__ import annotations

from nines.planning.plan import plan, recover

__all__ = ["plan", "recover"]
