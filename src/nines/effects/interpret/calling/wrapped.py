"""Calls a function behind a library's decorator: retried, in a transaction, in a thread, as a task."""

from __future__ import annotations

from nines.effects.interpret.database.transactions import transaction_scope
from nines.effects.interpret.libraries.registering import register
from nines.effects.interpret.libraries.retrying import policy
from nines.effects.interpret.state.entrances import call
from nines.effects.interpret.state.frame import Frame
from nines.effects.nodes import ContextNode
from nines.effects.values import UNKNOWN, ClassThing, DecoratorThing, FunctionThing, PartialThing, Value, WrappedThing


def call_wrapped(  # noqa: PLR0917
    frame: Frame, callee: Value, arguments: list[Value], keywords: dict[str, Value], line: int, column: int
) -> Value:
    """The value of calling it; the decorator's meaning is put around what the function does."""
    thing = callee.thing
    if isinstance(thing, DecoratorThing):
        return _apply(frame, thing, arguments)
    assert isinstance(thing, WrappedThing)
    signature = frame.world.signatures.calls[thing.signature]
    if signature.guard:
        frame.facts.update(signature.guard.split())
    with frame.capture() as nodes:
        value = call(frame, thing.function, arguments, keywords, line, column)
    if not nodes:
        return value
    place = frame.place(line, column)
    bound = dict(thing.arguments)
    kind = signature.decorates
    if kind == "retry" and signature.retry is not None:
        where = place if not thing.file else frame.place(line)
        draft = policy(frame.world, signature.retry, bound, where, thing.signature)
        frame.nodes.append(ContextNode(nodes, retry=draft) if draft else ContextNode(nodes))
    elif kind == "transaction":
        frame.nodes.append(transaction_scope(frame, thing.signature, bound, nodes, line, column))
    elif kind in ("thread", "loop"):
        frame.nodes.append(ContextNode(nodes, thread=kind))
    else:
        frame.nodes.extend(nodes)
    return value


def _apply(frame: Frame, thing: DecoratorThing, arguments: list[Value]) -> Value:
    """A library's decorator called by hand: `retry(stop=...)(function)`."""
    function = next(iter(arguments), UNKNOWN)
    taken = FunctionThing | PartialThing | WrappedThing | ClassThing
    if not any(isinstance(each.thing, taken) for each in function.alternatives()):
        return UNKNOWN if function.has_constant else function
    signature = frame.world.signatures.calls[thing.signature]
    if signature.route is not None:
        register(frame, thing.signature, signature, thing.receiver, dict(thing.arguments), function, thing.line)
    if signature.decorates in ("", "same", "route", "wraps") or isinstance(function.thing, ClassThing):
        return function
    name = function.thing.info.qualified if isinstance(function.thing, FunctionThing) else ""
    return Value(WrappedThing(function, thing.signature, thing.arguments, thing.line, thing.file, name))
