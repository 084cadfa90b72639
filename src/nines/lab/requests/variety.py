"""What must differ from one request of an operation to the next, and the values that it gets."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, TypeAlias

from nines.lab.requests.fields import day_for
from nines.lab.requests.shapes import kind, properties, settled
from nines.lab.requests.spaces import Space
from nines.model.contract import Schema
from nines.model.record import Record

Path: TypeAlias = tuple[str, ...]
"""Where a value stands in a body: property names, "[]" for items."""

PARENT: Path = ("/",)
"""Stands for the parent in an operation's path among the references that are made anew."""
ENOUGH = 2_000
"""So many different values of one field are enough for any load."""
NEAR_DAYS = 300
"""Few services take orders for days that are further away, so another parent is made before."""
PERIOD_DAYS = 8
"""Beginnings and ends move together, so far that one period does not reach into the next."""
DEPTH_MAX = 8
TAKEN_MAX = 200
"""So many values that were sent before are remembered of one operation."""


class Part(Record):
    """A value within a body."""

    path: Path
    name: str
    schema: Schema


class Facet(Record):
    """What can be varied of a request by itself: one value, or the days of a period, which move together."""

    parts: tuple[Part, ...]
    places_max: int = 0
    """So many of its values are gone through before there is another parent; 0: all."""

    @property
    def is_of_days(self) -> bool:
        return all("date" in str(part.schema.get("format")) for part in self.parts)

    @property
    def name(self) -> str:
        return " and ".join(part.name for part in self.parts)


class Key(Record):
    """What an operation was found to need another value of for each request."""

    facets: tuple[Facet, ...] = ()
    references: tuple[Path, ...] = ()
    """Fields that refer to something else, of which another one is made."""
    is_path: bool = False
    """Whether it needs another parent in its path."""
    is_all: bool = False
    """Whether everything was changed at once, for no single change was enough."""

    @property
    def has_parents(self) -> bool:
        return bool(self.references) or self.is_path


class Draw(Record):
    """The values of one request."""

    values: dict[Path, Any] = {}
    anew: dict[Path, int] = {}
    """Parents that it needs of its own, since all combinations of values were used up, and how often they were."""
    is_used_up: bool = False
    """Whether they were, and no parent can help."""


class Variety:
    """What was learnt of a service's operations, for as long as the service is examined; `renew` with its data."""

    def __init__(self, seed: int, today: date) -> None:
        self._seed = seed
        self._today = today
        self._spaces: dict[str, Space] = {}
        self._turns: Counter[str] = Counter()
        self._drawn: Counter[str] = Counter()
        self._keys: dict[str, tuple[Key, ...]] = {}
        self._taken: dict[str, list[dict[Path, Any]]] = {}
        self.settled: set[str] = set()
        """Operations of which nothing is left to be learnt."""

    def renew(self) -> None:
        """The database is empty once more: every value is free again."""
        self._turns.clear()
        self._drawn.clear()
        self._taken.clear()

    def keys(self, operation: str) -> tuple[Key, ...]:
        """All of them, for each may refuse by itself."""
        return self._keys.get(operation, ())

    def learn(self, operation: str, key: Key) -> None:
        self._keys[operation] = (*self.keys(operation), key)

    def take(self, kind: str, values: dict[Path, Any]) -> None:
        """These values were sent, so that one of this kind with them may exist."""
        known = self._taken.setdefault(kind, [])
        if len(known) < TAKEN_MAX:
            known.append(values)

    def fresh(self, schema: Schema, name: str) -> tuple[Any, bool]:
        """A value that no request had before, and whether there are enough of them; None where there is none at all."""
        space = self._space(Part(path=(), name=name, schema=schema))
        if not space.has(1):
            return None, False
        code = self._code(name, schema)
        self._turns[code] += 1
        return space.place(self._turns[code])[0], space.has(ENOUGH)

    def draw(self, operation: str, kind: str) -> Draw | None:
        """The values of the next request; None where nothing was learnt.

        What creates things of a kind and what changes them never give two of them the same values."""
        if operation not in self._keys:
            return None
        values: dict[Path, Any] = {}
        anew: dict[Path, int] = {}
        is_used_up = False
        for key in self.keys(operation):
            found, epoch = self._drawn_of(kind, key)
            values |= found
            if epoch:
                parents = (*key.references, *((PARENT,) if key.is_path else ()))
                anew |= dict.fromkeys(parents, epoch)
                is_used_up |= not parents
        return Draw(values=values, anew=anew, is_used_up=is_used_up)

    def _drawn_of(self, kind: str, key: Key) -> tuple[dict[Path, Any], int]:
        """Values that were not sent before, and how often all of them were gone through."""
        while True:
            number = self._count(kind, key.facets)
            values, epoch = self._together(key, number) if key.is_all else self._combined(key, number)
            if epoch or not self._is_taken(kind, key, values):
                return values, epoch

    def another(self, kind: str, facet: Facet) -> dict[Path, Any]:
        """Values of this alone that no draw of this kind has given so far."""
        return self.at(facet, self._count(kind, (facet,)))[0]

    def _count(self, kind: str, facets: tuple[Facet, ...]) -> int:
        parts = (part for facet in facets for part in facet.parts)
        account = " ".join((kind, *(self._code(part.name, part.schema) for part in parts)))
        self._drawn[account] += 1
        return self._drawn[account] - 1

    def _together(self, key: Key, number: int) -> tuple[dict[Path, Any], int]:
        """Everything at once is another; its parents too, every time."""
        found: dict[Path, Any] = {}
        epoch = number if key.has_parents else 0
        for facet in key.facets:
            values, turns = self.at(facet, number)
            found |= values
            epoch = epoch or turns
        return found, epoch

    def _combined(self, key: Key, number: int) -> tuple[dict[Path, Any], int]:
        """The combination at this place: the first value changes most often."""
        found: dict[Path, Any] = {}
        for facet in key.facets:
            values, number = self.at(facet, number)
            found |= values
        return found, number

    def _is_taken(self, kind: str, key: Key, values: dict[Path, Any]) -> bool:
        """Whether this was sent before what must differ was known."""
        joined = any if key.is_all else all
        return bool(values) and any(
            joined(known.get(path) == value for path, value in values.items()) for known in self._taken.get(kind, ())
        )

    def at(self, facet: Facet, number: int) -> tuple[dict[Path, Any], int]:
        """The values at this place, and how often they were gone through before."""
        step = PERIOD_DAYS if len(facet.parts) > 1 else 1
        turns, number = divmod(number, facet.places_max) if facet.places_max else (0, number)
        placed = {part.path: self._space(part).place(number * step) for part in facet.parts}
        values = {path: value for path, (value, _) in placed.items()}
        return values, turns + max(each for _, each in placed.values())

    def has(self, facet: Facet, wanted: int) -> bool:
        """Whether there are at least so many values of it."""
        step = PERIOD_DAYS if len(facet.parts) > 1 else 1
        return all(self._space(part).has(wanted * step) for part in facet.parts)

    def facets(self, schema: Any, value: Any, kept: Mapping[Path, Any]) -> list[Facet]:
        """What can be varied of this value, those with many values first; `kept` says which parts come into question.

        The days of a period are one: an end must not come before its beginning."""
        parts = [part for part in parts_of(schema, value) if part.path in kept]
        days = [part for part in parts if _is_coming_day(part, self._today)]
        facets = [Facet(parts=(part,)) for part in parts if part not in days]
        facets += [Facet(parts=tuple(days))] if days else []
        found = [facet for facet in facets if self.has(facet, 2)]
        return sorted(found, key=lambda facet: not self.has(facet, ENOUGH // PERIOD_DAYS))

    def _space(self, part: Part) -> Space:
        code = self._code(part.name, part.schema)
        if code not in self._spaces:
            rng = random.Random(f"{self._seed} {code}")  # noqa: S311 - repeatable on purpose, not a secret.
            first = next(iter(_told(settled(part.schema))), None)
            self._spaces[code] = Space(part.schema, part.name, today=self._today, rng=rng, first=first)
        return self._spaces[code]

    def _code(self, name: str, schema: Schema) -> str:
        return f"{name} {json.dumps(settled(schema), sort_keys=True, default=str)}"


def parts_of(schema: Any, value: Any, path: Path = (), name: str = "") -> Iterator[Part]:
    """The single values of a body, with what their schemas say."""
    rules = settled(schema)
    if isinstance(value, dict) and len(path) <= DEPTH_MAX:
        known = properties(rules)
        for each, inner in value.items():
            yield from parts_of(known.get(each, {}), inner, (*path, each), each)
    elif isinstance(value, list):
        if len(value) == 1:
            yield from parts_of(rules.get("items", {}), value[0], (*path, "[]"), name)
    elif path:
        yield Part(path=path, name=name, schema=rules)


def values_at(value: Any, path: Path = ()) -> dict[Path, Any]:
    """Every single value of a body by its place."""
    if isinstance(value, dict):
        return {place: each for name, inner in value.items() for place, each in values_at(inner, (*path, name)).items()}
    if isinstance(value, list):
        return values_at(value[0], (*path, "[]")) if len(value) == 1 else {}
    return {path: value}


def _is_coming_day(part: Part, today: date) -> bool:
    return (
        "date" in str(part.schema.get("format")) and kind(part.schema) == "string" and day_for(part.name, today) > today
    )


def _told(rules: Schema) -> Iterator[Any]:
    """What the contract itself gives as an example comes first."""
    listed = rules.get("examples")
    for each in (rules.get("default"), rules.get("example"), *(listed if isinstance(listed, list) else ())):
        if isinstance(each, str | int | float) and each not in ("", "string"):
            yield each
