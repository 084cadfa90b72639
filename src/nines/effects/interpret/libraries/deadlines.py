"""The longest wait that a call, its client or its library allows."""

from __future__ import annotations

from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.state.world import World
from nines.effects.signatures import DeadlineRule
from nines.effects.values import ContainerThing, InstanceThing, ObjectThing, UnionThing, Value, field
from nines.model.effect import Deadline, Known

RETRIES = "\0retries"


def deadline(world: World, rule: DeadlineRule | None, bound: dict[str, Value], receiver: Value | None) -> Deadline:
    """The longest wait that a call's argument, its client or the library's default allows."""
    if rule is None:
        return Deadline()
    if rule.argument and rule.argument in bound:
        return duration(world, bound[rule.argument], rule.unit_s, f"argument {rule.argument}")
    if OPEN in bound:
        return Deadline()
    if receiver is not None and _is_overridden(world, receiver):
        return Deadline()
    if rule.receiver and receiver is not None:
        kept = field(receiver, rule.receiver)
        if kept is not None:
            return duration(world, kept, rule.unit_s, f"{rule.receiver} of the client")
        if field(receiver, OPEN) is not None:
            return Deadline()
        if isinstance(receiver.thing, InstanceThing):
            return Deadline()
    return _default(rule.default, "default of the library")


def kept_retries(world: World, receiver: Value | None) -> Value | None:
    """What a client keeps to repeat or bound its calls, given to it where it was made or when the module ran."""
    held = field(receiver, RETRIES) if receiver is not None else None
    thing = receiver.thing if receiver is not None else None
    if held is None and isinstance(thing, ObjectThing) and thing.site:
        return world.shared.get((thing.site, RETRIES))
    return held


def _is_overridden(world: World, receiver: Value) -> bool:
    """Whether the project's own code stands between the call and the wire: a subclass, an adapter."""
    kept = kept_retries(world, receiver)
    for each in (receiver, kept):
        thing = each.thing if each is not None else None
        if isinstance(thing, InstanceThing):
            for owner in world.linked.ancestry(thing.info)[0]:
                if any(name in ("send", "request", "handle_request") for name in owner.methods):
                    return True
    return False


def _default(default: float | str, source: str) -> Deadline:
    if default == "none":
        return Deadline(known=Known.MISSING, source=source)
    if isinstance(default, str):
        return Deadline()
    return Deadline(known=Known.SET, duration_s=float(default), source=source)


def duration(world: World, value: Value, unit_s: float, source: str) -> Deadline:  # noqa: PLR0911
    """A deadline's value: a number, a pair, an object that holds one, or nothing."""
    if value.has_constant:
        if value.constant is None:
            return Deadline(known=Known.MISSING, source=source)
        if isinstance(value.constant, int | float) and not isinstance(value.constant, bool):
            return Deadline(known=Known.SET, duration_s=float(value.constant) * unit_s, source=source)
    thing = value.thing
    if isinstance(thing, UnionThing):
        each = [duration(world, one, unit_s, source) for one in thing.values]
        known = {one.known for one in each}
        if known == {Known.SET}:
            spans = [one.duration_s for one in each]
            longest = None if None in spans else max(span for span in spans if span is not None)
            return Deadline(known=Known.SET, duration_s=longest, source=source)
        return Deadline(known=known.pop() if len(known) == 1 else Known.UNKNOWN, source=source)
    if isinstance(thing, ContainerThing) and thing.entries:
        each = [duration(world, one, unit_s, source) for one in thing.entries]
        if any(one.known is Known.MISSING for one in each):
            return Deadline(known=Known.MISSING, source=source)
        spans = [one.duration_s for one in each]
        total = None if None in spans else sum(span for span in spans if span is not None)
        return Deadline(known=Known.SET, duration_s=total, source=source)
    if isinstance(thing, ObjectThing):
        names = world.signatures.trait(thing.type, "seconds")
        if isinstance(names, tuple):
            fields = dict(thing.fields)
            given = [duration(world, fields[name], unit_s, source) for name in names if name in fields]
            if given:
                # Without a limit for the whole, one for each read still ends the waiting.
                return next((one for one in given if one.known is not Known.MISSING), given[0])
            signature = world.signatures.types.get(thing.type)
            if signature is not None and OPEN not in fields:
                return _default(signature.seconds_default, source)
            return Deadline()
    return Deadline(known=Known.SET, source=source)
