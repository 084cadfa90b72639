"""`await` and `yield`: where somebody else goes on."""

from __future__ import annotations

from nines.effects.interpret.database.fetching import materialise
from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.nodes import EffectNode, HoleNode, Node, TransactionNode
from nines.effects.values import NONE, UNKNOWN, Value, element_of
from nines.model import code


def await_value(frame: Frame, node: code.Await) -> Value:
    nodes, start = frame.nodes, len(frame.nodes)
    value = evaluate(frame, node.value)
    _give_way(nodes[start:])
    return materialise(frame, value, frame.line, 1, awaited=True)


def _give_way(nodes: list[Node]) -> None:
    """What is awaited gives the event loop to others, whatever the library was taken for; its arguments need not."""
    own = nodes[-1] if nodes else None
    library = own.library if isinstance(own, EffectNode | TransactionNode) else ""
    for node in nodes:
        if isinstance(node, EffectNode | TransactionNode) and node.library == library:
            node.blocks_thread = False


def yield_value(frame: Frame, node: code.Yield) -> Value:
    value = evaluate(frame, node.value) if node.value is not None else NONE
    frame.yields.append(element_of(value) if node.is_from else value)
    if not node.is_from:
        frame.has_hole = True
        frame.nodes.append(HoleNode())
    return UNKNOWN
