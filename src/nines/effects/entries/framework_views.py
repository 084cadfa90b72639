"""Endpoints of frameworks whose routes stand in url tables: functions, class-based views, view sets, commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from nines.effects.entries.entry import Entry, Tell, entry_frame, joined_path, note_own_guard, path_labels, root_nodes
from nines.effects.entries.gathered import Gathered, path_names
from nines.effects.entries.peeling import Peeled, peel
from nines.effects.entries.requests import HANDLERS, filled_request, fixed
from nines.effects.entries.urls import UrlPath, url_tables
from nines.effects.entries.view_guards import class_guards, decorated_guards, middleware_guards, permission_guards
from nines.effects.interpret.database.transactions import begin_and_commit
from nines.effects.interpret.libraries.registering import texts
from nines.effects.interpret.machinery.frameworks.permissions import permissions
from nines.effects.interpret.naming.resolve import class_value, function_value
from nines.effects.interpret.naming.settings import setting
from nines.effects.interpret.state.entrances import attribute, call
from nines.effects.interpret.state.frame import WorkLimit
from nines.effects.interpret.state.world import OutOfBudget, World
from nines.effects.interpret.symbols.shapes import shape
from nines.effects.link import ClassInfo, FunctionInfo, ModuleInfo
from nines.effects.nodes import BlindNode, CallNode, ChangeNode, EffectNode, Node
from nines.effects.packing import Told
from nines.effects.values import (
    UNKNOWN,
    ClassThing,
    ContainerThing,
    InstanceThing,
    Source,
    Sources,
    Value,
    WrappedThing,
    deep_sources,
    unknown,
)
from nines.model.effect import EffectKind
from nines.model.origin import OriginKind
from nines.model.place import Place
from nines.model.service import Endpoint, EndpointKind, EndpointParameter
from nines.model.trace import Blind

_ACTIONS = {
    "list": ("GET", False), "create": ("POST", False), "retrieve": ("GET", True), "update": ("PUT", True),
    "partial_update": ("PATCH", True), "destroy": ("DELETE", True),
}  # fmt: skip
_WRITES_DEPTH = 8
_BLIND_MAX = 200
"""Entries of url tables named one by one as not understood."""


@dataclass(slots=True)
class Found:
    """Endpoints in the tables' order, and what was not understood."""

    entries: dict[str, Told] = field(default_factory=dict)
    blind: list[Blind] = field(default_factory=list)


def framework_entries(world: World, tell: Tell) -> Found:
    """Every view that a url table names, every registered view set, every management command."""
    world.start_unit()
    found = Found()
    if not world.signatures.url_tables:
        return found
    tables = url_tables(world)
    found.blind.extend(tables.blind)
    middleware = middleware_guards(world)
    for each in tables.paths:
        world.start_unit()
        view = peel(world, each.view)
        if view is None and each.view.is_unknown:
            found.blind.append(
                Blind(reason="a view of a url table was not understood", text=each.path, place=each.place)
            )
        if view is not None:
            made = tell(f"{each}{view}{middleware}", partial(_of_path, world, each, view, middleware))
            _add(found, made)
    for prefix, site, _ in tables.routers:
        registered = tuple(world.registered.get(site, ()))
        what = f"{prefix} {site} {registered}{middleware}"
        _add(found, tell(what, partial(_of_router, world, prefix, registered, middleware)))
    found.blind[_BLIND_MAX:] = []
    for module in world.linked.modules.values():
        if ".management.commands." in f".{module.name}" and not module.file.startswith("<"):
            _add(found, tell(f"command {module.name}", partial(commands, world, module)))
    return found


def _add(found: Found, made: list[Told]) -> None:
    for told in made:
        found.entries.setdefault(told.endpoint.id, told)


def _of_path(world: World, url: UrlPath, view: Peeled, outer: Gathered) -> Iterator[Entry]:
    if view.cls is None:
        yield from _function_entries(world, url, view, outer)
        return
    methods = view.actions or {name: name for name in HANDLERS}
    allowed = class_value(world, view.cls, "http_method_names")
    names = {name.lower() for name in texts(allowed)} if allowed is not None else set()
    for method, handler in methods.items():
        if (names and method not in names) or (view.methods and method.upper() not in view.methods):
            continue
        if world.linked.find_method(view.cls, handler) is not None:
            yield _class_entry(world, url, view, view.cls, method.upper(), handler, outer)


def _of_router(
    world: World, prefix: str, registered: tuple[tuple[str, Value, Place], ...], outer: Gathered
) -> Iterator[Entry]:
    """The list and detail routes of registered view sets, and their further actions."""
    for name, value, place in registered:
        thing = value.thing
        if not isinstance(thing, ClassThing):
            continue
        info = thing.info
        base = f"{prefix}{name}/" if name else prefix
        detail = f"{base}{{{_lookup(world, info)}}}/"
        allowed = class_value(world, info, "http_method_names")
        names = {each.upper() for each in texts(allowed)} if allowed is not None else set()
        for path, method, action in (*_standard(world, info, base, detail), *_extra(world, info, base, detail)):
            if not names or method in names:
                view = Peeled(cls=info)
                view.initial = (("action", fixed(action)),)
                url = UrlPath(path, value, place)
                yield _class_entry(world, url, view, info, method, action, outer)


def _lookup(world: World, info: ClassInfo) -> str:
    for name in ("lookup_url_kwarg", "lookup_field"):
        value = class_value(world, info, name)
        if value is not None and isinstance(value.constant, str):
            return value.constant
    return "pk"


def _standard(world: World, info: ClassInfo, base: str, detail: str) -> Iterator[tuple[str, str, str]]:
    for action, (method, is_detail) in _ACTIONS.items():
        if world.linked.find_method(info, action) is not None:
            yield (detail if is_detail else base), method, action


def _extra(world: World, info: ClassInfo, base: str, detail: str) -> Iterator[tuple[str, str, str]]:
    """Methods behind `@action`."""
    seen: set[str] = set()
    for owner in world.linked.ancestry(info)[0]:
        for method in owner.methods.values():
            if method.short in seen or not method.node.decorators:
                continue
            seen.add(method.short)
            thing = function_value(world, method).thing
            while isinstance(thing, WrappedThing):
                if thing.signature.endswith(".action"):
                    given = dict(thing.arguments)
                    flag = given.get("detail")
                    start = detail if flag is not None and flag.constant is True else base
                    path = shape(given.get("url_path")) or method.short
                    for verb in texts(given.get("methods")) or ("GET",):
                        yield f"{start}{path}/", verb.upper(), method.short
                    break
                thing = thing.function.thing


def _gathered(outer: Gathered) -> Gathered:
    return Gathered(guards=dict(outer.guards), guards_known=outer.guards_known)


def _path_values(path: str, extra: tuple[tuple[str, Value], ...]) -> dict[str, Value]:
    found = {
        name: unknown((Source(OriginKind.CALLER, name, "path", sanitised=_labels(path, name)),))
        for name in path_names(path)
    }
    return found | dict(extra)


def _labels(path: str, name: str) -> tuple[str, ...]:
    labels = path_labels(path, name)
    return ("sql", *labels) if labels and labels[0] in ("int", "uuid") else labels


def _class_entry(  # noqa: PLR0917
    world: World, url: UrlPath, view: Peeled, info: ClassInfo, method: str, handler: str, outer: Gathered
) -> Entry:
    function = world.linked.find_method(info, handler)
    own = function if function is not None and not function.module.file.startswith("<") else None
    frame = entry_frame(world, info.module, info.node.line)
    gathered = _gathered(outer)
    given = _path_values(url.path, url.extra)
    request = filled_request(world, method)
    held = {
        "request": request,
        "kwargs": Value(ContainerThing("dict", None, tuple(sorted(given.items())), is_open=False)),
        "args": Value(ContainerThing("tuple", entries=(), is_open=False)),
        "nines_handler": fixed(handler),
        "format_kwarg": Value(constant=None),
        "action": fixed(handler),
    } | dict(view.initial)
    receiver = Value(InstanceThing(info, tuple(sorted(held.items()))))
    value = UNKNOWN
    frame.facts = set()
    try:
        class_guards(world, frame, info, gathered)
        decorated_guards(view, gathered, info.place)
        if world.linked.find_method(info, "check_permissions") is not None:
            permission_guards(world, frame, receiver, permissions(frame, receiver), method, gathered)
        elif world.linked.ancestry(info)[2] is False:
            gathered.guards_known = False
        changed: dict[str, Value] = {}
        setup = world.linked.find_method(info, "setup")
        if setup is not None:
            call(
                frame, attribute(frame, receiver, "setup", info.node.line), [request], given, info.node.line, 1, changed
            )
            frame.raised = False
        receiver = changed.get("self", receiver)
        dispatch = attribute(frame, receiver, "dispatch", info.node.line)
        with frame.capture() as nodes:
            value = call(frame, dispatch, [request], given, info.node.line)
        frame.raised = False
        frame.nodes.extend(_in_request(world, frame.place, nodes, frame))
    except (OutOfBudget, WorkLimit, RecursionError) as error:
        frame.nodes.append(BlindNode(f"work limit reached: {type(error).__name__}", info.qualified, info.place))
    note_own_guard(frame, own or info, gathered)
    is_async = own is not None and own.node.is_async
    return _entry(world, url, method, own or info, gathered, root_nodes(frame), deep_sources(value), is_async, view)


def _in_request(world: World, place: object, nodes: list[Node], frame: object) -> list[Node]:
    """The view in the transaction that the settings put around every request."""
    del place
    if not nodes or not _is_atomic(world):
        return nodes
    scope = begin_and_commit(frame, "default", nodes, frame.line, 1, library="django", blocks=True)  # type: ignore[arg-type,attr-defined]
    return [scope]


def _is_atomic(world: World) -> bool:
    databases = setting(world, "databases", "default")
    if databases is None or not isinstance(databases.thing, ContainerThing):
        return False
    flag = dict(databases.thing.fields).get(world.signatures.settings.get("atomic_requests", ""))
    return flag is not None and flag.constant is True


def _function_entries(world: World, url: UrlPath, view: Peeled, outer: Gathered) -> Iterator[Entry]:
    info = view.function
    if info is None:
        return
    methods = view.methods or _mentioned(info)
    for method in methods:
        entry = _function_entry(world, url, view, info, method, outer)
        if not view.methods and methods == ("GET",) and _writes(entry.nodes, 0):
            entry = _function_entry(world, url, view, info, "POST", outer)
        yield entry


def _mentioned(info: FunctionInfo) -> tuple[str, ...]:
    """The methods that a function without a restriction asks for; it answers every one of them."""
    raw = info.packed
    named = tuple(m for m in ("POST", "PUT", "PATCH", "DELETE") if _is_constant(raw, m))
    if named:
        return ("GET", *named)
    reads_body = b"POST" in raw or b"FILES" in raw or (b"\xa4body" in raw and b"loads" in raw)
    return ("POST",) if reads_body else ("GET",)


def _is_constant(raw: bytes, method: str) -> bool:
    """Whether the packed body holds the word as a literal: a node stands after its kind, a text after its length."""
    literal = bytes([0xA0 + len(method)]) + method.encode()
    return b"\xa8Constant" + literal in raw


def _writes(nodes: list[Node], depth: int) -> bool:
    """Whether something below these nodes writes to the database."""
    if depth > _WRITES_DEPTH:
        return False
    for node in nodes:
        if isinstance(node, EffectNode) and node.kind is EffectKind.DATABASE_WRITE:
            return True
        if isinstance(node, ChangeNode) and node.verb in ("save", "insert", "remove", "delete"):
            return True
        for name in ("nodes", "body", "otherwise", "final"):
            inner = getattr(node, name, None)
            if isinstance(inner, list) and _writes(inner, depth + 1):
                return True
        if any(_writes(arm.nodes, depth + 1) for arm in getattr(node, "arms", ())):
            return True
    return False


def _function_entry(  # noqa: PLR0917
    world: World, url: UrlPath, view: Peeled, info: FunctionInfo, method: str, outer: Gathered
) -> Entry:
    frame = entry_frame(world, info.module, info.node.line)
    gathered = _gathered(outer)
    request = filled_request(world, method)
    value = UNKNOWN
    frame.facts = set()
    try:
        decorated_guards(view, gathered, info.place)
        if view.is_api or view.permissions is not None:
            listed = view.permissions or setting(world, "rest", "DEFAULT_PERMISSION_CLASSES")
            thing = listed.thing if listed is not None else None
            entries = list(thing.entries or ()) if isinstance(thing, ContainerThing) else []
            holder = Value(InstanceThing(info.cls)) if info.cls is not None else UNKNOWN
            permission_guards(world, frame, holder, entries, method, gathered, request)
        with frame.capture() as nodes:
            value = call(frame, url.view, [request], _path_values(url.path, url.extra), info.node.line)
        frame.raised = False
        for node in nodes:
            if isinstance(node, CallNode) and node.function == info.qualified:
                node.is_step = False
        frame.nodes.extend(_in_request(world, None, nodes, frame))
    except (OutOfBudget, WorkLimit, RecursionError) as error:
        frame.nodes.append(BlindNode(f"work limit reached: {type(error).__name__}", info.qualified, info.place))
    note_own_guard(frame, info, gathered)
    nodes = root_nodes(frame)
    return _entry(world, url, method, info, gathered, nodes, deep_sources(value), info.node.is_async, view)


def _entry(  # noqa: PLR0917
    world: World,
    url: UrlPath,
    method: str,
    target: FunctionInfo | ClassInfo,
    gathered: Gathered,
    nodes: list[Node],
    returned: Sources,
    is_async: bool,
    view: Peeled,
) -> Entry:
    path = joined_path("/", url.path)
    place = target.place
    for name in path_names(url.path):
        labels = path_labels(url.path, name)
        gathered.parameters[name] = EndpointParameter(
            name=name, location="path", type=labels[0] if labels else "", place=place
        )
    is_rest = view.is_api or (
        view.cls is not None and world.linked.find_method(view.cls, "check_permissions") is not None
    )
    endpoint = Endpoint(
        id=f"{method} {path}",
        kind=EndpointKind.HTTP,
        function=target.qualified,
        place=place,
        method=method,
        path=path,
        framework="rest_framework" if is_rest else "django",
        is_async=is_async,
        parameters=tuple(gathered.parameters.values()),
        guards=tuple(gathered.guards.values()),
        guards_known=gathered.guards_known and view.is_clear,
        summary=target.node.summary,
    )
    return Entry(endpoint, nodes, returned, "loop" if is_async else "")


def commands(world: World, module: ModuleInfo) -> Iterator[Entry]:
    """The management command of a module in its place: `handle` of a Command class."""
    info = next((c for c in module.classes if c.name == "Command"), None)
    handle = world.linked.find_method(info, "handle") if info is not None else None
    if info is None or handle is None:
        return
    frame = entry_frame(world, module, handle.node.line)
    options = unknown((Source(OriginKind.CALLER, "options", "argument"),))
    try:
        bound = attribute(frame, Value(InstanceThing(info)), "handle", handle.node.line)
        call(frame, bound, [], {"**": options}, handle.node.line)
    except (OutOfBudget, WorkLimit, RecursionError) as error:
        frame.nodes.append(BlindNode(f"work limit reached: {type(error).__name__}", info.qualified, info.place))
    nodes = root_nodes(frame)
    endpoint = Endpoint(
        id=f"command {module.name.rpartition('.')[2]}",
        kind=EndpointKind.COMMAND,
        function=handle.qualified,
        place=handle.place,
        framework="django",
        is_async=handle.node.is_async,
        summary=info.node.summary,
    )
    yield Entry(endpoint, nodes, (), "")


__all__ = ["Found", "Place", "framework_entries"]
