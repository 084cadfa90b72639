"""Mapped classes: which table a class stands for, its columns, keys and relations."""

from __future__ import annotations

import re

from nines.effects.interpret.naming.models import model_base, user_model
from nines.effects.interpret.naming.resolve import annotated, class_binding_value
from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.state.world import World
from nines.effects.link import AssignBinding, ClassInfo, ModuleInfo
from nines.effects.mapped import Mapped, MappedColumn, Relation
from nines.effects.signatures import ColumnRule
from nines.effects.values import (
    ClassThing,
    ContainerThing,
    InstanceThing,
    LibraryThing,
    ObjectThing,
    ScalarThing,
    Value,
)
from nines.effects.values import field as held_field
from nines.model import code
from nines.model.origin import OriginKind
from nines.model.place import Place

_CAMEL = re.compile(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))")


def mapped(world: World, info: ClassInfo) -> Mapped | None:
    """The table behind a class; None for a class that has none."""
    if info in world.mapped:
        world.standing.recall(("mapped", info))
        return world.mapped[info]
    world.mapped[info] = None
    saved = world.standing.begin(("mapped", info))
    try:
        return _mapped(world, info)
    finally:
        touched, _ = world.standing.end(("mapped", info), saved)
        world.standing.remember(("mapped", info), touched)


def _mapped(world: World, info: ClassInfo) -> Mapped | None:
    base = model_base(world, info)
    if not base:
        return None
    keys = world.signatures.trait(base, "table_keys")
    places = keys if isinstance(keys, dict) else {}
    if _own_constant(world, info, places.get("abstract", "")) is True:
        return None
    name = _table_name(world, info, base, places)
    if not name:
        return None
    table = Mapped(info, name.lower(), base=base)
    world.mapped[info] = table
    _fill(world, table, places)
    return table


def _own_constant(world: World, info: ClassInfo, place: str) -> object:
    """A constant that the class itself declares, perhaps in an inner class."""
    owner: ClassInfo | None = info
    name = place
    if "." in place:
        inner, name = place.split(".", 1)
        owner = info.inner.get(inner)
    if not name or owner is None or name not in owner.attributes:
        return None
    value = class_binding_value(world, owner, owner.attributes[name])
    return value.constant if value.has_constant else value


def _table_name(world: World, info: ClassInfo, base: str, places: dict[str, str]) -> str:
    trait = world.signatures.trait
    keyword = trait(base, "model_keyword")
    declared = None
    for each in world.linked.ancestry(info)[0]:
        declared = _own_constant(world, each, places.get("name", ""))
        if declared is not None:
            break
    if keyword and not any(
        k.name == keyword and isinstance(k.value, code.Constant) and k.value.value for k in info.node.keywords
    ):
        return ""
    if isinstance(declared, str):
        return declared.rpartition(".")[2]
    style = trait(base, "model_table")
    if style == "snake":
        return _CAMEL.sub(r"_\1", info.name).lower()
    if style == "lower":
        return info.name.lower()
    if style == "app":
        return f"{_app_label(world, info, places)}_{info.name.lower()}"
    if declared is not None or "__tablename__" in {m for c in world.linked.ancestry(info)[0] for m in c.methods}:
        return _CAMEL.sub(r"_\1", info.name).lower()
    return ""


def _app_label(world: World, info: ClassInfo, places: dict[str, str]) -> str:
    declared = _own_constant(world, info, places.get("label", ""))
    if isinstance(declared, str):
        return declared
    parts = info.module.name.split(".")
    for length in range(len(parts), 0, -1):
        configured = world.linked.modules.get(".".join([*parts[:length], "apps"]))
        if configured is not None:
            return _configured_label(configured, parts[length - 1])
    where = parts.index("models") if "models" in parts else len(parts)
    return parts[where - 1] if where > 0 else parts[0]


def _configured_label(module: ModuleInfo, default: str) -> str:
    """The label of the application to which a module belongs, as its configuration says."""
    for info in module.classes:
        binding = info.attributes.get("label")
        if binding is not None and isinstance(binding.value, code.Constant) and isinstance(binding.value.value, str):
            return binding.value.value
    return default


def _fill(world: World, table: Mapped, places: dict[str, str]) -> None:
    classes, _, whole = world.linked.ancestry(table.info)
    table.is_complete = whole
    told = {owner: _declared_by_functions(world, owner) for owner in classes}
    for owner in reversed(classes):
        for name, binding in {**owner.attributes, **told[owner]}.items():
            if not name.startswith("__"):
                is_added = _add(world, table, owner, name, binding)
                table.is_complete = table.is_complete and (is_added or name not in told[owner])
    key = world.signatures.trait(table.base, "key")
    if not any(column.is_primary for column in table.columns.values()) and isinstance(key, str):
        table.columns[key] = MappedColumn(key, key, "integer", False, is_primary=True, place=table.info.place)
    primary = tuple(column.name for column in table.columns.values() if column.is_primary)
    table.key = primary[0] if primary else ""
    if primary:
        table.unique.append(primary)
    for column in table.columns.values():
        if column.is_unique and (column.name,) not in table.unique:
            table.unique.append((column.name,))
        if column.is_indexed:
            table.indexes.append((column.name,))
    table.version = table.column_of(_version(classes, places.get("version", "")))
    for owner in classes:
        for role in ("args", "unique", "constraints", "indexes"):
            place = places.get(role, "")
            returned = told[owner].get(place)
            declared = class_binding_value(world, owner, returned) if returned else _own_constant(world, owner, place)
            if isinstance(declared, Value):
                _constraints(world, table, declared, role)
                table.is_complete = table.is_complete and not (returned and declared.is_vague)


def _declared_by_functions(world: World, owner: ClassInfo) -> dict[str, AssignBinding]:
    """What functions of a mixin return for each class that is made with it: columns, relations, constraints."""
    found: dict[str, AssignBinding] = {}
    for name, method in owner.methods.items():
        if any(_makes_attribute(world, owner, decorator) for decorator in method.node.decorators):
            returned = next((s for s in reversed(method.body) if isinstance(s, code.Return)), None)
            value = returned.value if returned is not None else None
            found[name] = AssignBinding(value, method.node.returns, method.node.line)
    return found


def _makes_attribute(world: World, owner: ClassInfo, decorator: code.Expression) -> bool:
    if not isinstance(decorator, code.Name | code.Attribute):
        return False
    thing = evaluate(Frame(world, owner.module), decorator).thing
    signature = world.signatures.calls.get(thing.name) if isinstance(thing, LibraryThing) else None
    return signature is not None and signature.decorates == "attribute"


def _version(classes: list[ClassInfo], place: str) -> str:
    """The attribute that a class names as its version, inside a mapping of options."""
    name, _, key = place.partition(".")
    for owner in classes:
        binding = owner.attributes.get(name)
        if binding is None or not isinstance(binding.value, code.Mapping):
            continue
        for pair in binding.value.pairs:
            if isinstance(pair.key, code.Constant) and pair.key.value == key and isinstance(pair.value, code.Name):
                return pair.value.id
    return ""


def _add(world: World, table: Mapped, owner: ClassInfo, name: str, binding: AssignBinding) -> bool:
    """Adds what an attribute declares; whether it is a part of the table, or surely none."""
    value = class_binding_value(world, owner, binding) if binding.value is not None else Value()
    place = Place(file=owner.module.file, line=binding.line)
    thing = value.thing
    rule = _rule(world, thing.type) if isinstance(thing, ObjectThing) else None
    if rule is not None and isinstance(thing, ObjectThing):
        declare(world, table, owner, name, value, rule, binding, place)
    elif binding.annotation is not None and _annotation_declares(world, table, owner, binding):
        inner = annotated(world, owner.module, binding.annotation)
        if not isinstance(inner.thing, InstanceThing | ContainerThing) or mapped_target(world, inner) is None:
            nullable = _is_optional(binding.annotation)
            table.columns[name] = MappedColumn(name, name, _annotation_type(world, inner), nullable, place=place)
    return not value.is_vague or name in table.columns


def _rule(world: World, type: str) -> ColumnRule | None:
    signature = world.signatures.calls.get(type)
    return signature.column if signature else None


def _annotation_declares(world: World, table: Mapped, owner: ClassInfo, binding: AssignBinding) -> bool:
    """Whether an annotation alone is a column: always where fields are (SQLModel), else only inside a mapping type."""
    if world.signatures.trait(table.base, "data"):
        return True
    annotation = binding.annotation
    if isinstance(annotation, code.Subscript):
        frame = Frame(world, owner.module)
        outer = evaluate(frame, annotation.value).thing
        signature = world.signatures.calls.get(outer.name) if isinstance(outer, LibraryThing) else None
        return signature is not None and signature.column is not None
    return False


def _is_optional(annotation: code.Expression | None) -> bool:
    text = str(annotation)
    return "Optional" in text or "Constant(value=None)" in text


def _annotation_type(world: World, value: Value) -> str:
    thing = value.thing
    if isinstance(thing, ObjectThing):
        found = world.signatures.trait(thing.type, "column_type")
        return found if isinstance(found, str) else ""
    return thing.labels[-1] if isinstance(thing, ScalarThing) else ""


def declare(  # noqa: PLR0917
    world: World,
    table: Mapped,
    owner: ClassInfo,
    name: str,
    value: Value,
    rule: ColumnRule,
    binding: AssignBinding,
    place: Place,
) -> None:
    """Adds what one declaring call says: a column, a key, a relation."""
    if rule.kind == "relation" or rule.kind == "many_to_many":  # noqa: PLR1714
        relate(world, table, owner, name, value, rule, binding, place)
        return
    own_name = _text(value, rule.name_argument)
    column = MappedColumn(name, own_name or name + rule.suffix, place=place)
    column.type = rule.type or _column_type(world, value, rule)
    column.is_primary = _flag(value, rule.primary) is True
    column.is_unique = rule.unique_default or _flag(value, rule.unique) is True
    indexed = _flag(value, rule.index)
    column.is_indexed = rule.index_default if indexed is None else indexed
    null = _flag(value, rule.null)
    column.is_nullable = null if null is not None else rule.null_default
    if column.is_nullable is None and binding.annotation is not None:
        column.is_nullable = _is_optional(binding.annotation)
    _reference(world, table, owner, column, value, rule)
    column.attribute = name + rule.suffix
    table.columns[column.attribute] = column
    if rule.kind == "foreign_key" or rule.suffix:
        relate(world, table, owner, name, value, rule, binding, place, column.name)


def relate(  # noqa: PLR0917
    world: World,
    table: Mapped,
    owner: ClassInfo,
    name: str,
    value: Value,
    rule: ColumnRule,
    binding: AssignBinding,
    place: Place,
    column: str = "",
) -> None:
    """Adds a relation to another mapped class."""
    target, many = _target(world, owner, held_field(value, rule.references), binding)
    uselist = _flag(value, rule.many)
    many = rule.kind == "many_to_many" or (rule.kind != "foreign_key" and (many if uselist is None else uselist))
    lazy = held_field(value, rule.eager)
    eager = lazy is not None and lazy.constant in rule.eager_values
    relation = Relation(name, target, many, eager, column, place)
    table.relations[name] = relation
    reverse = held_field(value, rule.reverse)
    reverse_name = reverse.constant if reverse is not None else None
    if isinstance(reverse_name, str) and reverse_name.endswith("+"):
        return
    if reverse_name is None and rule.reverse_default:
        reverse_name = rule.reverse_default.replace("{model}", table.info.name.lower())
    if isinstance(reverse_name, str) and target is not None:
        reverse_name = reverse_name.replace("%(class)s", table.info.name.lower())
        back = Relation(reverse_name, table.info, not rule.unique_default, False, column, place, is_back=True)
        world.reverse.setdefault(target, {}).setdefault(reverse_name, back)


def _target(
    world: World, owner: ClassInfo, value: Value | None, binding: AssignBinding
) -> tuple[ClassInfo | None, bool]:
    """The class at the other side, and whether the annotation says that there are many."""
    many = False
    if binding.annotation is not None:
        inner = annotated(world, owner.module, binding.annotation)
        many = isinstance(inner.thing, ContainerThing)
        found = mapped_target(world, inner)
        if found is not None:
            return found, many
    if value is None:
        text = _quoted(binding.annotation)
        return (named_class(world, owner, text), "list" in str(binding.annotation).lower()) if text else (None, many)
    thing = value.thing
    user = world.signatures.settings.get("user", "")
    if user and any(source.name == user and source.kind is OriginKind.SETTING for source in value.sources):
        return user_model(world), many
    if isinstance(thing, ClassThing):
        return thing.info, many or binding.annotation is None
    if isinstance(value.constant, str):
        return named_class(world, owner, value.constant), many or binding.annotation is None
    return None, many


def _quoted(annotation: code.Expression | None) -> str:
    if isinstance(annotation, code.Constant) and isinstance(annotation.value, str):
        return annotation.value.strip("\"'")
    if isinstance(annotation, code.Subscript):
        return _quoted(annotation.key)
    return ""


def mapped_target(world: World, value: Value) -> ClassInfo | None:
    for each in value.alternatives():
        thing = each.thing
        if isinstance(thing, ContainerThing) and thing.items is not None:
            thing = thing.items.thing
        if isinstance(thing, InstanceThing) and model_base(world, thing.info):
            return thing.info
    return None


def named_class(world: World, owner: ClassInfo, name: str) -> ClassInfo | None:
    """A mapped class by the name that another one uses for it."""
    if name == "self":
        return owner
    short = name.rpartition(".")[2]
    for found in world.linked.lookup(owner.module, short):
        if isinstance(found, ClassInfo):
            return found
    label = name.rpartition(".")[0]
    candidates = [c for c in world.linked.named(short) if model_base(world, c)]
    if len(candidates) > 1 and label:
        candidates = [c for c in candidates if label.lower() in c.module.name.lower().split(".")] or candidates
    return candidates[0] if candidates else None


def _reference(  # noqa: PLR0917
    world: World, table: Mapped, owner: ClassInfo, column: MappedColumn, value: Value, rule: ColumnRule
) -> None:
    """A foreign key, given as text, as a class, or as a nested declaration."""
    own = held_field(value, rule.references) if rule.references else None
    if own is not None and isinstance(own.constant, str) and rule.kind == "column":
        column.references = own.constant.lower()
    elif rule.kind == "foreign_key" and own is not None:
        target = _target(world, owner, own, AssignBinding(None, None, 0))[0]
        if target is table.info:
            column.references = f"{table.name}.id"
        elif target is not None:
            other = mapped(world, target)
            column.references = f"{other.name}.{other.key or 'id'}" if other else ""
    thing = value.thing
    for _, held in thing.fields if isinstance(thing, ObjectThing) else ():
        inner = held.thing
        nested = _rule(world, inner.type) if isinstance(inner, ObjectThing) else None
        if nested is None:
            continue
        if nested.kind == "foreign_key":
            text = held_field(held, nested.references)
            if text is not None and isinstance(text.constant, str):
                column.references = text.constant.lower()
        elif nested.kind == "column":
            column.is_primary = column.is_primary or _flag(held, nested.primary) is True
            column.is_unique = column.is_unique or _flag(held, nested.unique) is True
            column.is_indexed = column.is_indexed or _flag(held, nested.index) is True


def _column_type(world: World, value: Value, rule: ColumnRule) -> str:  # noqa: ARG001
    thing = value.thing
    if not isinstance(thing, ObjectThing):
        return ""
    for _, held in thing.fields:
        inner = held.thing
        name = inner.type if isinstance(inner, ObjectThing) else inner.name if isinstance(inner, LibraryThing) else ""
        found = world.signatures.trait(name, "column_type") if name else None
        if isinstance(found, str):
            return found
    return ""


def _constraints(world: World, table: Mapped, declared: Value, role: str) -> None:
    """Unique constraints and indexes over several columns."""
    thing = declared.thing
    entries = thing.entries or () if isinstance(thing, ContainerThing) else ()
    if role == "unique" and entries and all(isinstance(e.constant, str) for e in entries):
        table.unique.append(tuple(table.column_of(str(e.constant)) for e in entries))
        return
    for entry in entries:
        inner = entry.thing
        if isinstance(inner, ContainerThing) and role == "unique":
            table.unique.append(tuple(table.column_of(str(e.constant)) for e in inner.entries or () if e.has_constant))
        rule = _rule(world, inner.type) if isinstance(inner, ObjectThing) else None
        if rule is None or rule.kind not in ("unique", "index"):
            continue
        if held_field(entry, "condition") is not None:
            continue
        columns = _columns_of(entry, table)
        unique = rule.kind == "unique" or _flag(entry, rule.unique) is True
        if columns:
            (table.unique if unique else table.indexes).append(columns)


def _columns_of(entry: Value, table: Mapped) -> tuple[str, ...]:
    thing = entry.thing
    names: list[str] = []
    for key, held in thing.fields if isinstance(thing, ObjectThing) else ():
        if key == "fields" and isinstance(held.thing, ContainerThing):
            names.extend(str(e.constant) for e in held.thing.entries or () if e.has_constant)
        elif key.startswith("*") and isinstance(held.constant, str):
            names.append(held.constant)
    return tuple(table.column_of(name.lstrip("-")) for name in names)


def _flag(value: Value, name: str) -> bool | None:
    held = held_field(value, name) if name else None
    return held.constant if held is not None and isinstance(held.constant, bool) else None


def _text(value: Value, name: str) -> str:
    held = held_field(value, name) if name else None
    return held.constant if held is not None and isinstance(held.constant, str) else ""


def every_mapped(world: World) -> list[Mapped]:
    """All tables that the code declares, and with them the relations' other sides."""
    if not world.relations_known:
        world.relations_known = True
        for info in list(world.linked.classes.values()):
            mapped(world, info)
    return [table for table in world.mapped.values() if table is not None]


def relation_of(world: World, table: Mapped, name: str) -> Relation | None:
    """A relation by the attribute's name, declared at either side."""
    if name in table.relations:
        return table.relations[name]
    every_mapped(world)
    for each in world.linked.ancestry(table.info)[0]:
        found = world.reverse.get(each, {}).get(name)
        if found is not None:
            relation: Relation = found
            return relation
    return None
