"""Finds the loops behind what was seen: the same kind of effect again and again, alone or in a repeating pattern.

The inference, for nothing on the wire says "loop": equal shapes in a row, or a sequence of up to PERIOD_MAX shapes
that repeats without a gap, are one loop. Shorter periods are folded first, so that a loop inside a loop is found even
when it runs a different number of times each time. Three rounds or more count by themselves. Two rounds count only when
a read before them returned exactly two rows, because a pair (from one account, to the other) is usual code without a
loop.
The nearest earlier read that returned as many rows as there were rounds is taken for the one whose rows are walked.
An effect that ended in an error starts nothing: what follows is more likely another attempt than another item.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from nines.model.effect import Loop

PERIOD_MAX = 12
"""The longest pattern, in effects or folded inner loops."""
ROUNDS_MIN = 3
"""Rounds that are a loop without further evidence."""
DRIVER_DISTANCE_MAX = 200
"""How many effects back the read is looked for whose rows are walked."""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What loops are inferred from: one effect's shape, and the rows it returned if it is a read."""

    shape: str
    rows: int | None = None


@dataclass(frozen=True)
class _Node:
    key: Hashable
    start: int
    end: int


@dataclass(frozen=True)
class _Run:
    start: int
    end: int
    rounds: int


def find_loops(sights: Sequence[Sight]) -> tuple[tuple[Loop, ...], ...]:
    """For each effect the loops around it, outermost first; a shape of "" belongs to no loop."""
    nodes = [_Node(sight.shape or index, index, index + 1) for index, sight in enumerate(sights)]
    runs: list[_Run] = []
    for period in range(1, PERIOD_MAX + 1):
        nodes = _fold(nodes, period, runs)
    found: list[list[Loop]] = [[] for _ in sights]
    ordinal = 0
    for run in sorted(runs, key=lambda run: (run.start, -run.end, -run.rounds)):
        driver = _driver(sights, run)
        if driver is None and run.rounds < ROUNDS_MIN:
            continue
        for index in range(run.start, run.end):
            found[index].append(Loop(ordinal=ordinal, effect=driver))
        ordinal += 1
    return tuple(tuple(loops) for loops in found)


def _fold(nodes: list[_Node], period: int, runs: list[_Run]) -> list[_Node]:
    """Replaces each repetition of this period by one node of the same key."""
    folded: list[_Node] = []
    at = 0
    while at < len(nodes):
        pattern = tuple(node.key for node in nodes[at : at + period])
        rounds = 1
        while _matches(nodes, at + rounds * period, pattern):
            rounds += 1
        if rounds == 1:
            folded.append(nodes[at])
            at += 1
            continue
        last = nodes[at + rounds * period - 1]
        run = _Run(nodes[at].start, last.end, rounds)
        runs.append(run)
        folded.append(_Node(pattern[0] if period == 1 else pattern, run.start, run.end))
        at += rounds * period
    return folded


def _matches(nodes: list[_Node], at: int, pattern: tuple[Hashable, ...]) -> bool:
    return at + len(pattern) <= len(nodes) and all(nodes[at + i].key == key for i, key in enumerate(pattern))


def _driver(sights: Sequence[Sight], run: _Run) -> int | None:
    earliest = max(run.start - DRIVER_DISTANCE_MAX, 0)
    return next((i for i in range(run.start - 1, earliest - 1, -1) if sights[i].rows == run.rounds), None)
