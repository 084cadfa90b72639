"""Figures read as people say them."""

from __future__ import annotations

import math

import pytest

from nines.dossier import words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (0.2, "200 ms"), (0.0123, "12.3 ms"), (1.5, "1.5 s"), (90, "90 s"), (300, "5 min"), (7_200, "2 h"),
     (30 * 86_400, "30 d"), (7 * 365 * 86_400, "7 y"), (math.inf, "for ever")],
)  # fmt: skip
def test_durations_take_the_unit_in_which_they_are_short(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_shares_keep_their_nines() -> None:
    assert [words.share(each) for each in (0.999, 0.99999, 0.001, 1.0)] == ["99.9 %", "99.999 %", "0.1 %", "100 %"]


def test_rates_sizes_and_counts() -> None:
    assert [words.rate(each) for each in (600, 0.1, 10_000, 1 / 86_400)] == ["600/s", "6/min", "10,000/s", "1/d"]
    assert [words.size(each) for each in (1_024, 1.5e9, 3)] == ["1 KiB", "1.4 GiB", "3 B"]
    assert [words.count(each) for each in (31_536_000, 0.5, 12)] == ["31,536,000", "0.5", "12"]
