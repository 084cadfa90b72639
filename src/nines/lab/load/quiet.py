"""Keeps Python's garbage collector from stalling a load."""

from __future__ import annotations

import gc

_THRESHOLDS = (10_000, 20, 1000)
"""Young objects are looked at in portions of a millisecond, old ones after 200 million allocations, which is never."""


class _State:
    """The collector is one for the whole process, and so is this."""

    loads = 0
    thresholds = gc.get_threshold()


def rest() -> None:
    """Takes what is alive out of the collector's sight and slows it down, until as many calls of `unrest` followed.

    A full collection over the syntax trees of a large project would stop the event loop for half a second."""
    if _State.loads == 0:
        _State.thresholds = gc.get_threshold()
        gc.set_threshold(*_THRESHOLDS)
        gc.freeze()
    _State.loads += 1


def unrest() -> None:
    """Ends one `rest`."""
    _State.loads = max(_State.loads - 1, 0)
    if _State.loads == 0:
        gc.set_threshold(*_State.thresholds)
        gc.unfreeze()
