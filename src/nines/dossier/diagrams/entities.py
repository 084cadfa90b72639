"""Draws tables with their columns: parents above their children, so that depth shows what hangs on what."""

from __future__ import annotations

from nines.dossier.diagrams import svg
from nines.dossier.diagrams.graph import MARGIN, edges_drawn, label, moved
from nines.dossier.diagrams.layers import Box, Link, Placed
from nines.dossier.diagrams.nouns import Attribute, Entities, Entity
from nines.dossier.diagrams.packing import packed
from nines.dossier.diagrams.widths import width, wrap

_PAD = 10.0
_NAME_MAX = 210.0
_TYPE_MAX = 150.0
_MARKS = 34.0
_GAP = 14.0
_ROW = svg.SMALL * svg.LINE + 2
_HEAD = svg.SIZE * svg.LINE + 10


def draw(entities: Entities) -> str:
    known = {entity.name: _Body(entity) for entity in entities.entities}
    relations = [each for each in entities.relations if each.parent != each.child]
    boxes = [Box(id=name, width=body.width, height=body.height) for name, body in known.items()]
    labels = [label(each.says, is_dashed=each.is_optional) for each in relations]
    links = [
        Link(source=relation.parent, target=relation.child, width=each.width, height=each.height)
        for relation, each in zip(relations, labels, strict=True)
    ]
    found = packed(boxes, links)
    parts = edges_drawn(found, labels, MARGIN)
    parts += [body.drawn(moved(found.boxes[name], MARGIN)) for name, body in known.items()]
    return svg.figure(entities.title, entities.says, found.width + 2 * MARGIN, found.height + 2 * MARGIN, parts)


class _Body:
    def __init__(self, entity: Entity) -> None:
        self.title = wrap(entity.name, svg.SIZE, _NAME_MAX + _TYPE_MAX, is_bold=True)
        rows = [_row(each) for each in entity.attributes]
        if entity.left_out:
            rows.append(("", (f"and {entity.left_out} more",), ()))
        self.rows = rows
        names = [width(line, svg.SMALL, is_code=True) for _, lines, _ in rows for line in lines]
        types = [width(line, svg.SMALL) for _, _, lines in rows for line in lines]
        self.types_at = _PAD + _MARKS + max(names, default=0.0) + _GAP
        title = max((width(line, svg.SIZE, is_bold=True) for line in self.title), default=0.0) + 2 * _PAD
        self.width = max(title, self.types_at + max(types, default=0.0) + _PAD)
        self.head = _HEAD + (max(1, len(self.title)) - 1) * svg.SIZE * svg.LINE
        self.height = self.head + sum(_height(row) for row in rows) + 6

    def drawn(self, middle: Placed) -> str:
        left, top = middle.x - self.width / 2, middle.y - self.height / 2
        n = svg.number
        parts = [
            svg.rectangle("body", left, top, self.width, self.height),
            svg.path("lid", f"M{n(left)} {n(top + self.head)}H{n(left + self.width)}"),
            svg.lines("title", middle.x, top + 5, self.title, svg.SIZE),
        ]
        y = top + self.head + 3
        for row in self.rows:
            marks, names, types = row
            parts.append(svg.lines("mark", left + _PAD, y, (marks,), svg.SMALL, anchor="start") if marks else "")
            parts.append(svg.lines("name", left + _PAD + _MARKS, y, names, svg.SMALL, anchor="start"))
            parts.append(svg.lines("type", left + self.types_at, y, types, svg.SMALL, anchor="start"))
            y += _height(row)
        return f'<g class="node entity">{"".join(parts)}</g>'


_Row = tuple[str, tuple[str, ...], tuple[str, ...]]


def _row(attribute: Attribute) -> _Row:
    marks = " ".join(attribute.marks[:2])
    return (
        marks,
        wrap(attribute.name, svg.SMALL, _NAME_MAX, is_code=True),
        wrap(attribute.type, svg.SMALL, _TYPE_MAX),
    )


def _height(row: _Row) -> float:
    return max(len(row[1]), len(row[2]), 1) * svg.SMALL * svg.LINE + 2
