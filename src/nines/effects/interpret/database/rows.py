"""Rows as values."""

from __future__ import annotations

from nines.effects.queries import Query
from nines.effects.values import ContainerThing, InstanceThing, Source, Sources, Value
from nines.model.origin import OriginKind


def row_value(query: Query, token: int, connection: str) -> Value:
    """One row of a statement: an object of the mapped class, or bare columns."""
    sources = row_sources(query, token)
    if query.entity is not None and not query.is_column:
        thing = InstanceThing(query.entity, row=token, eager=query.eager, connection=query.connection or connection)
        return Value(thing, sources)
    return Value(ContainerThing("row"), sources)


def row_sources(query: Query, token: int) -> Sources:
    """A row comes from the database; one that was looked up by the signed-in user is the user's as well."""
    own = Source(OriginKind.DATABASE, token=token)
    for condition in query.conditions:
        if condition.operator in ("=", "in"):
            found = next((s for s in condition.sources if s.kind is OriginKind.PRINCIPAL), None)
            if found is not None:
                return (own, found)
    return (own,)
