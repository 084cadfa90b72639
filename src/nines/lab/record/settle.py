"""Waits until the service has done everything that a request set off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from nines.lab.record.proxy import Proxy
from nines.lab.record.recorder import Recorder

QUIET_S = 0.05
"""Nothing moved for so long: the request and its background work are over."""
WAIT_S_MAX = 3.0
_POLL_S = 0.005


async def settled(
    recorder: Recorder, proxies: Sequence[Proxy], *, quiet_s: float = QUIET_S, limit_s: float = WAIT_S_MAX
) -> bool:
    """Waits for silence on all proxies: nothing under way, and no byte for `quiet_s`; False when it did not come.

    Without it a trace may lack what a background task does after the answer, or hold an earlier request's effects."""
    until_s = recorder.clock_s() + limit_s
    while recorder.clock_s() < until_s:
        is_quiet = recorder.clock_s() - recorder.moved_s >= quiet_s
        if is_quiet and all(proxy.is_idle for proxy in proxies):
            return True
        await asyncio.sleep(_POLL_S)
    return False
