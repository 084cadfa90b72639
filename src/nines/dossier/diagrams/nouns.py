"""What a diagram says, whoever draws it: mermaid's text and our own SVG are written of the same nouns."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TypeAlias

from nines.model.record import Record


class NodeKind(StrEnum):
    PERSON = "person"
    PROCESS = "process"
    STORE = "store"
    QUEUE = "queue"
    EXTERNAL = "external"


class Node(Record):
    id: str
    title: str
    lines: tuple[str, ...] = ()
    """What stands below the title."""
    kind: NodeKind = NodeKind.PROCESS
    zone: str = ""
    """The id of the zone that it lies in; empty: in none, and above all zones."""


class Zone(Record):
    """Nodes within one boundary; zones are drawn below one another in their order."""

    id: str
    title: str = ""
    """Empty: the nodes share rows, and no frame is drawn around them."""


class Edge(Record):
    source: str
    target: str
    says: str = ""
    is_dashed: bool = False
    """Nobody waits for the answer."""


class Graph(Record):
    title: str
    says: str = ""
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    zones: tuple[Zone, ...] = ()


class Move(Record):
    source: str
    target: str
    says: str = ""


class States(Record):
    """The states of one thing; the first is the one in which it begins."""

    title: str
    says: str = ""
    states: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    begins_by: str = ""
    """What makes the thing."""

    @property
    def finals(self) -> tuple[str, ...]:
        left = {move.source for move in self.moves if move.source != move.target}
        return tuple(state for state in self.states if state not in left)


class Attribute(Record):
    name: str
    type: str
    marks: tuple[str, ...] = ()
    """PK, FK, UK."""
    says: str = ""


class Entity(Record):
    name: str
    attributes: tuple[Attribute, ...] = ()
    left_out: int = 0
    """How many attributes are not shown."""


class Relation(Record):
    """The child holds a key of the parent."""

    child: str
    parent: str
    says: str = ""
    is_optional: bool = False
    """The child may have no parent."""
    is_unique: bool = False
    """A parent has one child at most."""


class Entities(Record):
    title: str
    says: str = ""
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()


class Participant(Record):
    id: str
    title: str
    kind: NodeKind = NodeKind.PROCESS


class Message(Record):
    source: str
    target: str
    says: str
    is_reply: bool = False


class Note(Record):
    """Over the lifeline of one participant."""

    over: str
    says: str


class BlockKind(StrEnum):
    TRANSACTION = "transaction"
    LOOP = "loop"
    ALT = "alt"


class Section(Record):
    when: str
    """Of an ALT: its condition; of a LOOP: for what it is repeated; of a TRANSACTION: its name."""
    items: tuple[Item, ...] = ()


class Block(Record):
    """Items in a frame; an ALT has a section for each alternative, the others have one."""

    kind: BlockKind
    sections: tuple[Section, ...]


Item: TypeAlias = Message | Note | Block


class Sequence(Record):
    title: str
    says: str = ""
    participants: tuple[Participant, ...] = ()
    items: tuple[Item, ...] = ()


Diagram: TypeAlias = Graph | States | Entities | Sequence


def messages(items: tuple[Item, ...]) -> Iterator[Message | Note]:
    """All of them, however deep in blocks."""
    for item in items:
        if isinstance(item, Block):
            for section in item.sections:
                yield from messages(section.items)
        else:
            yield item
