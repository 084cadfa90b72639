"""Mapped classes: the table behind a class, and the relations of all tables."""

from __future__ import annotations

from nines.effects.interpret.database.columns import add_attribute, declared_by_functions
from nines.effects.interpret.database.constraints import add_constraints
from nines.effects.interpret.database.table_names import own_constant, table_name
from nines.effects.interpret.naming.models import model_base
from nines.effects.interpret.naming.resolve import class_binding_value
from nines.effects.interpret.state.world import World
from nines.effects.link import ClassInfo
from nines.effects.mapped import Mapped, MappedColumn, Relation
from nines.effects.values import Value
from nines.model import code


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
    if own_constant(world, info, places.get("abstract", "")) is True:
        return None
    name = table_name(world, info, base, places)
    if not name:
        return None
    table = Mapped(info, name.lower(), base=base)
    world.mapped[info] = table
    _fill(world, table, places)
    return table


def _fill(world: World, table: Mapped, places: dict[str, str]) -> None:
    classes, _, whole = world.linked.ancestry(table.info)
    table.is_complete = whole
    told = {owner: declared_by_functions(world, owner) for owner in classes}
    for owner in reversed(classes):
        for name, binding in {**owner.attributes, **told[owner]}.items():
            if not name.startswith("__"):
                is_added = add_attribute(world, table, owner, name, binding)
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
            declared = class_binding_value(world, owner, returned) if returned else own_constant(world, owner, place)
            if isinstance(declared, Value):
                add_constraints(world, table, declared, role)
                table.is_complete = table.is_complete and not (returned and declared.is_vague)


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
