"""A call as it is written: its arguments are evaluated, and what it changed in place is put back into the names."""

from __future__ import annotations

from nines.effects.interpret.database.fetching import materialise
from nines.effects.interpret.libraries.arguments import OPEN, REST, named
from nines.effects.interpret.libraries.deadlines import deadline
from nines.effects.interpret.libraries.library import matters
from nines.effects.interpret.objects.assigning import assign_path
from nines.effects.interpret.state.entrances import call, evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.symbols.parts import access_path
from nines.effects.nodes import ContextNode, Node
from nines.effects.values import ContainerThing, LibraryThing, MethodThing, Value, join, merge_sources, unknown
from nines.model import code


def call_expression(frame: Frame, node: code.Call) -> Value:
    """The value of a call expression."""
    line = node.line or frame.line
    frame.line = line
    callee = evaluate(frame, _without_parameters(frame, node.function))
    with frame.capture() as given:
        arguments, spread = _positional(frame, node)
        keywords = _keywords(frame, node)
    frame.nodes.extend(_timed(frame, callee, given, arguments, keywords))
    if spread is not None:
        keywords[REST] = spread
    changed: dict[str, Value] = {}
    if isinstance(callee.thing, MethodThing) and callee.thing.name.startswith("?."):
        _note_unknown(frame, node, callee.thing)
    value = call(frame, callee, arguments, keywords, line, node.column, changed)
    if changed:
        _put_back(frame, node, changed)
    return value


def _without_parameters(frame: Frame, function: code.Expression) -> code.Expression:
    """`Generic[X](...)` makes an object of a library's class."""
    if isinstance(function, code.Subscript) and isinstance(function.value, code.Name | code.Attribute):
        with frame.capture():
            return function.value if isinstance(evaluate(frame, function.value).thing, LibraryThing) else function
    return function


def _timed(
    frame: Frame, callee: Value, given: list[Node], arguments: list[Value], keywords: dict[str, Value]
) -> list[Node]:
    """What the arguments do, under the deadline that the called function puts on them."""
    thing = callee.thing
    signature = frame.world.signatures.calls.get(thing.name) if isinstance(thing, LibraryThing) else None
    if not given or signature is None or signature.deadline is None or signature.effect is not None:
        return given
    bound = named(signature.parameters, arguments, keywords)
    limit = deadline(frame.world, signature.deadline, bound, None)
    return [ContextNode(given, deadline=limit)]


def _positional(frame: Frame, node: code.Call) -> tuple[list[Value], Value | None]:
    arguments: list[Value] = []
    spread: Value | None = None
    for argument in node.arguments:
        if not isinstance(argument, code.Spread):
            arguments.append(evaluate(frame, argument))
            continue
        value = materialise(frame, evaluate(frame, argument.value), frame.line)
        thing = value.thing
        if isinstance(thing, ContainerThing) and thing.entries is not None and thing.items is None:
            arguments.extend(thing.entries)
        else:
            spread = value if spread is None else join([spread, value])
    return arguments, spread


def _keywords(frame: Frame, node: code.Call) -> dict[str, Value]:
    keywords: dict[str, Value] = {}
    for keyword in node.keywords:
        value = evaluate(frame, keyword.value)
        if keyword.name:
            keywords[keyword.name] = value
            continue
        thing = value.thing
        if isinstance(thing, ContainerThing) and thing.kind == "dict":
            for name, held in thing.fields:
                keywords.setdefault(name, held)
            if not thing.is_open:
                continue
        earlier = keywords.get(OPEN)
        sources = merge_sources(value.sources, earlier.sources if earlier else ())
        keywords[OPEN] = unknown(sources)
    return keywords


def _note_unknown(frame: Frame, node: code.Call, thing: MethodThing) -> None:
    """A call on something unknown is a blind spot when its name speaks of effects."""
    world = frame.world
    if thing.receiver.constant is None and thing.receiver.has_constant:
        return
    path = access_path(node.function) or thing.name
    name = thing.name.removeprefix("?.")
    if name in world.linked.by_method and len(world.linked.by_method[name]) == 1:
        return
    if name in world.signatures.plain_methods and name not in world.linked.by_method:
        return
    world.unresolved += 1
    if matters(world, path):
        frame.blind("call of an unknown object", path, node.line, node.column)


def _receiver_of_super(frame: Frame, owner: code.Call) -> code.Expression:
    """`super().method()` changes the object on which the present method was called."""
    assert frame.info is not None
    is_super = isinstance(owner.function, code.Name) and owner.function.id == "super"
    return code.Name(id=frame.info.node.parameters[0].name) if is_super else owner


def _put_back(frame: Frame, node: code.Call, changed: dict[str, Value]) -> None:
    if "self" in changed and isinstance(node.function, code.Attribute):
        owner = node.function.value
        if isinstance(owner, code.Call) and frame.info is not None and frame.info.node.parameters:
            owner = _receiver_of_super(frame, owner)
        assign_path(frame, owner, changed["self"])
    for key, value in changed.items():
        if key.isdigit() and int(key) < len(node.arguments):
            argument = node.arguments[int(key)]
            if not isinstance(argument, code.Spread):
                assign_path(frame, argument, value)
        elif key.startswith("="):
            for keyword in node.keywords:
                if keyword.name == key[1:]:
                    assign_path(frame, keyword.value, value)
