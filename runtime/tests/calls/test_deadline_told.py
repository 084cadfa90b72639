from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.calls.deadline import Deadline

SECONDS = st.floats(0.0, 1e5)


@given(SECONDS, SECONDS, SECONDS)
def test_no_wait_below_a_deadline_is_longer_than_it(limit_s: float, passed_s: float, asked_s: float) -> None:
    now = [100.0]
    deadline = Deadline.after(limit_s, clock=lambda: now[0])
    now[0] += passed_s
    left = deadline.left_s
    assert left == pytest.approx(max(0.0, limit_s - passed_s), abs=1e-6)
    assert deadline.is_over == (left == 0.0)
    for shorter in (deadline.shortened(asked_s), deadline.earlier(asked_s)):
        assert shorter.left_s <= left
    assert deadline.earlier(asked_s).left_s >= left * 0.75 - 1e-6
    assert deadline.within(asked_s) == min(asked_s, left)
    assert 0 <= int(deadline.told(asked_s)) <= min(left, asked_s) * 1_000
