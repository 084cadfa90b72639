"""Parameters that a framework fills from the request, and the functions they depend on, in order."""

from __future__ import annotations

from nines.effects.entries.annotations import annotation_parts
from nines.effects.entries.gathered import Gathered, note_guard, path_names
from nines.effects.interpret.calling.summaries import activate
from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.naming.annotations import annotated
from nines.effects.interpret.state.entrances import call, evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import ClassInfo, FunctionInfo
from nines.effects.nodes import ContextNode, Node
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
    UnionThing,
    Value,
    join,
    with_sources,
)
from nines.effects.values import field as held_field
from nines.model import code
from nines.model.origin import OriginKind
from nines.model.place import Place
from nines.model.service import EndpointParameter


def injected(frame: Frame, info: FunctionInfo, path: str, gathered: Gathered, *, skip: int = 0) -> dict[str, Value]:
    """Every parameter of a function as the framework fills it."""
    filled: dict[str, Value] = {}
    for parameter in info.node.parameters[skip:]:
        if parameter.kind in ("star", "double_star"):
            continue
        filled[parameter.name] = _parameter(frame, info, parameter, path, gathered)
    return filled


def filled_by_name(
    frame: Frame, info: FunctionInfo, names: tuple[str, ...], path: str, gathered: Gathered, *, skip: int = 0
) -> dict[str, Value]:
    """Parameters whose names say what they are filled from; the others are what the framework made of their types."""
    filled: dict[str, Value] = {}
    for name in path_names(path):
        place = Place(file=info.module.file, line=info.node.line)
        gathered.parameters[name] = EndpointParameter(name=name, location="path", place=place)
    for parameter in info.node.parameters[skip:]:
        type_value, _, text = annotation_parts(frame.world, info.module, parameter.annotation)
        if parameter.name in names:
            filled[parameter.name] = _from_request(
                frame, info, parameter, type_value, text, path, parameter.name, gathered
            )
        elif parameter.kind not in ("star", "double_star"):
            filled[parameter.name] = type_value
    return filled


def _parameter(frame: Frame, info: FunctionInfo, parameter: code.Parameter, path: str, gathered: Gathered) -> Value:
    world = frame.world
    type_value, markers, text = annotation_parts(world, info.module, parameter.annotation)
    default = evaluate(Frame(world, info.module), parameter.default) if parameter.default is not None else None
    if default is not None:
        markers = [*markers, default]
    location = ""
    # A helper that chooses between several dependencies is taken to choose among equals.
    for marker in (each for given in markers for each in given.alternatives()):
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
    if location == "framework":
        return type_value
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
    """Calls what a parameter depends on, its own dependencies first; once for each request.

    No function means the class that the parameter declares."""
    if function is not None and function.is_vague:
        # A library's function, or nothing at all: what it asks for is not known.
        gathered.guards_known = False
        if function.is_unknown:
            return declared
    if function is None:
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


def _depend(frame: Frame, function: Value, declared: Value, path: str, gathered: Gathered) -> Value:  # noqa: PLR0911
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
        return _depend_on_class(frame, function, thing.info, declared, path, gathered)
    if isinstance(thing, InstanceThing):
        method = world.linked.find_method(thing.info, "__call__")
        if method is not None:
            filled = injected(frame, method, path, gathered, skip=1)
            bound = Value(FunctionThing(method, function))
            return _or_declared(_called(frame, bound, method, filled, line), declared)
        return function
    if isinstance(thing, ObjectThing):
        return _depend_on_object(frame, thing, declared, gathered)
    if isinstance(thing, UnionThing):
        return join([_depend(frame, each, declared, path, gathered) for each in thing.values])
    return _or_declared(call(frame, function, [], {}, line), declared)


def _depend_on_class(  # noqa: PLR0917
    frame: Frame, function: Value, info: ClassInfo, declared: Value, path: str, gathered: Gathered
) -> Value:
    """An object made for the request, of injected arguments or of declared fields."""
    world = frame.world
    method = world.linked.find_method(info, "__init__")
    if method is not None:
        filled = injected(frame, method, path, gathered, skip=1)
        return call(frame, function, [], filled, frame.line)
    fields = {
        name: _from(annotated(world, owner.module, binding.annotation), Source(OriginKind.CALLER, name, "query"))
        for owner in world.linked.ancestry(info)[0]
        for name, binding in owner.attributes.items()
        if binding.annotation is not None
    }
    return call(frame, function, [], fields, frame.line) if mapped(world, info) is None else declared


def _depend_on_object(frame: Frame, thing: ObjectThing, declared: Value, gathered: Gathered) -> Value:
    """A library's dependency: one that takes a credential, or one that was not understood."""
    signatures = frame.world.signatures
    if not signatures.trait(thing.type, "credential"):
        gathered.guards_known = gathered.guards_known and bool(signatures.method(thing.type, "__call__"))
        return _or_declared(call(frame, Value(thing), [], {}, frame.line), declared)
    frame.facts.add("credential")
    guard = signatures.trait(thing.type, "guard")
    if isinstance(guard, str) and guard:
        frame.facts.update(guard.split())
    return with_sources(declared, (Source(OriginKind.CALLER, "authorization", "header"),))


def _called(frame: Frame, function: Value, info: FunctionInfo, filled: dict[str, Value], line: int) -> Value:
    with frame.capture() as nodes:
        value = call(frame, function, [], filled, line)
    frame.raised = False
    frame.nodes.extend(_threaded(nodes, info))
    return value


def _threaded(nodes: list[Node], info: FunctionInfo) -> list[Node]:
    """A dependency that is not async runs in a worker thread."""
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
