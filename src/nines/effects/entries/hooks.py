"""Middleware and before-request functions: what they guard against."""

from __future__ import annotations

from nines.effects.entries.gathered import Gathered, add_guards, note_guard
from nines.effects.entries.handlers import innermost
from nines.effects.entries.mounts import Chain
from nines.effects.interpret.state.entrances import call
from nines.effects.interpret.state.frame import Frame, WorkLimit
from nines.effects.interpret.state.world import OutOfBudget, World
from nines.effects.link import ClassInfo, FunctionInfo
from nines.effects.values import (
    UNKNOWN,
    ClassThing,
    FunctionThing,
    InstanceThing,
    LibraryThing,
    MethodThing,
    ObjectThing,
    Value,
)

_REFUSALS = {"refuses", "authentication", "signature"}


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
    with world.as_nobody():
        stranger = Frame(world, frame.module)
        call(stranger, value, arguments, {}, frame.line)
    call(frame, value, arguments, {}, frame.line)
    frame.raised = False
    if not stranger.facts & _REFUSALS:
        # What only looks at those who bring a credential lets strangers pass.
        frame.facts -= {"credential", "decides"}
    if target in world.unclear:
        gathered.guards_known = False
    note_guard(frame, value if innermost(value) is target else Value(ClassThing(target)), UNKNOWN, gathered)  # type: ignore[arg-type]
    frame.facts = outer


def _request_type(world: World) -> str:
    return next(
        (name for name, type in world.signatures.types.items() if type.parameter == "framework" and type.origin), ""
    )
