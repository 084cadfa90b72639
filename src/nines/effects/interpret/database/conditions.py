"""What restricts a statement: ready-made conditions, and keywords with lookups."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.mapping import mapped, relation_of
from nines.effects.interpret.state.world import World
from nines.effects.mapped import Mapped
from nines.effects.queries import Condition, Query
from nines.effects.values import ColumnThing, ContainerThing, CriterionThing, ObjectThing, Sources, Value

_LOOKUPS = {
    "exact": "=", "iexact": "=", "in": "in", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "contains": "like",
    "icontains": "like", "startswith": "like", "istartswith": "like", "endswith": "like", "iendswith": "like",
    "isnull": "is", "range": "between", "year": "=", "month": "=", "day": "=", "date": "=", "regex": "like",
    "iregex": "like", "overlap": "overlap", "contained_by": "in", "has_key": "like", "search": "like",
}  # fmt: skip


def condition(query: Query, column: str, operator: str, sources: Sources) -> Query:
    """The query with one more predicate."""
    table, _, name = column.rpartition(".")
    own = "" if table == query.table else table
    return replace(query, conditions=(*query.conditions, Condition(name.lower(), operator, sources, own)))


def restricted(world: World, query: Query, criteria: list[Value]) -> Query:
    """The query under these conditions as well."""
    for value in criteria:
        for each in value.alternatives():
            thing = each.thing
            if isinstance(thing, CriterionThing):
                for column, operator, sources in thing.predicates:
                    if column.startswith("?"):
                        table = mapped(world, query.entity) if query.entity else None
                        found, word = lookup(world, table, column[1:])
                        query = condition(query, found, word if operator == "=" else operator, sources)
                    else:
                        query = condition(query, column, operator, sources)
                query = query if thing.known else replace(query, known=False)
            elif isinstance(thing, ColumnThing):
                query = condition(query, f"{thing.table}.{thing.column}", "=", ())
            elif isinstance(thing, ContainerThing) and thing.entries is not None:
                query = restricted(world, query, list(thing.entries))
                # Conditions that a loop collects are not all told.
                query = replace(query, known=False) if thing.is_open else query
            elif isinstance(thing, ObjectThing) and thing.query is not None:
                inner = tuple(
                    Condition(c.column, c.operator, c.sources, c.table or thing.query.table)
                    for c in thing.query.conditions
                )
                query = replace(query, conditions=query.conditions + inner, known=query.known and thing.query.known)
            elif each.constant is not True:
                sources = tuple(s for s in each.sources if s.kind.value != "constant")
                query = replace(query, known=False)
                if sources:
                    query = condition(query, "", "", sources)
    return query


def keyword_condition(world: World, query: Query, name: str, sources: Sources) -> Query:
    """`owner__id__in=...` as a predicate on the column that it reaches."""
    table = mapped(world, query.entity) if query.entity else None
    column, operator = lookup(world, table, name)
    if table is not None and not _has(world, table, name.partition("__")[0]):
        # What was computed for each row, in words that only the database knows.
        query = replace(query, known=False)
    return condition(query, column, operator, sources)


def _has(world: World, table: Mapped, name: str) -> bool:
    """Whether a condition names what the class has: a column, a key, a relation from either side."""
    names = {"pk", "id", table.key, *table.columns, *(column.name for column in table.columns.values())}
    names.update(relation.column for relation in table.relations.values())
    return name in names or relation_of(world, table, name) is not None


def lookup(world: World, table: Mapped | None, name: str) -> tuple[str, str]:
    """The column and the operator of a keyword lookup; a table stands in front when it is another one."""
    parts = name.split("__")
    operator = "="
    if len(parts) > 1 and parts[-1] in _LOOKUPS:
        operator = _LOOKUPS[parts.pop()]
    current, prefix = table, ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if last or current is None:
            break
        relation = relation_of(world, current, part)
        target = mapped(world, relation.target) if relation and relation.target else None
        if relation is not None and index == len(parts) - 2 and target is not None and parts[-1] in ("pk", target.key):
            column = relation.column or f"{part}_id"
            return (f"{prefix}.{column}" if prefix else column), operator
        current, prefix = target, target.name if target else part
    column = parts[-1]
    if column == "pk":
        column = current.key if current and current.key else "id"
    elif current is not None:
        column = current.column_of(column)
    return (f"{prefix}.{column}" if prefix else column), operator
