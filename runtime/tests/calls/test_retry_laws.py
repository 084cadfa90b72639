from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.retry import Retry, RetryBudget, retry


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.booleans(), max_size=300), st.floats(0.0, 1.0), st.integers(0, 20))
def test_at_most_a_share_of_all_calls_is_repeated(steps: list[bool], share: float, saved_max: int) -> None:
    budget = RetryBudget(share=share, saved_max=saved_max)
    first = repeated = 0
    for is_first in steps:
        if is_first:
            budget.earn()
            first += 1
        else:
            repeated += budget.spend()
        assert repeated <= saved_max + share * first + 1e-6


def test_ten_calls_save_one_repetition() -> None:
    budget = RetryBudget(share=0.1, saved_max=1.0)
    assert budget.spend()
    for _ in range(9):
        budget.earn()
        assert not budget.spend()
    budget.earn()
    assert budget.spend()


@given(
    st.integers(1, 100),
    st.floats(0.0, 10.0),
    st.floats(0.0, 10.0),
    st.floats(0.0, 1.0, exclude_max=True),
    st.none() | st.floats(0.0, 5.0),
)
def test_waits_at_random_up_to_a_ceiling_and_never_before_it_was_asked_to_come_back(
    failures: int, base_s: float, ceiling_s: float, chance: float, after_s: float | None
) -> None:
    policy = Retry(base_s=base_s, ceiling_s=ceiling_s, chance=lambda: chance)
    wait = policy.wait_s(failures, retry_after_s=after_s)
    assert (after_s or 0.0) <= wait <= (after_s or 0.0) + min(ceiling_s, base_s * 2.0 ** (failures - 1)) + 1e-9


@given(st.integers(0, 6), st.floats(0.01, 20.0), st.integers(0, 8), st.randoms(use_true_random=False))
def test_never_past_the_deadline_nor_oftener_than_allowed(
    most: int, limit_s: float, failures: int, chance: random.Random
) -> None:
    clock, made = Clock(), list[float]()

    async def call() -> str:
        made.append(clock.now)
        clock.now += 0.5
        if len(made) <= failures:
            raise ConnectionError
        return "done"

    async def sleep(seconds: float) -> None:
        clock.now += seconds

    policy = Retry(max=most, ceiling_s=4.0, base_s=1.0, chance=chance.random)
    whole = retry(
        call,
        deadline=Deadline.after(limit_s, clock=clock),
        policy=policy,
        is_transient=lambda error: isinstance(error, ConnectionError),
        sleep=sleep,
    )
    try:
        assert asyncio.run(whole) == "done"
        assert len(made) == failures + 1
    except ConnectionError:
        assert len(made) <= failures
    assert len(made) <= most + 1
    assert all(at < limit_s for at in made[1:])


def test_what_is_not_transient_is_not_repeated() -> None:
    made = 0

    async def call() -> None:
        nonlocal made
        made += 1
        raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(
            retry(
                call,
                deadline=Deadline.after(5.0),
                policy=Retry(max=3),
                is_transient=lambda error: isinstance(error, ConnectionError),
            )
        )
    assert made == 1
