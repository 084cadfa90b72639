"""Waiting until the proxies have nothing more to see, so that what follows belongs to one request alone."""

from __future__ import annotations

import asyncio

from nines.lab.record.recorder import Recorder

QUIET_S = 0.03
"""Without an event at any proxy for so long, the system counts as quiet."""
LIMIT_S = 2.0


async def until_quiet(recorder: Recorder, quiet_s: float = QUIET_S, limit_s: float = LIMIT_S) -> bool:
    """Whether it became quiet in time."""
    until_s = recorder.clock_s() + limit_s
    while recorder.clock_s() < until_s:
        since_s = recorder.clock_s()
        await asyncio.sleep(quiet_s)
        if not any(event.ended_s >= since_s for event in recorder.window(since_s - limit_s)):
            return True
    return False
