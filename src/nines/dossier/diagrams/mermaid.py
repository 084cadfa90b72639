"""Diagrams in the words of mermaid, which GitHub and many editors draw; any text gives a valid diagram."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.dossier.diagrams.nouns import (
    Block,
    BlockKind,
    Diagram,
    Edge,
    Entities,
    Graph,
    Item,
    Message,
    Node,
    NodeKind,
    Note,
    Relation,
    Sequence,
    States,
)
from nines.dossier.diagrams.widths import legible

_SHAPES = {
    NodeKind.PERSON: ('(["', '"])'),
    NodeKind.PROCESS: ('["', '"]'),
    NodeKind.STORE: ('[("', '")]'),
    NodeKind.QUEUE: ('[["', '"]]'),
    NodeKind.EXTERNAL: ('{{"', '"}}'),
}
_STEP = "  "
_WORDS = re.compile(r"\b(end|direction)\b", re.IGNORECASE)
"""Mermaid takes them for its own wherever they stand, within quotes too."""


def text(diagram: Diagram) -> str:
    """The whole text, without a fence."""
    match diagram:
        case Graph():
            lines = ["flowchart TB", *_about(diagram), *_graph(diagram)]
        case States():
            lines = ["stateDiagram-v2", *_about(diagram), *_states(diagram)]
        case Entities():
            lines = ["erDiagram", *_about(diagram), *_entities(diagram)]
        case Sequence():
            lines = ["sequenceDiagram", *_about(diagram), *_sequence(diagram)]
    return "\n".join([lines[0], *(_STEP + line for line in lines[1:])])


def escaped(text: str, *, spared: str = " ,'_/") -> str:
    """Letters, digits and spared signs stand for themselves; everything else becomes mermaid's #code;."""
    line = legible(" ".join(text.split()))
    said = "".join(each if each.isalnum() or each in spared else f"#{ord(each)};" for each in line)
    return _WORDS.sub(lambda found: f"{found[0][:-1]}#{ord(found[0][-1])};", said)


def _sentence(text: str) -> str:
    """Within quotes or after a colon more signs are harmless, except at the begin, where they may start a list."""
    said = escaped(text, spared=" ,'_/.:(){}-")
    said = re.sub(r"^(\d+)[.]", r"\1#46;", said)
    said = re.sub(r"^(?i:(no)?wrap):", lambda found: found[0][:-1] + "#58;", said)
    return f"#{ord(said[0])};{said[1:]}" if said[:1] in tuple("-.:(){}_/,'") else said


def _plain(text: str) -> str:
    """For the title and the description, where mermaid knows no codes."""
    return " ".join(re.sub(r"[^\w .,'()/-]", " ", text).split())


def _about(diagram: Diagram) -> Iterator[str]:
    if title := _plain(diagram.title):
        yield f"accTitle: {title}"
    if says := _plain(diagram.says):
        yield f"accDescr: {says}"


def _graph(graph: Graph) -> Iterator[str]:
    names = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    zones = {zone.id for zone in graph.zones}
    yield from (_node(names[node.id], node) for node in graph.nodes if node.zone not in zones)
    for number, zone in enumerate(graph.zones):
        inside = [node for node in graph.nodes if node.zone == zone.id]
        if not zone.title or not inside:
            yield from (_node(names[node.id], node) for node in inside)
            continue
        yield f'subgraph z{number}["{_sentence(zone.title)}"]'
        yield from (_STEP + _node(names[node.id], node) for node in inside)
        yield "end"
    yield from (_edge(names, edge) for edge in graph.edges)


def _node(name: str, node: Node) -> str:
    opens, closes = _SHAPES[node.kind]
    lines = [f"<b>{_sentence(node.title)}</b>", *(_sentence(line) for line in node.lines)]
    return name + opens + "<br/>".join(lines) + closes


def _edge(names: dict[str, str], edge: Edge) -> str:
    arrow = "-.->" if edge.is_dashed else "-->"
    says = f'|"{_sentence(edge.says)}"|' if edge.says.strip() else ""
    return f"{names[edge.source]} {arrow}{says} {names[edge.target]}"


def _states(states: States) -> Iterator[str]:
    names = {state: f"s{number}" for number, state in enumerate(states.states)}
    yield from (f'state "{escaped(state)}" as {name}' for state, name in names.items())
    if states.states:
        yield f"[*] --> {names[states.states[0]]}{_after(states.begins_by)}"
    yield from (f"{names[move.source]} --> {names[move.target]}{_after(move.says)}" for move in states.moves)
    yield from (f"{names[state]} --> [*]" for state in states.finals)


def _after(says: str) -> str:
    return f" : {escaped(says)}" if says.strip() else ""


def _entities(entities: Entities) -> Iterator[str]:
    names = {entity.name: f"e{number}" for number, entity in enumerate(entities.entities)}
    for entity in entities.entities:
        yield f'{names[entity.name]}["{escaped(entity.name)}"] {{'
        for each in entity.attributes:
            marks = f" {', '.join(each.marks)}" if each.marks else ""
            says = f' "{escaped(each.says)}"' if each.says.strip() else ""
            yield f"{_STEP}{_word(each.type)} {_word(each.name)}{marks}{says}"
        if entity.left_out:
            yield f"{_STEP}and _{entity.left_out}_more"
        yield "}"
    yield from (_relation(names, relation) for relation in entities.relations)


def _word(text: str) -> str:
    """The grammar of attributes knows neither quotes nor codes."""
    word = re.sub(r"[^A-Za-z0-9_()\[\]]", "_", text) or "_"
    return word if re.match("[A-Za-z_]", word) else f"_{word}"


def _relation(names: dict[str, str], relation: Relation) -> str:
    parent = "|o" if relation.is_optional else "||"
    child = "o|" if relation.is_unique else "o{"
    says = escaped(relation.says) or " "
    return f'{names[relation.parent]} {parent}--{child} {names[relation.child]} : "{says}"'


def _sequence(sequence: Sequence) -> Iterator[str]:
    names = {each.id: f"p{number}" for number, each in enumerate(sequence.participants)}
    for each in sequence.participants:
        kind = "actor" if each.kind is NodeKind.PERSON else "participant"
        yield f"{kind} {names[each.id]} as {escaped(each.title) or '_'}"
    yield from _items(names, sequence.items)


def _items(names: dict[str, str], items: tuple[Item, ...]) -> Iterator[str]:
    for item in items:
        match item:
            case Message():
                arrow = "-->>" if item.is_reply else "->>"
                yield f"{names[item.source]}{arrow}{names[item.target]}: {_sentence(item.says) or '_'}"
            case Note():
                yield f"Note over {names[item.over]}: {_sentence(item.says) or '_'}"
            case Block():
                yield from _block(names, item)


def _block(names: dict[str, str], block: Block) -> Iterator[str]:
    for number, section in enumerate(block.sections):
        if block.kind is BlockKind.TRANSACTION:
            yield "rect rgba(90, 130, 220, 0.12)"
        else:
            word = "else" if number else block.kind.value
            yield f"{word} {_sentence(section.when)}".rstrip()
        yield from (_STEP + line for line in _items(names, section.items))
    yield "end"
