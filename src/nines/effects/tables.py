"""The tables that the code declares, as the model knows them."""

from __future__ import annotations

from nines.effects.interpret.database.mapping import every_mapped, mapped
from nines.effects.interpret.state.world import World
from nines.effects.mapped import Mapped
from nines.model.place import Place
from nines.model.schema import Column, Relationship, Table


def tables(world: World) -> tuple[Table, ...]:
    """One table for each mapped class; of several classes of one table, the first."""
    found: dict[str, Table] = {}
    for each in every_mapped(world):
        found.setdefault(each.name, _table(world, each))
    return tuple(sorted(found.values(), key=lambda table: table.name))


def _table(world: World, each: Mapped) -> Table:
    columns = tuple(
        Column(
            name=column.name.lower(),
            type=column.type,
            is_nullable=column.is_nullable,
            is_primary=column.is_primary,
            is_unique=(column.name,) in each.unique,
            is_indexed=column.is_indexed or column.is_primary or (column.name,) in each.unique,
            references=column.references,
            place=_own(column.place),
        )
        for column in each.columns.values()
    )
    relations = dict(each.relations)
    for owner in world.linked.ancestry(each.info)[0]:
        for name, relation in world.reverse.get(owner, {}).items():
            relations.setdefault(name, relation)
    relationships = []
    for relation in relations.values():
        target = mapped(world, relation.target) if relation.target is not None else None
        relationships.append(
            Relationship(
                name=relation.name,
                target=target.name if target else "",
                is_many=relation.is_many,
                is_eager=relation.is_eager,
                place=_own(relation.place),
            )
        )
    return Table(
        name=each.name,
        columns=columns,
        unique=tuple(dict.fromkeys(tuple(name.lower() for name in key) for key in each.unique)),
        partly_unique=tuple(tuple(name.lower() for name in key) for key in each.partly_unique),
        indexes=tuple(dict.fromkeys(tuple(name.lower() for name in key) for key in each.indexes)),
        relationships=tuple(relationships),
        model=each.info.qualified,
        place=_own(each.info.place),
        is_complete=each.is_complete,
    )


def _own(place: Place | None) -> Place | None:
    """A place that a reader can open; what a told framework declares has none."""
    return None if place is None or place.file.startswith("<") else place
