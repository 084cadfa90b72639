"""Reading one object, and reading a page of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nines.model.blueprint import Field, FieldKind, Grant, GrantKind, Operation, Page, Resource
from nines.model.design import Branch, PlannedTable, StepKind
from nines.model.design.ddl import literal, quoted
from nines.planning.data import facts
from nines.planning.data.columns import LIST_LENGTH_MAX, column_names, is_child, lookup_name
from nines.planning.data.lists import list_name
from nines.planning.data.names import kebab, plural, snake, table_name
from nines.planning.flows import access, keeping
from nines.planning.flows.checking import check
from nines.planning.flows.draft import Draft
from nines.planning.flows.samples import sample
from nines.planning.flows.statement import Sql, Statement, Wish, both, listed

_HIDDEN = frozenset(
    {"pending_operation", "pending_id", "pending_until", "pending_request", "next_attempt_at", "last_error"}
)
_RANGES = (FieldKind.TIMESTAMP, FieldKind.DATE)
"""What a page is asked for from and before; of anything else a value is equal or not, as the contract has it."""
_TIMES = ("created_at", "updated_at")
_NOT_FOUND = Branch(
    when="there is none, or the caller may not see it",
    then="both look alike, so that nothing can be guessed",
    status=404,
)


def read(draft: Draft, operation: Operation, resource: Resource) -> None:
    draft.isolate("read committed", "Each statement sees one snapshot, and no decision hangs on two of them.")
    check(draft, operation)
    draft.query(
        one(draft, resource, resource.access.read), f"read the {keeping.subject(resource)}", branches=(_NOT_FOUND,)
    )
    for statement in children(draft, resource):
        draft.query(statement, f"read its {statement.tables[0].replace('_', ' ')}")
    for verb in operation.calls:
        draft.call(verb, f"ask {verb}", branches=_reading_failures(draft, verb))
    keeping.audit(draft, resource, is_read=True)
    draft.add(StepKind.RESPOND, "answer with the object and its ETag")


def page(draft: Draft, operation: Operation, resource: Resource) -> None:
    draft.isolate("read committed", "A page is one statement, hence one snapshot; a keyset page needs none that lasts.")
    check(draft, operation)
    bad = Branch(when="the cursor belongs to other filters or was tampered with", then="it is refused", status=400)
    draft.add(StepKind.CHECK, "open the cursor and bind it to the filters", branches=(bad,))
    first, *others = pages(draft, operation, resource)
    draft.query(first, f"read one page of {plural(snake(resource.name)).replace('_', ' ')}, and one row more")
    draft.also(*others)
    for statement in children(draft, resource, is_many=True):
        draft.query(statement, f"read the {statement.tables[0].replace('_', ' ')} of the whole page at once")
    keeping.audit(draft, resource, is_read=True)
    draft.add(StepKind.RESPOND, "answer with the page and the cursor of the next")


def shown(table: PlannedTable, resource: Resource) -> list[str]:
    """The columns of an object that its readers get; what the service keeps for its own work is not among them."""
    digests = {lookup_name(field) for field in resource.fields if field.is_encrypted}
    work = {"attempts"} if any(column.name == "next_attempt_at" for column in table.columns) else set()
    hidden = _HIDDEN | digests | work
    told = {name for field in resource.fields for name in (field.name, f"{field.name}_id")}
    return [column.name for column in table.columns if column.name not in hidden or column.name in told]


def one(draft: Draft, resource: Resource, grants: tuple[Grant, ...], *, suffix: str = "") -> Statement:
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    conditions = list(access.by_id(sql, draft.blueprint, resource, grants))
    text = f"SELECT {listed(shown(table, resource))}\nFROM {quoted(table.name)}\nWHERE {both(conditions)}"
    return sql.done(
        f"read-{kebab(resource.name)}{suffix}", text, wish=Wish(table=table.name, equal=("id",)), rows_max=1
    )


def children(draft: Draft, resource: Resource, *, is_many: bool = False) -> Iterator[Statement]:
    """The lists of one object, or of all objects of a page: never one statement for each object."""
    for field in resource.fields:
        if is_child(field):
            yield _child(draft, resource, field, is_many=is_many)


def _child(draft: Draft, resource: Resource, field: Field, *, is_many: bool) -> Statement:
    table = draft.table(list_name(draft.blueprint, resource, field))
    sql = draft.sql(table)
    parent, second = table.primary_key
    columns = [column.name for column in table.columns]
    condition = f"{quoted(parent)} = ANY({sql.array(parent)})" if is_many else sql.equal(parent)
    text = (
        f"SELECT {listed(columns)}\nFROM {quoted(table.name)}\nWHERE {condition}\nORDER BY {listed([parent, second])}"
    )
    wish = Wish(table=table.name, equal=(parent,), order=(second,))
    owner = kebab(plural(snake(resource.name))) if is_many else kebab(resource.name)
    rows = LIST_LENGTH_MAX * (_page_of(draft, resource).max + 1 if is_many else 1)
    return sql.done(f"read-{kebab(field.name)}-of-{owner}", text, wish=wish, rows_max=rows)


def _page_of(draft: Draft, resource: Resource) -> Page:
    pages_of = (each.page for each in draft.blueprint.operations if each.on == resource.name and each.page)
    return max(pages_of, key=lambda each: each.max, default=Page())


def pages(draft: Draft, operation: Operation, resource: Resource) -> list[Statement]:
    """One statement for each way of being allowed, without filters and with each filter leading.

    Where several filters are given, the first of the blueprint leads and the others narrow what it finds: one index
    for each filter is enough, and a rare combination reads on in that index until the page is full."""
    found = []
    for scope in _scopes(resource, operation):
        leading = [each for each in operation.filters if _is_leading(resource, each)]
        found += [_page(draft, operation, resource, scope, each) for each in (None, *leading)]
    return found


def _scopes(resource: Resource, operation: Operation) -> list[str]:
    """ "owner" for the caller's own rows, "" for all rows of the tenant."""
    grants = resource.access.list or resource.access.read
    found = ["owner"] if access.is_owners(grants) else [""]
    if "owner" in found and any(grant.kind is GrantKind.ROLE for grant in grants):
        found.append("")
    del operation
    return found


def _is_leading(resource: Resource, name: str) -> bool:
    """Compared with one value, so that an index can begin with it; a range narrows the order instead."""
    field = resource.field(name)
    if name == "status" or (field is None and name.endswith("_id")):
        return True
    return field is not None and not field.is_list and field.kind not in (*_RANGES, FieldKind.JSON, FieldKind.TEXT)


def _filter_columns(draft: Draft, resource: Resource, name: str) -> tuple[str, ...]:
    field = resource.field(name)
    table = draft.table(table_name(resource.name))
    if field is not None and field.is_encrypted and field.kind is not FieldKind.VALUE:
        columns: tuple[str, ...] = (lookup_name(field),)
    else:
        columns = column_names(draft.blueprint, resource, name)
    return tuple(column for column in columns if table.column(column))


def _page(draft: Draft, operation: Operation, resource: Resource, scope: str, filter: str | None) -> Statement:
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    equal: list[str] = []
    conditions: list[str] = []
    tenant = facts.tenant_column(draft.blueprint, resource)
    owner = facts.owner_column(resource) if scope else ""
    for column, who in ((tenant, "caller.tenant"), (owner, "caller.subject")):
        if column and column not in equal:
            equal.append(column)
            conditions.append(sql.equal(column, stands_for=who))
    if filter:
        for column in _filter_columns(draft, resource, filter):
            equal.append(column)
            conditions.append(_by_state(sql, resource) if column == "status" else _by_value(sql, column))
    for other in operation.filters:
        if other != filter:
            conditions += _narrowing(draft, sql, resource, other, is_leading=_is_leading(resource, other))
    order = order_of(draft, operation, resource)
    conditions.append(_after(sql, order))
    size = operation.page or Page()
    text = (
        f"SELECT {listed(shown(table, resource))}\nFROM {quoted(table.name)}\nWHERE {both(conditions)}\n"
        f"ORDER BY {', '.join(_ordered(part) for part in order)}\nLIMIT {sql.bind(str(size.default + 1), 'limit')}"
    )
    by = [word for word in ("owner" if scope else "", kebab(filter or "")) if word]
    id = f"list-{kebab(plural(snake(resource.name)))}" + (f"-by-{'-and-'.join(by)}" if by else "")
    return sql.done(
        id,
        text,
        wish=Wish(table=table.name, equal=tuple(equal), order=order),
        rows_max=size.max + 1,
        says="the first page begins after the largest value of the order; a filter that is not given is NULL",
    )


def _by_state(sql: Sql, resource: Resource) -> str:
    """The sample asks for the last of the states: the first are where work waits, and have queries of their own."""
    names = facts.state_names(resource)
    return f"status = {sql.bind(literal(names[-1]), 'filter:status')}" if names else _by_value(sql, "status")


def _by_value(sql: Sql, column: str) -> str:
    return f"{quoted(column)} = {sql.bind(sample(sql.tables, sql.table, column), f'filter:{column}')}"


def order_of(draft: Draft, operation: Operation, resource: Resource) -> tuple[str, ...]:
    """Newest first unless the blueprint says otherwise; the identifier breaks ties, in the last part's direction."""
    table = draft.table(table_name(resource.name))
    parts: list[tuple[str, bool]] = []
    for each in operation.order:
        for name in column_names(draft.blueprint, resource, each.column):
            column = table.column(name)
            if column is not None and not column.is_nullable and name != "id":
                parts.append((name, each.is_descending))
    if not parts:
        parts = [("created_at", True)]
    parts = list(dict(parts).items())
    parts.append(("id", parts[-1][1]))
    return tuple(f"{name} DESC" if is_descending else name for name, is_descending in parts)


def _ordered(part: str) -> str:
    name, _, direction = part.partition(" ")
    return f"{quoted(name)} {direction}".rstrip()


def _after(sql: Sql, order: Sequence[str]) -> str:
    """Everything after the last row of the page before: one comparison of rows where all parts go one way."""
    names = [part.partition(" ")[0] for part in order]
    directions = [part.endswith(" DESC") for part in order]
    values = [
        sql.bind(_extreme(sql, name, is_largest=down), f"after:{name}")
        for name, down in zip(names, directions, strict=True)
    ]
    casts = [f"{value}::{_type(sql.table, name)}" for value, name in zip(values, names, strict=True)]
    if len(set(directions)) == 1:
        return f"({listed(names)}) {'<' if directions[0] else '>'} ({', '.join(casts)})"
    # The first comparison bounds the scan of the index; the others place the page within it.
    first = f"{quoted(names[0])} {'<=' if directions[0] else '>='} {casts[0]}"
    steps = []
    for index, name in enumerate(names):
        same = [f"{quoted(names[before])} = {casts[before]}" for before in range(index)]
        steps.append(" AND ".join([*same, f"{quoted(name)} {'<' if directions[index] else '>'} {casts[index]}"]))
    return f"{first}\n  AND ({' OR '.join(f'({step})' for step in steps)})"


def _extreme(sql: Sql, name: str, *, is_largest: bool) -> str:
    """Where the first page begins."""
    type = _type(sql.table, name)
    if type in ("timestamptz", "date"):
        return "'infinity'" if is_largest else "'-infinity'"
    if type == "uuid":
        digit = "f" if is_largest else "0"
        return f"'{'-'.join(digit * length for length in (8, 4, 4, 4, 12))}'"
    if type == "text":
        return r"U&'\+10FFFF'" if is_largest else "''"
    if type == "boolean":
        return "true" if is_largest else "false"
    if type == "integer":
        return "2147483647" if is_largest else "-2147483648"
    if type.startswith("numeric"):
        return "999999999999999" if is_largest else "-999999999999999"
    return "9223372036854775807" if is_largest else "-9223372036854775808"


def _narrowing(draft: Draft, sql: Sql, resource: Resource, name: str, *, is_leading: bool) -> list[str]:
    """A filter that may be given besides: NULL stands for "not given"."""
    found = []
    for column in _filter_columns(draft, resource, name):
        type = _type(sql.table, column)
        field = resource.field(name)
        is_range = field.kind in _RANGES if field else name in _TIMES
        if is_leading or not (is_range or type.endswith("[]")):
            value = f"{sql.bind('NULL', f'filter:{column}')}::{type}"
            found.append(f"({value} IS NULL OR {quoted(column)} = {value})")
        elif type.endswith("[]"):
            value = f"{sql.bind('NULL', f'filter:{column}')}::{type}"
            found.append(f"({value} IS NULL OR {quoted(column)} @> {value})")
        else:
            for operator, bound in ((">=", "from"), ("<", "before")):
                value = f"{sql.bind('NULL', f'{bound}:{column}')}::{type}"
                found.append(f"({value} IS NULL OR {quoted(column)} {operator} {value})")
    return found


def _type(table: PlannedTable, name: str) -> str:
    column = table.column(name)
    return column.type if column else "text"


def _reading_failures(draft: Draft, verb: str) -> tuple[Branch, ...]:
    name, dependency = draft.callee(verb)
    del dependency
    return (Branch(when=f"{name} does not answer in time", then="the caller is told when to come back", status=503),)


def custom(draft: Draft, operation: Operation, resource: Resource | None) -> None:
    """The owner's function that only reads."""
    draft.isolate(
        "repeatable read",
        "The owner's function may read several times; one snapshot keeps what it adds up consistent, and read-only "
        "transactions at this level are refused by nothing.",
    )
    check(draft, operation)
    draft.begin("begin, read only")
    if resource is not None:
        read_one = one(draft, resource, resource.access.read)
        draft.query(read_one, f"read the {keeping.subject(resource)}", branches=(_NOT_FOUND,))
    draft.add(StepKind.COMPUTE, f"run the owner's function {operation.hook or operation.name}")
    draft.commit()
    draft.add(StepKind.RESPOND, "answer with what it found")
