"""Validated records, made from other data and taken apart again."""

from __future__ import annotations

from nines.effects.interpret.calling.construct import construct, new_row
from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.interpret.machinery.mechanisms import first
from nines.effects.values import (
    ClassThing,
    ContainerThing,
    InstanceThing,
    Value,
    deep_sources,
    merge_sources,
    only_sources,
    sorted_fields,
    unknown,
)


def _record(call: LibraryCall) -> Value:
    """A validated record made from other data: `Model.model_validate(data)`."""
    sources = merge_sources(*(deep_sources(v) for v in call.bound.values()))
    receiver = call.receiver.thing if call.receiver is not None else None
    if isinstance(receiver, ClassThing):
        table = mapped(call.world, receiver.info)
        if table is not None:
            given = {OPEN: value for value in call.arguments[:1]}  # noqa: B035
            update = call.bound.get("update")
            if update is not None and isinstance(update.thing, ContainerThing):
                given |= dict(update.thing.fields)
            return new_row(call.frame, receiver.info, given, call.line, call.column)
        made = construct(call.frame, receiver.info, [], {OPEN: unknown(sources)}, call.line, call.column)
        return only_sources(made, sources)
    return unknown(sources)


def _record_items(call: LibraryCall) -> Value:
    """A record as a mapping: its declared fields, each from where the record comes from."""
    receiver = call.receiver or first(call)
    thing = receiver.thing
    fields = dict(thing.fields) if isinstance(thing, InstanceThing) else {}
    partial = call.bound.get("exclude_unset") is not None
    if isinstance(thing, InstanceThing):
        for owner in call.world.linked.ancestry(thing.info)[0]:
            for name, binding in owner.attributes.items():
                if binding.annotation is not None and not name.startswith("_"):
                    fields.setdefault(name, unknown(receiver.sources))
    return Value(
        ContainerThing(
            "dict", None, tuple(sorted_fields(fields)), is_open=partial or not fields, has_own_keys=bool(fields)
        ),
        receiver.sources,
    )


MECHANISMS: dict[str, Mechanism] = {
    "record": _record,
    "record_items": _record_items,
}
