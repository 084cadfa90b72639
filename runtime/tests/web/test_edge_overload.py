"""What shedding by the wait does, on a model of one event loop: it takes what has come, then works it off in turn."""

from __future__ import annotations

import asyncio
import random

import pytest

from nines_runtime.web.gate import Gate
from nines_runtime.web.problem import Problem

COST_S, REFUSAL_S, READ_S = 0.002, 0.00008, 0.00003
PATIENCE_S = 1.0
"""After which a caller no longer wants the answer."""


class Loop:
    def __init__(self) -> None:
        self.now_s = 0.0
        self.good = self.late = self.refused = 0
        self.latencies_s: list[float] = []

    def clock(self) -> float:
        return self.now_s

    def work_off(self, arrivals: list[float], gate: Gate) -> None:
        at = 0
        while at < len(arrivals):
            self.now_s = max(self.now_s, arrivals[at])
            batch = [each for each in arrivals[at:] if each <= self.now_s]
            at += len(batch)
            self.now_s += READ_S * len(batch)
            read_s = self.now_s
            for arrived_s in batch:
                self._one(arrived_s, read_s, gate)

    def _one(self, arrived_s: float, read_s: float, gate: Gate) -> None:
        try:
            ticket = gate.enter(1e9, waited_s=self.now_s - read_s)
        except Problem:
            self.now_s += REFUSAL_S
            self.refused += 1
            return
        self.now_s += COST_S
        gate.leave(ticket)
        self.latencies_s.append(self.now_s - arrived_s)
        self.good += self.now_s - arrived_s <= PATIENCE_S
        self.late += self.now_s - arrived_s > PATIENCE_S

    @property
    def p95_s(self) -> float:
        return sorted(self.latencies_s)[int(len(self.latencies_s) * 0.95)]


def overloaded(load: float, *, queue_s_max: float, duration_s: float = 15.0, pause_s: float = 0.0) -> Loop:
    """`load` is a multiple of what the loop can do; `pause_s` stops it once in the middle."""
    chance = random.Random(1)
    arrivals, at_s = [], 0.0
    while (at_s := at_s + chance.expovariate(load / COST_S)) < duration_s:
        arrivals.append(at_s)
    loop = Loop()

    async def run() -> None:
        gate = Gate(clock=loop.clock, queue_s_max=queue_s_max)
        middle = next(index for index, each in enumerate(arrivals) if each > duration_s / 2)
        loop.work_off(arrivals[:middle], gate)
        loop.now_s += pause_s
        loop.work_off(arrivals[middle:], gate)

    asyncio.run(run())
    return loop


@pytest.mark.parametrize("load", [1.2, 2.0, 4.0])
def test_an_overload_is_refused_and_the_rest_is_answered_in_time(load: float) -> None:
    shedding, patient = overloaded(load, queue_s_max=0.1), overloaded(load, queue_s_max=1e9)
    assert patient.refused == 0
    assert shedding.good > 2 * patient.good
    assert shedding.good > 0.6 * 15.0 / COST_S
    # The first half second is taken as a burst; the queue that it leaves is late once.
    assert shedding.p95_s < 1.0 < patient.p95_s


@pytest.mark.parametrize("load", [0.3, 0.7, 0.9])
def test_nothing_is_refused_below_capacity(load: float) -> None:
    assert overloaded(load, queue_s_max=0.1).refused == 0


def test_what_a_pause_left_over_is_worked_off() -> None:
    loop = overloaded(0.3, queue_s_max=0.1, pause_s=0.9)
    assert (loop.refused, loop.late) == (0, 0)
