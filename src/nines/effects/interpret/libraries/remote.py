"""Effects outside the database: calls of other services, messages, caches, files, processes, sleeping, computing."""

from __future__ import annotations

from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.library import LibraryCall, result
from nines.effects.interpret.libraries.retrying import held_policy, policy
from nines.effects.interpret.state.world import World
from nines.effects.limits import TEXT_MAX
from nines.effects.nodes import EffectNode, RetryDraft
from nines.effects.signatures import DeadlineRule
from nines.effects.values import (
    NO_SOURCES,
    ContainerThing,
    FunctionThing,
    InstanceThing,
    ObjectThing,
    Source,
    Sources,
    TextThing,
    UnionThing,
    Value,
    WrappedThing,
    deep_sources,
    field,
    merge_sources,
)
from nines.model.effect import Deadline, EffectKind, Known
from nines.model.origin import OriginKind

RETRIES = "\0retries"
_IS_KEY = "idempoten"
"""Part of the names of headers that carry an idempotency key."""
"""The field under which a client keeps the object that repeats its calls."""


def shape(value: Value | None) -> str:
    """A text for people, unknown parts as "{}"."""
    if value is None:
        return ""
    if isinstance(value.constant, str):
        return value.constant
    if isinstance(value.thing, TextThing):
        return value.thing.skeleton.replace("\0", "{}")
    if isinstance(value.thing, FunctionThing):
        return value.thing.info.qualified
    if isinstance(value.thing, WrappedThing):
        return value.thing.name or shape(value.thing.function)
    if isinstance(value.thing, UnionThing):
        return next((text for text in map(shape, value.thing.values) if text), "")
    return ""


def spliced(value: Value | None) -> Sources:
    """The sources put into a text, constants and settings left out."""
    if value is None:
        return NO_SOURCES
    plain = (OriginKind.CONSTANT, OriginKind.SETTING)
    return tuple(source for source in deep_sources(value) if source.kind not in plain)


def emit(call: LibraryCall) -> Value | None:
    """The stage for a signature with `effect`."""
    signature = call.signature
    if signature.effect is None:
        return None
    token = call.world.fresh()
    target = call.argument(signature.target) if signature.target.startswith("@") else None
    name = shape(target) if target is not None else signature.target
    if signature.target == "self":
        name = shape(call.receiver) or _held_name(call.receiver)
    if signature.target_prefix:
        base = field(call.receiver, signature.target_prefix) if call.receiver is not None else None
        if base is not None and "://" not in name:
            name = shape(base).rstrip("/") + ("/" if name and not name.startswith("/") else "") + name
            target = target if not spliced(base) else Value(sources=merge_sources(spliced(target), spliced(base)))
    action = signature.action
    if action.startswith("@"):
        action = shape(call.argument(action))
    text_value = call.argument(signature.text) if signature.text else target
    payload = merge_sources(*(deep_sources(call.bound.get(key)) for key in _payload(call)))
    node = EffectNode(
        token,
        signature.effect,
        call.place,
        target=name[:TEXT_MAX] if signature.effect is EffectKind.REMOTE_CALL else name[:TEXT_MAX].lower(),
        action=action.upper() if signature.effect is EffectKind.REMOTE_CALL else action,
        text=_text(call, name),
        library=call.library,
        deadline=deadline(call.world, signature.deadline, call.bound, call.receiver),
        retries=_retries(call),
        text_sources=spliced(text_value),
        payload=payload,
        idempotency=idempotency(call),
        key_sources=_key_sources(call),
        blocks_thread=signature.blocks,
    )
    call.frame.nodes.append(node)
    return result(call, _result_sources(signature.effect, token), only=signature.effect is EffectKind.REMOTE_CALL)


def _held_name(receiver: Value | None) -> str:
    for key in ("name", "queue", "topic", "key"):
        held = field(receiver, key) if receiver is not None else None
        if held is not None and shape(held):
            return shape(held)
    return ""


def _payload(call: LibraryCall) -> tuple[str, ...]:
    if call.signature.payload == ("*",):
        return tuple(call.bound)
    return call.signature.payload


def _text(call: LibraryCall, name: str) -> str:
    short = call.name.rpartition(".")[2] if call.receiver is not None else call.name
    return f"{short}({name})"[:TEXT_MAX]


def _result_sources(kind: EffectKind, token: int) -> Sources:
    if kind in (EffectKind.REMOTE_CALL, EffectKind.CACHE_READ):
        return (Source(OriginKind.REMOTE, token=token),)
    return NO_SOURCES


def _retries(call: LibraryCall) -> tuple[RetryDraft, ...]:
    found: list[RetryDraft] = []
    if call.signature.retry is not None:
        own = policy(call.world, call.signature.retry, call.bound, call.place, call.name)
        found.extend([own] if own else [])
    kept = _kept(call.world, call.receiver)
    if kept is None and call.receiver is not None:
        kept = field(call.receiver, "transport")
    held = held_policy(call.world, kept, call.place)
    if held is not None:
        found.append(held)
    return tuple(found)


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


def _kept(world: World, receiver: Value | None) -> Value | None:
    """What a client keeps to repeat or bound its calls, given to it where it was made or when the module ran."""
    held = field(receiver, RETRIES) if receiver is not None else None
    thing = receiver.thing if receiver is not None else None
    if held is None and isinstance(thing, ObjectThing) and thing.site:
        return world.shared.get((thing.site, RETRIES))
    return held


def _is_overridden(world: World, receiver: Value) -> bool:
    """Whether the project's own code stands between the call and the wire: a subclass, an adapter."""
    kept = _kept(world, receiver)
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


def duration(world: World, value: Value, unit_s: float, source: str) -> Deadline:  # noqa: C901, PLR0911
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
            for name in names:
                if name in fields:
                    return duration(world, fields[name], unit_s, source)
            signature = world.signatures.types.get(thing.type)
            if signature is not None and OPEN not in fields:
                return _default(signature.seconds_default, source)
            return Deadline()
    return Deadline(known=Known.SET, source=source)


def idempotency(call: LibraryCall) -> Known:
    """Whether a key travels with the call, in its headers or its client's."""
    rule = call.signature.idempotency
    if not rule:
        return Known.UNKNOWN
    if rule.startswith("="):
        if rule[1:] in call.bound:
            return Known.SET
        return Known.UNKNOWN if OPEN in call.bound else Known.MISSING
    sets = [call.bound.get(rule), field(call.receiver, rule) if call.receiver is not None else None]
    sets = [
        headers
        for headers in sets
        if (headers is not None and headers.constant is not None) or (headers is not None and not headers.has_constant)
    ]
    if OPEN in call.bound:
        return Known.UNKNOWN
    verdicts = [_has_key(headers) for headers in sets if headers is not None]
    if Known.SET in verdicts:
        return Known.SET
    return Known.UNKNOWN if Known.UNKNOWN in verdicts else Known.MISSING


def _key_sources(call: LibraryCall) -> Sources:
    """Where the key comes from; of several headers, from all that may hold one."""
    rule = call.signature.idempotency
    if rule.startswith("="):
        return deep_sources(call.bound.get(rule[1:]))
    headers = call.bound.get(rule) if rule else None
    held = [each.thing for each in headers.alternatives()] if headers is not None else []
    fields = [pair for thing in held if isinstance(thing, ContainerThing) for pair in thing.fields]
    return merge_sources(*(deep_sources(value) for name, value in fields if _IS_KEY in name.lower()))


def _has_key(headers: Value) -> Known:
    thing = headers.thing
    if isinstance(thing, UnionThing):
        verdicts = {_has_key(each) for each in thing.values if each.constant is not None}
        return verdicts.pop() if len(verdicts) == 1 else Known.UNKNOWN
    if not isinstance(thing, ContainerThing):
        return Known.UNKNOWN
    if any(_IS_KEY in name.lower() for name, _ in thing.fields):
        return Known.SET
    return Known.UNKNOWN if thing.is_open and thing.kind == "dict" else Known.MISSING
