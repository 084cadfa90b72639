"""Distinct values of one field: as many as its schema allows, in a fixed order, none of them twice."""

from __future__ import annotations

import math
import random
import string
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import chain, count, islice
from typing import Any

from nines.lab.requests import fields
from nines.lab.requests.languages import Language, language_of
from nines.lab.requests.lists import listed
from nines.lab.requests.shapes import kind, settled, types
from nines.lab.requests.validate import allows
from nines.model.contract import Schema

SPACE_MAX = 20_000
"""More different values of one field are not made."""
TRIES_MAX = 3_000
"""So many candidates in a row that do not fit or were there before mean that there are no more."""
WHOLE_MAX = 50_000
"""A pattern with so many texts or fewer is gone through whole."""
DAYS_MAX = 3_650
TEXT_MAX = 200
_ALPHABET = "0123456789abcdefghijkmnpqrstuvwxyz"


class Space:
    """The values, made as they are needed; `first` comes first where it fits."""

    def __init__(self, schema: Any, name: str, *, today: date, rng: random.Random, first: Any = None) -> None:
        self._rules = settled(schema)
        self._made: list[Any] = []
        self._known: set[Any] = set()
        candidates = _candidates(self._rules, name, today, rng)
        self._source = chain((first,) if first is not None else (), candidates)
        self._is_whole = False

    def get(self, index: int) -> Any:
        """The value at this place; IndexError where there are not so many."""
        self._make(index + 1)
        return self._made[index]

    def has(self, wanted: int) -> bool:
        """Whether there are at least so many."""
        self._make(wanted)
        return len(self._made) >= wanted

    def place(self, number: int) -> tuple[Any, int]:
        """The value at this number, from the beginning again where there are fewer, and how often that happened."""
        if self.has(number + 1):
            return self._made[number], 0
        return self._made[number % len(self._made)], number // len(self._made)

    def _make(self, wanted: int) -> None:
        while not self._is_whole and len(self._made) < min(wanted, SPACE_MAX):
            found = next(self._fitting(), _NONE)
            if found is _NONE:
                self._is_whole = True
            else:
                self._known.add(_frozen(found))
                self._made.append(found)

    def _fitting(self) -> Iterator[Any]:
        for value in islice(self._source, TRIES_MAX):
            if _frozen(value) not in self._known and allows(self._rules, value) is not False:
                yield value


def _frozen(value: Any) -> Any:
    """True and 1 are different values, 1 and 1.0 are not; of an object its text."""
    if isinstance(value, dict | list):
        return repr(value)
    return (isinstance(value, bool), value)


def _candidates(rules: Schema, name: str, today: date, rng: random.Random) -> Iterable[Any]:
    """Values that probably fit, the sensible ones first."""
    if "const" in rules:
        return (rules["const"],)
    if isinstance(rules.get("enum"), list):
        return tuple(item for item in rules["enum"] if item is not None)
    found = kind(rules)
    if found == "boolean":
        return (True, False)
    if found == "integer":
        return _integers(rules, name)
    if found == "number":
        return _numbers(rules, name)
    return _texts(rules, name, today, rng) if found == "string" or not types(rules) else ()


def _integers(rules: Schema, name: str) -> Iterator[int]:
    low, high = bounds(rules)
    step = rules.get("multipleOf")
    size = int(step) if isinstance(step, int | float) and step >= 1 else 1
    wanted = int(fields.plain_number(name) or 1)
    start = -(-math.ceil(max(low, min(high, wanted))) // size) * size
    upwards = count(start, size) if math.isinf(high) else iter(range(start, math.floor(high) + 1, size))
    below = start - size
    downwards = count(below, -size) if math.isinf(low) else iter(range(below, math.ceil(low) - 1, -size))
    return chain(upwards, downwards)


def _numbers(rules: Schema, name: str) -> Iterator[float]:
    low, high = bounds(rules)
    step = rules.get("multipleOf")
    size = float(step) if isinstance(step, int | float) and step > 0 else 1.0 if high - low > TRIES_MAX else 0.01
    start = max(low, min(high, fields.plain_number(name) or 1.0))
    places = max(0, -math.floor(math.log10(size))) if size < 1 else 0
    first = math.ceil(start / size - 1e-9)
    upwards = (round(n * size, places) for n in count(first))
    downwards = (round(n * size, places) for n in count(first - 1, -1))
    for value in upwards:
        if value > high:
            break
        yield int(value) if float(value).is_integer() else value
    for value in downwards:
        if value < low:
            break
        yield int(value) if float(value).is_integer() else value


def _texts(rules: Schema, name: str, today: date, rng: random.Random) -> Iterator[str]:
    form = str(rules.get("format") or "")
    made = _formatted(form, name, today)
    if made is not None:
        yield from made
        return
    least = rules["minLength"] if isinstance(rules.get("minLength"), int) else 0
    most = rules["maxLength"] if isinstance(rules.get("maxLength"), int) else TEXT_MAX
    yield from (text for text in listed(name) if least <= len(text) <= most)
    if isinstance(rules.get("pattern"), str):
        yield from _described(rules["pattern"], least, most, rng)
    else:
        plain = fields.plain_text(name) or ""
        yield from _codes(plain if len(plain) + 5 <= most else "", least, most, rng)


def _formatted(form: str, name: str, today: date) -> Iterator[str] | None:
    """Days go forward from the one that suits the name, those of births backward; then come other times of day."""
    if form in ("date", "date-time"):
        start = fields.day_for(name, today)
        step = timedelta(days=-1 if start < today else 1)
        days = (start + step * n for n in range(DAYS_MAX))
        if form == "date":
            return (day.isoformat() for day in days)
        minutes = (timedelta(minutes=(720 + n) % 1_440) for n in range(1_440))
        return (
            f"{(datetime.combine(start + step * n, time()) + minute).isoformat()}Z"
            for minute in minutes
            for n in range(DAYS_MAX)
        )
    if form in ("ipv4", "ip"):
        return (f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in range(1, SPACE_MAX + 1))
    if form == "ipv6":
        return (f"2001:db8::{n:x}" for n in range(1, SPACE_MAX + 1))
    if form == "time":
        return (f"{n // 60 % 24:02}:{n % 60:02}:00Z" for n in range(720, 720 + 1_440))
    if form == "duration":
        return (f"PT{n}H" for n in range(1, SPACE_MAX + 1))
    if form == "decimal":
        return (f"{n:.2f}" for n in count(int(fields.plain_number(name) or 10)))
    return None


def _described(pattern: str, least: int, most: int, rng: random.Random) -> Iterator[str]:
    """Texts of a pattern; where a long repetition makes nearly all of them too long, of one with shorter ones."""
    longest = most
    while True:
        language = language_of(pattern, least, longest)
        if language is None:
            return
        if language.size <= WHOLE_MAX:
            # Small enough to be seen whole, so that nothing that fits is missed.
            yield from (t for t in map(language.at, _walk(language.size, rng)) if least <= len(t) <= most)
            return
        if longest <= 1 or any(least <= len(language.at(place)) <= most for place in _places(language, 20, rng)):
            yield from (_padded(language.at(place), least) for place in _places(language, TRIES_MAX * 10, rng))
            return
        longest //= 2


def _padded(text: str, least: int) -> str:
    return text + "a" * (least - len(text))


def _places(language: Language, wanted: int, rng: random.Random) -> Iterator[int]:
    """Different places, all over the language."""
    return islice(_walk(language.size, rng), wanted)


def _walk(size: int, rng: random.Random) -> Iterator[int]:
    """Every number below `size` once, in an order that looks like chance: a step that shares no divisor with it."""
    step = rng.randrange(1, size + 1) if size > 1 else 1
    while math.gcd(step, size) != 1:
        step += 1
    place = rng.randrange(size)
    for _ in range(size):
        yield place
        place = (place + step) % size


def _codes(plain: str, least: int, most: int, rng: random.Random) -> Iterator[str]:
    """A plain text with another code behind it each time; where there is no room for both, codes alone.

    Lower-case only, for many services compare without looking at the case."""
    if most <= 0:
        yield ""
        return
    before = f"{plain} " if plain else ""
    if plain and len(plain) >= least:
        yield plain
    width = max(1, min(6, most - len(before)))
    width = max(width, min(most, least - len(before)))
    for place in _walk(len(_ALPHABET) ** width, rng):
        yield before + _digits(place, width)
    for shorter in range(width - 1, max(least, 1) - 1, -1):
        for place in _walk(len(_ALPHABET) ** shorter, rng):
            yield _digits(place, shorter)
    yield from (c for c in string.ascii_uppercase if least <= 1 <= most)


def _digits(place: int, width: int) -> str:
    text = ""
    for _ in range(width):
        place, digit = divmod(place, len(_ALPHABET))
        text = _ALPHABET[digit] + text
    return text


def bounds(rules: Schema) -> tuple[float, float]:
    """The least and greatest whole or decimal value, with exclusive ends moved inwards."""
    low, high = rules.get("minimum"), rules.get("maximum")
    over, under = rules.get("exclusiveMinimum"), rules.get("exclusiveMaximum")
    step = 1.0 if kind(rules) == "integer" else 0.01
    bottom = float(low) if isinstance(low, int | float) else -math.inf
    top = float(high) if isinstance(high, int | float) else math.inf
    if over is True:
        bottom += step
    elif isinstance(over, int | float) and over is not False:
        bottom = max(bottom, float(over) + step)
    if under is True:
        top -= step
    elif isinstance(under, int | float) and under is not False:
        top = min(top, float(under) - step)
    return bottom, top


def matching(pattern: str, rng: random.Random, length_min: int = 0, length_max: int = TEXT_MAX) -> str | None:
    """A text that matches the pattern within these lengths, or None when none was found."""
    rules = {"type": "string", "pattern": pattern, "minLength": length_min, "maxLength": length_max}
    found = (text for text in islice(_described(pattern, length_min, length_max, rng), TRIES_MAX))
    return next((text for text in found if allows(rules, text) is not False), None)


class _None:
    """Stands for the end, for None is a value."""


_NONE = _None()
