"""Moves the slots of rows towards their neighbours without letting two of them touch."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Protocol, TypeVar

_ROUNDS = 16


class Slot(Protocol):
    x: float
    width: float
    weight: float

    @property
    def neighbours(self) -> tuple[Sequence[Slot], Sequence[Slot]]:
        """Above and below."""


_Any = TypeVar("_Any", bound=Slot)


def placed(rows: list[list[_Any]], gap: float) -> None:
    """Sets x, the middle of every slot; afterwards nothing lies left of 0."""
    for row in rows:
        left = 0.0
        for slot in row:
            slot.x = left + slot.width / 2
            left += slot.width + gap
    for number in range(_ROUNDS):
        is_last = number >= _ROUNDS - 4
        for row in rows if number % 2 == 0 else list(reversed(rows)):
            _settle(row, gap, goes_down=number % 2 == 0, is_both=is_last)
    left = min((slot.x - slot.width / 2 for row in rows for slot in row), default=0.0)
    for row in rows:
        for slot in row:
            slot.x = round(slot.x - left, 1)


def _settle(row: list[_Any], gap: float, *, goes_down: bool, is_both: bool) -> None:
    """The places nearest to the wishes that keep order and gaps: pooling of neighbours that would overlap."""
    offsets = [0.0] if row else []
    for before, slot in itertools.pairwise(row):
        offsets.append(offsets[-1] + (before.width + slot.width) / 2 + gap)
    pools: list[tuple[float, float, int]] = []
    for slot, offset in zip(row, offsets, strict=True):
        wish, weight = _wish(slot, goes_down=goes_down, is_both=is_both)
        total, mass, count = (wish - offset) * weight, weight, 1
        while pools and pools[-1][0] / pools[-1][1] > total / mass:
            earlier = pools.pop()
            total, mass, count = total + earlier[0], mass + earlier[1], count + earlier[2]
        pools.append((total, mass, count))
    at = 0
    for total, mass, count in pools:
        for slot, offset in zip(row[at : at + count], offsets[at : at + count], strict=True):
            slot.x = total / mass + offset
        at += count


def _wish(slot: Slot, *, goes_down: bool, is_both: bool) -> tuple[float, float]:
    """Where the slot would like to be, and how much."""
    above, below = slot.neighbours
    asked = [*above, *below] if is_both else above if goes_down else below
    if not asked:
        return slot.x, 0.01
    mass = sum(each.weight for each in asked)
    return sum(each.x * each.weight for each in asked) / mass, slot.weight
