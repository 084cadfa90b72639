"""Retry policies: how often, for which errors, with chance in the waiting or not."""

from __future__ import annotations

from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.state.world import World
from nines.effects.nodes import RetryDraft
from nines.effects.signatures import RetryRule
from nines.effects.values import ClassThing, ContainerThing, LibraryThing, ObjectThing, UnionThing, Value, field
from nines.model.effect import Known
from nines.model.place import Place


def policy(
    world: World, rule: RetryRule, bound: dict[str, Value], place: Place | None, source: str
) -> RetryDraft | None:
    """The policy that a call's arguments describe; None when they describe none."""
    if rule.needs:
        wanted = bound.get(rule.needs)
        if wanted is None or wanted.constant is None or wanted.constant is False:
            return None
    draft = RetryDraft(place=place, source=source)
    attempts = bound.get(rule.attempts) if rule.attempts else None
    if attempts is None:
        draft.attempts_max, draft.known = _default(rule.attempts_default)
        if OPEN in bound:
            draft.attempts_max, draft.known = None, Known.UNKNOWN
    else:
        draft.attempts_max, draft.known = _attempts_of(world, attempts)
    if draft.attempts_max is not None:
        draft.attempts_max += rule.attempts_plus
        if draft.attempts_max <= 1:
            return None
    draft.errors = error_names(world, bound.get(rule.errors)) if rule.errors else ()
    methods = bound.get(rule.methods) if rule.methods else None
    draft.methods = _methods(methods) if methods is not None else rule.methods_default
    wait = bound.get(rule.wait) if rule.wait else None
    draft.is_jittered = rule.jitter_default if wait is None else _jitter(world, wait)
    return draft


def _default(default: int | str) -> tuple[int | None, Known]:
    if isinstance(default, int):
        return default, Known.SET
    return None, Known.MISSING if default == "forever" else Known.UNKNOWN


def _attempts_of(world: World, value: Value) -> tuple[int | None, Known]:
    """How many attempts a value allows: a number, or an object that stops after so many."""
    if isinstance(value.constant, int) and not isinstance(value.constant, bool):
        return value.constant, Known.SET
    if value.constant is None and value.has_constant:
        return None, Known.MISSING
    found: list[int] = []
    for each in value.alternatives():
        thing = each.thing
        if isinstance(thing, ObjectThing):
            argument = world.signatures.trait(thing.type, "attempts")
            default = world.signatures.trait(thing.type, "attempts_default")
            held = field(each, str(argument)) if argument else None
            if held is not None and isinstance(held.constant, int):
                found.append(held.constant)
            elif held is None and isinstance(default, int):
                found.append(default)
            elif held is not None and isinstance(held.thing, ObjectThing | UnionThing):
                inner = _attempts_of(world, held)[0]
                found.extend([inner] if inner is not None else [])
            elif default == "forever":
                return None, Known.MISSING
    return (min(found), Known.SET) if found else (None, Known.SET)


def _jitter(world: World, value: Value) -> bool | None:
    if isinstance(value.constant, bool):
        return value.constant
    known: list[bool] = []
    for each in value.alternatives():
        thing = each.thing
        name = thing.type if isinstance(thing, ObjectThing) else thing.name if isinstance(thing, LibraryThing) else ""
        for base in world.signatures.bases(name) if name else ():
            signature = world.signatures.types.get(base)
            if signature is not None and signature.jitter is not None:
                known.append(signature.jitter)
                break
    return any(known) if known else None


def error_names(world: World, value: Value | None) -> tuple[str, ...]:
    """The exceptions that a value names, through the objects that select by type."""
    if value is None:
        return ()
    thing = value.thing
    if isinstance(thing, LibraryThing):
        return (thing.name,)
    if isinstance(thing, ClassThing):
        return (thing.info.qualified,)
    if isinstance(thing, UnionThing):
        return tuple(name for each in thing.values for name in error_names(world, each))
    if isinstance(thing, ContainerThing):
        return tuple(name for each in thing.entries or () for name in error_names(world, each))
    if isinstance(thing, ObjectThing):
        argument = world.signatures.trait(thing.type, "errors")
        return error_names(world, field(value, str(argument))) if argument else ()
    return ()


def _methods(value: Value) -> tuple[str, ...]:
    thing = value.thing
    if isinstance(thing, ContainerThing):
        return tuple(str(each.constant).upper() for each in thing.entries or () if each.has_constant)
    return ()


def held_policy(world: World, value: Value | None, place: Place | None) -> RetryDraft | None:
    """The policy inside an object that a client keeps, such as an adapter or a transport."""
    if value is None:
        return None
    if isinstance(value.constant, int) and not isinstance(value.constant, bool):
        if value.constant <= 0:
            return None
        return RetryDraft(
            place=place, attempts_max=value.constant + 1, known=Known.SET, source="a number of repetitions"
        )
    thing = value.thing
    if not isinstance(thing, ObjectThing):
        return None
    rule = world.signatures.trait(thing.type, "retry")
    if isinstance(rule, RetryRule):
        return policy(world, rule, dict(thing.fields), place, thing.type)
    for _, held in thing.fields:
        if isinstance(held.thing, ObjectThing):
            found = held_policy(world, held, place)
            if found is not None:
                return found
    return None
