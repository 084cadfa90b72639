"""Parameters that a framework fills from the request, and the functions they depend on, in order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from nines.effects.interpret.entrances import call, evaluate
from nines.effects.interpret.frame import Frame
from nines.effects.interpret.mapping import mapped
from nines.effects.interpret.resolve import annotated
from nines.effects.interpret.summaries import activate
from nines.effects.interpret.world import World
from nines.effects.link import AssignBinding, FunctionInfo, ModuleInfo
from nines.effects.nodes import Node
from nines.effects.values import (
    UNKNOWN,
    ClassThing,
    ContainerThing,
    FunctionThing,
    InstanceThing,
    ObjectThing,
    PartialThing,
    ScalarThing,
    Source,
    Value,
    merge_sources,
    with_sources,
)
from nines.effects.values import field as held_field
from nines.model import code
from nines.model.origin import OriginKind
from nines.model.place import Place
from nines.model.service import EndpointParameter, Guard, GuardKind

_PLACEHOLDER = re.compile(r"\{(\w+)[^}]*\}|<(?:[\w.]+(?:\([^)]*\))?:)?(\w+)>|\(\?P<(\w+)>")


@dataclass(slots=True)
class Gathered:
    """What the parameters and dependencies of one entry point have shown."""

    parameters: dict[str, EndpointParameter] = field(default_factory=dict)
    guards: dict[tuple[str, str], Guard] = field(default_factory=dict)
    guards_known: bool = True
    cache: dict[object, Value] = field(default_factory=dict)
    depth: int = 0


def path_names(path: str) -> list[str]:
    """The names of a path's placeholders, in any framework's notation."""
    return [one or two or three for one, two, three in _PLACEHOLDER.findall(path)]


def annotation_parts(
    world: World, module: ModuleInfo, expression: code.Expression | None, hops: int = 0
) -> tuple[Value, list[Value], str]:
    """The type that an annotation names, the markers that travel with it, and the type as text."""
    if expression is None or hops > 5:
        return UNKNOWN, [], ""
    frame = Frame(world, module)
    if isinstance(expression, code.Name | code.Attribute):
        found = _alias(world, module, expression)
        if found is not None:
            return annotation_parts(world, found[0], found[1], hops + 1)
    if isinstance(expression, code.Subscript) and isinstance(expression.key, code.Sequence):
        outer = evaluate(frame, expression.value).thing
        signature = world.signatures.calls.get(getattr(outer, "name", ""))
        if signature is not None and signature.mechanism == "first_argument" and len(expression.key.items) > 1:
            inner, markers, text = annotation_parts(world, module, expression.key.items[0], hops + 1)
            markers = [*markers, *(evaluate(frame, item) for item in expression.key.items[1:])]
            return inner, markers, text
    return annotated(world, module, expression), [], _type_text(expression)


def _alias(world: World, module: ModuleInfo, node: code.Expression) -> tuple[ModuleInfo, code.Expression] | None:
    """A name that stands for `Annotated[...]`."""
    if not isinstance(node, code.Name):
        return None
    for found in world.linked.lookup(module, node.id):
        if isinstance(found, AssignBinding) and isinstance(found.value, code.Subscript):
            return world.linked.owners.get(id(found), module), found.value
    return None


def _type_text(node: code.Expression) -> str:
    if isinstance(node, code.Name):
        return node.id
    if isinstance(node, code.Attribute):
        return f"{_type_text(node.value)}.{node.name}"
    if isinstance(node, code.Binary):
        return f"{_type_text(node.left)} | {_type_text(node.right)}"
    if isinstance(node, code.Subscript):
        return f"{_type_text(node.value)}[{_type_text(node.key)}]"
    if isinstance(node, code.Sequence):
        return ", ".join(_type_text(item) for item in node.items)
    return "None" if isinstance(node, code.Constant) and node.value is None else ""


def injected(frame: Frame, info: FunctionInfo, path: str, gathered: Gathered, *, skip: int = 0) -> dict[str, Value]:
    """Every parameter of a function as the framework fills it."""
    filled: dict[str, Value] = {}
    for parameter in info.node.parameters[skip:]:
        if parameter.kind in ("star", "double_star"):
            continue
        filled[parameter.name] = _parameter(frame, info, parameter, path, gathered)
    return filled


def _parameter(frame: Frame, info: FunctionInfo, parameter: code.Parameter, path: str, gathered: Gathered) -> Value:
    world = frame.world
    type_value, markers, text = annotation_parts(world, info.module, parameter.annotation)
    default = evaluate(Frame(world, info.module), parameter.default) if parameter.default is not None else None
    if default is not None:
        markers = [*markers, default]
    location = ""
    for marker in markers:
        thing = marker.thing
        if not isinstance(thing, ObjectThing):
            continue
        held = world.signatures.trait(thing.type, "dependency")
        if isinstance(held, str) and held:
            return dependency(frame, held_field(marker, held), type_value, path, gathered)
        place = world.signatures.trait(thing.type, "parameter")
        if isinstance(place, str) and place:
            location = place
    return _from_request(frame, info, parameter, type_value, text, path, location, gathered)


def _from_request(  # noqa: PLR0917
    frame: Frame,
    info: FunctionInfo,
    parameter: code.Parameter,
    type_value: Value,
    text: str,
    path: str,
    location: str,
    gathered: Gathered,
) -> Value:
    world = frame.world
    thing = type_value.thing
    name = parameter.name
    if isinstance(thing, ObjectThing):
        marked = world.signatures.trait(thing.type, "parameter")
        if marked == "framework":
            return type_value
        location = location or (str(marked) if marked else "")
    if not location:
        is_record = any(isinstance(each.thing, InstanceThing) for each in type_value.alternatives())
        in_list = isinstance(thing, ContainerThing)
        location = "path" if name in path_names(path) else "body" if is_record or in_list else "query"
    place = Place(file=info.module.file, line=info.node.line)
    gathered.parameters.setdefault(name, EndpointParameter(name=name, location=location, type=text, place=place))
    source = Source(OriginKind.CALLER, name, location)
    words = world.signatures.credential_words
    if location in ("header", "cookie") and any(word in name.lower().replace("_", "-") for word in words):
        frame.facts.add("credential")
    if isinstance(thing, ScalarThing):
        return Value(thing, (source._replace(sanitised=thing.labels),))
    return _from(type_value, source)


def _from(value: Value, source: Source) -> Value:
    thing = value.thing
    if isinstance(thing, ContainerThing) and thing.items is not None:
        return Value(ContainerThing(thing.kind, _from(thing.items, source)), (source,))
    return with_sources(value, (source,))


def dependency(frame: Frame, function: Value | None, declared: Value, path: str, gathered: Gathered) -> Value:
    """Calls what a parameter depends on, its own dependencies first; once for each request."""
    if function is None or function.is_unknown:
        thing = declared.thing
        if isinstance(thing, ObjectThing):
            return declared
        function = Value(ClassThing(thing.info)) if isinstance(thing, InstanceThing) else UNKNOWN
    key = function.thing
    if key in gathered.cache:
        return gathered.cache[key]
    if gathered.depth > 20:
        return declared
    gathered.depth += 1
    outer = frame.facts
    frame.facts = set()
    value = _depend(frame, function, declared, path, gathered)
    value = note_guard(frame, function, value, gathered)
    outer |= frame.facts
    frame.facts = outer
    gathered.depth -= 1
    gathered.cache[key] = value
    return value


def _depend(frame: Frame, function: Value, declared: Value, path: str, gathered: Gathered) -> Value:
    thing = function.thing
    world = frame.world
    line = frame.line
    if isinstance(thing, FunctionThing):
        skip = 1 if thing.bound is not None else 0
        filled = injected(frame, thing.info, path, gathered, skip=skip)
        if thing.info.node.is_generator:
            return _yielding(frame, thing, filled)
        return _or_declared(_called(frame, function, thing.info, filled, line), declared)
    if isinstance(thing, PartialThing):
        return _or_declared(call(frame, function, [], {}, line), declared)
    if isinstance(thing, ClassThing):
        method = world.linked.find_method(thing.info, "__init__")
        if method is not None:
            filled = injected(frame, method, path, gathered, skip=1)
            return call(frame, function, [], filled, line)
        fields = {
            name: _from(annotated(world, owner.module, binding.annotation), Source(OriginKind.CALLER, name, "query"))
            for owner in world.linked.ancestry(thing.info)[0]
            for name, binding in owner.attributes.items()
            if binding.annotation is not None
        }
        return call(frame, function, [], fields, line) if mapped(world, thing.info) is None else declared
    if isinstance(thing, InstanceThing):
        method = world.linked.find_method(thing.info, "__call__")
        if method is not None:
            filled = injected(frame, method, path, gathered, skip=1)
            bound = Value(FunctionThing(method, function))
            return _or_declared(_called(frame, bound, method, filled, line), declared)
    if isinstance(thing, ObjectThing):  # noqa: SIM102
        if world.signatures.trait(thing.type, "credential"):
            frame.facts.add("credential")
            guard = world.signatures.trait(thing.type, "guard")
            if isinstance(guard, str) and guard:
                frame.facts.update(guard.split())
            return with_sources(declared, (Source(OriginKind.CALLER, "authorization", "header"),))
    value = call(frame, function, [], {}, line)
    if function.is_unknown:
        gathered.guards_known = False
    return _or_declared(value, declared)


def _called(frame: Frame, function: Value, info: FunctionInfo, filled: dict[str, Value], line: int) -> Value:
    with frame.capture() as nodes:
        value = call(frame, function, [], filled, line)
    frame.raised = False
    frame.nodes.extend(_threaded(nodes, info))
    return value


def _threaded(nodes: list[Node], info: FunctionInfo) -> list[Node]:
    """A dependency that is not async runs in a worker thread."""
    from nines.effects.nodes import ContextNode  # noqa: PLC0415

    return [ContextNode(nodes, thread="thread")] if nodes and not info.node.is_async else nodes


def _yielding(frame: Frame, thing: FunctionThing, filled: dict[str, Value]) -> Value:
    """A dependency that yields: everything that follows stands where it yields."""
    env = dict(filled)
    names = [p.name for p in thing.info.node.parameters]
    if thing.bound is not None and names:
        env[names[0]] = thing.bound
    for name in names:
        env.setdefault(name, UNKNOWN)
    activation = activate(frame, thing.info, env, dict(thing.closure))
    value = activation.result.value(activation.summary.yielded)
    if activation.summary.nodes:
        hole: list[Node] = []
        node = activation.node(frame, frame.line, 1, hole)
        node.thread = "" if thing.info.node.is_async else "thread"
        frame.nodes.append(node)
        if activation.summary.has_hole:
            frame.nodes = hole
    return value


def _or_declared(value: Value, declared: Value) -> Value:
    if value.is_unknown and not declared.is_unknown:
        return with_sources(declared, value.sources)
    return value


def note_guard(frame: Frame, function: Value, value: Value, gathered: Gathered) -> Value:
    """Notes what a dependency establishes; what an authentication gives back is the principal."""
    kinds = guard_kinds(frame.facts)
    thing = function.thing
    place: Place | None = None
    name = ""
    if isinstance(thing, FunctionThing) or isinstance(thing, ClassThing | InstanceThing):  # noqa: SIM101
        name, place = thing.info.qualified, thing.info.place
    elif isinstance(thing, ObjectThing):
        name = thing.type
    for kind in kinds:
        gathered.guards.setdefault((kind.value, name), Guard(kind=kind, name=name, place=place))
    return principal(value, name.rpartition(".")[2]) if GuardKind.AUTHENTICATION in kinds else value


def principal(value: Value, name: str) -> Value:
    """The value as established by authentication."""
    kept = tuple(s for s in value.sources if s.kind not in (OriginKind.CALLER, OriginKind.UNKNOWN))
    sources = merge_sources(kept, (Source(OriginKind.PRINCIPAL, name),))
    thing = value.thing
    if isinstance(thing, InstanceThing) and not thing.row:
        fields = tuple((key, principal(held, name)) for key, held in thing.fields)
        thing = InstanceThing(thing.info, fields, thing.row, thing.eager, thing.connection)
    if isinstance(thing, ContainerThing):
        fields = tuple((key, principal(held, name)) for key, held in thing.fields)
        entries = None if thing.entries is None else tuple(principal(e, name) for e in thing.entries)
        items = None if thing.items is None else principal(thing.items, name)
        thing = ContainerThing(thing.kind, items, fields, entries, thing.is_open)
    return Value(thing, sources, value.constant)


def guard_kinds(facts: set[str]) -> list[GuardKind]:
    """What the facts gathered in a function amount to."""
    kinds: list[GuardKind] = []
    if "authentication" in facts or ("credential" in facts and "refuses" in facts):
        kinds.append(GuardKind.AUTHENTICATION)
    elif "signature" in facts:
        kinds.append(GuardKind.SIGNATURE)
    if "authorisation" in facts or ("decides" in facts and "refuses" in facts):
        kinds.append(GuardKind.AUTHORISATION)
    if "rate_limit" in facts:
        kinds.append(GuardKind.RATE_LIMIT)
    return kinds
