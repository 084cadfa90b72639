"""Metrics of several workers as one: whichever of them is asked tells the sum.

Each leaves what it counted in a file of its own, once a second and when it is asked itself. What a worker that died had
counted stays counted, so that no counter falls; its gauges are gone with it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

WRITE_EVERY_S = 1.0
FILES_MAX = 256
_SUFFIX = ".metrics"


class Child(msgspec.Struct, frozen=True, array_like=True):
    values: tuple[str, ...]
    number: float
    """Of a counter or a gauge; of a histogram the sum."""
    counts: list[int] = []


class Metric(msgspec.Struct, frozen=True, array_like=True):
    name: str
    says: str
    kind: str
    labels: tuple[str, ...]
    is_highest: bool
    """Of several workers the highest value counts, not the sum."""
    edges: tuple[float, ...]
    children: list[Child]


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(list[Metric])


def leave(folder: Path, metrics: list[Metric]) -> None:
    """In one step, so that nobody reads half of it."""
    file = folder / f"{os.getpid()}{_SUFFIX}"
    made = file.with_suffix(".new")
    made.write_bytes(_encode(metrics))
    made.replace(file)


def together(folder: Path, own: list[Metric]) -> list[Metric]:
    """What all workers counted, this one's own as it is now."""
    found = list(own)
    for file in sorted(folder.glob(f"*{_SUFFIX}"))[:FILES_MAX]:
        number = int(file.stem)
        if number == os.getpid():
            continue
        try:
            others = _decoder.decode(file.read_bytes())
        except (OSError, msgspec.DecodeError):
            continue
        is_alive = _is_alive(number)
        found += [each for each in others if is_alive or each.kind != "gauge"]
    return list(_merged(found))


def _merged(metrics: Iterable[Metric]) -> Iterable[Metric]:
    groups: dict[str, list[Metric]] = {}
    for each in metrics:
        groups.setdefault(each.name, []).append(each)
    for group in groups.values():
        first = group[0]
        alike = [each for each in group if (each.labels, each.edges) == (first.labels, first.edges)]
        children: dict[tuple[str, ...], Child] = {}
        for child in (child for each in alike for child in each.children):
            known = children.get(child.values)
            children[child.values] = child if known is None else _added(known, child, is_highest=first.is_highest)
        yield msgspec.structs.replace(first, children=list(children.values()))


def _added(one: Child, other: Child, *, is_highest: bool) -> Child:
    number: Any = max(one.number, other.number) if is_highest else one.number + other.number
    return Child(one.values, number, [a + b for a, b in zip(one.counts, other.counts, strict=True)])


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
