"""The recovery sweep: a task beside the requests that finishes what they could not."""

from __future__ import annotations

import asyncio
import logging
import random
import time

from payments.paying import SWEEP_BATCH, Paying
from payments.problems import Problem

MEASURE_EVERY_S = 5.0

log = logging.getLogger("payments.sweep")


async def run(paying: Paying, *, interval_s: float, stop: asyncio.Event) -> None:
    """Until stopped; an error is logged, and the next round tries again."""
    measured_s = 0.0
    while not stop.is_set():
        taken = 0
        try:
            taken = await paying.sweep()
            if time.monotonic() - measured_s > MEASURE_EVERY_S:
                measured_s = time.monotonic()
                await paying.measure()
        except Problem:
            log.warning("sweep postponed: the database is not available")
        except Exception:
            log.exception("sweep failed")
        # A full batch means that there is more; otherwise replicas spread out.
        pause_s = 0.05 if taken == SWEEP_BATCH else interval_s * random.uniform(0.8, 1.2)  # noqa: S311 -- no secret
        try:
            async with asyncio.timeout(pause_s):
                await stop.wait()
        except TimeoutError:
            continue
