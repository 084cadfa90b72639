"""Makes endpoints and their trees from registered routes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from nines.effects.entries.controllers import bound_handler
from nines.effects.entries.inject import (
    Gathered,
    dependency,
    guard_kinds,
    injected,
    note_guard,
    path_names,
)
from nines.effects.entries.mounts import Chain, chains
from nines.effects.interpret.entrances import attribute, call, evaluate
from nines.effects.interpret.frame import Frame, WorkLimit
from nines.effects.interpret.remote import shape
from nines.effects.interpret.resolve import class_value, global_value
from nines.effects.interpret.retrying import policy
from nines.effects.interpret.world import OutOfBudget, Route, World
from nines.effects.link import ClassInfo, FunctionInfo, ModuleInfo
from nines.effects.nodes import BlindNode, ContextNode, Node
from nines.effects.packing import Told
from nines.effects.signatures import RouteRule
from nines.effects.values import (
    UNKNOWN,
    ClassThing,
    ContainerThing,
    DecoratorThing,
    FunctionThing,
    InstanceThing,
    LibraryThing,
    MethodThing,
    ObjectThing,
    PartialThing,
    Source,
    Sources,
    UnionThing,
    Value,
    WrappedThing,
    deep_sources,
    unknown,
)
from nines.effects.values import field as held_field
from nines.model import code
from nines.model.origin import OriginKind
from nines.model.place import Place
from nines.model.service import Endpoint, EndpointKind, EndpointParameter, Guard, GuardKind

_FLASK_PATH = re.compile(r"<(?:[\w.]+(?:\([^)]*\))?:)?(\w+)>")
_SLASHES = re.compile(r"/{2,}")


@dataclass(slots=True)
class Entry:
    """An endpoint with the tree that unfolds into its trace."""

    endpoint: Endpoint
    nodes: list[Node] = field(default_factory=list)
    returned: Sources = ()
    mode: str = ""


Tell = Callable[[str, Callable[[], Iterable[Entry]]], list[Told]]
"""Makes the entry points of one unit and tells what they do; the text names all that the unit depends on, but for
the modules that it looks at."""


def innermost(value: Value) -> FunctionInfo | ClassInfo | None:
    """The project function or class behind decorators and partials."""
    thing = value.thing
    if isinstance(thing, FunctionThing):
        return _undecorated(thing)
    if isinstance(thing, ClassThing):
        return thing.info
    if isinstance(thing, WrappedThing | PartialThing):
        return innermost(thing.function)
    if isinstance(thing, InstanceThing):
        return thing.info
    if isinstance(thing, UnionThing):
        return next((found for found in map(innermost, thing.values) if found is not None), None)
    return None


def _undecorated(thing: FunctionThing) -> FunctionInfo:
    """A wrapper made by a decorator stands for the function that it holds."""
    if (thing.closure and thing.info.node.decorators == ()) or thing.info.parent:
        for name, held in thing.closure:
            if name in ("f", "func", "fn", "function", "view", "view_func", "handler", "wrapped", "method"):
                inner = innermost(held)
                if isinstance(inner, FunctionInfo):
                    return inner
    return thing.info


def joined_path(*parts: str) -> str:
    path = _FLASK_PATH.sub(r"{\1}", "".join(parts))
    path = _SLASHES.sub("/", path if path.startswith("/") else f"/{path}")
    return path  # noqa: RET504


def entries(world: World, tell: Tell) -> list[Told]:
    """Every registered entry point, in a stable order."""
    made: dict[str, Told] = {}
    guards = repr(sorted((repr(key), repr(known)) for key, known in world.hook_guards.items()))
    for route in sorted(world.routes.values(), key=lambda r: (r.place.file, r.place.line, r.path)):
        ways = chains(world, route.router) if route.router else [Chain("")]
        for told in tell(f"{route}{ways}{guards}", partial(_of_route, world, route, ways)):
            made.setdefault(told.endpoint.id, told)
    return list(made.values())


def _of_route(world: World, route: Route, ways: list[Chain]) -> list[Entry]:
    signature = world.signatures.calls[route.signature]
    rule = signature.route
    if rule is None or rule.kind == "hook":
        return []
    target = innermost(route.handler)
    if target is None:
        return []
    framework = rule.framework or world.signatures.libraries.get(route.signature, "")
    if rule.kind != "http" and rule.kind != "socket":  # noqa: PLR1714
        return [_other(world, route, rule, target, framework)] if isinstance(target, FunctionInfo) else []
    made: list[Entry] = []
    for chain in ways:
        path = joined_path(chain.prefix, route.path)
        if isinstance(target, ClassInfo):
            made.extend(view_entries(world, target, path, route, chain, framework))
            continue
        for method in route.methods or ("GET",):
            world.method = method
            made.append(_http(world, route, rule, route.handler, target, method, path, chain, framework))
        world.method = ""
    return made


def _http(  # noqa: PLR0917
    world: World,
    route: Route,
    rule: RouteRule,
    handler: Value,
    info: FunctionInfo | ClassInfo,
    method: str,
    path: str,
    chain: Chain,
    framework: str,
    view: ClassInfo | None = None,
) -> Entry:
    socket = rule.kind == "socket"
    id = f"SOCKET {path}" if socket else f"{method} {path}"
    gathered = Gathered()
    frame = entry_frame(world, info.module, info.node.line)
    is_async = isinstance(info, FunctionInfo) and info.node.is_async
    value = UNKNOWN
    try:
        run_hooks(world, chain, gathered)
        if view is not None:
            view_guards(world, frame, view, gathered)
        for each in (*chain.dependencies, *_listed(route, rule)):
            _extra_dependency(world, frame, each, path, gathered)
        value = _handled(world, frame, rule, handler, info, path, gathered)
    except (OutOfBudget, WorkLimit, RecursionError) as error:
        frame.nodes.append(BlindNode(_reason(error), info.qualified, info.place))
    note_own_guard(frame, info, gathered)
    kind = EndpointKind.SOCKET if socket else EndpointKind.HTTP
    endpoint = Endpoint(
        id=id,
        kind=kind,
        function=info.qualified,
        place=info.place,
        method="" if socket else method,
        path=path,
        framework=framework,
        is_async=is_async,
        parameters=tuple(gathered.parameters.values()),
        guards=tuple(gathered.guards.values()),
        guards_known=gathered.guards_known and info not in world.unclear and (chain.is_rooted or not route.router),
        summary=info.node.summary,
    )
    threaded = rule.runs_sync == "thread" and not is_async
    return Entry(endpoint, root_nodes(frame), deep_sources(value), "loop" if is_async and not threaded else "")


def _reason(error: BaseException) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else "work limit reached"


def entry_frame(world: World, module: ModuleInfo, line: int) -> Frame:
    """A frame in which the framework's own steps stand; its first list of nodes is the whole tree."""
    world.start_entry()
    world.stack.clear()
    world.levels.clear()
    frame = Frame(world, module)
    frame.line = line
    _ROOTS[id(frame)] = frame.nodes
    return frame


_ROOTS: dict[int, list[Node]] = {}


def root_nodes(frame: Frame) -> list[Node]:
    return _ROOTS.pop(id(frame))


def _listed(route: Route, rule: RouteRule) -> tuple[Value, ...]:
    from nines.effects.entries.mounts import _entries  # noqa: PLC0415

    arguments = dict(route.arguments)
    return _entries(arguments.get(rule.dependencies)) if rule.dependencies else ()


def _extra_dependency(world: World, frame: Frame, marker: Value, path: str, gathered: Gathered) -> None:
    thing = marker.thing
    if isinstance(thing, ObjectThing):
        held = world.signatures.trait(thing.type, "dependency")
        if isinstance(held, str) and held:
            dependency(frame, held_field(marker, held), UNKNOWN, path, gathered)
            return
    gathered.guards_known = False


def _handled(  # noqa: PLR0917
    world: World,
    frame: Frame,
    rule: RouteRule,
    handler: Value,
    info: FunctionInfo | ClassInfo,
    path: str,
    gathered: Gathered,
) -> Value:
    if isinstance(info, ClassInfo):
        return _generic_view(world, frame, handler, info, path, gathered)
    skip = 1 if info.cls is not None and world.kinds.get(info) != "static" else 0
    filled: dict[str, Value] = {}
    arguments: list[Value] = []
    names = [p.name for p in info.node.parameters][skip:]
    if rule.injects:
        handler = bound_handler(frame, handler, info, path, gathered) if skip else handler
        filled = injected(frame, info, path, gathered, skip=skip)
    else:
        if rule.passes and names:
            arguments.append(Value(ObjectThing(rule.passes)))
            names = names[1:]
        for name in path_names(path):
            place = Place(file=info.module.file, line=info.node.line)
            gathered.parameters[name] = EndpointParameter(name=name, location="path", place=place)
            filled[name] = unknown((Source(OriginKind.CALLER, name, "path", sanitised=path_labels(path, name)),))
        if not any(p.kind == "double_star" for p in info.node.parameters):
            filled = {name: value for name, value in filled.items() if name in names}
    frame.facts = set()
    frame.line = info.node.line
    with frame.capture() as nodes:
        value = call(frame, handler, arguments, filled, info.node.line)
    frame.raised = False
    frame.nodes.extend(_flattened(nodes, info))
    if rule.runs_sync == "thread" and not info.node.is_async:
        frame.nodes[:] = [*frame.nodes[: -len(nodes)], ContextNode(nodes, thread="thread")] if nodes else frame.nodes
    return value


def _generic_view(world: World, frame: Frame, handler: Value, info: ClassInfo, path: str, gathered: Gathered) -> Value:  # noqa: PLR0917
    """A view whose handler is the library's own."""
    del world
    for name in path_names(path):
        gathered.parameters[name] = EndpointParameter(name=name, location="path", place=info.place)
    frame.facts = set()
    frame.line = info.node.line
    value = call(frame, handler, [], {}, info.node.line)
    frame.raised = False
    return value


def add_guards(gathered: Gathered, kinds: str, name: str, place: Place | None) -> None:
    """Notes what a signature says that something guards against, one kind for each word."""
    for kind in kinds.split():
        gathered.guards[(kind, name)] = Guard(kind=GuardKind(kind), name=name, place=place)


def view_guards(world: World, frame: Frame, info: ClassInfo, gathered: Gathered) -> None:
    """Guards that a view's class lists or inherits; a setting speaks where the class is silent."""
    bases = world.linked.ancestry(info)[1]
    gathered.guards_known = gathered.guards_known and world.linked.ancestry(info)[2]
    for base in bases:
        guard = world.signatures.trait(base, "guard")
        if isinstance(guard, str) and guard:
            add_guards(gathered, guard, base, info.place)
        listed = world.signatures.trait(base, "guards")
        for attribute_name in listed if isinstance(listed, dict) else ():
            value = class_value(world, info, attribute_name)
            if value is None:
                value = setting(world, "guards")
            if value is not None:
                listed_guards(world, frame, value, gathered)
    for decorator in info.node.decorators:
        guard_decorator(world, frame, decorator, info, gathered)


def guard_decorator(
    world: World, frame: Frame, decorator: code.Expression, info: ClassInfo, gathered: Gathered
) -> None:
    """A decorator of a view's class; its own guard, or the one that it is given."""
    node = decorator.arguments[0] if isinstance(decorator, code.Call) and decorator.arguments else decorator
    thing = evaluate(Frame(world, info.module), node).thing
    name = getattr(thing, "name", "") or getattr(thing, "signature", "")
    signature = world.signatures.calls.get(name)
    if signature is not None and signature.guard:
        add_guards(gathered, signature.guard, name, info.place)
    elif signature is None:
        gathered.guards_known = False
    del frame


def setting(world: World, role: str) -> Value | None:
    """A project setting by the role that signatures give it."""
    name, _, key = world.signatures.settings.get(role, "").partition(".")
    for module in world.linked.modules.values():
        if name and name in module.bindings:
            value = global_value(world, module, name)
            held = held_field(value, key) if key else value
            if held is not None:
                return held
    return None


def listed_guards(world: World, frame: Frame, value: Value, gathered: Gathered) -> None:
    """Permission classes, by reference or by dotted name."""
    thing = value.thing
    if not isinstance(thing, ContainerThing):
        gathered.guards_known = False
        return
    for entry in thing.entries or ():
        inner = entry.thing
        name = inner.name if isinstance(inner, LibraryThing) else inner.type if isinstance(inner, ObjectThing) else ""
        info = inner.info if isinstance(inner, ClassThing) else None
        if isinstance(entry.constant, str):
            name = world.signatures.canonical(entry.constant)
            found = world.linked.dotted(entry.constant)
            info = next((each for each in found if isinstance(each, ClassInfo)), None)
        if info is not None:
            owns = world.linked.find_method(info, "has_object_permission") is not None
            kinds = "authentication authorisation" if owns else "authentication"
            add_guards(gathered, kinds, info.qualified, info.place)
            gathered.guards_known = False
            continue
        signature = world.signatures.types.get(name)
        called = world.signatures.calls.get(inner.signature if isinstance(inner, DecoratorThing) else name)
        if called is not None and called.decorates:
            add_guards(gathered, called.guard, called.guard and name, None)
        elif signature is not None and signature.guard:
            add_guards(gathered, signature.guard, name, None)
        elif signature is None or not signature.is_passive:
            gathered.guards_known = False
    del frame


def _flattened(nodes: list[Node], info: FunctionInfo) -> list[Node]:
    """The handler itself is where the trace starts, not a call on the way."""
    from nines.effects.nodes import CallNode  # noqa: PLC0415

    for node in nodes:
        if isinstance(node, CallNode) and node.function == info.qualified:
            node.is_step = False
    return nodes


def path_labels(path: str, name: str) -> tuple[str, ...]:
    """What a path converter guarantees: `<int:id>` is a number."""
    match = re.search(rf"<(\w+):{re.escape(name)}>", path) or re.search(rf"\{{{re.escape(name)}:(\w+)\}}", path)
    kind = match[1] if match else ""
    return (kind,) if kind in ("int", "uuid", "float", "slug") else ()


def note_own_guard(frame: Frame, info: FunctionInfo | ClassInfo, gathered: Gathered) -> None:
    """What the handler or its decorators check themselves."""
    for kind in guard_kinds(frame.facts):
        guard = Guard(kind=kind, name=info.qualified, place=info.place)
        if not any(each.kind is kind for each in gathered.guards.values()):
            gathered.guards[(kind.value, info.qualified)] = guard


def note_hooks(world: World) -> None:
    """What every hook guards against, before any entry point asks."""
    for _, value in _hooks(world):
        target = innermost(value)
        module = target.module if target is not None else next(iter(world.linked.modules.values()))
        seen = Gathered()
        world.start_unit()
        frame = Frame(world, module)
        try:
            _hook(world, frame, value, seen)
        except (OutOfBudget, WorkLimit, RecursionError):
            seen.guards_known = False
        world.hook_guards[value] = (tuple(seen.guards.items()), seen.guards_known)


def run_hooks(world: World, chain: Chain, gathered: Gathered) -> None:
    """Middleware and before-request functions of the application and of the routers on the way."""
    for router, value in _hooks(world):
        if router and router not in chain.routers:
            continue
        known = world.hook_guards[value]
        gathered.guards.update(known[0])
        gathered.guards_known = gathered.guards_known and known[1]


def _hooks(world: World) -> list[tuple[str, Value]]:
    if world.hook_list is None:
        found = [(hook.router, hook.value) for hook in world.hooks.values()]
        for route in world.routes.values():
            rule = world.signatures.calls[route.signature].route
            if rule is not None and rule.kind == "hook":
                found.append((route.router, route.handler))
        world.hook_list = list(dict.fromkeys(found))
    return world.hook_list


def _hook(world: World, frame: Frame, value: Value, gathered: Gathered) -> None:
    thing = value.thing
    if isinstance(thing, LibraryThing | MethodThing):
        signature = world.signatures.types.get(thing.name)
        if signature is None or not (signature.is_passive or signature.guard):
            gathered.guards_known = False
        elif signature.guard:
            add_guards(gathered, signature.guard, thing.name, None)
        return
    target = innermost(value)
    outer, frame.facts = frame.facts, set()
    if isinstance(target, ClassInfo):
        for name in ("dispatch", "__call__", "process_request", "process_view"):
            method = world.linked.find_method(target, name)
            if method is not None:
                value = Value(FunctionThing(method, Value(InstanceThing(target))))
                break
        else:
            gathered.guards_known = False
            return
        parameters = method.node.parameters[1:]
        arguments = [Value(ObjectThing(_request_type(world)))] + [UNKNOWN] * (len(parameters) - 1)
    elif isinstance(target, FunctionInfo):
        parameters = target.node.parameters
        arguments = ([Value(ObjectThing(_request_type(world)))] + [UNKNOWN] * (len(parameters) - 1))[: len(parameters)]
    else:
        gathered.guards_known = False
        return
    call(frame, value, arguments, {}, frame.line)
    frame.raised = False
    if target in world.unclear:
        gathered.guards_known = False
    note_guard(frame, value if innermost(value) is target else Value(ClassThing(target)), UNKNOWN, gathered)  # type: ignore[arg-type]
    frame.facts = outer


def _request_type(world: World) -> str:
    return next(
        (name for name, type in world.signatures.types.items() if type.parameter == "framework" and type.origin), ""
    )


def _other(world: World, route: Route, rule: RouteRule, info: FunctionInfo, framework: str) -> Entry:
    """A task, a command, a consumer, a scheduled job."""
    kind = EndpointKind(rule.kind)
    arguments = dict(route.arguments)
    name = shape(arguments.get(rule.name)) if rule.name else ""
    frame = entry_frame(world, info.module, info.node.line)
    location = "message" if kind in (EndpointKind.TASK, EndpointKind.CONSUMER) else "argument"
    skip = 1 if info.cls is not None or _is_bound(arguments) else 0
    place = info.place
    parameters = []
    filled: dict[str, Value] = {}
    for parameter in info.node.parameters[skip:]:
        if parameter.kind in ("star", "double_star"):
            continue
        parameters.append(EndpointParameter(name=parameter.name, location=location, place=place))
        filled[parameter.name] = unknown((Source(OriginKind.CALLER, parameter.name, location),))
    value = UNKNOWN
    try:
        first = [UNKNOWN] if skip else []
        value = call(frame, route.handler, first, filled, info.node.line)
    except (OutOfBudget, WorkLimit, RecursionError) as error:
        frame.nodes.append(BlindNode(_reason(error), info.qualified, info.place))
    nodes = _flattened(root_nodes(frame), info)
    if rule.retry is not None:
        draft = policy(world, rule.retry, arguments, route.place, route.signature)
        if draft is not None:
            nodes = [ContextNode(nodes, retry=draft)]
    endpoint = Endpoint(
        id=f"{kind.value} {name or info.qualified}",
        kind=kind,
        function=info.qualified,
        place=place,
        framework=framework,
        is_async=info.node.is_async,
        parameters=tuple(parameters),
        summary=info.node.summary,
    )
    return Entry(endpoint, nodes, deep_sources(value), "loop" if info.node.is_async else "")


def _is_bound(arguments: dict[str, Value]) -> bool:
    bind = arguments.get("bind")
    return bind is not None and bind.constant is True


def view_entries(world: World, info: ClassInfo, path: str, route: Route, chain: Chain, framework: str) -> list[Entry]:  # noqa: PLR0917
    """The handlers of a class-based view, one for each HTTP method that it answers."""
    made: list[Entry] = []
    rule = world.signatures.calls[route.signature].route or RouteRule()
    frame = Frame(world, info.module)
    names = [(m, m.lower()) for m in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")]
    if route.view_method:
        names = [(m, route.view_method) for m in route.methods]
    for method, name in names:
        if route.methods and method not in route.methods:
            continue
        handler = view_handler(world, frame, info, name)
        if handler is None:
            continue
        target = innermost(handler)
        function = target if isinstance(target, FunctionInfo) else info
        made.append(_http(world, route, rule, handler, function, method, path, chain, framework, view=info))
    return made


def view_handler(world: World, frame: Frame, info: ClassInfo, name: str) -> Value | None:
    """The method of a view that answers: its own, or one that its library's base brings along."""
    receiver = Value(InstanceThing(info))
    if world.linked.find_method(info, name) is not None:
        return attribute(frame, receiver, name, info.node.line)
    for base in world.linked.ancestry(info)[1]:
        for up in world.signatures.bases(base):
            signature = world.signatures.types.get(up)
            other = signature.actions.get(name, "") if signature is not None else ""
            if other and world.linked.find_method(info, other) is not None:
                return attribute(frame, receiver, other, info.node.line)
            qualified = world.signatures.method(base, other or name)
            if (other or name not in ("get", "post", "put", "patch", "delete", "head", "options")) and qualified:
                return Value(MethodThing(receiver, qualified))
    return None
