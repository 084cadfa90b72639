"""Routes that stand in tables: lists of paths with views, tables that include others, routers of view sets."""

from __future__ import annotations

from collections.abc import Iterator

from nines.effects.interpret.registering import texts
from nines.effects.interpret.remote import shape
from nines.effects.interpret.resolve import binding_value, global_value
from nines.effects.interpret.world import Route, World
from nines.effects.limits import MOUNTS_DEPTH_MAX
from nines.effects.link import ClassInfo, ModuleInfo
from nines.effects.values import (
    ClassThing,
    ContainerThing,
    FunctionThing,
    ModuleThing,
    ObjectThing,
    PartialThing,
    Value,
    WrappedThing,
    field,
)
from nines.model.place import Place

_ACTIONS = {
    "list": ("GET", False), "create": ("POST", False), "retrieve": ("GET", True), "update": ("PUT", True),
    "partial_update": ("PATCH", True), "destroy": ("DELETE", True),
}  # fmt: skip


def table_routes(world: World) -> Iterator[Route]:
    """Every route of every table that no other table includes."""
    names = world.signatures.url_tables
    found = [(module, name) for module in world.linked.modules.values() for name in names if name in module.bindings]
    included: set[str] = set()
    made = {module.name: list(_module(world, module, name, "", included, 0)) for module, name in found}
    for module, routes in made.items():
        if module not in included:
            yield from routes


def _module(  # noqa: PLR0917
    world: World, module: ModuleInfo, name: str, prefix: str, included: set[str], depth: int
) -> Iterator[Route]:
    values = [global_value(world, module, name)]
    values += [binding_value(world, binding, module) for binding in module.augments.get(name, ())]
    for value in values:
        yield from _table(world, value, prefix, included, depth, module)


def _table(  # noqa: PLR0917
    world: World, value: Value, prefix: str, included: set[str], depth: int, module: ModuleInfo
) -> Iterator[Route]:
    if depth > MOUNTS_DEPTH_MAX:
        return
    for each in value.alternatives():
        thing = each.thing
        if isinstance(thing, ContainerThing):
            for entry in (*(thing.entries or ()), *((thing.items,) if thing.items is not None else ())):
                yield from _entry(world, entry, prefix, included, depth, module)
        elif isinstance(thing, ObjectThing) and thing.site in world.registered:
            yield from _router(world, thing.site, prefix)


def _entry(  # noqa: PLR0917
    world: World, entry: Value, prefix: str, included: set[str], depth: int, module: ModuleInfo
) -> Iterator[Route]:
    view = field(entry, "view")
    if view is None:
        yield from _table(world, entry, prefix, included, depth + 1, module)
        return
    path = prefix + shape(field(entry, "route")).lstrip("^").rstrip("$")
    inner = field(view, "arg")
    if inner is not None:
        yield from _included(world, inner, path, included, depth, module)
        return
    place = _place(entry)
    yield from _view(world, view, path, place)


def _place(entry: Value) -> Place:
    thing = entry.thing
    site = thing.site if isinstance(thing, ObjectThing) else ""
    file, _, rest = site.partition(":")
    return Place(file=file, line=int(rest.partition(":")[0] or 0)) if site else Place(file="", line=0)


def _included(  # noqa: PLR0917
    world: World, inner: Value, path: str, included: set[str], depth: int, module: ModuleInfo
) -> Iterator[Route]:
    thing = inner.thing
    if isinstance(thing, ContainerThing) and thing.kind == "tuple" and thing.entries:
        inner = thing.entries[0]
        thing = inner.thing
    name = inner.constant if isinstance(inner.constant, str) else thing.name if isinstance(thing, ModuleThing) else ""
    other = world.linked.module(name) if name else None
    if other is not None:
        included.add(other.name)
        for table in world.signatures.url_tables:
            if table in other.bindings:
                yield from _module(world, other, table, path, included, depth + 1)
        return
    yield from _table(world, inner, path, included, depth + 1, module)


def _view(world: World, view: Value, path: str, place: Place) -> Iterator[Route]:
    signature = next((n for n, c in world.signatures.calls.items() if c.route and c.route.passes and c.returns), "")
    thing = view.thing
    if isinstance(thing, ClassThing):
        yield Route(signature, view, path=path, place=place)
    elif isinstance(thing, FunctionThing | WrappedThing | PartialThing):
        yield Route(signature, view, path=path, place=place, methods=_methods(world, view))


def _methods(world: World, view: Value) -> tuple[str, ...]:
    """The methods that a function view answers: by its decorators, else by what its body asks for."""
    thing = view.thing
    if isinstance(thing, WrappedThing):
        action = world.signatures.calls[thing.signature].action
        if action.startswith("@"):
            named = texts(dict(thing.arguments).get(action[1:]))
            return tuple(name.upper() for name in named) or ("GET",)
        return (action,) if action else _methods(world, thing.function)
    if isinstance(thing, FunctionThing):
        raw = bytes(thing.info.node.body)
        mentioned = tuple(m for m in ("POST", "PUT", "PATCH", "DELETE") if f"{m}".encode() in raw)
        return ("GET", *mentioned)
    return ("GET",)


def _router(world: World, site: str, prefix: str) -> Iterator[Route]:
    """The list and detail routes of registered view sets, and their extra actions."""
    signature = next((n for n, c in world.signatures.calls.items() if c.route and c.route.passes and c.returns), "")
    for name, view, place in world.registered[site]:
        thing = view.thing
        if not isinstance(thing, ClassThing):
            continue
        base = f"{prefix}{name}/"
        for action, (method, detail) in _ACTIONS.items():
            if has_action(world, thing.info, action):
                path = f"{base}{{pk}}/" if detail else base
                yield Route(signature, view, path=path, methods=(method,), place=place, view_method=action)
        yield from _extra(world, thing.info, view, base, place, signature)


def has_action(world: World, info: ClassInfo, action: str) -> bool:
    if world.linked.find_method(info, action) is not None:
        return True
    return any(world.signatures.method(base, action) for base in world.linked.ancestry(info)[1])


def _extra(world: World, info: ClassInfo, view: Value, base: str, place: Place, signature: str) -> Iterator[Route]:  # noqa: PLR0917
    for owner in world.linked.ancestry(info)[0]:
        for method in owner.methods.values():
            value = world.functions.get(method)
            thing = value.thing if value is not None else None
            while isinstance(thing, WrappedThing):
                arguments = dict(thing.arguments)
                if "detail" in arguments:
                    detail = arguments["detail"].constant is True
                    path = shape(arguments.get("url_path")) or method.short
                    verbs = tuple(m.upper() for m in texts(arguments.get("methods"))) or ("GET",)
                    where = f"{base}{{pk}}/{path}/" if detail else f"{base}{path}/"
                    yield Route(signature, view, path=where, methods=verbs, place=place, view_method=method.short)
                    break
                thing = thing.function.thing
