"""Operations that read: one object, and a page of them."""

from __future__ import annotations

from nines.building import names, python
from nines.building.resources import describing, guards, keeping, shapes, values
from nines.building.resources.code import Code, Module
from nines.model.design import PlannedColumn, PlannedEndpoint, PlannedQuery


def read(module: Module, endpoint: PlannedEndpoint) -> None:
    thing = module.thing
    guards.opened(module, endpoint)
    with_depth(module)
    module.doc(describing.said(thing, endpoint))
    query = module.query(endpoint.id, f"read-{names.kebab(thing.resource.name)}")
    given = {**module.caller(), "id": module.find_id(endpoint)}
    module.existing(module.send("service.database.fetchrow", query, given))
    for field in thing.lists():
        base = f"read-{names.kebab(field.name)}-of-{names.kebab(thing.resource.name)}"
        found = module.query(endpoint.id, base)
        sent = module.send("service.database.fetch", found, dict.fromkeys(found.parameters, 'row["id"]'))
        module.put(sent, before=f"{keeping.lists_variable(field)} = await ")
    if thing.resource.audit == "all":
        module.put(keeping.shown_expression(module, "row"), before=f"{thing.noun} = ")
        keeping.audit_read(module, id=f"{thing.noun}.id")
        module.put(answer_of(module, thing.noun, "row", endpoint), before="return ")
    else:
        shown = keeping.shown_expression(module, "row")
        module.put(answer_of(module, shown, "row", endpoint), before="return ")
    module.depth -= 1


def with_depth(module: Code) -> None:
    module.depth += 1


def answer_of(module: Module, shown: python.Part, row: str, endpoint: PlannedEndpoint) -> python.Group:
    parts: list[python.Part] = [shown]
    if module.thing.is_versioned:
        parts.append(f'version={row}["version"]')
    if endpoint.cache_control != "no-store":
        parts.append(f"cache={python.quoted(endpoint.cache_control)}")
    return python.call("Answer.of", *parts)


def page(module: Module, endpoint: PlannedEndpoint) -> None:
    query_shape = module.shape(shapes.query_shape(endpoint))
    guards.opened(module, endpoint, takes=f"query: {query_shape}")
    with_depth(module)
    module.doc(describing.said(module.thing, endpoint))
    queries = _pages(module, endpoint)
    order = [name.removeprefix("after:") for name in queries[0].parameters if name.startswith("after:")]
    filters = [values.attribute(each.name) for each in endpoint.parameters if _is_filter(each.location, each.name)]
    first = tuple(_first(module, queries[0], name) for name in order)
    parts: list[python.Part] = ["call", "query"]
    if (order, first) != (["created_at", "id"], ("LATEST", "LARGEST_ID")):
        parts.append(f"order={python.flat(python.row(*map(python.quoted, order)))}")
        parts.append(python.named("first", python.row(*first)))
    if filters:
        parts.append(python.named("filters", python.row(*(f"query.{name}" for name in filters))))
    module.put(python.call("service.cursors.page_of", *parts), before="page = ")
    if len(queries) == 1:
        statement, given = module.statement(queries[0]), _given(module, queries[0])
        fetched = python.call(
            "service.database.fetch", "call.deadline", statement, *given, "*page.after", "page.size + 1"
        )
    else:
        _choose(module, endpoint, queries)
        fetched = python.call(
            "service.database.fetch", "call.deadline", "statement", "*given", "*page.after", "page.size + 1"
        )
    module.put(fetched, before="rows = await ")
    keeping.audit_read(module, id='"page"', changes='{"rows": len(rows)}')
    module.put(python.call("page.answer", "rows", _writer(module, endpoint), *_cache(endpoint)), before="return ")
    module.depth -= 1


def _cache(endpoint: PlannedEndpoint) -> list[str]:
    usual = "private, no-cache"
    return [] if endpoint.cache_control == usual else [f"cache={python.quoted(endpoint.cache_control)}"]


def _is_filter(location: str, name: str) -> bool:
    return location == "query" and name not in ("page_size", "cursor", "fields")


def _pages(module: Module, endpoint: PlannedEndpoint) -> list[PlannedQuery]:
    found = (module.design.query(id) for id in endpoint.queries)
    return [each for each in found if each and each.base.startswith("list-")]


def _scope(query: PlannedQuery) -> bool:
    """Whether it finds the caller's own rows only."""
    return "caller.subject" in query.parameters


def _leading(query: PlannedQuery) -> tuple[str, ...]:
    """The columns of the filter that an index begins with: those that are compared without asking for NULL."""
    filters = [name for name in query.parameters if name.startswith("filter:")]
    return tuple(
        name.removeprefix("filter:") for name in filters if f"${query.parameters.index(name) + 1}::" not in query.text
    )


def _choose(module: Module, endpoint: PlannedEndpoint, queries: list[PlannedQuery]) -> None:
    """The statement whose index fits what the caller may see and asks for."""
    roles = [grant.role for grant in endpoint.grants if grant.role]
    has_both = len({_scope(query) for query in queries}) > 1
    known = _converted(module, queries)
    ordered = sorted(queries, key=lambda each: (_scope(each), not _leading(each)))
    module.line("given: tuple[object, ...]")
    for index, query in enumerate(ordered):
        conditions = []
        if has_both and not _scope(query):
            conditions.append(f"call.has({', '.join(map(python.quoted, roles))})")
        conditions += [f"{_member(module, column)} is not None" for column in _leading(query)[:1]]
        is_last = index == len(ordered) - 1
        word = "if" if index == 0 else "else" if is_last or not conditions else "elif"
        with module.block(f"{word} {' and '.join(conditions)}:" if word != "else" else "else:"):
            module.line(f"statement = {module.statement(query)}")
            module.put(python.row(*_given(module, query, known)), before="given = ")


def _converted(module: Module, queries: list[PlannedQuery]) -> dict[str, str]:
    """Filters that have to be converted are that once, for every statement; what stands for each."""
    known: dict[str, str] = {}
    for name in dict.fromkeys(name for query in queries for name in query.parameters):
        kind, _, column = name.partition(":")
        if kind != "filter":
            continue
        member, value = _member(module, column), _asked(module, column)
        if value != member:
            known[name] = f"asked_{member.removeprefix('query.')}"
            module.lines += python.assigned(known[name], value, depth=module.depth)
    return known


def _given(module: Module, query: PlannedQuery, converted: dict[str, str] | None = None) -> list[str]:
    """The arguments before those that place the page."""
    known = module.caller() | (converted or {})
    found = []
    for name in query.parameters:
        kind, _, column = name.partition(":")
        if kind in ("after", "limit"):
            continue
        found.append(known[name] if name in known else _asked(module, column, kind))
    return found


def _asked(module: Module, column: str, kind: str = "filter") -> str:
    """What a column is asked for by, as the database takes it."""
    found = module.thing.table.column(column)
    member = _member(module, column, kind)
    return member if found is None or kind != "filter" else _as_kept(module, found, member)


def _member(module: Module, column: str, kind: str = "filter") -> str:
    """The member of the query that a column is asked for by."""
    found = module.thing.table.column(column)
    flat = (found.member if found and found.member else column).replace(".", "_")
    if kind in ("from", "before"):
        return f"query.{values.attribute(flat.removesuffix('_at') + '_' + kind)}"
    return f"query.{values.attribute(flat)}"


def _as_kept(module: Module, column: PlannedColumn, member: str) -> str:
    thing = module.thing
    field = thing.part_of(column)
    if values.is_digest(thing, column):
        value = f"{member}.lower()" if field and field.kind == "email" else member
        return f"None if {member} is None else {values.sealed(thing, column, value, '', module.imports)}"
    prefix = values.prefix_in(thing, column)
    if prefix and not (column.name in (thing.tenant, "owner_id") and column.type != "uuid"):
        module.runtime("as_identifier")
        return f"None if {member} is None else as_identifier({member}, {python.quoted(prefix)})"
    if field is not None and field.kind == "decimal":
        module.imports.add("decimal", "Decimal")
        member = f"None if {member} is None else Decimal({member})"
    if field is not None and field.kind == "email":
        member = f"None if {member} is None else {member}.lower()"
    return f"None if {member} is None else [{member}]" if column.type.endswith("[]") else member


_LARGEST = {"timestamptz": "LATEST", "uuid": "LARGEST_ID"}
"""Of the runtime."""


def _first(module: Module, query: PlannedQuery, column: str) -> str:
    """What stands before every row in the order."""
    number = query.parameters.index(f"after:{column}")
    sample = query.arguments[number]
    found = module.thing.table.column(column)
    type = found.type if found else "text"
    is_largest = sample not in ("''", "false", "'-infinity'") and not sample.startswith(("-", "'0000"))
    if largest := _LARGEST.get(type) if is_largest else None:
        module.runtime(largest)
        return largest
    if type == "timestamptz":
        module.imports.add("datetime", "UTC", "datetime")
        return "datetime.min.replace(tzinfo=UTC)"
    if type == "date":
        module.imports.add("datetime", "date")
        return f"date.{'max' if is_largest else 'min'}"
    if type == "uuid":
        module.imports.add("uuid", "UUID")
        return "UUID(int=0)"
    if type == "text":
        return "chr(0x10FFFF)" if is_largest else '""'
    if type == "boolean":
        return str(is_largest)
    if type.startswith("numeric"):
        module.imports.add("decimal", "Decimal")
        return f"Decimal({sample})"
    return sample


def _writer(module: Module, endpoint: PlannedEndpoint) -> str:
    """The function that makes an item of a row."""
    thing = module.thing
    shape = module.shape(thing.shape)
    if not thing.lists():
        return f"lambda row: {shape}.of(row, service.cipher)" if values.is_sealed(thing) else f"{shape}.of"
    given = ["row", *(["service.cipher"] if values.is_sealed(thing) else [])]
    module.line('ids = [row["id"] for row in rows]')
    for field in thing.lists():
        base = f"read-{names.kebab(field.name)}-of-{names.kebab(thing.table.name)}"
        query = next(q for q in thing.design.queries if endpoint.id in q.used_by and q.base == base)
        parent = query.parameters[0].removesuffix("[]")
        variable = keeping.lists_variable(field)
        module.put(
            module.send("service.database.fetch", query, {query.parameters[0]: "ids"}), before=f"{variable} = await "
        )
        module.generated("shapes", "grouped")
        module.line(f"{variable}_of = grouped({variable}, {python.quoted(parent)})")
        given.append(f'{values.attribute(shapes.member(field))}={variable}_of.get(row["id"], ())')
    return f"lambda row: {shape}.of({', '.join(given)})"
