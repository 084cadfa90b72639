"""Boxes in rows, with every link from an upper to a lower row and a place of its own for every label.

The layered method (Sugiyama, Tagawa and Toda, 1981): links that would go up are turned round, boxes get rows, long
links and labels get a slot in every row that they pass, the slots are ordered so that few links cross, and then moved
towards their neighbours. Slots never overlap and links bend only between rows, so neither text nor boxes are hit."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

from nines.dossier.diagrams.straight import placed
from nines.model.record import Record

ROW_MAX = 1_000.0
"""A row that is wider is broken, in the units of the picture."""
_SWEEPS = 12
_GAP_X = 26.0
_GAP_Y = 42.0
_LABEL_GAP_Y = 18.0
_PASSAGE = 14.0
"""The room of a link that passes a row."""
ZONE_TITLE = 30.0
ZONE_PAD = 16.0


class Box(Record):
    id: str
    width: float
    height: float
    band: int = 0
    """Boxes of a lower band are all above those of a higher one."""


class Link(Record):
    source: str
    target: str
    width: float = 0
    """Of its label; 0: it has none."""
    height: float = 0


class Placed(Record):
    """By its middle."""

    x: float
    y: float


class Route(Record):
    """The way of a link, as points from its source to its target, and the middle of its label."""

    points: tuple[Placed, ...]
    label: Placed | None = None


class Layout(Record):
    width: float
    height: float
    boxes: dict[str, Placed]
    routes: tuple[Route, ...]
    """In the order of the links."""
    bands: dict[int, tuple[float, float]]
    """Top and bottom of each band that has boxes."""


class _Slot:
    """Something in a row: a box, a label, or the passage of a link."""

    __slots__ = ("box", "down", "height", "place", "row", "up", "weight", "width", "x")

    def __init__(self, row: int, width: float, height: float, box: str = "") -> None:
        self.row, self.width, self.height, self.box = row, width, height, box
        self.x = 0.0
        self.place = 0
        """In its row, from the left."""
        self.up: list[_Slot] = []
        self.down: list[_Slot] = []
        self.weight = 1.0 if box else 4.0

    @property
    def neighbours(self) -> tuple[list[_Slot], list[_Slot]]:
        return self.up, self.down


def layout(boxes: Sequence[Box], links: Sequence[Link], *, framed: frozenset[int] = frozenset()) -> Layout:
    """`framed` bands get room for a frame with a title around them; a link from a box to itself is an error."""
    turned = _turned(boxes, links)
    rows_of = _rows(boxes, [(b, a) if turn else (a, b) for (a, b), turn in zip(_ends(links), turned, strict=True)])
    slots = {box.id: _Slot(2 * rows_of[box.id], box.width, box.height, box.id) for box in boxes}
    chains = [_chain(slots, link, is_turned=turn) for link, turn in zip(links, turned, strict=True)]
    rows = _ordered(list(slots.values()), chains)
    placed(rows, _GAP_X)
    return _finished(boxes, chains, turned, rows, _heights(rows, {box.id: box.band for box in boxes}, framed))


def _ends(links: Sequence[Link]) -> list[tuple[str, str]]:
    return [(link.source, link.target) for link in links]


def _turned(boxes: Sequence[Box], links: Sequence[Link]) -> list[bool]:
    """Whether each link is drawn upwards: from a lower band, or closing a ring within one."""
    bands = {box.id: box.band for box in boxes}
    follows: dict[str, list[int]] = {box.id: [] for box in boxes}
    for number, link in enumerate(links):
        if bands[link.source] == bands[link.target]:
            follows[link.source].append(number)
    turned = [bands[link.source] > bands[link.target] for link in links]
    seen: set[str] = set()
    for box in boxes:
        if box.id not in seen:
            for number in _closing(box.id, links, follows, seen):
                turned[number] = True
    return turned


def _closing(start: str, links: Sequence[Link], follows: dict[str, list[int]], seen: set[str]) -> Iterator[int]:
    """The links that lead back to a box from which they were reached, walking in depth."""
    seen.add(start)
    way = [(start, iter(follows[start]))]
    inside = {start}
    while way:
        here, rest = way[-1]
        number = next(rest, -1)
        if number < 0:
            inside.discard(here)
            way.pop()
            continue
        target = links[number].target
        if target in inside:
            yield number
        elif target not in seen:
            seen.add(target)
            inside.add(target)
            way.append((target, iter(follows[target])))


def _rows(boxes: Sequence[Box], ends: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The row of each box: below all that lead to it, below the bands before its own, and in rows that fit."""
    sources: dict[str, list[str]] = {box.id: [] for box in boxes}
    for source, target in ends:
        sources[target].append(source)
    rows: dict[str, int] = {}
    first = 0
    for band in sorted({box.band for box in boxes}):
        inside = [box for box in boxes if box.band == band]
        depth = _depths([box.id for box in inside], sources)
        for at in range(max(depth.values()) + 1):
            for broken in _broken([box for box in inside if depth[box.id] == at]):
                rows |= dict.fromkeys((box.id for box in broken), first)
                first += 1
    return rows


def _broken(row: list[Box]) -> list[list[Box]]:
    """The row itself where it fits, else as few rows as fit, about equally wide."""
    whole = sum(box.width + _GAP_X for box in row)
    room = max(whole / math.ceil(whole / ROW_MAX), *(box.width + _GAP_X for box in row))
    rows: list[list[Box]] = [[]]
    taken = 0.0
    for box in row:
        if rows[-1] and taken + (box.width + _GAP_X) / 2 > room:
            rows.append([])
            taken = 0.0
        rows[-1].append(box)
        taken += box.width + _GAP_X
    return rows


def _depths(inside: list[str], sources: dict[str, list[str]]) -> dict[str, int]:
    """The longest way to each box from within its band; the links hold no ring any more."""
    own = set(inside)
    waiting = {each: {source for source in sources[each] if source in own} for each in inside}
    depth: dict[str, int] = {}
    while waiting:
        ready = [each for each, before in waiting.items() if not before - depth.keys()]
        for each in ready:
            depth[each] = max((depth[source] + 1 for source in waiting.pop(each)), default=0)
    return depth


def _chain(slots: dict[str, _Slot], link: Link, *, is_turned: bool) -> list[_Slot]:
    """The slots of a link from its upper to its lower end, joined to one another; the label lies next to the target."""
    upper, lower = slots[link.source], slots[link.target]
    if is_turned:
        upper, lower = lower, upper
    label_row = lower.row - 1 if not is_turned else upper.row + 1
    chain = [upper]
    for row in range(upper.row + 1, lower.row):
        is_label = row == label_row and link.width > 0
        chain.append(_Slot(row, link.width, link.height) if is_label else _Slot(row, _PASSAGE, 0))
    chain.append(lower)
    for above, below in itertools.pairwise(chain):
        above.down.append(below)
        below.up.append(above)
    return chain


def _ordered(boxes: list[_Slot], chains: list[list[_Slot]]) -> list[list[_Slot]]:
    """The rows from top to bottom, each from left to right, with as few crossings as some sweeps find."""
    count = max((slot.row for slot in boxes), default=-1) + 1
    rows: list[list[_Slot]] = [[] for _ in range(count)]
    for slot in (*boxes, *(slot for chain in chains for slot in chain[1:-1])):
        rows[slot.row].append(slot)
    for row in rows:
        _number(row)
    best, fewest = [list(row) for row in rows], _crossings(rows)
    for sweep in range(_SWEEPS):
        goes_down = sweep % 2 == 0
        for row in rows if goes_down else reversed(rows):
            row.sort(key=lambda slot: _middle(slot, slot.up if goes_down else slot.down))
            _number(row)
        crossings = _crossings(rows)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _number(row: list[_Slot]) -> None:
    for place, slot in enumerate(row):
        slot.place = place


def _middle(slot: _Slot, neighbours: list[_Slot]) -> float:
    return sum(each.place for each in neighbours) / len(neighbours) if neighbours else slot.place


def _crossings(rows: list[list[_Slot]]) -> int:
    """How often two links cross between two rows: the pairs of ends that are the wrong way round."""
    total = 0
    for row in rows:
        met: list[int] = []
        for end in (place for slot in row for place in sorted(below.place for below in slot.down)):
            total += len(met) - bisect.bisect_right(met, end)
            bisect.insort(met, end)
    return total


class _Rows(Record):
    """Top and bottom of each row, and of each band."""

    tops: tuple[float, ...]
    bottoms: tuple[float, ...]
    bands: dict[int, tuple[float, float]]


def _heights(rows: list[list[_Slot]], bands: dict[str, int], framed: frozenset[int]) -> _Rows:
    tops: list[float] = []
    bottoms: list[float] = []
    found: dict[int, tuple[float, float]] = {}
    last_row = {bands[slot.box]: number for number, row in enumerate(rows) for slot in row if slot.box}
    y = 0.0
    for number, row in enumerate(rows):
        band = next((bands[slot.box] for slot in row if slot.box), None)
        if band in framed and band not in found:
            y += ZONE_TITLE
        tops.append(y)
        y += max((slot.height for slot in row), default=0.0)
        bottoms.append(y)
        if band is not None:
            found[band] = (found.get(band, (tops[-1], 0.0))[0], y)
            y += ZONE_PAD if band in framed and last_row[band] == number else 0.0
        # Rows of boxes and rows of labels take turns.
        labels = rows[number + 1] if number % 2 == 0 and number + 1 < len(rows) else row
        y += _LABEL_GAP_Y if any(slot.height for slot in labels) else _GAP_Y / 2
    return _Rows(tops=tuple(tops), bottoms=tuple(bottoms), bands=found)


def _finished(
    boxes: Sequence[Box], chains: list[list[_Slot]], turned: list[bool], rows: list[list[_Slot]], heights: _Rows
) -> Layout:
    slots = {slot.box: slot for row in rows for slot in row if slot.box}
    middles = {box.id: (heights.tops[row] + heights.bottoms[row]) / 2 for box in boxes for row in [slots[box.id].row]}
    ports = _ports(slots, chains)
    routes: list[Route] = []
    for number, (chain, is_turned) in enumerate(zip(chains, turned, strict=True)):
        upper, lower = chain[0], chain[-1]
        x = ports[number, True]
        points = [Placed(x=x, y=middles[upper.box] + upper.height / 2), Placed(x=x, y=heights.bottoms[upper.row])]
        label = None
        for slot in chain[1:-1]:
            top, bottom = heights.tops[slot.row], heights.bottoms[slot.row]
            if slot.height:
                label = Placed(x=slot.x, y=(top + bottom) / 2)
            points += [Placed(x=slot.x, y=top), Placed(x=slot.x, y=bottom)]
        x = ports[number, False]
        points += [Placed(x=x, y=heights.tops[lower.row]), Placed(x=x, y=middles[lower.box] - lower.height / 2)]
        routes.append(Route(points=tuple(reversed(points) if is_turned else points), label=label))
    width = max((slot.x + slot.width / 2 for row in rows for slot in row), default=0.0)
    height = (heights.bottoms[-1] if rows else 0.0) + (ZONE_PAD if heights.bands else 0.0)
    placed_boxes = {box.id: Placed(x=slots[box.id].x, y=middles[box.id]) for box in boxes}
    return Layout(width=width, height=height, boxes=placed_boxes, routes=tuple(routes), bands=heights.bands)


def _ports(slots: dict[str, _Slot], chains: list[list[_Slot]]) -> dict[tuple[int, bool], float]:
    """Where each link leaves its upper box (True) and meets its lower one (False), spread along the edge of the box."""
    ends: dict[tuple[str, bool], list[tuple[float, int]]] = {}
    for number, chain in enumerate(chains):
        ends.setdefault((chain[0].box, True), []).append((chain[1].x, number))
        ends.setdefault((chain[-1].box, False), []).append((chain[-2].x, number))
    ports: dict[tuple[int, bool], float] = {}
    for (box, is_upper), found in ends.items():
        slot = slots[box]
        step = min(34.0, (slot.width - 24) / len(found))
        for at, (_, number) in enumerate(sorted(found)):
            ports[number, is_upper] = slot.x + (at - (len(found) - 1) / 2) * step
    return ports
