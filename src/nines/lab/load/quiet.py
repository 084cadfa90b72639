"""Keeps Python's garbage collector from stalling a load."""

from __future__ import annotations

import gc

_resting = 0


def rest() -> None:
    """Takes everything that is alive out of the collector's sight, until as many calls of `unrest` followed.

    A full collection over the syntax trees of a large project stops the event loop for half a second; what is alive
    before a load seldom becomes garbage during it."""
    global _resting  # noqa: PLW0603 - the collector is one for the whole process, too.
    if _resting == 0:
        gc.freeze()
    _resting += 1


def unrest() -> None:
    """Ends one `rest`."""
    global _resting  # noqa: PLW0603 - as above.
    _resting = max(_resting - 1, 0)
    if _resting == 0:
        gc.unfreeze()
