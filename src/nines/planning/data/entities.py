"""The table of a resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from nines.model.blueprint import Blueprint, FieldKind, Resource
from nines.model.design import PlannedCheck, PlannedColumn, PlannedIndex, PlannedTable
from nines.model.design.ddl import identifier, literal, quoted
from nines.planning.data import facts
from nines.planning.data.columns import (
    SUBJECT_LENGTH_MAX,
    Stored,
    column_names,
    column_type,
    is_child,
    lookup_name,
    named_checks,
    stored,
    width,
)
from nines.planning.data.indexes import wanted
from nines.planning.data.names import snake, table_name

ERROR_LENGTH_MAX = 500
"""Of what a failed attempt leaves behind; the whole is in the log."""


def entity(blueprint: Blueprint, resource: Resource) -> PlannedTable:
    """The resource's own table."""
    name = table_name(resource.name)
    parts = _fields(blueprint, resource)
    own = tuple(column for part in parts for column in part.columns)
    columns = _distinct([*_before(blueprint, resource), *own, *_after(blueprint, resource)], own)
    checks = tuple(check for part in parts for check in part.checks)
    checks += tuple((each, text) for each, text in _implied_checks(blueprint, resource) if not _is_in(each, own))
    present = frozenset(column.name for column in columns)
    return PlannedTable(
        name=name,
        says=resource.says,
        resource=resource.name,
        module=facts.module_name(blueprint, resource),
        columns=without_strangers(blueprint, resource, columns),
        indexes=(*keys(blueprint, resource, name, present), *wanted(blueprint, resource, name, present)),
        checks=(*named_checks(name, checks), *_invariants(blueprint, resource, name)),
        is_append_only=resource.is_append_only,
        retention_s=resource.retention_s,
        audit=resource.audit,
        denormalised=tuple(_departures(blueprint, resource)),
        place=resource.place,
    )


def id_column(resource: Resource) -> PlannedColumn:
    type = column_type(resource.identifier.kind)
    made = "made by the service: version 7, so that new rows lie together" if type == "uuid" else ""
    return PlannedColumn(name="id", type=type, width_bytes=width(type), says=made)


def keys(blueprint: Blueprint, resource: Resource, table: str, present: frozenset[str]) -> tuple[PlannedIndex, ...]:
    """The primary key and the unique constraints of the blueprint."""
    found = [PlannedIndex(name=identifier(table, "pkey"), columns=("id",), is_unique=True, is_primary=True)]
    wanted = list(resource.unique)
    login = facts.login_field(resource)
    if login and not any(login.name in key for key in wanted):
        wanted.append((login.name,))
    for key in wanted:
        columns = tuple(name for path in key for name in _key_columns(blueprint, resource, path))
        columns = tuple(name for name in columns if name in present)
        if columns:
            found.append(PlannedIndex(name=identifier(table, *columns, "key"), columns=columns, is_unique=True))
    return tuple({index.columns: index for index in reversed(found)}.values())[::-1]


def tenant(blueprint: Blueprint, resource: Resource | None = None) -> Iterator[PlannedColumn]:
    """The column that separates the tenants, where rows carry it."""
    name = facts.tenant_column(blueprint, resource)
    if not name or name == "id":
        return
    owner = facts.tenant_resource(blueprint)
    # The service's own tables keep what the token says, which for somebody without a token is nothing.
    type = facts.tenant_type(blueprint) if resource else "text"
    references = f"{table_name(owner.name)}.id" if owner and resource else ""
    yield PlannedColumn(
        name=name,
        type=type,
        references=references,
        on_delete="RESTRICT" if references else "",
        width_bytes=width(type, 36),
        says="the tenant; part of every condition",
    )


def caller(blueprint: Blueprint, name: str = "owner_id") -> PlannedColumn:
    """A column that names the one who called: an account of this service, or the subject of a token."""
    account = facts.account_of(blueprint)
    type = column_type(account.identifier.kind) if account else "text"
    return PlannedColumn(
        name=name,
        type=type,
        references=f"{table_name(account.name)}.id" if account else "",
        on_delete="RESTRICT" if account else "",
        width_bytes=width(type, 72),
        says="who may touch the row" if account else "who may touch the row: the subject of the caller's token",
    )


def _key_columns(blueprint: Blueprint, resource: Resource, path: str) -> tuple[str, ...]:
    field = resource.field(path)
    if field is not None and field.is_encrypted and field.kind is not FieldKind.VALUE:
        return (lookup_name(field),)
    return column_names(blueprint, resource, path)


def _fields(blueprint: Blueprint, resource: Resource) -> list[Stored]:
    lookups = facts.lookups(blueprint, resource)
    fields = (field for field in resource.fields if not is_child(field) and field.kind is not FieldKind.PASSWORD)
    return [stored(blueprint, field, lookups=lookups) for field in fields]


def _before(blueprint: Blueprint, resource: Resource) -> Iterator[PlannedColumn]:
    yield id_column(resource)
    yield from tenant(blueprint, resource)
    if facts.has_owner(resource):
        yield caller(blueprint)
    if resource.states:
        yield PlannedColumn(name="status", type="text", default=literal(resource.states[0].name), width_bytes=11)


def _after(blueprint: Blueprint, resource: Resource) -> Iterator[PlannedColumn]:
    if facts.reserving(blueprint, resource):
        yield PlannedColumn(
            name="pending_operation",
            type="text",
            is_nullable=True,
            width_bytes=2,
            says="the operation that holds the row while it asks others; no other may change the row meanwhile",
        )
        yield PlannedColumn(
            name="pending_id",
            type="uuid",
            is_nullable=True,
            width_bytes=2,
            says="the reservation itself: the key under which others are asked, and without which nothing is settled",
        )
        yield PlannedColumn(
            name="pending_until",
            type="timestamptz",
            is_nullable=True,
            width_bytes=1,
            says="after this time the holder counts as dead, and a job finishes what it began",
        )
        yield PlannedColumn(
            name="pending_request", type="jsonb", is_nullable=True, width_bytes=2, says="what the finishing needs"
        )
    if facts.jobs_on(blueprint, resource):
        yield from work_columns()
    if not resource.is_append_only:
        yield PlannedColumn(
            name="version", type="bigint", default="1", says="grows with each change; the entity tag of the row"
        )
    yield PlannedColumn(name="created_at", type="timestamptz", default="now()")
    if not resource.is_append_only:
        yield PlannedColumn(name="updated_at", type="timestamptz", default="now()")


def work_columns() -> Iterator[PlannedColumn]:
    """What a row needs that is a piece of work itself."""
    yield PlannedColumn(
        name="attempts",
        type="smallint",
        default="0",
        width_bytes=2,
        says="also the fencing token: only the newest claim settles",
    )
    yield PlannedColumn(
        name="next_attempt_at",
        type="timestamptz",
        default="now()",
        says="a claim moves it on by its lease, so that the work of a dead worker becomes due again by itself",
    )
    yield PlannedColumn(name="last_error", type="text", is_nullable=True, width_bytes=2)


def _implied_checks(blueprint: Blueprint, resource: Resource) -> Iterator[tuple[str, str]]:
    tenant_name = facts.tenant_column(blueprint, resource)
    if tenant_name not in ("", "id") and facts.tenant_type(blueprint) == "text":
        yield tenant_name, f"char_length({quoted(tenant_name)}) <= {SUBJECT_LENGTH_MAX}"
    if facts.has_owner(resource) and facts.account_of(blueprint) is None:
        yield "owner_id", f"char_length(owner_id) <= {SUBJECT_LENGTH_MAX}"
    if resource.states:
        yield "status", f"status IN ({', '.join(map(literal, facts.state_names(resource)))})"
    held = facts.reserving(blueprint, resource)
    if held:
        yield "pending_operation", f"pending_operation IN ({', '.join(map(literal, held))})"
        yield "pending_until", "num_nulls(pending_operation, pending_id, pending_until) IN (0, 3)"
    if facts.jobs_on(blueprint, resource):
        yield "last_error", f"char_length(last_error) <= {ERROR_LENGTH_MAX}"


def _invariants(blueprint: Blueprint, resource: Resource, table: str) -> Iterator[PlannedCheck]:
    names: dict[str, int] = {}
    for expression in resource.invariants:
        columns = {
            word: ", ".join(map(quoted, found))
            for word in facts.identifiers(expression)
            if len(found := column_names(blueprint, resource, word)) == 1
        }
        name = identifier(table, *dict.fromkeys(columns.values()), "invariant").replace('"', "")
        names[name] = names.get(name, 0) + 1
        number = "" if names[name] == 1 else str(names[name])
        text = facts.translate(expression, columns)
        yield PlannedCheck(name=identifier(name, number), expression=text, says=f"invariant: {expression}")


def _departures(blueprint: Blueprint, resource: Resource) -> Iterator[str]:
    """Where the table leaves the first or third normal form, and why."""
    for name, carries in (("owner_id", facts.has_owner), (facts.tenant_column(blueprint), bool)):
        parents = [
            column
            for field in resource.fields
            if field.kind is FieldKind.REFERENCE and not field.is_list and not field.is_optional
            for target in (blueprint.resource(field.of),)
            if target is not None and target != resource and carries(target) and carries(resource)
            for column in column_names(blueprint, resource, field.name)
        ]
        if name and parents and resource != facts.tenant_resource(blueprint):
            through = " or ".join(f"`{column}`" for column in parents)
            yield f"`{name}` could be found through {through}; here it lets one condition without a join decide access"
    for field in resource.fields:
        if field.is_list and not is_child(field):
            yield f"`{snake(field.name)}` is an array: its values are read and written only together with their row"
        elif field.kind is FieldKind.JSON:
            yield f"`{snake(field.name)}` is a document: its inside is the callers' own, and no query looks into it"


def without_strangers(
    blueprint: Blueprint, resource: Resource, columns: Iterable[PlannedColumn]
) -> tuple[PlannedColumn, ...]:
    """A reference into another service's database is kept as a bare identifier."""
    elsewhere = {table_name(r.name) for r in blueprint.resources if facts.crosses(blueprint, resource.name, r.name)}
    return tuple(
        replace(
            column,
            references="",
            on_delete="",
            says="refers to a row of another service; no foreign key reaches into its database",
        )
        if column.references.partition(".")[0] in elsewhere
        else column
        for column in columns
    )


def _distinct(columns: Iterable[PlannedColumn], own: tuple[PlannedColumn, ...]) -> tuple[PlannedColumn, ...]:
    """A field that the blueprint names itself stands for the implied column of the same name."""
    said = {column.name: column for column in own}
    return tuple({column.name: said.get(column.name, column) for column in columns}.values())


def _is_in(name: str, columns: tuple[PlannedColumn, ...]) -> bool:
    return any(column.name == name for column in columns)
