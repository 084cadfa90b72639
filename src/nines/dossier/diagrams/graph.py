"""Draws nodes in zones and states: boxes in rows with labelled links."""

from __future__ import annotations

from collections.abc import Sequence

from nines.dossier.diagrams import svg
from nines.dossier.diagrams.layers import ZONE_PAD, ZONE_TITLE, Box, Layout, Link, Placed, Route, layout
from nines.dossier.diagrams.nouns import Graph, Node, NodeKind, States
from nines.dossier.diagrams.widths import width, wrap
from nines.model.record import Record

_TEXT_MAX = 186.0
_LABEL_MAX = 132.0
_PAD_X, _PAD_Y = 14.0, 10.0
_BOX_MIN = 104.0
MARGIN = 14.0
_LID = 8.0
"""The height of the ellipse on a store."""
_FACE = 9.0
"""The radius of a person's head."""
_BEGIN = "\x00begin"
_END = "\x00end"
_DOT = 7.0


class Label(Record):
    """A text in lines."""

    lines: tuple[str, ...] = ()
    is_dashed: bool = False

    @property
    def width(self) -> float:
        return max((width(line, svg.SMALL) for line in self.lines), default=0.0) + 8 if self.lines else 0.0

    @property
    def height(self) -> float:
        return len(self.lines) * svg.SMALL * svg.LINE + 2 if self.lines else 0.0


def label(says: str, *, is_dashed: bool = False) -> Label:
    return Label(lines=wrap(says, svg.SMALL, _LABEL_MAX), is_dashed=is_dashed)


def draw(graph: Graph) -> str:
    zones = {zone.id: number for number, zone in enumerate(graph.zones, start=1)}
    bodies = {node.id: _Body(node) for node in graph.nodes}
    boxes = [
        Box(id=node.id, width=bodies[node.id].width, height=bodies[node.id].height, band=zones.get(node.zone, 0))
        for node in graph.nodes
    ]
    edges = [edge for edge in graph.edges if edge.source != edge.target]
    labels = [label(edge.says, is_dashed=edge.is_dashed) for edge in edges]
    links = [
        Link(source=edge.source, target=edge.target, width=each.width, height=each.height)
        for edge, each in zip(edges, labels, strict=True)
    ]
    framed = frozenset(number for number, zone in enumerate(graph.zones, start=1) if zone.title)
    found = layout(boxes, links, framed=framed)
    titles = [zone.title for zone in graph.zones]
    room = max((width(title, svg.SMALL, is_bold=True) + 2 * ZONE_PAD for title in titles), default=0.0)
    inner = max(found.width + (2 * ZONE_PAD if framed else 0), room)
    shift = MARGIN + (inner - found.width) / 2
    shown = [band for band in sorted(found.bands) if band in framed]
    parts = [_zone(inner, *found.bands[band]) for band in shown]
    parts += edges_drawn(found, labels, shift)
    parts += [_zone_title(graph.zones[band - 1].title, found.bands[band][0]) for band in shown]
    parts += [bodies[node.id].drawn(moved(found.boxes[node.id], shift)) for node in graph.nodes]
    return svg.figure(graph.title, graph.says, inner + 2 * MARGIN, found.height + 2 * MARGIN, parts)


def moved(place: Placed, shift: float) -> Placed:
    return Placed(x=place.x + shift, y=place.y + MARGIN)


def edges_drawn(found: Layout, labels: Sequence[Label], shift: float) -> list[str]:
    """All lines first, so that no line lies over a text."""
    routes = [
        Route(
            points=tuple(moved(point, shift) for point in route.points),
            label=moved(route.label, shift) if route.label else None,
        )
        for route in found.routes
    ]
    parts = [
        svg.path("edge dashed" if each.is_dashed else "edge", svg.curve(route.points)) + _arrow(route)
        for route, each in zip(routes, labels, strict=True)
    ]
    for route, each in zip(routes, labels, strict=True):
        if route.label is not None and each.lines:
            top = route.label.y - each.height / 2
            parts.append(
                svg.rectangle("behind", route.label.x - each.width / 2, top, each.width, each.height, radius=3)
            )
            parts.append(svg.lines("says", route.label.x, top + 1, each.lines, svg.SMALL))
    return parts


def _arrow(route: Route) -> str:
    before, tip = route.points[-2], route.points[-1]
    return svg.head(tip, dy=1.0 if before.y <= tip.y else -1.0)


def _zone(inner: float, top: float, bottom: float) -> str:
    y = MARGIN + top - ZONE_TITLE + 4
    return svg.rectangle("zone", MARGIN, y, inner, bottom - top + ZONE_TITLE - 4 + ZONE_PAD - 4, radius=8)


def _zone_title(title: str, top: float) -> str:
    """Drawn after the lines, which pass behind it."""
    y = MARGIN + top - ZONE_TITLE + 7
    wide = width(title, svg.SMALL, is_bold=True) + 8
    behind = svg.rectangle("band", MARGIN + ZONE_PAD - 4, y, wide, svg.SMALL * svg.LINE + 2, radius=3)
    return behind + svg.text("zone-title", MARGIN + ZONE_PAD, y + svg.SMALL, title, anchor="start")


class _Body:
    """A node with its texts measured."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.title = wrap(node.title, svg.SIZE, _TEXT_MAX, is_bold=True)
        self.lines = tuple(line for each in node.lines for line in wrap(each, svg.SMALL, _TEXT_MAX))
        widest = max(
            (
                *(width(line, svg.SIZE, is_bold=True) for line in self.title),
                *(width(line, svg.SMALL) for line in self.lines),
            ),
            default=0.0,
        )
        self.above = {NodeKind.PERSON: 2 * _FACE + 2, NodeKind.STORE: 2 * _LID - 4}.get(node.kind, 0.0)
        below = _LID if node.kind is NodeKind.STORE else 0.0
        side = 10.0 if node.kind is NodeKind.QUEUE else 0.0
        self.width = max(_BOX_MIN, widest + 2 * (_PAD_X + side))
        text = (len(self.title) * svg.SIZE + len(self.lines) * svg.SMALL) * svg.LINE
        self.height = text + 2 * _PAD_Y + self.above + below

    def drawn(self, middle: Placed) -> str:
        left, top = middle.x - self.width / 2, middle.y - self.height / 2
        y = top + _PAD_Y + self.above
        return (
            f'<g class="node {self.node.kind.value}">{self._shape(left, top, middle)}'
            + svg.lines("title", middle.x, y, self.title, svg.SIZE)
            + svg.lines("line", middle.x, y + len(self.title) * svg.SIZE * svg.LINE, self.lines, svg.SMALL)
            + "</g>"
        )

    def _shape(self, left: float, top: float, middle: Placed) -> str:
        n = svg.number
        if self.node.kind is NodeKind.STORE:
            right, low = left + self.width, top + self.height - _LID
            arc = f"A{n(self.width / 2)} {n(_LID)} 0 0"
            body = f"M{n(left)} {n(top + _LID)}{arc} 1 {n(right)} {n(top + _LID)}V{n(low)}{arc} 1 {n(left)} {n(low)}Z"
            lid = f"M{n(left)} {n(top + _LID)}{arc} 0 {n(right)} {n(top + _LID)}"
            return svg.path("body", body) + svg.path("lid", lid)
        if self.node.kind is NodeKind.PERSON:
            frame = svg.rectangle("body", left, top + _FACE, self.width, self.height - _FACE, radius=14)
            return frame + f'<circle class="face" cx="{n(middle.x)}" cy="{n(top + _FACE)}" r="{n(_FACE)}"/>'
        frame = svg.rectangle("body", left, top, self.width, self.height)
        if self.node.kind is NodeKind.QUEUE:
            bars = (left + 7, left + self.width - 7)
            return frame + "".join(svg.path("lid", f"M{n(x)} {n(top)}V{n(top + self.height)}") for x in bars)
        return frame


def draw_states(states: States) -> str:
    """From the first state down; what a move is made by stands on its line."""
    stays: dict[str, list[str]] = {}
    for move in states.moves:
        if move.source == move.target:
            stays.setdefault(move.source, []).append(move.says or "itself")
    nodes = {
        state: _Body(Node(id=state, title=state, lines=tuple(f"stays: {each}" for each in stays.get(state, ()))))
        for state in states.states
    }
    moves = [move for move in states.moves if move.source != move.target]
    ends = [(move.source, move.target, label(move.says)) for move in moves]
    if states.states:
        ends.insert(0, (_BEGIN, states.states[0], label(states.begins_by)))
    ends += [(state, _END + state, Label()) for state in states.finals]
    dot = 2 * _DOT
    boxes = [Box(id=_BEGIN, width=dot, height=dot)] if states.states else []
    boxes += [Box(id=state, width=body.width, height=body.height) for state, body in nodes.items()]
    boxes += [Box(id=_END + state, width=dot, height=dot) for state in states.finals]
    links = [Link(source=a, target=b, width=each.width, height=each.height) for a, b, each in ends]
    found = layout(boxes, links)
    parts = edges_drawn(found, [each for _, _, each in ends], MARGIN)
    for box in boxes:
        place = moved(found.boxes[box.id], MARGIN)
        parts.append(nodes[box.id].drawn(place) if box.id in nodes else _dot(place, is_end=box.id != _BEGIN))
    return svg.figure(states.title, states.says, found.width + 2 * MARGIN, found.height + 2 * MARGIN, parts)


def _dot(place: Placed, *, is_end: bool) -> str:
    at = f'cx="{svg.number(place.x)}" cy="{svg.number(place.y)}"'
    if is_end:
        return f'<circle class="ring" {at} r="{_DOT - 1}"/><circle class="dot" {at} r="3.5"/>'
    return f'<circle class="dot" {at} r="{_DOT - 1}"/>'
