"""Url tables: lists of paths with views, tables that include others, routers of view sets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from nines.effects.interpret.naming.resolve import global_value
from nines.effects.interpret.naming.settings import setting
from nines.effects.interpret.state.entrances import evaluate, run_block
from nines.effects.interpret.state.frame import Frame, WorkLimit
from nines.effects.interpret.state.world import OutOfBudget, World
from nines.effects.interpret.symbols.shapes import shape
from nines.effects.limits import MOUNTS_DEPTH_MAX, ROUTES_MAX
from nines.effects.link import AssignBinding, ModuleInfo
from nines.effects.link.names import ImportBinding
from nines.effects.values import ContainerThing, InstanceThing, LibraryThing, ModuleThing, ObjectThing, Value
from nines.effects.values import field as held_field
from nines.model import code
from nines.model.place import Place
from nines.model.trace import Blind

_GROUP = re.compile(r"\(\?P<(\w+)>((?:[^()\[\]]|\[[^\]]*\]|\([^()]*\))*)\)")
_NUMBER = re.compile(r"^(\\d|\[0-9\])(\+|\*|\{[\d,]+\})?$")
_RUN = (code.Assign, code.Augment, code.Evaluate, code.If, code.For, code.Try, code.With)
_UUID = re.compile(r"0-9a-f|0-9A-F|a-f0-9|a-f\\d|[\\w-]*\{8\}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class UrlPath:
    """One entry: the whole path in the notation of `path()`, and what answers."""

    path: str
    view: Value
    place: Place
    extra: tuple[tuple[str, Value], ...] = ()


@dataclass(slots=True)
class Tables:
    """What walking the tables has found."""

    world: World
    paths: list[UrlPath] = field(default_factory=list)
    routers: list[tuple[str, str, Place]] = field(default_factory=list)
    """Prefix and site of each router whose urls stand in a table."""
    blind: list[Blind] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    walking: set[tuple[str, str, str]] = field(default_factory=set)


def url_tables(world: World) -> Tables:
    """Every entry that can be reached from a root table."""
    tables = Tables(world)
    names = sorted(world.signatures.url_tables)
    for module in world.linked.modules.values():
        if any(name in module.bindings for name in names):
            _run_in_order(world, module)
    for module in _roots(world, names):
        for name in names:
            _named(tables, module, name, "", 0)
    return tables


def _run_in_order(world: World, module: ModuleInfo) -> None:
    """Runs a table's module from its first line to its last, for its lists and routers grow on the way."""
    frame = Frame(world, module)
    frame.is_boot = True
    world.start_entry()
    try:
        for statement in _every_arm(module.node.body):
            if isinstance(statement, _RUN):
                before = dict(frame.env)
                run_block(frame, (statement,))
                for name, value in before.items():
                    if frame.env.get(name, value).is_unknown:
                        frame.env[name] = value
                frame.raised = False
                frame.nodes.clear()
    except (OutOfBudget, WorkLimit, RecursionError):
        world.unresolved += 1
    for name, value in frame.env.items():
        if any(isinstance(each.thing, ObjectThing | InstanceThing | ContainerThing) for each in value.alternatives()):
            world.globals[module.name, name] = value


def _every_arm(body: tuple[code.Statement, ...]) -> Iterator[code.Statement]:
    """The statements with those under conditions: what any configuration would list is listed."""
    for statement in body:
        if isinstance(statement, code.If):
            yield from _every_arm(statement.then)
            yield from _every_arm(statement.otherwise)
        else:
            yield statement


def _roots(world: World, names: list[str]) -> list[ModuleInfo]:
    """The tables that settings name; where none does, those that no other table includes."""
    having = [m for m in world.linked.modules.values() if any(n in m.bindings for n in names)]
    root = world.signatures.settings.get("root", "")
    named: dict[str, ModuleInfo] = {}
    for module in world.linked.modules.values():
        if root and root in module.bindings and not _is_test(module):
            value = global_value(world, module, root)
            for each in value.alternatives():
                found = table_module(world, module, each.constant) if isinstance(each.constant, str) else None
                if found is not None and not _is_test(found):
                    named[found.name] = found
    if named:
        return list(named.values())
    included = _included_names(world, having)
    return [m for m in having if m.name not in included and not _is_test(m)]


def _is_test(module: ModuleInfo) -> bool:
    return any(part in ("tests", "test", "testing") or part.startswith("test_") for part in module.name.split("."))


def table_module(world: World, near: ModuleInfo, name: str) -> ModuleInfo | None:
    """A module that a table names, seen from the module in which the name stands."""
    prefix = near.node.prefix
    if prefix:
        found = world.linked.modules.get(prefix + name)
        if found is not None:
            return found
    found = world.linked.module(name)
    if found is not None:
        return found
    tail = name.replace(".", "/")
    places = (f"{tail}.py", f"{tail}/__init__.py")
    same = [m for m in world.linked.modules.values() if any(f"/{m.file}".endswith(f"/{place}") for place in places)]
    return same[0] if len(same) == 1 else None


def _included_names(world: World, having: list[ModuleInfo]) -> set[str]:
    found: set[str] = set()
    for module in having:
        tables = Tables(world)
        for name in world.signatures.url_tables:
            _named(tables, module, name, "", MOUNTS_DEPTH_MAX - 2)
        found.update(each for each in tables.open if each != module.name)
    return found


def _named(tables: Tables, module: ModuleInfo, name: str, prefix: str, depth: int) -> None:
    """A module's list by its name: what it is assigned, and all that is added to it."""
    key = (module.name, name, prefix)
    if depth > MOUNTS_DEPTH_MAX or len(tables.paths) > ROUTES_MAX or key in tables.walking:
        return
    tables.walking.add(key)
    for owner, expression in list_parts(tables.world, module, name):
        _expression(tables, owner, expression, prefix, depth)
    tables.walking.discard(key)


def list_parts(world: World, module: ModuleInfo, name: str) -> Iterator[tuple[ModuleInfo, code.Expression]]:
    """The expressions that together make a list of a module, through imports of it."""
    own = module.bindings.get(name, ())
    assigned = False
    for binding in own:
        if isinstance(binding, ImportBinding):
            for found in world.linked.imported(binding):
                if isinstance(found, AssignBinding) and found.value is not None:
                    owner = world.linked.owners.get(id(found), module)
                    if owner is not module:
                        yield from list_parts(world, owner, binding.name)
        elif isinstance(binding, AssignBinding) and binding.value is not None:
            assigned = True
            yield module, binding.value
    if not own:
        for star in module.stars:
            other = world.linked.module(star)
            if other is not None and other is not module and name in other.bindings:
                yield from list_parts(world, other, name)
    del assigned
    yield from ((module, expression) for expression in _added(module.node.body, name))


def _added(body: tuple[code.Statement, ...], name: str) -> Iterator[code.Expression]:
    """`name += ...`, `name.append(...)`, `name.extend(...)`, also under conditions."""
    for statement in body:
        if isinstance(statement, code.Augment) and isinstance(statement.target, code.Name):
            if statement.target.id == name:
                yield statement.value
        elif isinstance(statement, code.Evaluate) and isinstance(statement.value, code.Call):
            function = statement.value.function
            on_list = isinstance(function, code.Attribute) and isinstance(function.value, code.Name)
            if on_list and function.value.id == name and statement.value.arguments:  # type: ignore[union-attr]
                last = statement.value.arguments[-1]
                if function.name == "extend":  # type: ignore[union-attr]
                    yield last
                elif function.name in ("append", "insert"):  # type: ignore[union-attr]
                    yield code.Sequence(kind="list", items=(last,))
        elif isinstance(statement, code.If):
            yield from _added(statement.then, name)
            yield from _added(statement.otherwise, name)
        elif isinstance(statement, code.Try | code.With | code.For):
            yield from _added(statement.body, name)


def _expression(tables: Tables, module: ModuleInfo, node: code.Expression, prefix: str, depth: int) -> None:
    """The entries of an expression that stands for a list."""
    if isinstance(node, code.Binary) and node.operator == "+":
        _expression(tables, module, node.left, prefix, depth)
        _expression(tables, module, node.right, prefix, depth)
    elif isinstance(node, code.Sequence):
        for item in node.items:
            if isinstance(item, code.Spread):
                _expression(tables, module, item.value, prefix, depth)
            else:
                _entry(tables, module, item, prefix, depth)
    elif isinstance(node, code.Conditional):
        _expression(tables, module, node.then, prefix, depth)
        _expression(tables, module, node.otherwise, prefix, depth)
    elif isinstance(node, code.Name) and _is_list(tables.world, module, node.id):
        _named(tables, module, node.id, prefix, depth + 1)
    else:
        _value(tables, module, _evaluated(tables.world, module, node), prefix, depth)


def _is_list(world: World, module: ModuleInfo, name: str) -> bool:
    return any(True for _ in list_parts(world, module, name))


def _evaluated(world: World, module: ModuleInfo, node: code.Expression) -> Value:
    frame = Frame(world, module)
    frame.line = getattr(node, "line", 0) or 1
    with frame.capture():
        return evaluate(frame, node)


def _entry(tables: Tables, module: ModuleInfo, node: code.Expression, prefix: str, depth: int) -> None:
    value = _evaluated(tables.world, module, node)
    name = _included_list(tables.world, module, node)
    if name and isinstance(value.thing, ObjectThing):
        _named(tables, module, name, prefix + _route(value, value.thing.type), depth + 1)
    elif any(isinstance(v.thing, ObjectThing | ContainerThing) for v in value.alternatives()):
        _value(tables, module, value, prefix, depth)
    elif isinstance(node, code.Name | code.Binary):
        _expression(tables, module, node, prefix, depth)
    else:
        line = getattr(node, "line", 1) or 1
        tables.blind.append(
            Blind(reason="an entry of a url table was not understood", place=Place(file=module.file, line=line))
        )


def _value(tables: Tables, module: ModuleInfo, value: Value, prefix: str, depth: int) -> None:
    """The entries of a value: a list, one path, a router's urls."""
    if depth > MOUNTS_DEPTH_MAX or len(tables.paths) > ROUTES_MAX:
        return
    for each in value.alternatives():
        thing = each.thing
        if isinstance(thing, ContainerThing):
            for entry in (*(thing.entries or ()), *((thing.items,) if thing.items is not None else ())):
                _value(tables, module, entry, prefix, depth + 1)
        elif isinstance(thing, ObjectThing):
            _object(tables, module, each, thing, prefix, depth)


def _object(  # noqa: PLR0917
    tables: Tables, module: ModuleInfo, value: Value, thing: ObjectThing, prefix: str, depth: int
) -> None:
    kind = thing.type.rpartition(".")[2]
    if thing.type.startswith("django.urls.") and kind in ("path", "re_path"):
        _view(tables, module, value, thing, prefix + _route(value, thing.type), depth)
    elif kind == "i18n":
        for name, held in thing.fields:
            if name.startswith("*"):
                _value(tables, module, held, prefix, depth + 1)
    elif kind == "RouterUrls" or thing.site in tables.world.registered:
        tables.routers.append((prefix, thing.site, Place(file=module.file, line=1)))


def _route(value: Value, type: str) -> str:
    """The path of one entry; a part that settings decide is left out."""
    route = shape(held_field(value, "route")).replace("{}/", "").replace("{}", "")
    return pattern(route) if type.endswith(".re_path") else route


def _included_list(world: World, module: ModuleInfo, node: code.Expression) -> str:
    """The name of a list of this module that an entry includes: `path("x/", include(names))`."""
    if not isinstance(node, code.Call) or len(node.arguments) < 2 or not isinstance(node.arguments[1], code.Call):
        return ""
    inner = node.arguments[1]
    called = _evaluated(world, module, inner.function).thing
    if not isinstance(called, LibraryThing) or called.name != "django.urls.include" or not inner.arguments:
        return ""
    first = inner.arguments[0]
    if isinstance(first, code.Sequence) and first.kind == "tuple" and first.items:
        first = first.items[0]
    return first.id if isinstance(first, code.Name) and _is_list(world, module, first.id) else ""


def _view(  # noqa: PLR0917
    tables: Tables, module: ModuleInfo, value: Value, thing: ObjectThing, path: str, depth: int
) -> None:
    view = held_field(value, "view")
    if view is None:
        return
    inner = view.thing
    if isinstance(inner, ObjectThing) and inner.type == "django.urls.include":
        _include(tables, module, held_field(view, "arg") or Value(), path, depth)
        return
    if isinstance(inner, ContainerThing):
        _include(tables, module, view, path, depth)
        return
    file, _, rest = thing.site.partition(":")
    place = Place(file=file or module.file, line=int(rest.partition(":")[0] or 1))
    given = held_field(value, "kwargs")
    extra = given.thing.fields if given is not None and isinstance(given.thing, ContainerThing) else ()
    tables.paths.append(UrlPath(path, view, place, extra))


def _include(tables: Tables, module: ModuleInfo, value: Value, path: str, depth: int) -> None:
    """`include(...)` of a module, of its name, of a list, or of a list with its namespace."""
    thing = value.thing
    if isinstance(thing, ContainerThing) and thing.kind == "tuple" and thing.entries:
        first = thing.entries[0]
        whole = isinstance(first.constant, str) or isinstance(first.thing, ContainerThing | ModuleThing)
        value = first if whole or isinstance(first.thing, ObjectThing) else value
        thing = value.thing
    other: ModuleInfo | None = None
    if isinstance(value.constant, str):
        other = table_module(tables.world, module, value.constant)
    elif isinstance(thing, ModuleThing):
        other = tables.world.linked.module(thing.name)
    if other is not None:
        tables.open.append(other.name)
        if tables.open.count(other.name) < MOUNTS_DEPTH_MAX:
            for name in sorted(tables.world.signatures.url_tables):
                _named(tables, other, name, path, depth + 1)
    elif any(isinstance(each.thing, ContainerThing | ObjectThing) for each in value.alternatives()):
        _value(tables, module, value, path, depth + 1)
    elif not isinstance(thing, LibraryThing) and not _is_library(tables.world, value):
        tables.blind.append(Blind(reason="an included url table was not understood", text=path))


def _is_library(world: World, value: Value) -> bool:
    if not isinstance(value.constant, str):
        return False
    top = value.constant.partition(".")[0]
    own = (module for module in world.linked.modules.values() if not module.file.startswith("<"))
    return not any(module.name == top or module.name.startswith(f"{top}.") for module in own)


def pattern(expression: str) -> str:
    """A regular expression in the notation of `path()`."""
    text = expression.lstrip("^")
    text = text[:-1] if text.endswith("$") and not text.endswith("\\$") else text
    text = _GROUP.sub(_placeholder, text)
    text = re.sub(r"\(\?:([^()]*)\)\??", r"\1", text)
    text = re.sub(r"(?<=[\w>])\?", "", text.replace("/?", "/"))
    return text.replace("\\.", ".").replace("\\/", "/").replace("\\-", "-").replace("\\Z", "")


def _placeholder(match: re.Match[str]) -> str:
    name, inner = match[1], match[2]
    if _NUMBER.match(inner):
        return f"<int:{name}>"
    return f"<uuid:{name}>" if _UUID.search(inner) and "-" in inner else f"<{name}>"


__all__ = ["Tables", "UrlPath", "setting", "url_tables"]
