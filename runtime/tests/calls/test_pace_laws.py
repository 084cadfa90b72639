from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.calls.client import Client
from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.outcome import Unanswered, Why
from nines_runtime.calls.pace import Pace, TooFast

PAUSES = st.lists(st.floats(0.0, 0.5), min_size=1, max_size=60)


@given(PAUSES, st.sampled_from([1.0, 7.0, 100.0]), st.integers(1, 5), st.sampled_from([0.0, 0.3, 2.0]))
def test_never_faster_in_any_window_and_nobody_waits_too_long(
    pauses: list[float], rate_hz: float, burst: int, wait_s: float
) -> None:
    now, begun, refused = [0.0], list[float](), list[float]()

    async def sleep(seconds: float) -> None:
        assert 0 < seconds <= wait_s
        begun.append(now[0] + seconds)

    pace = Pace(rate_hz, burst=burst, wait_s=wait_s, clock=lambda: now[0], sleep=sleep)

    async def whole() -> None:
        for pause in pauses:
            now[0] += pause
            count = len(begun)
            try:
                await pace.turn()
            except TooFast as held:
                refused.append(held.retry_after_s)
                continue
            if len(begun) == count:
                begun.append(now[0])

    asyncio.run(whole())
    assert all(each > wait_s for each in refused)
    for first in range(len(begun)):
        for last in range(first, len(begun)):
            assert last - first + 1 <= burst + rate_hz * (begun[last] - begun[first]) + 1e-6


def test_whoever_is_refused_takes_nobodys_turn() -> None:
    now = [0.0]
    pace = Pace(1.0, wait_s=0.0, clock=lambda: now[0])

    async def whole() -> None:
        await pace.turn()
        for _ in range(10):
            with pytest.raises(TooFast):
                await pace.turn()
        now[0] += 1.0
        await pace.turn()

    asyncio.run(whole())


def test_a_client_keeps_it(peer: Any, http: Any) -> None:
    async def whole() -> None:
        pace = Pace(0.001, burst=2, wait_s=0.1)
        async with peer(http.says(http.answer(200, b"1"))) as other, Client("g", other.url, pace=pace) as client:
            for _ in range(2):
                await client.get(Deadline.after(5), "/x")
            with pytest.raises(Unanswered) as caught:
                await client.post(Deadline.after(5), "/x", {})
            assert (caught.value.why, caught.value.may_have_happened) == (Why.THROTTLED, False)
            assert (caught.value.retry_after_s or 0) > 100
            assert len(other.asked) == 2

    asyncio.run(whole())


@pytest.mark.parametrize("figures", [{"rate_hz": 0}, {"rate_hz": 1, "burst": 0}, {"rate_hz": 1, "wait_s": -1}])
def test_figures_that_mean_nothing_are_refused(figures: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="pace"):
        Pace(**figures)  # type: ignore[arg-type]
