"""The fields of serializers and forms: declared in the class, or named after a mapped one."""

from __future__ import annotations

from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.naming.resolve import class_value
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import ClassInfo
from nines.effects.mapped import Mapped
from nines.effects.values import (
    ClassThing,
    ContainerThing,
    InstanceThing,
    ScalarThing,
    Sources,
    Value,
    field,
    sanitised,
    unknown,
)
from nines.model.origin import OriginKind

_CLEAN = {"int": ("sql", "int", "path", "html", "command", "url"), "uuid": ("sql", "uuid", "path", "html", "url"),
          "date": ("sql", "date", "path", "html", "url")}  # fmt: skip


def model_of(frame: Frame, info: ClassInfo) -> ClassInfo | None:
    """The mapped class that an inner Meta names."""
    for owner in frame.world.linked.ancestry(info)[0]:
        meta = owner.inner.get("Meta")
        value = class_value(frame.world, meta, "model") if meta is not None else None
        if value is not None and isinstance(value.thing, ClassThing):
            return value.thing.info
    return None


def named_fields(frame: Frame, info: ClassInfo, table: Mapped | None) -> list[str]:
    """The fields that an inner Meta lists."""
    for owner in frame.world.linked.ancestry(info)[0]:
        meta = owner.inner.get("Meta")
        value = class_value(frame.world, meta, "fields") if meta is not None else None
        if value is None:
            continue
        if isinstance(value.constant, str) and table is not None:
            return [*table.columns, *(name for name, r in table.relations.items() if r.is_many)]
        thing = value.thing
        if isinstance(thing, ContainerThing):
            return [str(e.constant) for e in thing.entries or () if isinstance(e.constant, str)]
    return []


def declared_fields(frame: Frame, info: ClassInfo) -> dict[str, Value]:
    """Fields that the class and its project bases declare, by name."""
    found: dict[str, Value] = {}
    for owner in reversed(frame.world.linked.ancestry(info)[0]):
        if owner.module.file.startswith("<"):
            continue
        for name in owner.attributes:
            value = class_value(frame.world, owner, name)
            if value is not None and isinstance(value.thing, InstanceThing):
                found[name] = value
    return found


def kind_of(frame: Frame, value: Value) -> str:
    """Which of the told fields a declared one is."""
    thing = value.thing
    names = [c.name for c in frame.world.linked.ancestry(thing.info)[0]] if isinstance(thing, InstanceThing) else []
    for name in ("SerializerMethodField", "BaseSerializer", "RelatedField", "PrimaryKeyRelatedField", "Field"):
        if name in names:
            return name
    return ""


def field_values(frame: Frame, info: ClassInfo, sources: Sources) -> dict[str, Value]:
    model = model_of(frame, info)
    table = mapped(frame.world, model) if model is not None else None
    declared = declared_fields(frame, info)
    readonly = _readonly(frame, info)
    found: dict[str, Value] = {}
    for name in dict.fromkeys([*declared, *named_fields(frame, info, table)]):
        value = declared.get(name)
        only = field(value, "read_only") if value is not None else None
        if name in readonly or (only is not None and only.constant is True) or name in ("id", "pk"):
            continue
        if value is not None and kind_of(frame, value) == "SerializerMethodField":
            continue
        given = field(value, "source") if value is not None else None
        column = given.constant if given is not None and isinstance(given.constant, str) else name
        key = name if "." in column or column == "*" else column
        own = tuple(s._replace(name=key) if s.kind is OriginKind.CALLER else s for s in sources)
        labels = _labels(frame, value, table, key)
        found[key] = Value(ScalarThing(labels), sanitised(own, labels)) if labels else unknown(own)
    return found


def _labels(frame: Frame, value: Value | None, table: Mapped | None, name: str) -> tuple[str, ...]:
    thing = value.thing if value is not None else None
    if isinstance(thing, InstanceThing):
        clean = class_value(frame.world, thing.info, "nines_clean")
        return _CLEAN.get(str(clean.constant), ()) if clean is not None and clean.has_constant else ()
    column = table.columns.get(name) if table is not None else None
    kinds = {"integer": "int", "numeric": "int", "boolean": "int", "uuid": "uuid", "timestamp": "date", "date": "date"}
    return _CLEAN.get(kinds.get(column.type, ""), ()) if column is not None else ()


def _readonly(frame: Frame, info: ClassInfo) -> set[str]:
    for owner in frame.world.linked.ancestry(info)[0]:
        meta = owner.inner.get("Meta")
        value = class_value(frame.world, meta, "read_only_fields") if meta is not None else None
        if value is not None and isinstance(value.thing, ContainerThing):
            return {str(e.constant) for e in value.thing.entries or () if e.has_constant}
    return set()
