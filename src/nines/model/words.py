"""Figures as people say them; the same in every part and every chapter."""

from __future__ import annotations

import math
import re

_MINUTE_S = 60.0
_CONSONANT = re.compile(r"uni(?!n)|us[aeu]|uti|eu|one\b|once\b")
"""How nouns begin that are written with a vowel and spoken with none: a user, a unit, a European, a one."""
_UNITS = ((365 * 86_400.0, "y"), (86_400.0, "d"), (3_600.0, "h"), (_MINUTE_S, "min"), (1.0, "s"))


def duration(seconds: float) -> str:
    """ "200 ms", "5 min", "30 d", "for ever"."""
    if math.isinf(seconds):
        return "for ever"
    if seconds < 1:
        return f"{_short(seconds * 1_000)} ms" if seconds else "0 s"
    for size, unit in _UNITS:
        if seconds >= size and (unit == "s" or seconds % size < size / 100 or seconds >= 3 * size):
            return f"{_short(seconds / size)} {unit}"
    return f"{_short(seconds)} s"


def moment(seconds: float) -> str:
    """ "68 µs", "1.38 ms", "2 s": a duration of which the digits matter."""
    return f"{amount(seconds * 1e6)} µs" if 0 < seconds < 1e-3 else duration(seconds)


def amount(value: float) -> str:
    """ "0.0383", "2.9", "1,294": three digits, whatever the size."""
    if abs(value) >= 100 or value == 0:
        return f"{value:,.0f}"
    return _trimmed(f"{value:.{max(0, min(2 - math.floor(math.log10(abs(value))), 6))}f}")


def many(number: int, noun: str, plural: str = "") -> str:
    """ "1 table", "12 tables"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def share(value: float) -> str:
    """ "99.9 %": as many digits as tell three nines from five."""
    return f"{value * 100:.6g} %"


def rate(hertz: float) -> str:
    """ "600/s", "6/min", "2/d"."""
    for size, unit in ((1.0, "s"), (1 / _MINUTE_S, "min"), (1 / 3_600.0, "h"), (1 / 86_400.0, "d")):
        if hertz >= size:
            return f"{_short(hertz / size)}/{unit}"
    return f"{_short(hertz * 365 * 86_400)}/y" if hertz else "0/s"


def size(count: float) -> str:
    """Bytes, in powers of 1,024."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if count < 1_024:
            return f"{_short(count)} {unit}"
        count /= 1_024
    return f"{_short(count)} PiB"


def count(value: float) -> str:
    """ "31,536,000"; three digits are enough for large figures that are not whole."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else _short(value)


def _short(value: float) -> str:
    return _digits(value, 3)


def _digits(value: float, digits: int) -> str:
    text = f"{value:,.{max(0, digits - len(str(int(abs(value)))))}f}"
    return _trimmed(text)


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def an(noun: str) -> str:
    """A noun in a sentence with its article: "an order", "a user"."""
    is_vowel = noun[:1] in tuple("aeiou") and not _CONSONANT.match(noun)
    return f"{'an' if is_vowel else 'a'} {noun}"
