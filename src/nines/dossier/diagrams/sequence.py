"""Draws who tells whom what, in which order, and what happens instead when something fails."""

from __future__ import annotations

import math

from nines.dossier.diagrams import svg
from nines.dossier.diagrams.layers import Placed
from nines.dossier.diagrams.nouns import Block, BlockKind, Item, Message, NodeKind, Note, Sequence, messages
from nines.dossier.diagrams.widths import width, wrap

_MARGIN = 14.0
_TEXT_MAX = 250.0
_HEAD_MAX = 150.0
_GAP = 22.0
_LOOP = 26.0
"""How far a message to oneself goes out."""
_PAD = 10.0
_INSET = 7.0
"""By how much a frame within a frame is narrower."""
_DEPTH_MAX = 12
_WORDS = {BlockKind.ALT: "instead", BlockKind.LOOP: "repeated", BlockKind.TRANSACTION: "transaction"}


def draw(sequence: Sequence) -> str:
    return _Drawing(sequence).whole()


class _Drawing:
    """Goes down the page; every item takes the height that its text needs."""

    def __init__(self, sequence: Sequence) -> None:
        self.sequence = sequence
        self.said = {id(each): wrap(each.says, svg.SMALL, _TEXT_MAX) for each in messages(sequence.items)}
        self.frames: list[str] = []
        """Drawn below all lines and texts."""
        self.parts: list[str] = []
        self.depth = min(_DEPTH_MAX, _depth(sequence.items))
        self.x, self.width = self._columns()
        self.y = _MARGIN
        self.inside = 0
        """How many transactions are open here: words stand on their colour."""

    def whole(self) -> str:
        top = self._heads(self.y)
        self.y = top + 14
        self._items(self.sequence.items, 0)
        self.y += 8
        ends = self.y
        lives = "".join(
            svg.path("life", f"M{svg.number(x)} {svg.number(top)}V{svg.number(ends)}") for x in self.x.values()
        )
        feet = _foot(ends)
        return svg.figure(
            self.sequence.title, self.sequence.says, self.width, feet, [*reversed(self.frames), lives, *self.parts]
        )

    def _columns(self) -> tuple[dict[str, float], float]:
        """The middle of each life line, far enough apart for what is said between them; and the width of all."""
        order = [each.id for each in self.sequence.participants]
        heads = {each.id: self._head_width(each.title) for each in self.sequence.participants}
        place = {name: number for number, name in enumerate(order)}
        left = _MARGIN + self.depth * _INSET + (0 if not self.depth else _PAD)
        x: dict[str, float] = {}
        reach = 0.0
        items = list(messages(self.sequence.items))
        for number, name in enumerate(order):
            at = left + heads[name] / 2
            if number:
                at = x[order[number - 1]] + (heads[order[number - 1]] + heads[name]) / 2 + _GAP
            for each in items:
                one, other = self._ends(each)
                low, high = sorted((place[one], place[other]))
                if high == number and low < number:
                    at = max(at, x[order[low]] + self._wide(each) + 2 * _GAP)
                elif low == high == number - 1 and isinstance(each, Message):
                    at = max(at, x[order[low]] + _LOOP + self._wide(each) + _GAP)
                elif low == high and abs(low - number) <= 1 and isinstance(each, Note):
                    half = self._wide(each) / 2 + _PAD
                    at = max(at, left + half) if low == number == 0 else at
                    at = max(at, x[order[number - 1]] + half + _GAP) if number else at
            x[name] = at
            reach = max(reach, at + heads[name] / 2)
        for each in items:
            one, other = self._ends(each)
            if one == other:
                more = self._wide(each) / 2 + _PAD if isinstance(each, Note) else _LOOP + self._wide(each) + 6
                reach = max(reach, x[one] + more)
        widest = max((self._when_width(block) for block in _blocks(self.sequence.items)), default=0.0)
        inner = max(reach - left, widest + 2 * _PAD)
        return x, left + inner + self.depth * _INSET + (_PAD if self.depth else 0) + _MARGIN

    def _head_width(self, title: str) -> float:
        rows = wrap(title, svg.SIZE, _HEAD_MAX, is_bold=True)
        return max(80.0, max((width(row, svg.SIZE, is_bold=True) for row in rows), default=0.0) + 22)

    def _wide(self, item: Message | Note) -> float:
        return max((width(line, svg.SMALL) for line in self.said[id(item)]), default=0.0)

    @staticmethod
    def _ends(item: Message | Note) -> tuple[str, str]:
        return (item.source, item.target) if isinstance(item, Message) else (item.over, item.over)

    @staticmethod
    def _when_width(block: Block) -> float:
        lines = [line for section in block.sections for line in wrap(section.when, svg.SMALL, 2 * _TEXT_MAX)]
        word = width(_WORDS[block.kind], svg.SMALL, is_bold=True) + 30
        return word + max((width(f"[{line}]", svg.SMALL) for line in lines), default=0.0)

    def _heads(self, top: float) -> float:
        """The boxes with the names; the answer is where the life lines begin."""
        rows = {each.id: wrap(each.title, svg.SIZE, _HEAD_MAX, is_bold=True) for each in self.sequence.participants}
        most = max((len(lines) for lines in rows.values()), default=1)
        height = most * svg.SIZE * svg.LINE + 14
        for each in self.sequence.participants:
            wide = self._head_width(each.title)
            x = self.x[each.id]
            radius = 14 if each.kind is NodeKind.PERSON else 6
            body = svg.rectangle("body", x - wide / 2, top, wide, height, radius=radius)
            start = top + (height - len(rows[each.id]) * svg.SIZE * svg.LINE) / 2
            words = svg.lines("title", x, start, rows[each.id], svg.SIZE)
            self.parts.append(f'<g class="node {each.kind.value}">{body}{words}</g>')
        return top + height

    def _items(self, items: tuple[Item, ...], depth: int) -> None:
        for item in items:
            match item:
                case Message():
                    self._message(item)
                case Note():
                    self._note(item)
                case Block():
                    self._block(item, depth)

    def _message(self, item: Message) -> None:
        says = self.said[id(item)]
        one, other = self.x[item.source], self.x[item.target]
        height = len(says) * svg.SMALL * svg.LINE
        kind = "edge dashed" if item.is_reply else "edge"
        n = svg.number
        if item.source == item.target:
            tall = max(16.0, height)
            low = self.y + tall
            self.parts.append(
                svg.path(kind, f"M{n(one)} {n(self.y + 2)}H{n(one + _LOOP - 6)}V{n(low)}H{n(one + 2)}")
                + svg.head(Placed(x=one + 1, y=low), dx=-1.0)
            )
            self._words(one + _LOOP, self.y + (tall - height) / 2, says, "start")
            self.y = low + 13
            return
        self._words((one + other) / 2, self.y, says, "middle")
        self.y += height + 5
        to = math.copysign(1.0, other - one)
        self.parts.append(
            svg.path(kind, f"M{n(one)} {n(self.y)}H{n(other - to * 3)}")
            + svg.head(Placed(x=other - to, y=self.y), dx=to)
        )
        self.y += 13

    def _words(self, x: float, top: float, says: tuple[str, ...], anchor: str) -> None:
        wide = max((width(line, svg.SMALL) for line in says), default=0.0)
        left = x - 2 if anchor == "start" else x - wide / 2 - 2
        height = len(says) * svg.SMALL * svg.LINE
        behind = "behind inside" if self.inside else "behind"
        self.parts.append(svg.rectangle(behind, left, top, wide + 4, height, radius=2))
        self.parts.append(svg.lines("says", x, top, says, svg.SMALL, anchor=anchor))

    def _note(self, item: Note) -> None:
        says = self.said[id(item)]
        wide, height = self._wide(item) + 2 * _PAD, len(says) * svg.SMALL * svg.LINE + 8
        x = self.x[item.over]
        self.parts.append(svg.rectangle("note", x - wide / 2, self.y, wide, height, radius=3))
        self.parts.append(svg.lines("says", x, self.y + 4, says, svg.SMALL))
        self.y += height + 10

    def _block(self, block: Block, depth: int) -> None:
        inset = min(depth, _DEPTH_MAX) * _INSET
        left, right = _MARGIN + inset, self.width - _MARGIN - inset
        top = self.y
        word = _WORDS[block.kind]
        self.inside += block.kind is BlockKind.TRANSACTION
        wide = width(word, svg.SMALL, is_bold=True) + 14
        tall = svg.SMALL * svg.LINE + 4
        self.parts.append(svg.rectangle(f"tag {block.kind.value}", left, top, wide, tall, radius=3))
        self.parts.append(svg.text("tag-says", left + 7, top + tall - 5, word, anchor="start"))
        for number, section in enumerate(block.sections):
            if number:
                self.parts.append(svg.path("divide", f"M{svg.number(left)} {svg.number(self.y)}H{svg.number(right)}"))
                self.y += 6
            elif section.when:
                self.y += 3
            when = wrap(section.when, svg.SMALL, right - left - wide - 2 * _PAD - 12)
            if when:
                when = (f"[{when[0]}", *when[1:-1], f"{when[-1]}]") if len(when) > 1 else (f"[{when[0]}]",)
                self._words(left + wide + 8, self.y, when, "start")
            self.y += max(len(when) * svg.SMALL * svg.LINE, 0 if number else tall - 3) + 7
            self._items(section.items, depth + 1)
        self.y += 1
        self.inside -= block.kind is BlockKind.TRANSACTION
        self.frames.append(svg.rectangle(f"frame {block.kind.value}", left, top, right - left, self.y - top, radius=4))
        self.y += 10


def _foot(y: float) -> float:
    return y + _MARGIN


def _depth(items: tuple[Item, ...]) -> int:
    return max((1 + _depth(s.items) for item in items if isinstance(item, Block) for s in item.sections), default=0)


def _blocks(items: tuple[Item, ...]) -> list[Block]:
    found = [item for item in items if isinstance(item, Block)]
    return [*found, *(inner for block in found for section in block.sections for inner in _blocks(section.items))]
