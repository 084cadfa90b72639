"""Statements for callers who ask for a graph: what objects refer to, and what refers to them, once for each level."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Field, Operation, Page, Resource
from nines.model.design.ddl import quoted
from nines.model.design.graph import CHILDREN_FIRST, GRAPHQL, by_id, children_fields, of_each
from nines.planning.data.columns import column_names
from nines.planning.data.names import table_name
from nines.planning.flows import access, reading
from nines.planning.flows.draft import Draft
from nines.planning.flows.statement import Statement, Wish, both, listed

KEYS_MAX = 500
"""Identifiers of one statement; the runtime asks for more by several."""


def link(draft: Draft, operation: Operation, resource: Resource) -> None:
    """What the graph sends behind the guards of an operation that reads; nothing where there is no graph."""
    if GRAPHQL not in draft.blueprint.service.interfaces:
        return
    if operation.do is Action.READ:
        draft.also(_several(draft, resource), *reading.children(draft, resource, is_many=True))
    elif operation.do is Action.LIST:
        draft.also(*(_of_each(draft, operation, resource, each) for each in _asked(operation, resource)))


def _asked(operation: Operation, resource: Resource) -> Iterator[Field]:
    yield from children_fields(resource, operation.filters)


def _several(draft: Draft, resource: Resource) -> Statement:
    """By their identifiers, and none that the caller may not see one by one."""
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    conditions = [
        f"id = ANY({sql.array('id')})",
        *access.conditions(sql, draft.blueprint, resource, resource.access.read),
    ]
    text = f"SELECT {listed(reading.shown(table, resource))}\nFROM {quoted(table.name)}\nWHERE {both(conditions)}"
    wish = Wish(table=table.name, equal=("id",))
    return sql.done(by_id(table), text, wish=wish, rows_max=KEYS_MAX, says="for the graph: all of a level at once")


def _of_each(draft: Draft, operation: Operation, resource: Resource, field: Field) -> Statement:
    """The first that refer to each of several objects, in the order of the list, and none that it would not show."""
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    (column,) = column_names(draft.blueprint, resource, field.name)
    keys = sql.array(column)
    grants = resource.access.list or resource.access.read
    conditions = [
        f"{quoted(column)} = wanted.wanted_id",
        *access.conditions(sql, draft.blueprint, resource, grants),
    ]
    order = reading.order_of(draft, operation, resource)
    where = "\n      AND ".join(conditions)
    limit = sql.bind(str(CHILDREN_FIRST), "limit")
    columns = reading.shown(table, resource)
    lines = (
        f"SELECT {listed(columns, 'child.')}",
        f"FROM unnest({keys}) AS wanted (wanted_id)",
        "CROSS JOIN LATERAL (",
        f"    SELECT {listed(columns)}",
        f"    FROM {quoted(table.name)}",
        f"    WHERE {where}",
        f"    ORDER BY {', '.join(map(_ordered, order))}",
        f"    LIMIT {limit}",
        ") AS child",
    )
    size = (operation.page or Page()).max
    return sql.done(
        of_each(table, field),
        "\n".join(lines),
        wish=Wish(table=table.name, equal=(column,), order=order),
        rows_max=KEYS_MAX * size,
        says="for the graph: all of a level at once",
    )


def _ordered(part: str) -> str:
    name, _, direction = part.partition(" ")
    return f"{quoted(name)} {direction}".rstrip()
