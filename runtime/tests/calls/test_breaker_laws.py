from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.calls.breaker import Breaker, BreakerOpen


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


ENDS = st.lists(st.tuples(st.floats(0.0, 30.0), st.booleans()), max_size=80)


@given(ENDS, st.integers(1, 20), st.sampled_from([0.1, 0.5, 1.0]))
def test_opens_exactly_when_so_many_of_the_last_calls_failed(
    ends: list[tuple[float, bool]], of: int, share: float
) -> None:
    """Against a model that counts anew each time."""
    clock = Clock()
    breaker = Breaker(error_share=share, of=of, open_s=5.0, window_s=60.0, clock=clock)
    remembered: list[tuple[float, bool]] = []
    opened: float | None = None
    for pause, is_ok in ends:
        clock.now += pause
        admitted = breaker.admit()
        assert (admitted is None) == (opened is not None and clock.now - opened < 5.0)
        if admitted is None:
            continue
        assert admitted.is_probe == (opened is not None)
        if is_ok:
            admitted.succeeded()
        else:
            admitted.failed()
        if opened is not None:
            opened, remembered = (None if is_ok else clock.now), []
        else:
            remembered = [(at, ok) for at, ok in [*remembered, (clock.now, is_ok)][-of:] if at > clock.now - 60.0]
            if sum(not ok for _, ok in remembered) >= max(1, math.ceil(share * of)):
                opened, remembered = clock.now, []
        assert breaker.is_open == (opened is not None)


@given(st.lists(st.sampled_from(["admit", "ok", "bad", "gone", "wait"]), max_size=100))
def test_one_probe_at_a_time_and_it_never_stays_shut(steps: list[str]) -> None:
    clock = Clock()
    breaker = Breaker(of=4, open_s=5.0, clock=clock)
    under_way: list[Any] = []
    for step in steps:
        if step == "wait":
            clock.now += 3.0
        elif step == "admit":
            if (admitted := breaker.admit()) is not None:
                under_way.append(admitted)
        elif under_way:
            admitted = under_way.pop(0)
            {"ok": admitted.succeeded, "bad": admitted.failed, "gone": admitted.abandoned}[step]()
        assert sum(each.is_probe and breaker.is_open for each in under_way) <= 1 or not breaker.is_open
    for admitted in under_way:
        admitted.abandoned()
    clock.now += 5.0
    probe = breaker.admit()
    assert probe is not None
    probe.succeeded()
    assert not breaker.is_open


def test_the_end_of_a_call_of_an_earlier_state_changes_nothing() -> None:
    clock = Clock()
    breaker = Breaker(error_share=0.5, of=4, open_s=5.0, clock=clock)
    calls = [breaker.admit() for _ in range(4)]
    late = breaker.admit()
    assert late is not None
    for call in calls:
        assert call is not None
        call.failed()
    assert breaker.is_open
    late.succeeded()
    assert breaker.is_open
    clock.now += 5.0
    probe = breaker.admit()
    assert probe is not None
    assert breaker.admit() is None
    probe.failed()
    assert breaker.is_open
    assert breaker.retry_after_s == 5.0


def test_each_change_is_told_once() -> None:
    clock, told = Clock(), list[bool]()
    breaker = Breaker(error_share=1.0, of=1, open_s=1.0, clock=clock)
    breaker.tell(told.append)
    for step in ("failed", "failed", "succeeded", "succeeded"):
        admitted = breaker.admit()
        assert admitted is not None
        getattr(admitted, step)()
        admitted.failed()  # What is said a second time does not count.
        clock.now += 1.0
    assert told == [False, True, True, False]


def test_around_any_callable() -> None:
    async def fails() -> int:
        raise ConnectionError

    async def refuses() -> int:
        raise KeyError

    async def whole() -> None:
        breaker = Breaker(error_share=1.0, of=2, open_s=60.0)
        for _ in range(3):
            with pytest.raises(KeyError):
                await breaker.run(refuses, counts=lambda error: isinstance(error, ConnectionError))
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await breaker.run(fails)
        with pytest.raises(BreakerOpen) as caught:
            await breaker.run(fails)
        assert 0 < caught.value.retry_after_s <= 60.0

    asyncio.run(whole())


@pytest.mark.parametrize("figures", [{"error_share": 0}, {"error_share": 1.1}, {"of": 0}, {"open_s": 0}])
def test_figures_that_mean_nothing_are_refused(figures: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="breaker"):
        Breaker(**figures)  # type: ignore[arg-type]


def test_a_probe_that_is_cancelled_leaves_room_for_another() -> None:
    async def whole() -> None:
        clock = Clock()
        breaker = Breaker(error_share=1.0, of=1, open_s=1.0, clock=clock)
        admitted = breaker.admit()
        assert admitted is not None
        admitted.failed()
        clock.now += 1.0
        probe = asyncio.create_task(breaker.run(asyncio.Event().wait))
        await asyncio.sleep(0)
        assert breaker.retry_after_s == 1.0
        assert breaker.admit() is None
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        assert await breaker.run(lambda: asyncio.sleep(0, "fine")) == "fine"
        assert not breaker.is_open
        assert breaker.retry_after_s == 0.0

    asyncio.run(whole())
