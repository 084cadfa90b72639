"""Library functions that call what they are given: in a thread, for each item, after the answer, after the commit."""

from __future__ import annotations

from nines.effects.interpret.libraries.arguments import OPEN, REST
from nines.effects.interpret.libraries.call import LibraryCall
from nines.effects.interpret.libraries.results import result
from nines.effects.interpret.state.entrances import call as call_value
from nines.effects.nodes import ContextNode, DeferNode, LoopNode, Node
from nines.effects.values import UNKNOWN, ContainerThing, FunctionThing, Value, element_of, list_of, merge_sources


def invoked(call: LibraryCall) -> Value | None:
    """The stage for signatures with `invokes`."""
    signature = call.signature
    if not signature.invokes:
        return None
    function = call.argument(signature.invokes)
    if function is None:
        return result(call)
    arguments, keywords = _passed(call)
    frame = call.frame
    with frame.capture() as nodes:
        value = call_value(frame, function, arguments, keywords, call.line, call.column)
        if signature.runs not in ("here", "thread", "loop"):
            frame.raised = False
    if nodes:
        frame.nodes.extend(_placed(call, nodes))
    if signature.per_item:
        return list_of(value)
    text = signature.returns
    if text == "result":
        return value
    if signature.effect is not None:
        return None
    return result(call, merge_sources(value.sources))


def _placed(call: LibraryCall, nodes: list[Node]) -> list[Node]:
    signature = call.signature
    if signature.per_item:
        items = call.bound.get(signature.invokes_with.removeprefix("@"), UNKNOWN)
        nodes = [LoopNode(nodes, call.place, items.sources)]
    if signature.runs == "after_response":
        function = call.argument(signature.invokes)
        thing = function.thing if function is not None else None
        threaded = isinstance(thing, FunctionThing) and not thing.info.node.is_async
        return [ContextNode(nodes, after_response=True, thread="thread" if threaded else "")]
    if signature.runs in ("thread", "loop"):
        return [ContextNode(nodes, thread=signature.runs)]
    if signature.runs == "after_commit":
        thing_connection = call.world.signatures.trait(call.name, "connection_name")
        return [DeferNode(str(thing_connection or "default"), nodes)]
    return nodes


def _passed(call: LibraryCall) -> tuple[list[Value], dict[str, Value]]:
    """The arguments that the called function gets."""
    signature = call.signature
    if signature.per_item:
        items = call.bound.get(signature.invokes_with.removeprefix("@"), UNKNOWN)
        return [element_of(items)], {}
    if signature.invokes_with == "arguments":
        packed = call.bound.get("args")
        thing = packed.thing if packed is not None else None
        arguments = list(thing.entries or ()) if isinstance(thing, ContainerThing) else []
        named = call.bound.get("kwargs")
        inner = named.thing if named is not None else None
        return arguments, dict(inner.fields) if isinstance(inner, ContainerThing) else {}
    if signature.invokes_with == "none":
        return [], {}
    known = set(signature.parameters)
    arguments = [v for name, v in call.bound.items() if name.startswith("*") and name not in (OPEN, REST)]
    keywords = {name: v for name, v in call.keywords.items() if name not in known}
    return arguments, keywords
