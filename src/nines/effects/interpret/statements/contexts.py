"""`with` statements: what entering does, what leaving does, however the body ends."""

from __future__ import annotations

from nines.effects.interpret.calling.binding import bind
from nines.effects.interpret.calling.summaries import activate
from nines.effects.interpret.database.transactions import begin_and_commit, exits
from nines.effects.interpret.libraries.deadlines import duration
from nines.effects.interpret.libraries.typed import typed
from nines.effects.interpret.objects.assigning import assign
from nines.effects.interpret.state.entrances import attribute, call, evaluate, run_block
from nines.effects.interpret.state.frame import Frame
from nines.effects.nodes import ContextNode, ScopeNode, TransactionNode
from nines.effects.values import (
    UNKNOWN,
    DecoratorThing,
    FunctionThing,
    InstanceThing,
    ManagedThing,
    MethodThing,
    ObjectThing,
    UnionThing,
    Value,
    WrappedThing,
)
from nines.model import code


def run_with(frame: Frame, node: code.With) -> str:
    """A `with` or `async with` statement."""
    frame.line = node.line
    return _item(frame, node, 0)


def _item(frame: Frame, node: code.With, index: int) -> str:
    if index == len(node.items):
        return run_block(frame, node.body)
    item = node.items[index]
    value = evaluate(frame, item.value)
    if frame.raised:
        return ""
    thing = value.thing
    if isinstance(thing, UnionThing):
        known = [each for each in thing.values if isinstance(each.thing, ManagedThing | InstanceThing | ObjectThing)]
        value = known[0] if known else value
        thing = value.thing
    if isinstance(thing, DecoratorThing):
        value = _as_scope(frame, thing, value)
        thing = value.thing
    if isinstance(thing, ManagedThing):
        return _managed(frame, node, index, thing)
    if isinstance(thing, WrappedThing) and isinstance(thing.function.thing, FunctionThing):
        return _body(frame, node, index, UNKNOWN)
    if isinstance(thing, InstanceThing):
        return _instance(frame, node, index, value)
    if isinstance(thing, ObjectThing):
        return _object(frame, node, index, value)
    return _body(frame, node, index, value)


def _as_scope(frame: Frame, thing: DecoratorThing, value: Value) -> Value:
    """What serves as a decorator may serve as a context manager as well."""
    signature = frame.world.signatures.calls[thing.signature]
    if not signature.returns:
        return value
    return Value(ObjectThing(signature.returns, fields=thing.arguments))


def _body(frame: Frame, node: code.With, index: int, entered: Value) -> str:
    target = node.items[index].target
    if target is not None:
        assign(frame, target, entered, node.line)
    return _item(frame, node, index + 1)


def _managed(frame: Frame, node: code.With, index: int, thing: ManagedThing) -> str:
    """A generator function as a context manager: the body stands where it yields."""
    function = thing.function.thing
    assert isinstance(function, FunctionThing)
    arguments = list(thing.arguments)
    if function.bound is not None:
        arguments = [function.bound, *arguments]
    env = bind(frame, function.info, arguments, dict(thing.keywords))
    activation = activate(frame, function.info, env, dict(function.closure))
    entered = activation.result.value(activation.summary.yielded)
    with frame.capture() as hole:
        ends = _body(frame, node, index, entered)
    if activation.summary.nodes:
        frame.nodes.append(activation.node(frame, thing.line or node.line, 1, hole))
        if not activation.summary.has_hole:
            frame.nodes.extend(hole)
    else:
        frame.nodes.extend(hole)
    return ends


def _instance(frame: Frame, node: code.With, index: int, value: Value) -> str:
    """A project's own context manager."""
    names = ("__aenter__", "__aexit__") if node.is_async else ("__enter__", "__exit__")
    entered = value
    changed: dict[str, Value] = {}
    with frame.capture() as enter:
        method = attribute(frame, value, names[0], node.line)
        if isinstance(method.thing, FunctionThing):
            entered = call(frame, method, [], {}, node.line, 1, changed)
            value = changed.get("self", value)
        elif isinstance(method.thing, MethodThing) and method.thing.name.startswith("?."):
            entered = value
    with frame.capture() as body:
        ends = _body(frame, node, index, entered)
    with frame.capture() as leave:
        method = attribute(frame, value, names[1], node.line)
        if isinstance(method.thing, FunctionThing):
            call(frame, method, [UNKNOWN, UNKNOWN, UNKNOWN], {}, node.line, 1, changed)
        frame.raised = False
    frame.nodes.append(ScopeNode(enter, body, leave)) if enter or leave else frame.nodes.extend(body)
    return ends


def _object(frame: Frame, node: code.With, index: int, value: Value) -> str:
    """A library's context manager, as its type's signature describes it."""
    thing = value.thing
    assert isinstance(thing, ObjectThing)
    signatures = frame.world.signatures
    text = signatures.trait(thing.type, "enter")
    entered = value
    if isinstance(text, str) and text != "self":
        entered = typed(frame.world, text, value, dict(thing.fields), value.sources, thing.site)
    how, connection = exits(frame, value)
    if how == "ignores_errors":
        return _suppressing(frame, node, index, entered)
    with frame.capture() as body:
        ends = _body(frame, node, index, entered)
    library = _library(frame, thing.type)
    blocks = not node.is_async
    if how in ("scope", "commit"):
        begins = how == "scope"
        end = node.end_line or node.line
        isolation = str(dict(thing.fields).get("isolation", UNKNOWN).constant or "") if thing.fields else ""
        isolation = isolation if isolation != "MISSING" else ""
        scope = begin_and_commit(
            frame, connection, body, node.line, 1,
            library=library, blocks=blocks, begins=begins, end_line=end, isolation=isolation,
        )  # fmt: skip
        frame.nodes.append(scope)
    elif how == "close":
        place = frame.place(node.end_line or node.line)
        close = TransactionNode("close", connection, place, library=library, blocks_thread=blocks)
        frame.nodes.append(ScopeNode([], body, [close]))
    elif how == "deadline":
        limit = duration(frame.world, value, 1.0, "the block around it")
        frame.nodes.append(ContextNode(body, deadline=limit))
    elif how in ("thread", "loop"):
        frame.nodes.append(ContextNode(body, thread=how))
    else:
        frame.nodes.extend(body)
    return ends


def _suppressing(frame: Frame, node: code.With, index: int, entered: Value) -> str:
    _body(frame, node, index, entered)
    return ""


def _library(frame: Frame, type: str) -> str:
    libraries = frame.world.signatures.libraries
    for base in frame.world.signatures.bases(type):
        if base in libraries:
            return libraries[base]
    return type.partition(".")[0]
