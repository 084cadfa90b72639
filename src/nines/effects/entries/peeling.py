"""What stands in a url table, without its decorators: a view's class or function, and what the decorators demand."""

from __future__ import annotations

from dataclasses import dataclass, field

from nines.effects.interpret.libraries.registering import texts
from nines.effects.interpret.state.world import World
from nines.effects.link import ClassInfo, FunctionInfo
from nines.effects.values import (
    ClassThing,
    ContainerThing,
    FunctionThing,
    InstanceThing,
    PartialThing,
    UnionThing,
    Value,
    WrappedThing,
)

_HELD = ("f", "func", "fn", "function", "view", "view_func", "handler", "wrapped", "method", "view_class", "cls")
_DEPTH = 12
_FIXED = {"require_POST": ("POST",), "require_GET": ("GET",), "require_safe": ("GET",)}


@dataclass(slots=True)
class Peeled:
    """`cls` or `function` is what answers."""

    cls: ClassInfo | None = None
    function: FunctionInfo | None = None
    initial: tuple[tuple[str, Value], ...] = ()
    actions: dict[str, str] = field(default_factory=dict)
    methods: tuple[str, ...] = ()
    guards: list[tuple[str, str]] = field(default_factory=list)
    """The kinds, as a signature names them, and the decorator."""
    permissions: Value | None = None
    is_api: bool = False
    is_clear: bool = True


def peel(world: World, value: Value) -> Peeled | None:
    """None for what is no view of the project."""
    found = Peeled()
    return found if _peel(world, value, found, 0) else None


def _peel(world: World, value: Value, found: Peeled, depth: int) -> bool:  # noqa: PLR0911
    thing = value.thing
    if depth > _DEPTH:
        return False
    if isinstance(thing, WrappedThing):
        _note(world, thing, found)
        return _peel(world, thing.function, found, depth + 1)
    if isinstance(thing, UnionThing):
        return any(_peel(world, each, found, depth + 1) for each in thing.values)
    if isinstance(thing, PartialThing):
        if isinstance(thing.function.thing, ClassThing):
            found.cls = thing.function.thing.info
            found.initial = thing.keywords
            found.actions = _actions(thing)
            return True
        return _peel(world, thing.function, found, depth + 1)
    if isinstance(thing, FunctionThing):
        for name, held in thing.closure:
            inner = Peeled()
            if name in _HELD and _peel(world, held, inner, depth + 1):
                _take(found, inner)
                return True
        found.function = thing.info
        found.is_clear = found.is_clear and thing.info not in world.unclear
        return True
    if isinstance(thing, InstanceThing):
        found.function = world.linked.find_method(thing.info, "__call__")
        return found.function is not None
    return False


def _take(found: Peeled, inner: Peeled) -> None:
    """A project's own decorator around a view: what it does is seen when it is called."""
    found.cls, found.function = inner.cls, inner.function
    found.initial, found.actions = inner.initial, inner.actions
    found.methods = found.methods or inner.methods
    found.guards.extend(inner.guards)
    found.permissions = found.permissions or inner.permissions
    found.is_api = found.is_api or inner.is_api
    found.is_clear = found.is_clear and inner.is_clear


def _actions(thing: PartialThing) -> dict[str, str]:
    given = thing.arguments[0].thing if thing.arguments else None
    if not isinstance(given, ContainerThing):
        return {}
    return {name.lower(): str(held.constant) for name, held in given.fields if held.has_constant}


def _note(world: World, thing: WrappedThing, found: Peeled) -> None:
    signature = world.signatures.calls[thing.signature]
    short = thing.signature.rpartition(".")[2]
    arguments = dict(thing.arguments)
    if signature.guard:
        found.guards.append((signature.guard, thing.signature))
    if short in _FIXED:
        found.methods = found.methods or _FIXED[short]
    elif short in ("require_http_methods", "api_view"):
        given = arguments.get("methods") or arguments.get("*0")
        found.methods = found.methods or tuple(text.upper() for text in texts(given)) or ("GET",)
        found.is_api = found.is_api or short == "api_view"
    elif short == "permission_classes":
        found.permissions = found.permissions or arguments.get("guards")
