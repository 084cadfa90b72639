"""What was decided between which options, from the figures of this design, and what is still open."""

from __future__ import annotations

from nines.planning.decisions.plan import decisions

__all__ = ["decisions"]
