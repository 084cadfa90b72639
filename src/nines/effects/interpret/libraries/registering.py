"""Notes entry points, mounted routers and hooks as the project's code registers them."""

from __future__ import annotations

from nines.effects.interpret.libraries.arguments import rest_of
from nines.effects.interpret.libraries.call import LibraryCall
from nines.effects.interpret.libraries.results import result
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.state.records import Mount, Route
from nines.effects.interpret.symbols.shapes import shape
from nines.effects.limits import ROUTES_MAX
from nines.effects.signatures import CallSignature, MountRule, RouteRule
from nines.effects.values import (
    SITE,
    UNKNOWN,
    ContainerThing,
    DecoratorThing,
    FunctionThing,
    InstanceThing,
    ObjectThing,
    PartialThing,
    TextThing,
    UnionThing,
    Value,
    WrappedThing,
    field,
    sorted_fields,
)


def site_of(value: Value | None) -> str:
    """What tells one router from another: where it was made."""
    for each in value.alternatives() if value is not None else ():
        if isinstance(each.thing, ObjectThing) and each.thing.site:
            return each.thing.site
        if isinstance(each.thing, InstanceThing):
            held = dict(each.thing.fields).get(SITE)
            return str(held.constant) if held is not None else each.thing.info.qualified
    return ""


def texts(value: Value | None) -> tuple[str, ...]:
    """The constant texts of a list, or of a single value."""
    if value is None:
        return ()
    thing = value.thing
    if isinstance(thing, ContainerThing):
        return tuple(shape(entry) for entry in thing.entries or () if shape(entry))
    return (shape(value),) if shape(value) else ()


def register(  # noqa: PLR0917
    frame: Frame,
    name: str,
    signature: CallSignature,
    receiver: Value | None,
    arguments: dict[str, Value],
    handler: Value,
    line: int,
) -> None:
    """Notes one route; the same route seen twice is one."""
    rule = signature.route
    if rule is None or len(frame.world.routes) >= ROUTES_MAX:
        return
    router = site_of(receiver)
    if receiver is not None and router:
        frame.world.routers.setdefault(router, receiver)
    methods = _methods(rule, arguments)
    for path in _paths(rule, arguments):
        kept = tuple(sorted_fields(arguments))
        route = Route(name, handler, router, path, methods, kept, frame.place(line))
        frame.world.routes.setdefault((name, handler, router, path, methods), route)


def _methods(rule: RouteRule, arguments: dict[str, Value]) -> tuple[str, ...]:
    named = texts(arguments.get(rule.methods_argument)) if rule.methods_argument else ()
    return tuple(method.upper() for method in named or rule.methods or rule.methods_default)


def _paths(rule: RouteRule, arguments: dict[str, Value]) -> tuple[str, ...]:
    if not rule.path:
        return ("",)
    value = arguments.get(rule.path)
    given = [value] if value is not None else []
    if rule.has_more_paths:
        given += rest_of(arguments)
    return tuple(dict.fromkeys(path for each in given for path in _path_texts(each))) or ("",)


def _path_texts(value: Value) -> tuple[str, ...]:
    """One path, or each of a list; of several that a setting chooses between, the shortest."""
    thing = value.thing
    if isinstance(thing, ContainerThing):
        return texts(value) or ("",)
    if isinstance(thing, TextThing):
        return (thing.skeleton.replace("\0", ""),)
    if isinstance(thing, UnionThing):
        found = [path for each in thing.values for path in _path_texts(each)]
        return (min(found, key=len),) if found else ("",)
    return (value.constant if isinstance(value.constant, str) else "",)


def route_stage(call: LibraryCall) -> Value | None:
    """The stage for signatures with `route`: a call with a handler registers it, one without decorates."""
    rule = call.signature.route
    if rule is None:
        return None
    handler = call.argument(rule.handler) if rule.handler else None
    if handler is not None:
        register(call.frame, call.name, call.signature, call.receiver, call.bound, handler, call.line)
        if call.signature.returns or call.signature.column is not None:
            return None
        return UNKNOWN
    if rule.handler and not call.signature.decorates:
        return None
    first = next(iter(call.arguments), None)
    if first is not None and call.signature.decorates == "task" and is_function(first):
        register(call.frame, call.name, call.signature, call.receiver, call.bound, first, call.line)
        kept = tuple(sorted_fields(call.bound))
        return Value(WrappedThing(first, call.name, kept, call.line, call.frame.module.file, shape(first)))
    arguments = tuple(sorted_fields(call.bound))
    return Value(DecoratorThing(call.name, call.receiver, arguments, call.line, call.frame.module.file))


def mount_stage(call: LibraryCall) -> Value | None:
    """The stage for signatures with `mount`."""
    rule = call.signature.mount
    if rule is None:
        return None
    if rule.parent:
        return _self_mounted(call, rule)
    child = call.argument(rule.child)
    prefix = _mount_prefix(call, rule, child)
    parent, inner = site_of(call.receiver), site_of(child)
    world = call.world
    for value, site in ((call.receiver, parent), (child, inner)):
        if value is not None and site:
            world.routers.setdefault(site, value)
    if inner and (parent or call.receiver is None):
        text = prefix.constant if prefix is not None and isinstance(prefix.constant, str) else ""
        if prefix is not None and isinstance(prefix.thing, TextThing):
            text = prefix.thing.skeleton.replace("\0", "")
        wins = rule.child_prefix_wins and prefix is not None
        dependencies = call.argument(rule.dependencies) if rule.dependencies else None
        mount = Mount(parent, inner, text, wins, tuple(sorted_fields(call.bound)), dependencies)
        world.mounts.setdefault((parent, inner, text), mount)
    return UNKNOWN


def _mount_prefix(call: LibraryCall, rule: MountRule, child: Value | None) -> Value | None:
    prefix = call.argument(rule.prefix)
    if prefix is not None and prefix.has_constant and prefix.constant is None:
        prefix = None
    if prefix is not None or not rule.prefix_default or child is None:
        return prefix
    thing = child.thing
    own = call.world.signatures.trait(thing.type, "prefix") if isinstance(thing, ObjectThing) else None
    if isinstance(own, str) and field(child, own) is not None:
        return None
    name = field(child, rule.prefix_default)
    return Value(constant=f"/{name.constant}") if name is not None and isinstance(name.constant, str) else None


def _self_mounted(call: LibraryCall, rule: MountRule) -> Value:
    """An extension that puts itself under the application it is given, when it is made or later."""
    made = call.receiver if call.receiver is not None else result(call)
    parent = call.argument(rule.parent)
    outer = site_of(parent)
    inner = site_of(made) if call.receiver is not None else call.frame.site(call.line, call.column)
    if outer and inner and parent is not None:
        world = call.world
        world.routers.setdefault(outer, parent)
        world.routers.setdefault(inner, made)
        world.mounts.setdefault((outer, inner, ""), Mount(outer, inner))
    return made if call.receiver is None else UNKNOWN


def decorator_stage(call: LibraryCall) -> Value | None:
    """The stage for signatures with `decorates`: called with arguments, they make a decorator."""
    if not call.signature.decorates or call.signature.mechanism:
        return None
    if call.signature.decorates in ("property", "attribute", "classmethod", "staticmethod", "contextmanager"):
        return next(iter(call.bound.values()), UNKNOWN)
    first = next(iter(call.arguments), None)
    # A guard that names its parameters is told by them whom to let in: a function there is a test, not a view.
    is_told = call.signature.decorates == "wraps" or (call.signature.decorates == "guard" and call.signature.parameters)
    if first is not None and not call.keywords and is_function(first) and not is_told:
        if call.signature.decorates == "same":
            return first
        return Value(WrappedThing(first, call.name, (), call.line, call.frame.module.file, shape(first)))
    if first is not None and call.signature.decorates == "thread" and not call.keywords:
        # A library's function, or an unknown one, that will run elsewhere.
        return first
    arguments = tuple(sorted_fields(call.bound))
    return Value(DecoratorThing(call.name, call.receiver, arguments, call.line, call.frame.module.file))


def is_function(value: Value) -> bool:
    return isinstance(value.thing, FunctionThing | PartialThing | WrappedThing)
