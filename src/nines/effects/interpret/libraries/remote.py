"""Effects outside the database: calls of other services, messages, caches, files, processes, sleeping, computing."""

from __future__ import annotations

from nines.effects.interpret.libraries.call import LibraryCall
from nines.effects.interpret.libraries.deadlines import deadline, kept_retries
from nines.effects.interpret.libraries.keys import idempotency, key_sources
from nines.effects.interpret.libraries.results import result
from nines.effects.interpret.libraries.retrying import held_policy, policy
from nines.effects.interpret.symbols.shapes import shape, spliced
from nines.effects.limits import TEXT_MAX
from nines.effects.nodes import EffectNode, RetryDraft
from nines.effects.values import NO_SOURCES, Source, Sources, Value, deep_sources, field, merge_sources
from nines.model.effect import EffectKind
from nines.model.origin import OriginKind


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
        key_sources=key_sources(call),
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
    kept = kept_retries(call.world, call.receiver)
    if kept is None and call.receiver is not None:
        kept = field(call.receiver, "transport")
    held = held_policy(call.world, kept, call.place)
    if held is not None:
        found.append(held)
    return tuple(found)
