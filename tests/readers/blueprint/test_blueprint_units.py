from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines.readers.blueprint.document import Mark, Scalar
from nines.readers.blueprint.reading import Collected, Reading, Unreadable
from nines.readers.blueprint.shapes import Word
from nines.readers.blueprint.units import (
    DURATION,
    DURATION_OR_NONE,
    GROWTH,
    INNER_SHARE,
    RATE,
    RETENTION,
    SHARE,
    SIZE,
    seconds,
)


def _read(unit: Word, text: str) -> float:
    value: float = unit.read(Scalar(text=text, mark=Mark()), Reading(Collected("b.yaml")))
    return value


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        (DURATION, "200ms", 0.2),
        (DURATION, "1.5s", 1.5),
        (DURATION, "2 s", 2),
        (DURATION, "5m", 300),
        (DURATION, "5min", 300),
        (DURATION, "24h", 86_400),
        (DURATION, "30d", 2_592_000),
        (DURATION, "2w", 1_209_600),
        (DURATION_OR_NONE, "0s", 0),
        (RETENTION, "7y", 7 * 365 * 86_400),
        (RETENTION, "forever", math.inf),
        (SHARE, "99.9%", 0.999),
        (SHARE, "99.999%", 0.99999),
        (SHARE, "0.25", 0.25),
        (SHARE, "0%", 0),
        (SHARE, "100%", 1),
        (INNER_SHARE, "0.1%", 0.001),
        (RATE, "150/s", 150),
        (RATE, "30/m", 0.5),
        (RATE, "30/min", 0.5),
        (RATE, "36/h", 0.01),
        (RATE, "864/d", 0.01),
        (GROWTH, "3x/y", 3),
        (GROWTH, "1.2x/y", 1.2),
        (SIZE, "1KiB", 1_024),
        (SIZE, "1kB", 1_000),
        (SIZE, "512MiB", 512 * 1_024**2),
        (SIZE, "300B", 300),
        (SIZE, "1.5GiB", 1_610_612_736),
    ],
)
def test_a_figure_is_read_with_its_unit(unit: Word, text: str, value: float) -> None:
    assert _read(unit, text) == value


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        (DURATION, "0s"),
        (DURATION, "-5s"),
        (DURATION, "5"),
        (DURATION, "5 parsecs"),
        (DURATION, "5M"),
        (DURATION, "1e3s"),
        (DURATION, "200y"),
        (DURATION, "9999999999999999s"),
        (DURATION, "forever"),
        (RETENTION, "0d"),
        (SHARE, "101%"),
        (SHARE, "1.5"),
        (INNER_SHARE, "100%"),
        (INNER_SHARE, "0%"),
        (RATE, "150"),
        (RATE, "150/y"),
        (RATE, "0/s"),
        (RATE, "9999999999/s"),
        (GROWTH, "0.9x/y"),
        (GROWTH, "3/y"),
        (GROWTH, "1001x/y"),
        (SIZE, "1kb"),
        (SIZE, "0B"),
        (SIZE, "2000GiB"),
    ],
)
def test_a_figure_that_means_nothing_is_refused(unit: Word, text: str) -> None:
    with pytest.raises(Unreadable):
        _read(unit, text)


@given(st.integers(1, 10**5), st.sampled_from(["ms", "s", "m", "h"]))
def test_a_duration_is_its_figure_times_its_unit(figure: int, unit: str) -> None:
    size = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600}[unit]
    assert seconds(f"{figure}{unit}") == pytest.approx(figure * size, rel=1e-6)
