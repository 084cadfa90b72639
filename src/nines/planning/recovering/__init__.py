"""From code that was read to a design: what is there, and what reading could not tell."""

from __future__ import annotations

from nines.planning.recovering.recover import recover

__all__ = ["recover"]
