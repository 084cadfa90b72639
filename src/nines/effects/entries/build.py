"""Makes endpoints and their trees from registered routes."""

from __future__ import annotations

from functools import partial

from nines.effects.entries.controllers import bound_handler
from nines.effects.entries.entry import (
    Entry,
    Tell,
    cut_short,
    entry_frame,
    flattened,
    joined_path,
    note_own_guard,
    path_labels,
    root_nodes,
)
from nines.effects.entries.gathered import Gathered, path_names
from nines.effects.entries.handlers import innermost, view_handler
from nines.effects.entries.hooks import run_hooks
from nines.effects.entries.inject import dependency, filled_by_name, injected
from nines.effects.entries.jobs import job_entry
from nines.effects.entries.listed import told_guards, view_guards
from nines.effects.entries.mounts import Chain, chains, entries_of
from nines.effects.interpret.state.entrances import call
from nines.effects.interpret.state.frame import Frame, WorkLimit
from nines.effects.interpret.state.records import Route
from nines.effects.interpret.state.world import OutOfBudget, World
from nines.effects.link import ClassInfo, FunctionInfo
from nines.effects.nodes import BlindNode, ContextNode
from nines.effects.packing import Told
from nines.effects.signatures import RouteRule
from nines.effects.values import UNKNOWN, ObjectThing, Source, Value, deep_sources, unknown
from nines.effects.values import field as held_field
from nines.model.origin import OriginKind
from nines.model.place import Place
from nines.model.service import Endpoint, EndpointKind, EndpointParameter

_RARE = ("OPTIONS", "HEAD")
"""Told last: whoever reads a finding looks for the request that does the work."""


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
        return [job_entry(world, route, rule, target, framework)] if isinstance(target, FunctionInfo) else []
    made: list[Entry] = []
    for chain in ways:
        path = joined_path(chain.prefix, route.path)
        if isinstance(target, ClassInfo):
            made.extend(view_entries(world, target, path, route, chain, framework))
            continue
        for method in sorted(route.methods or ("GET",), key=_RARE.__contains__):
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
        told_guards(route, rule, gathered)
        if view is not None:
            view_guards(world, view, gathered)
        for each in (*chain.dependencies, *_listed(route, rule)):
            _extra_dependency(world, frame, each, path, gathered)
        value = _handled(world, frame, rule, handler, info, path, gathered)
    except (OutOfBudget, WorkLimit, RecursionError) as error:
        frame.nodes.append(BlindNode(cut_short(error), info.qualified, info.place))
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


def _listed(route: Route, rule: RouteRule) -> tuple[Value, ...]:
    arguments = dict(route.arguments)
    return entries_of(arguments.get(rule.dependencies)) if rule.dependencies else ()


def _extra_dependency(world: World, frame: Frame, marker: Value, path: str, gathered: Gathered) -> None:
    for each in marker.alternatives():
        thing = each.thing
        held = world.signatures.trait(thing.type, "dependency") if isinstance(thing, ObjectThing) else None
        if isinstance(held, str) and held:
            dependency(frame, held_field(each, held), UNKNOWN, path, gathered)
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
    if rule.fills:
        filled = filled_by_name(frame, info, rule.fills, path, gathered, skip=skip)
    elif rule.injects:
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
    frame.nodes.extend(flattened(nodes, info))
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
