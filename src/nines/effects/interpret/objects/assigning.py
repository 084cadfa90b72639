"""Assignments: to names, to attributes (perhaps of a mapped row), to items."""

from __future__ import annotations

from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.symbols.parts import access_path, item_at
from nines.effects.mapped import Mapped
from nines.effects.nodes import ChangeNode
from nines.effects.queries import Condition, Written
from nines.effects.values import (
    ColumnThing,
    ContainerThing,
    CriterionThing,
    InstanceThing,
    ObjectThing,
    Source,
    UnionThing,
    Value,
    deep_sources,
    element_of,
    join,
    merge_sources,
    only_sources,
    with_field,
)
from nines.model import code
from nines.model.origin import OriginKind


def assign(frame: Frame, target: code.Expression, value: Value, line: int) -> None:
    """Binds a target of any shape."""
    if isinstance(target, code.Name):
        frame.env[target.id] = value
        for key in [key for key in frame.env if key.startswith((f"{target.id}.", f"{target.id}["))]:
            del frame.env[key]
    elif isinstance(target, code.Sequence):
        for index, item in enumerate(target.items):
            if isinstance(item, code.Spread):
                assign(frame, item.value, Value(ContainerThing("list", element_of(value)), value.sources), line)
            else:
                assign(frame, item, item_at(value, index), line)
    elif isinstance(target, code.Attribute):
        owner = evaluate(frame, target.value)
        made = set_member(frame, owner, target.name, value, line)
        if made is not None:
            assign_path(frame, target.value, made)
        else:
            path = access_path(target)
            if path:
                frame.env[path] = value
    elif isinstance(target, code.Subscript):
        _assign_item(frame, target, value)
    elif isinstance(target, code.Spread):
        assign(frame, target.value, value, line)


def _assign_item(frame: Frame, target: code.Subscript, value: Value) -> None:
    owner = evaluate(frame, target.value)
    key = evaluate(frame, target.key)
    thing = owner.thing
    if isinstance(thing, ContainerThing):
        sources = merge_sources(owner.sources, value.sources)
        if thing.kind == "dict" and isinstance(key.constant, str | int):
            made = with_field(owner, str(key.constant), value)
            assign_path(frame, target.value, Value(made.thing, sources))
        else:
            items = value if thing.items is None else join([thing.items, value])
            empty = not thing.is_open and not thing.fields and thing.items is None
            own = thing.kind == "dict" and (thing.has_own_keys or empty) and _is_own(key)
            made_thing = ContainerThing(thing.kind, items, thing.fields, thing.entries, has_own_keys=own)
            assign_path(frame, target.value, Value(made_thing, sources))
        return
    path = access_path(target.value)
    if path and key.has_constant:
        frame.env[f"{path}[{key.constant}]"] = value


def _is_own(key: Value) -> bool:
    """Whether a key comes from the code alone."""
    return bool(key.sources) and all(source.kind is OriginKind.CONSTANT for source in key.sources)


def assign_path(frame: Frame, target: code.Expression, value: Value) -> None:
    """Puts an object that was changed in place back where it is held; does nothing for a passing value."""
    if isinstance(target, code.Name):
        if target.id in frame.env:
            frame.env[target.id] = value
        elif target.id in frame.closure:
            frame.closure[target.id] = value
    elif isinstance(target, code.Attribute):
        owner = _peek(frame, target.value)
        if owner is not None and isinstance(owner.thing, InstanceThing | ObjectThing):
            assign_path(frame, target.value, with_field(owner, target.name, value))
        else:
            path = access_path(target)
            if path:
                frame.env[path] = value


def _peek(frame: Frame, expression: code.Expression) -> Value | None:
    """The value of a name or a field, without doing anything."""
    if isinstance(expression, code.Name):
        return frame.env.get(expression.id) or frame.closure.get(expression.id)
    if isinstance(expression, code.Attribute):
        owner = _peek(frame, expression.value)
        thing = owner.thing if owner is not None else None
        if isinstance(thing, InstanceThing | ObjectThing):
            return dict(thing.fields).get(expression.name)
    return None


def set_member(frame: Frame, owner: Value, name: str, value: Value, line: int) -> Value | None:
    """The owner with the attribute set; a mapped row's change is noted. None when the owner has no fields."""
    thing = owner.thing
    if isinstance(thing, UnionThing):
        made = [set_member(frame, each, name, value, line) or each for each in thing.values]
        return Value(UnionThing(tuple(made)), owner.sources)
    if isinstance(thing, InstanceThing):
        table = mapped(frame.world, thing.info)
        if table is not None:
            _change_row(frame, owner, thing, table, name, value, line)
        return with_field(owner, name, value)
    if isinstance(thing, ObjectThing):
        if frame.world.signatures.trait(thing.type, "is_shared"):
            frame.world.shared.setdefault((thing.type, name), _shared(value))
        return with_field(owner, name, value)
    return None


def _shared(value: Value) -> Value:
    """What others find there: the same kind of thing, but no row that this request has fetched."""
    thing = value.thing
    if isinstance(thing, InstanceThing) and thing.row:
        return Value(InstanceThing(thing.info))
    return only_sources(value, ())


def _change_row(  # noqa: PLR0917
    frame: Frame, owner: Value, thing: InstanceThing, table: Mapped, name: str, value: Value, line: int
) -> None:
    """Notes that a column of a mapped object was set."""
    relation = table.relations.get(name)
    is_said = name in table.columns or relation is not None or name == "*"
    # What an object keeps for itself in memory begins with an underscore, also where some columns were not understood.
    if not is_said and (table.is_complete or name.startswith("_")):
        return
    if relation is not None and relation.is_many:
        return
    atomic = isinstance(value.thing, ColumnThing | CriterionThing)
    written = (Written(table.column_of(name), deep_sources(value), atomic),)
    own = (Source(OriginKind.DATABASE, table.key or "id", token=thing.row),) if thing.row else owner.sources
    place = frame.place(line)
    node = ChangeNode(thing.row, table.name, place, written, owner.sources, thing.connection)
    node.keys = (Condition(table.key or "id", "=", own),)
    if table.version:
        counted = (Source(OriginKind.DATABASE, table.version, token=thing.row),) if thing.row else owner.sources
        node.keys = (*node.keys, Condition(table.version, "=", counted))
    node.is_active = frame.world.signatures.trait(table.base, "model") == "active"
    frame.nodes.append(node)
