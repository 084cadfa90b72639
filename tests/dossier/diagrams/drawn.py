"""Diagrams drawn by chance, with names that nobody would choose."""

from __future__ import annotations

from hypothesis import strategies as st

from nines.dossier.diagrams import (
    Attribute,
    Block,
    BlockKind,
    Diagram,
    Edge,
    Entities,
    Entity,
    Graph,
    Item,
    Message,
    Move,
    Node,
    NodeKind,
    Note,
    Participant,
    Relation,
    Section,
    Sequence,
    States,
    Zone,
)

HOSTILE = (
    "end",
    "a; b # c",
    'say "hi" and `tick`',
    "<script>alert(1)</script>",
    "1. first",
    "- dash",
    "a --> b",
    "x:::y",
    "%% comment",
    "subgraph z",
    "note over p0: x",
    "wrap: it",
    "[*]",
    "]) }} |",
    "naïve 支払い 💸",
    "Über-große Straße",
    "class",
    "style s0 fill:red",
    "{curly} (round) [square]",
    "a\nb\tc",
    "a|b&amp;c",
    "else",
    "direction LR",
    "x" * 90,
    "__proto__",
    "constructor",
    "$&",
    "#35; already",
    "participant p9",
    "click n0 href",
    "@{ shape: rect }",
    "~~~",
    "+-",
    "o--o",
    "default",
    "0",
)
names = st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=24).filter(lambda text: bool(text.strip()))
kinds = st.sampled_from(list(NodeKind))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    count = draw(st.integers(1, 9))
    zones = [Zone(id=f"z{number}", title=draw(st.just("") | names)) for number in range(draw(st.integers(0, 3)))]
    nodes = tuple(
        Node(
            id=f"node {number}",
            title=draw(names),
            lines=tuple(draw(st.lists(names, max_size=2))),
            kind=draw(kinds),
            zone=draw(st.sampled_from(["", *(zone.id for zone in zones)])),
        )
        for number in range(count)
    )
    ends = st.sampled_from([node.id for node in nodes])
    edges = [
        Edge(source=a, target=b, says=draw(st.just("") | names), is_dashed=draw(st.booleans()))
        for a, b in draw(st.lists(st.tuples(ends, ends), max_size=14))
        if a != b
    ]
    return Graph(title=draw(names), says=draw(names), nodes=nodes, edges=tuple(edges), zones=tuple(zones))


@st.composite
def states(draw: st.DrawFn) -> States:
    found = draw(st.lists(names, min_size=1, max_size=6, unique=True))
    ends = st.sampled_from(found)
    moves = [
        Move(source=a, target=b, says=draw(st.just("") | names))
        for a, b in draw(st.lists(st.tuples(ends, ends), max_size=8, unique=True))
    ]
    return States(title=draw(names), says=draw(names), states=tuple(found), moves=tuple(moves), begins_by=draw(names))


@st.composite
def entities(draw: st.DrawFn) -> Entities:
    found = draw(st.lists(names, min_size=1, max_size=7, unique=True))
    marks = st.lists(st.sampled_from(["PK", "FK", "UK"]), unique=True, max_size=2).map(tuple)
    made = [
        Entity(
            name=name,
            attributes=tuple(
                Attribute(name=draw(names), type=draw(names), marks=draw(marks), says=draw(st.just("") | names))
                for _ in range(draw(st.integers(0, 3)))
            ),
            left_out=draw(st.integers(0, 2)),
        )
        for name in found
    ]
    ends = st.sampled_from(found)
    relations = [
        Relation(child=a, parent=b, says=draw(st.just("") | names), is_optional=draw(st.booleans()))
        for a, b in draw(st.lists(st.tuples(ends, ends), max_size=8))
    ]
    return Entities(title=draw(names), says=draw(names), entities=tuple(made), relations=tuple(relations))


def _items(ids: list[str], depth: int) -> st.SearchStrategy[tuple[Item, ...]]:
    ends = st.sampled_from(ids)
    item: st.SearchStrategy[Item] = st.one_of(
        st.builds(Message, source=ends, target=ends, says=names, is_reply=st.booleans()),
        st.builds(Note, over=ends, says=names),
    )
    if depth:
        section = st.builds(Section, when=st.just("") | names, items=_items(ids, depth - 1))
        item |= st.builds(
            Block, kind=st.just(BlockKind.ALT), sections=st.lists(section, min_size=1, max_size=3).map(tuple)
        )
        item |= st.builds(
            Block,
            kind=st.sampled_from([BlockKind.LOOP, BlockKind.TRANSACTION]),
            sections=section.map(lambda each: (each,)),
        )
    return st.lists(item, max_size=5).map(tuple)


@st.composite
def sequences(draw: st.DrawFn) -> Sequence:
    ids = [f"id {number}" for number in range(draw(st.integers(1, 4)))]
    participants = tuple(Participant(id=each, title=draw(names), kind=draw(kinds)) for each in ids)
    items = draw(_items(ids, 2))
    return Sequence(title=draw(names), says=draw(names), participants=participants, items=items)


diagrams: st.SearchStrategy[Diagram] = st.one_of(graphs(), states(), entities(), sequences())
