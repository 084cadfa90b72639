from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nines_runtime.calls.bulkhead import Bulkhead, BulkheadFull
from nines_runtime.calls.deadline import Deadline

STEPS = st.lists(st.tuples(st.sampled_from(["enter", "leave", "cancel"]), st.integers(0, 30)), max_size=60)


@given(STEPS, st.integers(1, 4), st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_never_more_than_its_limit_and_no_place_is_lost(
    steps: list[tuple[str, int]], limit: int, waiting_max: int
) -> None:
    async def whole() -> None:
        bulkhead = Bulkhead(limit, waiting_max=waiting_max, wait_s=60.0)
        release: dict[int, asyncio.Event] = {}
        tasks: list[asyncio.Task[bool]] = []
        most = 0

        async def work(name: int) -> bool:
            nonlocal most
            try:
                await bulkhead.enter()
            except BulkheadFull:
                return False
            most = max(most, bulkhead.in_flight)
            try:
                await release[name].wait()
            finally:
                bulkhead.leave()
            return True

        for what, which in steps:
            if what == "enter":
                release[len(tasks)] = asyncio.Event()
                tasks.append(asyncio.create_task(work(len(tasks))))
            elif tasks and what == "leave":
                release[which % len(tasks)].set()
            elif tasks:
                tasks[which % len(tasks)].cancel()
            if which % 2:
                await asyncio.sleep(0)
            assert bulkhead.in_flight <= limit
            assert bulkhead.waiting <= waiting_max
        for event in release.values():
            event.set()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, bool | asyncio.CancelledError) for end in ends)
        assert (bulkhead.in_flight, bulkhead.waiting) == (0, 0)
        assert most <= limit

    asyncio.run(whole())


def test_who_waits_longest_comes_first() -> None:
    async def whole() -> list[int]:
        bulkhead, order = Bulkhead(1, waiting_max=3, wait_s=60.0), list[int]()

        async def work(name: int) -> None:
            async with bulkhead:
                order.append(name)

        await bulkhead.enter()
        tasks = [asyncio.create_task(work(name)) for name in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(BulkheadFull):
            await bulkhead.enter()
        bulkhead.leave()
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(whole()) == [0, 1, 2]


def test_waits_no_longer_than_the_deadline_or_its_own_limit() -> None:
    async def whole() -> None:
        bulkhead = Bulkhead(1, wait_s=0.01)
        await bulkhead.enter()
        with pytest.raises(BulkheadFull):
            await bulkhead.enter()
        with pytest.raises(BulkheadFull):
            await bulkhead.enter(Deadline.after(-1.0))
        assert bulkhead.waiting == 0

    asyncio.run(whole())
