"""Unfolds the shared trees of functions into the ordered effects of one entry point."""

from nines.effects.unfold.walk import unfold

__all__ = ["unfold"]
