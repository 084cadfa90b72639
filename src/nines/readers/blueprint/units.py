"""Figures with their units, as people write them; the model has seconds, rates per second, bytes and shares."""

from __future__ import annotations

import math

from nines.readers.blueprint.shapes import Word

_FIGURE = r"[0-9]{1,15}(?:\.[0-9]{1,9})?"
_MINUTE_S = 60.0
_HOUR_S = 3_600.0
_DAY_S = 86_400.0
_YEAR_S = 365 * _DAY_S
_DURATIONS = {
    "ms": 0.001,
    "s": 1.0,
    "m": _MINUTE_S,
    "min": _MINUTE_S,
    "h": _HOUR_S,
    "d": _DAY_S,
    "w": 7 * _DAY_S,
    "y": _YEAR_S,
}
_SIZES = {
    "B": 1,
    "kB": 1_000,
    "MB": 1_000**2,
    "GB": 1_000**3,
    "KiB": 1_024,
    "MiB": 1_024**2,
    "GiB": 1_024**3,
}
_CENTURY_S = 100 * _YEAR_S
_RATE_MAX_HZ = 1e9
"""More than the whole internet sends to anybody."""
_SIZE_MAX = 1_024**4
_GROWTH_MAX = 1_000.0
_SHARE_DIGITS = 9
PERIODS_S = {"s": 1.0, "m": _MINUTE_S, "min": _MINUTE_S, "h": _HOUR_S, "d": _DAY_S}
_DURATION = rf"{_FIGURE} ?(?:ms|s|min|m|h|d|w|y)"


def seconds(text: str) -> float:
    """Raises ValueError above a hundred years."""
    value = _split(text, _DURATIONS)
    if value > _CENTURY_S:
        raise ValueError("more than a hundred years is `forever`")
    return value


def _positive_seconds(text: str) -> float:
    value = seconds(text)
    if not value:
        raise ValueError("it is more than 0")
    return value


def _retained_seconds(text: str) -> float:
    return math.inf if text == "forever" else _positive_seconds(text)


def share(text: str) -> float:
    """A share of one; raises ValueError where it is not between 0 and 1."""
    value = float(text.removesuffix("%").strip())
    value = round(value / 100 if text.endswith("%") else value, _SHARE_DIGITS)
    if value > 1:
        raise ValueError("a share lies between 0% and 100%")
    return value


def _inner_share(text: str) -> float:
    value = share(text)
    if not 0 < value < 1:
        raise ValueError("it lies above 0% and below 100%")
    return value


def hertz(text: str) -> float:
    """Times a second; raises ValueError for 0 and for what nothing on earth sends."""
    figure, _, period = text.partition("/")
    value = float(figure) / PERIODS_S[period.strip()]
    if not 0 < value <= _RATE_MAX_HZ:
        raise ValueError(f"it is more than 0 and at most {_RATE_MAX_HZ:,.0f}/s")
    return value


def _growth(text: str) -> float:
    value = float(text.partition("x")[0])
    if not 1 <= value <= _GROWTH_MAX:
        raise ValueError(f"it lies between 1x/y, which is no growth, and {_GROWTH_MAX:,.0f}x/y")
    return value


def size(text: str) -> int:
    """Bytes; raises ValueError for 0 and for more than a tebibyte."""
    value = round(_split(text, _SIZES))
    if not 0 < value <= _SIZE_MAX:
        raise ValueError("it is more than 0 and at most 1024GiB")
    return value


def _split(text: str, units: dict[str, float] | dict[str, int]) -> float:
    unit = next(unit for unit in sorted(units, key=len, reverse=True) if text.endswith(unit))
    return round(float(text.removesuffix(unit)) * units[unit], 6)


DURATION = Word(
    "a duration such as 200ms, 5m or 24h", pattern=_DURATION, convert=_positive_seconds, examples=("200ms", "5m", "24h")
)
DURATION_OR_NONE = Word("a duration such as 0s or 5m", pattern=_DURATION, convert=seconds, examples=("0s", "1s", "5m"))
RETENTION = Word(
    "a duration such as 90d or 7y, or forever",
    pattern=rf"{_DURATION}|forever",
    convert=_retained_seconds,
    examples=("90d", "7y", "forever"),
)
SHARE = Word(
    "a share such as 99.9%",
    pattern=rf"{_FIGURE} ?%|[01](?:\.[0-9]{{1,9}})?",
    convert=share,
    examples=("99.9%", "0.1%"),
    takes_numbers=True,
)
INNER_SHARE = Word(
    "a share such as 99.9%",
    pattern=rf"{_FIGURE} ?%|[01](?:\.[0-9]{{1,9}})?",
    convert=_inner_share,
    examples=("99.9%", "0.1%"),
    takes_numbers=True,
)
RATE = Word(
    "a rate such as 150/s, 20/m or 1000/d",
    pattern=rf"{_FIGURE} ?/ ?(?:s|min|m|h|d)",
    convert=hertz,
    examples=("150/s", "20/m", "1000/d"),
)
GROWTH = Word(
    "a growth such as 3x/y, three times as much after a year",
    pattern=rf"{_FIGURE}x/y",
    convert=_growth,
    examples=("1x/y", "2x/y", "3x/y"),
)
SIZE = Word(
    "a size such as 1KiB or 512MiB",
    pattern=rf"{_FIGURE} ?(?:B|kB|MB|GB|KiB|MiB|GiB)",
    convert=size,
    examples=("1KiB", "64KiB", "512MiB"),
)
