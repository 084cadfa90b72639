"""The statements that write a resource's own rows."""

# ruff: noqa: S608 -- Names are quoted and values are placeholders; nothing of a caller becomes part of a text.

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from nines.model.blueprint import Field, FieldKind, Grant, Operation, Resource, ResourceKind
from nines.model.design import PlannedTable
from nines.model.design.ddl import literal, quoted
from nines.planning.data import accounts, facts
from nines.planning.data.columns import column_names, is_child, lookup_name
from nines.planning.data.lists import list_name
from nines.planning.data.names import kebab, table_name
from nines.planning.flows import access
from nines.planning.flows.draft import Draft, timeout_s
from nines.planning.flows.keeping import interval
from nines.planning.flows.reading import shown
from nines.planning.flows.statement import Sql, Statement, Wish, both, listed

_MADE_HERE = frozenset(
    {
        "status",
        "pending_operation",
        "pending_id",
        "pending_until",
        "pending_request",
        "attempts",
        "next_attempt_at",
        "last_error",
        "version",
        "created_at",
        "updated_at",
    }
)
"""What the database fills in, or a later statement."""
_EMPTY = "'{}'"
_RESERVATION = ("pending_operation", "pending_id", "pending_until", "pending_request")


def reservation_s(draft: Draft, operation: Operation) -> float:
    """How long the calls of an operation may take in all, every attempt included, with as much again to settle."""
    total = 0.0
    for verb in operation.calls:
        _, dependency = draft.callee(verb)
        tries = 1 + dependency.retry.max if dependency and dependency.retry else 1
        total += tries * timeout_s(dependency)
    return 2 * total


def insert(draft: Draft, resource: Resource, operation: Operation, *, is_whole: bool = False) -> Statement:
    """The new row with everything that neither the database nor a later step fills in.

    `is_whole`: what callers only read is told with it."""
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    own = {name for field in resource.fields for name in _columns(draft, resource, field.name)}
    later = [field for field in resource.fields if (is_child(field) if is_whole else _is_later(field))]
    skipped = {name for field in later for name in _columns(draft, resource, field.name)}
    wanted = [
        column.name
        for column in table.columns
        if column.name not in skipped and (column.name in own or column.name not in _MADE_HERE)
    ]
    unique = {name for index in table.indexes if index.is_unique for name in index.names}
    values = [
        sql.value(name, is_fresh=name == "id" or (name in unique and name != _tenant(draft, resource)))
        for name in wanted
    ]
    if operation.calls:
        wanted += ["pending_operation", "pending_until", "pending_request", "pending_id"]
        lease = sql.bind(interval(reservation_s(draft, operation)), "lease")
        values += [
            sql.bind(literal(operation.name), "pending_operation"),
            f"now() + {lease}::interval",
            sql.bind(_EMPTY, "pending_request"),
            sql.value("pending_id"),
        ]
    text = (
        f"INSERT INTO {quoted(table.name)} ({listed(wanted)})\nVALUES ({', '.join(values)})\n"
        f"RETURNING {listed(shown(table, resource))}"
    )
    return sql.done(f"insert-{kebab(resource.name)}", text, rows_max=1, is_write=True)


def insert_children(draft: Draft, resource: Resource) -> Iterator[Statement]:
    """All members of a list in one statement."""
    for field in resource.fields:
        if not is_child(field):
            continue
        table = draft.table(list_name(draft.blueprint, resource, field))
        sql = draft.sql(table)
        parent = table.primary_key[0]
        columns = [column for column in table.columns if column.name not in (parent, "position")]
        has_position = table.column("position") is not None
        arrays = [sql.array(column.name) for column in columns]
        names = listed(column.name for column in columns)
        rows = f"unnest({', '.join(arrays)}) WITH ORDINALITY AS row_of ({names}, place)"
        into = [parent, *(["position"] if has_position else []), *(column.name for column in columns)]
        place = "row_of.place, " if has_position else ""
        holder = sql.value(parent)
        chosen = ", ".join(f"row_of.{quoted(column.name)}" for column in columns)
        text = (
            f"INSERT INTO {quoted(table.name)} ({listed(into)})\n"
            f"SELECT {holder}::{_type(table, parent)}, {place}{chosen}\nFROM {rows}"
        )
        yield sql.done(f"insert-{kebab(resource.name)}-{kebab(field.name)}", text, rows_max=0, is_write=True)


def delete_children(draft: Draft, resource: Resource) -> Iterator[Statement]:
    """Before a list is written anew."""
    for field in resource.fields:
        if is_child(field) and not field.is_read_only:
            table = draft.table(list_name(draft.blueprint, resource, field))
            sql = draft.sql(table)
            parent = table.primary_key[0]
            text = f"DELETE FROM {quoted(table.name)}\nWHERE {sql.equal(parent)}"
            wish = Wish(table=table.name, equal=(parent,))
            id = f"delete-{kebab(resource.name)}-{kebab(field.name)}"
            yield sql.done(id, text, wish=wish, rows_max=0, is_write=True)


def find_referred(draft: Draft, resource: Resource) -> Iterator[tuple[Resource, Statement]]:
    """Whether the caller may refer to what it names: a foreign key alone knows nothing of owners and tenants."""
    for field in resource.fields:
        target = draft.blueprint.resource(field.of) if field.kind is FieldKind.REFERENCE else None
        if target is None or field.is_read_only or facts.crosses(draft.blueprint, resource.name, target.name):
            continue
        table = draft.table(table_name(target.name))
        sql = draft.sql(table)
        conditions = [f"id = ANY({sql.array('id')})"] if field.is_list else [sql.equal("id")]
        conditions += access.conditions(sql, draft.blueprint, target, target.access.read)
        text = f"SELECT id\nFROM {quoted(table.name)}\nWHERE {both(conditions)}\nFOR KEY SHARE"
        id = f"find-{kebab(target.name)}{'s' if field.is_list else ''}-referred-to"
        wish = Wish(table=table.name, equal=("id",))
        yield target, sql.done(id, text, wish=wish, rows_max=100 if field.is_list else 1)


def update(draft: Draft, resource: Resource) -> Statement:
    """Decides by the version: a change that came in between affects no row."""
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    columns = [
        name
        for field in resource.fields
        if not field.is_read_only and not is_child(field) and field != facts.login_field(resource)
        for name in _columns(draft, resource, field.name)
        if name != _tenant(draft, resource)
    ]
    assignments = [f"{quoted(name)} = {sql.value(name)}" for name in columns if table.column(name)]
    return _update(draft, resource, sql, assignments, id=f"update-{kebab(resource.name)}", checks_version=True)


def transition(draft: Draft, resource: Resource, operation: Operation, states: Sequence[str]) -> Statement:
    """One statement checks and changes the state, so that of two callers one comes too late."""
    sql = draft.sql(draft.table(table_name(resource.name)))
    assignments = [f"status = {sql.bind(literal(operation.to_state), 'to_status')}"]
    id = f"move-{kebab(resource.name)}-to-{kebab(operation.to_state)}"
    moved = _update(draft, resource, sql, assignments, id=id, states=states, checks_version=True)
    return _signing_out(draft, resource, operation, moved)


def _signing_out(draft: Draft, resource: Resource, operation: Operation, moved: Statement) -> Statement:
    """Who is locked out or leaves is signed out by the same statement, everywhere and at once."""
    sessions = next((each for each in draft.tables if each.name == accounts.sessions_name(resource)), None)
    stays = operation.to_state == facts.signing_state(draft.blueprint, resource)
    if resource.kind is not ResourceKind.ACCOUNT or sessions is None or stays:
        return moved
    text = (
        f"WITH moved AS (\n{textwrap.indent(moved.text, '    ')}\n), ended AS (\n"
        f"    UPDATE {sessions.name}\n    SET revoked_at = now()\n"
        f"    WHERE {quoted(accounts.holder(resource))} IN (SELECT id FROM moved)\n      AND revoked_at IS NULL\n)\n"
        f"SELECT {listed(shown(draft.table(moved.tables[0]), resource))}\nFROM moved"
    )
    return replace(moved, text=text, tables=(*moved.tables, sessions.name))


def move_by_service(draft: Draft, resource: Resource, operation: Operation, states: Sequence[str]) -> Statement:
    """A step of a saga: the service itself moves the row, whoever owns it."""
    sql = draft.sql(draft.table(table_name(resource.name)))
    assignments = [f"status = {sql.bind(literal(operation.to_state), 'to_status')}"]
    id = f"move-{kebab(resource.name)}-to-{kebab(operation.to_state)}-by-saga"
    return _update(draft, resource, sql, assignments, id=id, states=states, is_locked=True)


def move_by_event(draft: Draft, resource: Resource, to_state: str) -> Statement:
    """What an event moves was locked and looked at before."""
    sql = draft.sql(draft.table(table_name(resource.name)))
    assignments = [f"status = {sql.bind(literal(to_state), 'to_status')}"]
    id = f"move-{kebab(resource.name)}-to-{kebab(to_state)}-by-event"
    return _update(draft, resource, sql, assignments, id=id, is_locked=True)


def reserve(draft: Draft, resource: Resource, operation: Operation, states: Sequence[str]) -> Statement:
    """The row remembers which operation holds it, and until when; what callers see of it stays as it is."""
    sql = draft.sql(draft.table(table_name(resource.name)))
    assignments = [
        f"pending_operation = {sql.bind(literal(operation.name), 'pending_operation')}",
        f"pending_until = now() + {sql.bind(interval(reservation_s(draft, operation)), 'lease')}::interval",
        f"pending_request = {sql.bind(_EMPTY, 'pending_request')}",
        f"pending_id = {sql.value('pending_id')}",
    ]
    id = f"reserve-{kebab(resource.name)}"
    return _update(draft, resource, sql, assignments, id=id, states=states, checks_version=True, is_visible=False)


def settle(
    draft: Draft, resource: Resource, state: str, *, with_fields: bool = False, is_answered: bool = False
) -> Statement:
    """Only whoever holds the row settles it, and only once; `with_fields` writes what was decided before as well.

    `is_answered`: what those who were asked told of the row is kept."""
    sql = draft.sql(draft.table(table_name(resource.name)))
    assignments = [f"status = {sql.bind(literal(state), 'to_status')}"] if state else []
    if with_fields:
        assignments += _fields(draft, resource, sql)
    elif is_answered:
        assignments += told(draft, resource, sql)
    is_visible = bool(assignments)
    assignments += [f"{name} = NULL" for name in _RESERVATION]
    id = f"settle-{kebab(resource.name)}" if is_visible else f"release-{kebab(resource.name)}"
    id += f"-as-{kebab(state)}" if state else ""
    return _update(draft, resource, sql, assignments, id=id, is_held=True, is_visible=is_visible)


def lock(draft: Draft, resource: Resource, grants: tuple[Grant, ...]) -> Statement:
    """The row as the owner's function will see it, and nobody else changes it meanwhile."""
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    conditions = list(access.by_id(sql, draft.blueprint, resource, grants))
    held = ["pending_operation"] if table.column("pending_operation") else []
    columns = listed([*shown(table, resource), *held])
    text = f"SELECT {columns}\nFROM {quoted(table.name)}\nWHERE {both(conditions)}\nFOR UPDATE"
    wish = Wish(table=table.name, equal=("id",))
    return sql.done(f"lock-{kebab(resource.name)}", text, wish=wish, rows_max=1)


def store(draft: Draft, resource: Resource, state: str = "") -> Statement:
    """What the owner's function made of a locked row."""
    sql = draft.sql(draft.table(table_name(resource.name)))
    assignments = _fields(draft, resource, sql)
    if resource.states:
        assignments.append(f"status = {sql.bind(literal(state or resource.states[0].name), 'to_status')}")
    return _update(draft, resource, sql, assignments, id=f"store-{kebab(resource.name)}", is_locked=True)


def told(draft: Draft, resource: Resource, sql: Sql) -> list[str]:
    """What only those who are asked can know: optional, and set by no caller. What they do not tell stays as it is."""
    return [
        f"{quoted(name)} = coalesce({sql.bind('NULL', name)}::{_type(sql.table, name)}, {quoted(name)})"
        for field in resource.fields
        if is_told(field)
        for name in _columns(draft, resource, field.name)
        if sql.table.column(name)
    ]


def is_told(field: Field) -> bool:
    """Whether it is for others to tell."""
    is_simple = field.kind not in (FieldKind.VALUE, FieldKind.REFERENCE, FieldKind.PASSWORD) and not field.is_list
    return field.is_read_only and field.is_optional and field.default is None and is_simple and not field.is_encrypted


def _fields(draft: Draft, resource: Resource, sql: Sql) -> list[str]:
    """All of them, those that callers only read included: the service's own code decided."""
    return [
        f"{quoted(name)} = {sql.value(name)}"
        for field in resource.fields
        if not is_child(field)
        for name in _columns(draft, resource, field.name)
        if sql.table.column(name) and name != _tenant(draft, resource)
    ]


def delete(draft: Draft, resource: Resource) -> Statement:
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    conditions = list(access.by_id(sql, draft.blueprint, resource, draft.changers(resource)))
    conditions += list(_unheld(table))
    conditions += list(_of_version(sql))
    text = f"DELETE FROM {quoted(table.name)}\nWHERE {both(conditions)}\nRETURNING id"
    wish = Wish(table=table.name, equal=("id",))
    return sql.done(f"delete-{kebab(resource.name)}", text, wish=wish, rows_max=1, is_write=True)


def _update(
    draft: Draft,
    resource: Resource,
    sql: Sql,
    assignments: Sequence[str],
    *,
    id: str,
    states: Sequence[str] = (),
    is_held: bool = False,
    checks_version: bool = False,
    is_locked: bool = False,
    is_visible: bool = True,
) -> Statement:
    table = sql.table
    told = (("version", "version + 1"), ("updated_at", "now()")) if is_visible else ()
    made = [f"{name} = {text}" for name, text in told if table.column(name)]
    if is_held or is_locked:
        conditions = [sql.equal("id")]
    else:
        conditions = list(access.by_id(sql, draft.blueprint, resource, draft.changers(resource)))
    if states:
        conditions.append(f"status = ANY({sql.bind(_array(states), 'from_statuses')}::text[])")
    if is_held:
        conditions.append(sql.equal("pending_id"))
    elif not is_locked:
        conditions += list(_unheld(table))
    if checks_version:
        conditions += list(_of_version(sql))
    text = (
        f"UPDATE {quoted(table.name)}\nSET {', '.join([*assignments, *made])}\nWHERE {both(conditions)}\n"
        f"RETURNING {listed(shown(table, resource))}"
    )
    return sql.done(id, text, wish=Wish(table=table.name, equal=("id",)), rows_max=1, is_write=True)


def _of_version(sql: Sql) -> Iterator[str]:
    """If-Match as a condition; NULL where the caller sends none and need not."""
    if sql.table.column("version"):
        value = f"{sql.bind('NULL', 'if_version')}::bigint"
        yield f"({value} IS NULL OR version = {value})"


def _unheld(table: PlannedTable) -> Iterator[str]:
    if table.column("pending_operation"):
        yield "pending_operation IS NULL"


def _is_later(field: Field) -> bool:
    """The database fills it in, or a statement of its own."""
    return is_child(field) or (field.is_read_only and (field.default is not None or field.is_optional))


def _columns(draft: Draft, resource: Resource, name: str) -> tuple[str, ...]:
    field = resource.field(name)
    columns = column_names(draft.blueprint, resource, name)
    if field is not None and field.is_encrypted and field.kind is not FieldKind.VALUE:
        return (*columns, lookup_name(field))
    return columns


def _tenant(draft: Draft, resource: Resource) -> str:
    return facts.tenant_column(draft.blueprint, resource)


def _array(values: Sequence[str]) -> str:
    inner = ",".join('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return literal("{" + inner + "}")


def _type(table: PlannedTable, name: str) -> str:
    column = table.column(name)
    return column.type if column else "text"
