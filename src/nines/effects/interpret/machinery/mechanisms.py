"""Named pieces of language and framework machinery that a signature may refer to."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.calling.construct import construct, new_row
from nines.effects.interpret.database.fetching import materialise
from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.library import LibraryCall, Mechanism, result
from nines.effects.interpret.libraries.registering import site_of
from nines.effects.interpret.naming.resolve import instance_of
from nines.effects.interpret.objects.assigning import set_member
from nines.effects.interpret.state.entrances import attribute
from nines.effects.interpret.state.world import Hook
from nines.effects.interpret.symbols.criteria import column_call, combined
from nines.effects.interpret.symbols.parts import concatenate
from nines.effects.limits import ITEMS_MAX
from nines.effects.values import (
    NONE,
    UNKNOWN,
    ClassThing,
    ColumnThing,
    ContainerThing,
    CriterionThing,
    InstanceThing,
    ObjectThing,
    PartialThing,
    SuperThing,
    TextThing,
    Value,
    constant,
    deep_sources,
    element_of,
    field,
    join,
    key_of,
    list_of,
    merge_sources,
    only_sources,
    sanitised,
    sorted_fields,
    unknown,
    with_field,
    with_sources,
)


def mechanism(call: LibraryCall) -> Value | None:
    """The stage for signatures with `mechanism`."""
    found = call.world.interpreter.mechanisms.get(call.signature.mechanism) if call.signature.mechanism else None
    return found(call) if found is not None else None


def first(call: LibraryCall) -> Value:
    return call.arguments[0] if call.arguments else next(iter(call.bound.values()), UNKNOWN)


def _partial(call: LibraryCall) -> Value:
    if not call.arguments:
        return UNKNOWN
    keywords = tuple((name, value) for name, value in call.keywords.items() if name != OPEN)
    return Value(PartialThing(call.arguments[0], tuple(call.arguments[1:]), keywords))


def _super(call: LibraryCall) -> Value:
    frame = call.frame
    if frame.info is None or frame.info.cls is None or not frame.info.node.parameters:
        return UNKNOWN
    receiver = frame.env.get(frame.info.node.parameters[0].name, UNKNOWN)
    return Value(SuperThing(receiver, frame.info.cls))


def _list(call: LibraryCall) -> Value:
    if not call.bound:
        return Value(ContainerThing("list", entries=(), is_open=False))
    value = materialise(call.frame, first(call), call.line, call.column)
    if isinstance(value.thing, ContainerThing) and value.thing.kind != "dict":
        return Value(replace(value.thing, kind="list"), value.sources)
    return list_of(element_of(value), value.sources)


def _look(call: LibraryCall) -> Value:
    """`len`, `bool` and the like: looking at a lazy query runs it."""
    value = materialise(call.frame, first(call), call.line, call.column)
    return unknown(sanitised(value.sources, call.signature.sanitises))


def _dict(call: LibraryCall) -> Value:
    base = first(call) if call.arguments else None
    fields = {name: value for name, value in call.keywords.items() if name != OPEN}
    held = base.thing if base is not None else None
    is_open = OPEN in call.keywords or (base is not None and not isinstance(held, ContainerThing))
    if isinstance(held, ContainerThing):
        fields = dict(held.fields) | fields
        is_open = is_open or held.is_open
    sources = merge_sources(*(deep_sources(v) for v in call.bound.values()))
    return Value(ContainerThing("dict", None, tuple(sorted_fields(fields)), is_open=is_open), sources)


def _append(call: LibraryCall) -> Value:
    receiver = call.receiver
    if receiver is not None and isinstance(receiver.thing, ContainerThing):
        value = call.arguments[-1] if call.arguments else UNKNOWN
        thing = receiver.thing
        items = join([v for v in (thing.items, value) if v is not None])
        call.changed["self"] = Value(
            replace(thing, items=items, is_open=True), merge_sources(receiver.sources, value.sources)
        )
    return NONE


def _extend(call: LibraryCall) -> Value:
    receiver, given = call.receiver, materialise(call.frame, first(call), call.line, call.column)
    if receiver is not None and isinstance(receiver.thing, ContainerThing):
        thing, other = receiver.thing, given.thing
        if thing.entries is not None and isinstance(other, ContainerThing) and other.entries is not None:
            entries = (*thing.entries, *other.entries)[: ITEMS_MAX * 20]
            call.changed["self"] = Value(
                replace(thing, entries=entries), merge_sources(receiver.sources, given.sources)
            )
            return NONE
        items = join([v for v in (thing.items, element_of(given)) if v is not None])
        call.changed["self"] = Value(
            replace(thing, items=items, is_open=True), merge_sources(receiver.sources, given.sources)
        )
    return NONE


def _update(call: LibraryCall) -> Value:
    receiver = call.receiver
    if receiver is not None and isinstance(receiver.thing, ContainerThing):
        fields = dict(receiver.thing.fields) | {k: v for k, v in call.keywords.items() if k != OPEN}
        is_open = receiver.thing.is_open or OPEN in call.keywords
        for given in call.arguments[:1]:
            if isinstance(given.thing, ContainerThing) and given.thing.kind == "dict":
                fields |= dict(given.thing.fields)
                is_open = is_open or given.thing.is_open
            else:
                is_open = True
        sources = merge_sources(receiver.sources, *(deep_sources(v) for v in call.bound.values()))
        thing = replace(receiver.thing, fields=tuple(sorted_fields(fields)), is_open=is_open)
        call.changed["self"] = Value(thing, sources)
    return NONE


def _dict_get(call: LibraryCall) -> Value:
    receiver, key = call.receiver or UNKNOWN, first(call)
    held = field(receiver, str(key.constant)) if key.has_constant else None
    if held is not None:
        if call.name.endswith(".pop") and isinstance(receiver.thing, ContainerThing):
            kept = tuple((name, value) for name, value in receiver.thing.fields if name != str(key.constant))
            call.changed["self"] = Value(replace(receiver.thing, fields=kept), receiver.sources)
        return held
    thing = receiver.thing
    # What is taken out must be there, so it was not seen how it came in.
    without = UNKNOWN if call.name.endswith(".pop") else NONE
    default = call.arguments[1] if len(call.arguments) > 1 else without
    if isinstance(thing, ContainerThing) and not thing.is_open and key.has_constant:
        return default
    held_values = [v for _, v in thing.fields] if isinstance(thing, ContainerThing) and not key.has_constant else []
    if isinstance(thing, ContainerThing) and thing.items is not None:
        held_values.append(thing.items)
    return with_sources(join([*held_values, default]) if held_values else unknown(), receiver.sources)


def _setdefault(call: LibraryCall) -> Value:
    """A mapping's value, put there when it is missing."""
    receiver, key = call.receiver or UNKNOWN, first(call)
    if isinstance(receiver.thing, ContainerThing) and isinstance(key.constant, str) and len(call.arguments) > 1:  # noqa: SIM102
        if field(receiver, key.constant) is None:
            call.changed["self"] = with_field(receiver, key.constant, call.arguments[1])
            return call.arguments[1]
    return _dict_get(call)


def _items(call: LibraryCall) -> Value:
    thing = (call.receiver or UNKNOWN).thing
    values = [v for _, v in thing.fields] if isinstance(thing, ContainerThing) else []
    if isinstance(thing, ContainerThing) and thing.items is not None:
        values.append(thing.items)
    sources = (call.receiver or UNKNOWN).sources
    value = with_sources(join(values), sources) if values else unknown(sources)
    if call.signature.action == "values":
        return list_of(value, sources)
    key = key_of(call.receiver or UNKNOWN)
    if call.signature.action == "keys":
        return Value(ContainerThing("list", key), key.sources)
    return list_of(Value(ContainerThing("tuple", entries=(key, value)), sources), sources)


def _zip(call: LibraryCall) -> Value:
    elements = tuple(element_of(materialise(call.frame, v, call.line, call.column)) for v in call.arguments)
    if call.signature.action == "enumerate":
        elements = (UNKNOWN, elements[0] if elements else UNKNOWN)
    sources = merge_sources(*(v.sources for v in call.arguments))
    return list_of(Value(ContainerThing("tuple", entries=elements), sources), sources)


def _range(call: LibraryCall) -> Value:
    bounds = [v.constant for v in call.arguments]
    sources = merge_sources(*(v.sources for v in call.arguments))
    if bounds and all(isinstance(b, int) and not isinstance(b, bool) for b in bounds):
        try:
            numbers = range(*bounds)
        except (TypeError, ValueError):
            return list_of(UNKNOWN, sources)
        if len(numbers) <= ITEMS_MAX:
            return Value(ContainerThing("list", entries=tuple(constant(n) for n in numbers), is_open=False), sources)
    return list_of(unknown(sources), sources)


def _format(call: LibraryCall) -> Value:
    receiver = call.receiver or UNKNOWN
    text = receiver.constant if isinstance(receiver.constant, str) else ""
    if isinstance(receiver.thing, TextThing):
        text = receiver.thing.skeleton
    parts: list[str] = []
    inside = ""
    depth, position = 0, 0
    for character in text:
        if character == "{":
            depth += 1
            inside = ""
        elif character == "}" and depth:
            depth -= 1
            if depth == 0:
                parts.append(_placed(call, inside, position))
                position += not inside
        elif depth == 0:
            parts.append(character)
        else:
            inside += character
    sources = merge_sources(receiver.sources, *(deep_sources(v) for v in call.bound.values()))
    return Value(TextThing("".join(parts)), sources)


def _placed(call: LibraryCall, name: str, position: int) -> str:
    """What stands for a placeholder: a constant text or number, else a NUL."""
    value = call.keywords.get(name) if name and not name.isdigit() else None
    index = int(name) if name.isdigit() else position
    if (not name or name.isdigit()) and index < len(call.arguments):
        value = call.arguments[index]
    if value is not None and isinstance(value.thing, TextThing):
        return value.thing.skeleton
    constant_value = value.constant if value is not None and value.has_constant else None
    return str(constant_value) if isinstance(constant_value, str | int) else "\0"


def _join_text(call: LibraryCall) -> Value:
    items = first(call)
    thing = items.thing
    if isinstance(thing, ContainerThing) and thing.entries is not None and thing.items is None and call.receiver:
        parts: list[Value] = []
        for index, entry in enumerate(thing.entries):
            parts.extend([call.receiver, entry] if index else [entry])
        return concatenate(parts)
    return unknown(merge_sources(deep_sources(items)))


def _getattr(call: LibraryCall) -> Value:
    if len(call.arguments) >= 2 and isinstance(call.arguments[1].constant, str):
        return attribute(call.frame, call.arguments[0], call.arguments[1].constant, call.line, call.column)
    return unknown(call.sources)


def _setattr(call: LibraryCall) -> Value:
    if len(call.arguments) == 3:
        name = call.arguments[1].constant
        member = name if isinstance(name, str) else "*"
        made = set_member(call.frame, call.arguments[0], member, call.arguments[2], call.line)
        if made is not None:
            call.changed["0"] = made
    return NONE


def _assign_all(call: LibraryCall) -> Value:
    """A row that takes over every field of a mapping or a record."""
    owner = call.receiver or UNKNOWN
    for given in (*call.arguments[:1], *(call.bound[name] for name in ("obj", "update") if name in call.bound)):
        thing = given.thing
        fields = thing.fields if isinstance(thing, ContainerThing | InstanceThing) else ()
        is_told = isinstance(thing, InstanceThing) or (
            isinstance(thing, ContainerThing) and (thing.has_own_keys or not thing.is_open)
        )
        for name, held in fields if is_told else ():
            owner = set_member(call.frame, owner, name, held, call.line) or owner
        if not (fields and is_told) and not (given.has_constant and given.constant is None):
            owner = set_member(call.frame, owner, "*", unknown(deep_sources(given)), call.line) or owner
    call.changed["self"] = owner
    return owner


def _criterion(call: LibraryCall) -> Value:
    """`and_`, `or_`, `not_`; or a column's method, with its operator in `action`."""
    action = call.signature.action
    if call.receiver is not None and isinstance(call.receiver.thing, ColumnThing):
        sources = merge_sources(*(deep_sources(v) for v in call.bound.values()))
        return column_call(call.receiver.thing, action or "=", sources)
    if action in ("&", "|"):
        values = [v for v in call.arguments]  # noqa: C416
        return combined(values, action)
    if action == "lookup":
        named = {n: v for n, v in call.keywords.items() if n != OPEN}
        pairs = tuple((f"?{name}", "=", deep_sources(value)) for name, value in named.items())
        inner = combined(call.arguments, "&") if call.arguments else Value(CriterionThing())
        assert isinstance(inner.thing, CriterionThing)
        sources = merge_sources(*(deep_sources(v) for v in call.bound.values()))
        known = inner.thing.known and OPEN not in call.keywords
        return Value(CriterionThing(inner.thing.predicates + pairs, known), sources)
    return Value(CriterionThing(known=False), call.sources)


def _column(call: LibraryCall) -> Value:
    """A reference to a column of the row itself: the database computes with it."""
    value = first(call)
    if isinstance(value.thing, ColumnThing):
        return value
    return Value(ColumnThing(None, str(value.constant) if value.has_constant else ""), ())


def _identity(call: LibraryCall) -> Value:
    return with_sources(first(call), ())


def _receiver(call: LibraryCall) -> Value:
    return call.receiver or UNKNOWN


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


def _made_from_type(call: LibraryCall) -> Value:
    """An object of the type that the first argument names."""
    return with_sources(
        instance_of(call.world, first(call)), merge_sources(*(deep_sources(v) for v in call.arguments[1:]))
    )


def _tuple(call: LibraryCall) -> Value:
    return Value(ContainerThing("tuple", entries=tuple(call.arguments)), call.sources)


def _first_item(call: LibraryCall) -> Value:
    value = materialise(call.frame, first(call), call.line, call.column, single=True)
    return element_of(value)


def _clean(call: LibraryCall) -> Value:
    return unknown(sanitised(call.sources, call.signature.sanitises))


def _keep(call: LibraryCall) -> Value:
    return result(call)


def _type(call: LibraryCall) -> Value:
    thing = first(call).thing
    if isinstance(thing, InstanceThing):
        return Value(ClassThing(thing.info))
    return Value(ObjectThing("builtins.type"))


def _hook(call: LibraryCall) -> Value:
    """Something registered to run around every request."""
    value = first(call)
    router = site_of(call.receiver)
    call.world.hooks.setdefault((router, value), Hook(router, value, call.place))
    return value


MECHANISMS: dict[str, Mechanism] = {
    "partial": _partial,
    "super": _super,
    "list": _list,
    "look": _look,
    "dict": _dict,
    "append": _append,
    "extend": _extend,
    "update": _update,
    "dict_get": _dict_get,
    "setdefault": _setdefault,
    "items": _items,
    "zip": _zip,
    "range": _range,
    "format": _format,
    "join_text": _join_text,
    "getattr": _getattr,
    "setattr": _setattr,
    "assign_all": _assign_all,
    "criterion": _criterion,
    "column": _column,
    "identity": _identity,
    "receiver": _receiver,
    "record": _record,
    "record_items": _record_items,
    "made_from_type": _made_from_type,
    "tuple": _tuple,
    "first_item": _first_item,
    "clean": _clean,
    "keep": _keep,
    "type": _type,
    "hook": _hook,
}
