"""Operations that change one object in one transaction: created, changed, moved, removed, or as the owner says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from nines.building import names, python
from nines.building.resources import asking, guards, hooks, keeping, lists, shapes, values
from nines.building.resources.code import Code, Module, has
from nines.building.resources.facts import Thing, sources_of
from nines.building.resources.reading import answer_of, with_depth
from nines.model.blueprint import Action, Field, FieldKind, Operation
from nines.model.design import PlannedColumn, PlannedEndpoint, PlannedQuery

CHANGES_MAX = 3


@contextmanager
def transaction(
    module: Code, operation: Operation, gives: str = "Answer", result: str = "answer", *, is_last: bool = False
) -> Iterator[None]:
    """What is written inside stands or falls together; with a function of the owner in it, it runs as if alone.

    `is_last`: nothing is done after it but to answer."""
    if hooks.is_hooked(operation):
        module.runtime("Connection")
        name = "reserve" if gives != "Answer" else "work"
        module.line()
        with module.block(f"async def {name}(tx: Connection) -> {gives}:"):
            yield
            if result == "answer":
                module.line("return answer")
        module.line()
        before = "return" if is_last else f"{result} ="
        module.line(f"{before} await service.database.serializable(call.deadline, {name})")
    else:
        with module.block("async with service.database.transaction(call.deadline) as tx:"):
            yield


def begun(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> str:
    """The head of an operation with its body, and its docstring; the answer is what others call the body."""
    takes = f"body: {module.shape(endpoint.request)}" if endpoint.request else ""
    guards.opened(module, endpoint, takes=takes)
    with_depth(module)
    module.doc(endpoint.summary)
    is_used = operation.do in (Action.CREATE, Action.UPDATE) or hooks.is_hooked(operation) or operation.calls
    if endpoint.request and not is_used and not operation.posts:
        module.line("del body  # It was checked against its schema; no function of the blueprint looks at it.")
    return "body" if endpoint.request else ""


def create(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    thing = module.thing
    begun(module, endpoint, operation)
    if endpoint.id in grouped(module):
        _accept(module, endpoint)
        module.depth -= 1
        return
    module.runtime("new_id")
    module.line(f"{module.id} = new_id()")
    if operation.calls:
        asking.create(module, endpoint, operation)
        module.depth -= 1
        return
    with transaction(module, operation, is_last=is_last(module, operation)):
        insert(module, endpoint, operation)
        drafted = thing.noun if hooks.is_hooked(operation) else ""
        changes = keeping.changes_of_new(thing, "row")
        is_returned = answered(module, endpoint, operation, changes=changes, posted=drafted)
    left(module, operation, is_returned=is_returned)
    module.depth -= 1


def insert(
    module: Module,
    endpoint: PlannedEndpoint,
    operation: Operation,
    more: Mapping[str, str] | None = None,
    remembered: python.Part | None = None,
) -> None:
    """Claims the key, sees what is referred to, lets the owner decide, and inserts the row with its lists."""
    thing = module.thing
    keeping.claim(module, endpoint)
    if operation.calls and endpoint.idempotency:
        module.runtime("Problem")
        with module.block("if claim.resource_id is not None:"):
            module.line('raise Problem("operation-pending")')
    for field in thing.resource.fields:
        refer(module, endpoint, field)
    hooked = hooks.is_hooked(operation)
    if hooked:
        hooks.draft(module, operation)
    query = module.query(endpoint.id, f"insert-{names.kebab(thing.resource.name)}")
    given = {
        column: _new(module, column, is_hooked=hooked) for column in query.parameters if column not in (more or {})
    }
    if remembered is not None:
        module.put(remembered, before="remembered = ")
    module.imports.add("typing", "Any")
    module.put(module.send("tx.fetchrow", query, {**given, **(more or {})}), before="row: Any = await ")
    lists.insert(module, endpoint, id=module.id, body="body")


def _new(module: Module, name: str, *, is_hooked: bool) -> str:
    """The value of a column of a new row."""
    thing = module.thing
    column = thing.table.column(name)
    if name == "id" or column is None:
        return module.id
    if is_hooked and not values.is_digest(thing, column):
        value = f"{thing.noun}.{values.attribute(name)}"
        return values.sealed(thing, column, value, module.id, module.imports) if column.is_encrypted else value
    if name == thing.tenant:
        return module.tenant()
    if not column.member:
        return module.subject() if name == "owner_id" else values.blank(thing, column, module.imports)
    field = thing.field_of(column)
    if field is None or field.is_read_only:
        return values.blank(thing, column, module.imports)
    if is_hooked:
        return values.sealed(
            thing, column, f"{thing.noun}.{values.attribute(names.snake(field.name))}", module.id, module.imports
        )
    return values.taken(thing, column, "body", module.id, module.imports)


def refer(module: Module, endpoint: PlannedEndpoint, field: Field, *, is_change: bool = False) -> None:
    """Whether the caller may refer to what it names."""
    thing = module.thing
    target = thing.blueprint.resource(field.of) if field.kind is FieldKind.REFERENCE else None
    if target is None:
        return
    noun = names.kebab(target.name)
    query = thing.query(endpoint.id, f"find-{noun}{'s' if field.is_list else ''}-referred-to")
    if query is None or field.is_read_only:
        return
    module.runtime("Problem")
    name = shapes.member(field)
    body = f"body.{values.attribute(name)}"
    value = lists.identifiers(module, field, body) if field.is_list else _reference(module, field, body)
    given = {**module.caller(), "id": value, "id[]": value}
    conditions = []
    if is_change:
        module.imports.add("msgspec", "UNSET")
        conditions.append(f"{body} is not UNSET")
    if field.is_optional and not field.is_list:
        conditions.append(f"{body} is not None")
    depth = module.depth
    if conditions:
        module.line(f"if {' and '.join(conditions)}:")
        module.depth += 1
    variable = f"seen_{names.snake(field.name)}"
    how = "tx.fetch" if field.is_list else "tx.fetchrow"
    module.put(module.send(how, query, given), before=f"{variable} = await ")
    test = f"len({variable}) < len(set({body}))" if field.is_list else f"{variable} is None"
    problem = f"There is no such {names.spoken(target.name)}, or it is not yours."
    with module.block(f"if {test}:"):
        errors = f"errors=(({python.quoted(f'/{name}')}, {python.quoted(problem)}),)"
        module.put(python.call("raise Problem", '"invalid-request"', errors))
    module.depth = depth


def _reference(module: Module, field: Field, body: str) -> str:
    target = module.thing.blueprint.resource(field.of)
    if target is None or not target.identifier.prefix:
        return body
    module.runtime("as_identifier")
    return f"as_identifier({body}, {python.quoted(target.identifier.prefix)})"


def answered(
    module: Module,
    endpoint: PlannedEndpoint,
    operation: Operation,
    *,
    changes: python.Part,
    row: str = "row",
    posted: str = "",
) -> bool:
    """The object as it is now, told to whoever must know, and kept under the key; whether nothing is left to do."""
    thing = module.thing
    keeping.read_lists(module, endpoint.id, id=f'{row}["id"]')
    module.put(keeping.shown_expression(module, row), before=f"{thing.noun}_now = " if posted else f"{thing.noun} = ")
    shown = f"{thing.noun}_now" if posted else thing.noun
    if operation.posts:
        body = "body" if endpoint.request else ""
        keeping.post(module, endpoint, origin="call", row=posted or module.row_of(row), body=body)
    keeping.emit(module, operation.emits, origin="call", shown=shown)
    keeping.audit(module, origin="call", id=f"{shown}.id", changes=changes)
    made = shown_answer(module, endpoint, row, shown=shown)
    is_over = endpoint.idempotency is None and not hooks.is_hooked(operation) and is_last(module, operation)
    module.put(made, before="return " if is_over else "answer = ")
    keeping.finish(module, endpoint, id=f"{shown}.id")
    return is_over or (hooks.is_hooked(operation) and is_last(module, operation))


def shown_answer(
    module: Module, endpoint: PlannedEndpoint, row: str = "row", *, status: int = 0, shown: str = ""
) -> python.Group:
    """The answer that shows the object; `shown` is its variable."""
    shown = shown or module.thing.noun
    success = endpoint.success
    made = answer_of(module, shown, row, endpoint)
    parts = list(made.parts)
    found = status or (success.status if success else 200)
    if found != 200:
        parts.insert(1, f"status={found}")
    planned = next((each for each in endpoint.answers if each.status == found), success)
    if planned and "Location" in planned.headers:
        parts.append(f"location={location(module, shown)}")
    if planned and "Retry-After" in planned.headers:
        parts.append("retry_after_s=1.0")
    return python.call("Answer.of", *parts)


def location(module: Module, shown: str) -> str:
    """Where the object is read."""
    reading = next(
        (e for e in module.design.endpoints if e.action is Action.READ and e.resource == module.thing.resource.name),
        None,
    )
    path = reading.path if reading else ""
    head, _, _ = path.partition("{")
    return f'f"{head}{{{shown}.id}}"'


def left(module: Module, operation: Operation, *, is_returned: bool = False) -> None:
    """After the commit: who waits for work is told, and the answer goes out."""
    for job in _woken(module, operation):
        module.line(f"service.wake({python.quoted(job)})")
    if not is_returned:
        module.line("return answer")


def is_last(module: Module, operation: Operation) -> bool:
    """Whether nobody has to be woken after the commit."""
    return not list(_woken(module, operation))


def _woken(module: Module, operation: Operation) -> Iterator[str]:
    """The jobs for which there is work now."""
    thing = module.thing
    first = thing.resource.states[0].name if thing.resource.states else ""
    state = operation.to_state or (first if operation.do is Action.CREATE else "")
    for job in thing.blueprint.jobs:
        if job.on == thing.resource.name and job.from_state and job.from_state == state and not job.every_s:
            yield job.name
    if operation.emits and thing.blueprint.events.transport == "outbox":
        yield "relayOutbox"


def update(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    thing = module.thing
    begun(module, endpoint, operation)
    module.runtime("Problem")
    module.line(f"{module.id} = {module.find_id(endpoint)}")
    with module.block(f"if body == {module.shape(endpoint.request)}():"):
        module.put(python.call("raise Problem", '"invalid-request"', '"Nothing is to be changed."'))
    if operation.calls:
        asking.change(module, endpoint, operation)
        module.depth -= 1
        return
    read = module.query(endpoint.id, f"read-{names.kebab(thing.resource.name)}-to-change")
    query = module.query(endpoint.id, f"update-{names.kebab(thing.resource.name)}")
    with transaction(module, operation, is_last=is_last(module, operation)):
        keeping.claim(module, endpoint)
        for field in thing.resource.fields:
            refer(module, endpoint, field, is_change=True)
        with module.block("for _ in range(CHANGES_MAX):"):
            module.put(module.send("tx.fetchrow", read, {**module.caller(), "id": module.id}), before="before = await ")
            with module.block("if before is None:"):
                module.line('raise Problem("not-found", NOT_FOUND)')
            if thing.is_versioned:
                with module.block('if call.version not in (None, before["version"]):'):
                    module.line('raise Problem("precondition-failed")')
            if hooks.is_hooked(operation):
                hooks.merged(module, operation, "before")
            given = _merged(module, query, is_hooked=hooks.is_hooked(operation))
            module.put(module.send("tx.fetchrow", query, given), before="row = await ")
            with module.block("if row is not None:"):
                module.line("break")
        with module.block("else:"):
            held = thing.table.column("pending_operation") is not None
            module.line(f'raise Problem("{"operation-pending" if held else "unavailable"}")')
        lists.rewrite(module, endpoint, id=module.id, body="body")
        changed = '{"fields": [name for name in body.__struct_fields__ if getattr(body, name) is not UNSET]}'
        module.imports.add("msgspec", "UNSET")
        drafted = thing.noun if hooks.is_hooked(operation) else ""
        is_returned = answered(module, endpoint, operation, changes=changed, posted=drafted)
    left(module, operation, is_returned=is_returned)
    module.depth -= 1


def _merged(module: Module, query: PlannedQuery, *, is_hooked: bool) -> dict[str, str]:
    """Of each column what was sent, or what is kept."""
    thing = module.thing
    given = {**module.caller(), "id": module.id, "if_version": 'before["version"]'}
    for name in query.parameters:
        column = thing.table.column(name)
        if name in given or column is None:
            continue
        given[name] = chosen(module, column, is_hooked=is_hooked)
    return given


def chosen(module: Module, column: PlannedColumn, *, before: str = "before", is_hooked: bool = False) -> str:
    """What was sent for a column, or what it keeps."""
    thing = module.thing
    if is_hooked:
        return hooks.decided(module, column)
    module.imports.add("msgspec", "UNSET")
    head = values.attribute(column.member.partition(".")[0])
    taken = values.taken(thing, column, "body", module.id, module.imports)
    if " if " in taken:
        taken = f"({taken})"
    return f"{before}[{python.quoted(column.name)}] if body.{head} is UNSET else {taken}"


def move(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    thing = module.thing
    begun(module, endpoint, operation)
    module.line(f"{module.id} = {module.find_id(endpoint)}")
    if operation.calls:
        asking.move(module, endpoint, operation)
        module.depth -= 1
        return
    states = sources(module, operation)
    posted = ""
    with transaction(module, operation, is_last=is_last(module, operation)):
        keeping.claim(module, endpoint)
        if hooks.is_hooked(operation):
            posted = locked(module, endpoint, operation, states)
            module.imports.add("typing", "Any")
            query = module.query(endpoint.id, f"store-{names.kebab(thing.resource.name)}")
            module.put(
                module.send("tx.fetchrow", query, stored(module, query, operation.to_state)), before="row: Any = await "
            )
        else:
            base = f"move-{names.kebab(thing.resource.name)}-to-{names.kebab(operation.to_state)}"
            query = module.query(endpoint.id, base)
            given = {**module.caller(), "id": module.id, "to_status": python.quoted(operation.to_state)}
            given["from_statuses"] = python.flat(python.row(*map(python.quoted, states)))
            module.put(module.send("tx.fetchrow", query, given), before="row = await ")
            why_not(module, endpoint, states)
        changes = python.flat(python.mapping([("status", python.quoted(operation.to_state))]))
        is_returned = answered(module, endpoint, operation, changes=changes, posted=posted)
    left(module, operation, is_returned=is_returned)
    module.depth -= 1


def why_not(module: Module, endpoint: PlannedEndpoint, states: tuple[str, ...] = ()) -> None:
    """Raises the reason where no row was changed."""
    module.needs_reasons = module.needs_checks = True
    named = "".join(f", {python.quoted(state)}" for state in states)
    sees = ""
    variants = reading_variants(module.thing)
    if len(variants) > 1:
        mine = next((each.parameters for each in variants if endpoint.id in each.used_by), ())
        sees = f", {next((has(each) for each in mine if each.startswith('has:')), 'False')}"
    with module.block("if row is None:"):
        module.line(f"raise await _why_not(tx, call, {module.id}{sees}{named})")


def reading_variants(thing: Thing) -> tuple[PlannedQuery, ...]:
    """The statements that read a row before it is changed: several where roles may make some of the changes only."""
    base = f"read-{names.kebab(thing.resource.name)}-to-change"
    return tuple(each for each in thing.design.queries if each.base == base)


def sources(module: Module, operation: Operation) -> tuple[str, ...]:
    """The states that planning lets it begin in."""
    return sources_of(module.thing, operation)


def locked(module: Module, endpoint: PlannedEndpoint, operation: Operation, states: tuple[str, ...] = ()) -> str:
    """Locks the row and lets the owner's function decide; the variable of what it decided."""
    thing = module.thing
    module.needs_checks = True
    query = module.query(endpoint.id, f"lock-{names.kebab(thing.resource.name)}")
    module.put(module.send("tx.fetchrow", query, {**module.caller(), "id": module.id}), before="found = await ")
    module.put(python.call("_checked", "found", "call", *map(python.quoted, states)), before="before = ")
    if thing.table.column("pending_operation") is not None:
        with module.block('if before["pending_operation"] is not None:'):
            module.runtime("Problem")
            module.line('raise Problem("operation-pending")')
    hooks.ask(module, operation, endpoint, row="before")
    return thing.noun


def stored(module: Module, query: PlannedQuery, to_state: str) -> dict[str, str]:
    """What the owner's function made of a row, for the statement that writes it."""
    thing = module.thing
    given = {"id": module.id, "to_status": python.quoted(to_state) if to_state else f"{thing.noun}.status"}
    for name in query.parameters:
        column = thing.table.column(name)
        if name not in given and column is not None:
            given[name] = hooks.decided(module, column)
    return given


def remove(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    thing = module.thing
    begun(module, endpoint, operation)
    module.line(f"{module.id} = {module.find_id(endpoint)}")
    with transaction(module, operation, is_last=is_last(module, operation)):
        keeping.claim(module, endpoint)
        if hooks.is_hooked(operation):
            hooks.ask_without_row(module, operation, endpoint)
        query = module.query(endpoint.id, f"delete-{names.kebab(thing.resource.name)}")
        module.put(module.send("tx.fetchrow", query, {**module.caller(), "id": module.id}), before="row = await ")
        why_not(module, endpoint)
        prefix = f", {python.quoted(thing.prefix)}" if thing.prefix else ""
        shown = f"identifier_text({module.id}{prefix})" if thing.prefix else f"str({module.id})"
        if thing.prefix and thing.resource.audit in ("all", "writes"):
            module.runtime("identifier_text")
        keeping.audit(module, origin="call", id=shown, changes='{"is_deleted": True}')
        is_over = endpoint.idempotency is None and not hooks.is_hooked(operation) and is_last(module, operation)
        is_returned = is_over or (hooks.is_hooked(operation) and is_last(module, operation))
        module.line(f"{'return' if is_over else 'answer ='} Answer.nothing()")
        keeping.finish(module, endpoint)
    left(module, operation, is_returned=is_returned)
    module.depth -= 1


def grouped(module: Module) -> tuple[str, ...]:
    """The operations whose commits are shared: they insert one row and nothing else."""
    capacity = module.design.capacity
    wanted = capacity.grouped if capacity and capacity.is_grouped else ()
    return tuple(each for each in wanted if is_plain_insert(module, each))


def is_plain_insert(module: Module, name: str) -> bool:
    operation = module.thing.blueprint.operation(name)
    endpoint = module.design.endpoint(name)
    if (
        operation is None
        or endpoint is None
        or operation.do is not Action.CREATE
        or operation.on != module.thing.resource.name
    ):
        return False
    beside = operation.calls or operation.emits or operation.posts or operation.hook or operation.saga
    has_key = operation.idempotency is not None and operation.idempotency.is_required
    thing = module.thing
    sent = {query.base for query in thing.design.queries if name in query.used_by}
    own = {"claim-idempotency-key", "read-idempotency-key", "finish-idempotency-key"}
    return has_key and not beside and sent <= own | {f"insert-{names.kebab(thing.resource.name)}"}


def accepted_columns(module: Module) -> tuple[PlannedColumn, ...]:
    """What a row is given that shares its commit with others: whatever its answer shows, times included."""
    thing = module.thing
    query = next(q for q in thing.design.queries if q.base == f"insert-{names.kebab(thing.resource.name)}")
    wanted = {*query.parameters, "created_at", "updated_at"} - {thing.tenant}
    return tuple(column for column in thing.table.columns if column.name in wanted)


def _accept(module: Module, endpoint: PlannedEndpoint) -> None:
    """Made before it is written, for many are written at once."""
    thing = module.thing
    module.runtime("new_id")
    module.imports.add("datetime", "UTC", "datetime")
    module.imports.add("typing", "Any")
    module.line(f"{module.id} = new_id()")
    module.line("now = datetime.now(UTC)")
    pairs: list[python.Part] = []
    columns = accepted_columns(module)
    for column in thing.table.columns:
        if column in columns or column.name in (thing.tenant, "status", "version"):
            pairs.append(f"{python.quoted(column.name)}: {_accepted(module, column)}")
        elif column.member and column.is_nullable:
            pairs.append(f"{python.quoted(column.name)}: None")
    module.put(python.Group(head="", parts=tuple(pairs), brackets="{}"), before="row: dict[str, Any] = ")
    module.put(keeping.shown_expression(module, "row"), before=f"{thing.noun} = ")
    module.put(shown_answer(module, endpoint), before="answer = ")
    given = python.row(*(f"row[{python.quoted(column.name)}]" for column in columns))
    accept = python.call(
        f"await service.{names.snake(endpoint.id)}.accept",
        "call", "answer=answer", f"resource_id={thing.noun}.id", python.named("values", given),
    )  # fmt: skip
    module.put(accept, before="answer = ")
    operation = thing.blueprint.operation(endpoint.id)
    if operation is not None:
        left(module, operation)


def _accepted(module: Module, column: PlannedColumn) -> str:
    if column.name in ("created_at", "updated_at"):
        return "now"
    if column.name == "version":
        return column.default or "1"
    if column.name == "status":
        return python.quoted(module.thing.resource.states[0].name)
    return _new(module, column.name, is_hooked=False)
