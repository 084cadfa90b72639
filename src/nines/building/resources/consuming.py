"""`_generated/consumers.py`: what events of others cause, each a function within the transaction of its inbox."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.project.settings import variables
from nines.building.resources import hooks, keeping, rows, values
from nines.building.resources.code import Code, Module, Shared
from nines.building.resources.facts import blueprint_of, find, sources_of, thing_of
from nines.building.resources.working import list_members
from nines.model.blueprint import Action, Consumer
from nines.model.design import Design, PlannedColumn, PlannedJob, PlannedQuery
from nines.model.record import Record

_STATEMENTS = (
    ("keep_dead", "keep-dead-event"),
    ("take_dead", "take-dead-event-again"),
    ("leave_dead", "leave-dead-event"),
)


class Taken(Record):
    """What a column is told by an event."""

    value: str
    missing: str = ""
    """The member, where it may be missing; what is left out changes nothing."""


def taking(design: Design) -> tuple[PlannedJob, ...]:
    """What takes events from a broker."""
    return tuple(each for each in design.jobs if each.receives is not None and each.receives.dependency)


def taking_own(design: Design) -> tuple[PlannedJob, ...]:
    """What takes events of the service itself, from its own outbox."""
    return tuple(each for each in design.jobs if each.receives is not None and not each.receives.dependency)


def write(design: Design) -> Iterator[File]:
    if not taking(design) and not taking_own(design):
        return
    code = Code(design)
    code.generated("service", "Service")
    code.runtime("Connection", "Told")
    body = Code(design)
    body.imports = code.imports
    for planned in (*taking(design), *taking_own(design)):
        _handled(body, planned)
    if taking(design):
        code.line()
        named = python.flat(python.row(*(python.quoted(each.name) for each in taking(design))))
        code.put(named, before="CONSUMERS = ")
        code.gap()
        _consumers(code)
    if taking_own(design):
        code.gap()
        _own(code)
    if any(len(_woken(design, each)) > 1 for each in (*taking(design), *taking_own(design))):
        code.gap()
        with code.block("def _wake(service: Service, *jobs: str) -> None:"), code.block("for each in jobs:"):
            code.line("service.wake(each)")
    code.lines += body.lines
    yield File(path=names.source(design, "_generated/consumers.py"), text=code.text("What events cause here."))


def _consumers(code: Code) -> None:
    design = code.design
    code.runtime("Consumer", "JobMetrics")
    code.generated("settings", "GeneratedSettings")
    parts = ("service: Service", "settings: GeneratedSettings", "metrics: JobMetrics")
    with code.block(python.Group(head="def consumers", parts=parts, tail=" -> tuple[Consumer, ...]")):
        code.doc("Who takes events of others")
        take = code.statement(next(each for each in design.queries if each.base == "take-from-inbox"))
        code.runtime("Inbox", "ConsumerStatements")
        code.line(f"inbox = Inbox({take})")
        texts = (f"{name}={code.statement(_sent(design, base))}" for name, base in _STATEMENTS)
        code.put(python.call("ConsumerStatements", *texts), before="statements = ")
        code.put(python.row(*(_consumer(code, each) for each in taking(design))), before="return ")


def _sent(design: Design, base: str) -> PlannedQuery:
    return next(each for each in design.queries if each.base == base)


def _consumer(code: Code, planned: PlannedJob) -> python.Group:
    received = planned.receives
    assert received is not None
    code.imports.add("functools", "partial")
    parts: list[python.Part] = [
        python.quoted(planned.name),
        _source(code, planned),
        "service.database",
        f"partial({_function(planned)}, service)",
        "inbox=inbox",
        "statements=statements",
        f"types=({python.quoted(received.type)},)",
        f"attempts_max={planned.attempts_max}",
        "metrics=metrics",
    ]
    parts += _done(code.design, planned)
    return python.call("Consumer", *parts)


def _source(code: Code, planned: PlannedJob) -> python.Part:
    design, received = code.design, planned.receives
    broker = design.dependency(received.dependency) if received else None
    assert broker is not None
    assert received is not None
    code.runtime("source_at")
    given = [
        f"str(settings.{variables(broker)[0].lower()})",
        f"address={python.quoted(received.address)}",
        f"name={python.quoted(f'{design.name}-{planned.name}')}",
    ]
    secret = next((each.name for each in design.secrets if each.dependency == broker.name), "")
    if secret:
        given.append(f"credential=settings.{secret.lower()}")
    given += [f"ca=settings.{names.snake(broker.name)}_ca", "environment=settings.environment"]
    return python.call("source_at", *given)


def _own(code: Code) -> None:
    """Which of the service's own events go to which function here."""
    design = code.design
    code.runtime("Receiver")
    code.imports.add("functools", "partial")
    with code.block("def receivers(service: Service) -> tuple[Receiver, ...]:"):
        code.doc("Who takes events of the service itself, from its outbox")
        made = []
        for planned in taking_own(design):
            parts = [
                f"name={python.quoted(planned.name)}",
                f"event={python.quoted(_consumer_of(design, planned).event)}",
                f"handle=partial({_function(planned)}, service)",
                f"attempts_max={planned.attempts_max}",
                *_done(design, planned),
            ]
            made.append(python.call("Receiver", *parts))
        code.put(python.row(*made), before="return ")


def _done(design: Design, planned: PlannedJob) -> Iterator[str]:
    """Who is told after the commit that there is work."""
    woken = _woken(design, planned)
    if len(woken) == 1:
        yield f"done=partial(service.wake, {python.quoted(woken[0])})"
    elif woken:
        yield f"done=partial(_wake, service, {', '.join(map(python.quoted, woken))})"


def _function(planned: PlannedJob) -> str:
    return names.snake(planned.name)


def _consumer_of(design: Design, planned: PlannedJob) -> Consumer:
    return next(each for each in blueprint_of(design).consumers if each.name == planned.name)


def _woken(design: Design, planned: PlannedJob) -> tuple[str, ...]:
    """The jobs for which there is work after it."""
    consumer = _consumer_of(design, planned)
    blueprint = blueprint_of(design)
    resource = blueprint.resource(consumer.on)
    first = resource.states[0].name if resource and resource.states else ""
    state = consumer.to_state or (first if consumer.do is Action.CREATE else "")
    found = [
        job.name
        for job in blueprint.jobs
        if job.on == consumer.on and job.from_state and job.from_state == state and not job.every_s
    ]
    is_told = bool(consumer.emits) and blueprint.events.transport == "outbox"
    return (*found, *(["relayOutbox"] if is_told else []))


def _handled(code: Code, planned: PlannedJob) -> None:
    design, received = code.design, planned.receives
    assert received is not None
    consumer = _consumer_of(design, planned)
    thing = thing_of(design, consumer.on) if consumer.on else None
    code.gap()
    with code.block(f"async def {_function(planned)}(service: Service, tx: Connection, told: Told) -> None:"):
        code.doc(planned.says)
        begun = len(code.lines)
        if received.shape:
            code.runtime("data_of")
            code.line(f"data = data_of(told, {code.shape(received.shape)})")
        if thing is None:
            code.line(f"await {hooks.imported(code, consumer)}(tx, {'data' if received.shape else 'told'})")
        else:
            module = Shared(code, thing)
            if consumer.do is Action.CREATE:
                _made(module, planned, consumer)
            else:
                _changed(module, planned, consumer)
            _kept(module, planned, consumer)
        unused = [name for name in ("service", "told") if not any(_names(name, line) for line in code.lines[begun:])]
        if unused:
            code.lines.insert(begun, f"{python.INDENT}del {', '.join(unused)}")


def _names(name: str, line: str) -> bool:
    return re.search(rf"\b{name}\b", line) is not None


def _made(module: Module, planned: PlannedJob, consumer: Consumer) -> None:
    """A new row of what the event tells."""
    thing = module.thing
    given = _given(module, planned)
    parts: list[python.Part] = []
    for column in rows.columns(thing):
        taken = given.get(column.name)
        value = _first(module, column) if taken is None or taken.missing else ""
        if taken is not None:
            is_plain = value == "None" and taken.value == taken.missing
            value = f"{value} if {taken.missing} is None else {taken.value}" if value and not is_plain else taken.value
        parts.append(python.named(values.attribute(column.name), value))
    module.put(python.call(module.shape(thing.kept), *parts), before=f"{thing.noun} = ")
    _ask(module, planned, consumer)
    query = find(module.design, planned.name, f"insert-{names.kebab(thing.resource.name)}")
    assert query is not None
    sent = _sealed(module, query)
    module.put(module.send("tx.fetchrow", query, sent), before=_row(module, consumer))


def _first(module: Module, column: PlannedColumn) -> str:
    """What a column of a new row holds that the event does not tell."""
    thing = module.thing
    if column.name == "id":
        module.runtime("new_id")
        return "new_id()"
    if column.name == "status" and not column.member:
        return python.quoted(thing.resource.states[0].name)
    if column.name == "version" and not column.member:
        return column.default or "1"
    return values.blank(thing, column, module.imports)


def _changed(module: Module, planned: PlannedJob, consumer: Consumer) -> None:
    thing = module.thing
    query = find(module.design, planned.name, f"find-{names.kebab(thing.resource.name)}-of-event")
    assert query is not None
    by = {name: each.value for name, each in _given(module, planned, is_finding=True).items()}
    module.put(module.send("tx.fetchrow", query, by), before="found = await ")
    module.runtime("NotNow")
    with module.block("if found is None:"):
        module.line(f'raise NotNow("There is no such {thing.spoken} yet.")')
    if consumer.to_state:
        _looked_at(module, consumer)
    if thing.table.column("pending_operation") is not None:
        with module.block('if found["pending_operation"] is not None:'):
            module.line(f'raise NotNow("An operation holds the {thing.spoken} while it asks others.")')
    stored = find(module.design, planned.name, f"store-{names.kebab(thing.resource.name)}")
    if stored is None:
        base = f"move-{names.kebab(thing.resource.name)}-to-{names.kebab(consumer.to_state)}-by-event"
        moved = find(module.design, planned.name, base)
        if moved is None:
            return
        sent = {"id": 'found["id"]', "to_status": python.quoted(consumer.to_state)}
        module.put(module.send("tx.fetchrow", moved, sent), before=_row(module, consumer))
        return
    module.line(f"{thing.noun} = {module.row_of('found')}")
    for name, taken in _given(module, planned).items():
        kept = f"{thing.noun}.{values.attribute(name)}"
        if taken.missing:
            with module.block(f"if {taken.missing} is not None:"):
                module.lines += python.assigned(kept, taken.value, depth=module.depth)
        else:
            module.lines += python.assigned(kept, taken.value, depth=module.depth)
    _ask(module, planned, consumer)
    sent = _sealed(module, stored)
    if thing.resource.states:
        sent["to_status"] = python.quoted(consumer.to_state) if consumer.to_state else f"{thing.noun}.status"
    module.put(module.send("tx.fetchrow", stored, sent), before=_row(module, consumer))


def _looked_at(module: Module, consumer: Consumer) -> None:
    """Whether it is in a state from which it may go there, or there already."""
    thing = module.thing
    states = sources_of(thing, consumer)
    with module.block(f'if found["status"] == {python.quoted(consumer.to_state)}:'):
        module.line("return")
    row = python.flat(python.row(*map(python.quoted, states)))
    test = f'found["status"] != {python.quoted(states[0])}' if len(states) == 1 else f'found["status"] not in {row}'
    with module.block(f"if {test}:"):
        said = f"f\"The {thing.spoken} is {{found['status']}}; it must be {' or '.join(states)}.\""
        module.put(python.call("raise NotNow", said))


def _ask(module: Module, planned: PlannedJob, consumer: Consumer) -> None:
    if consumer.hook:
        told = "data" if planned.receives and planned.receives.shape else "told"
        module.line(f"await {hooks.imported(module, consumer)}(tx, {module.thing.noun}, {told})")


def _row(module: Module, consumer: Consumer) -> str:
    if not _is_kept(module, consumer):
        return "await "
    module.imports.add("typing", "Any")
    return "row: Any = await "


def _is_kept(module: Module, consumer: Consumer) -> bool:
    """Whether anything is written beside the row."""
    return bool(consumer.emits) or module.thing.resource.audit in ("all", "writes")


def _kept(module: Module, planned: PlannedJob, consumer: Consumer) -> None:
    """Events and the audit trail, in the transaction of the change."""
    thing = module.thing
    if not _is_kept(module, consumer):
        return
    module.runtime("Task")
    given = [f"operation={python.quoted(planned.name)}"]
    if thing.tenant:
        column = thing.table.column(thing.tenant)
        value = f"row[{python.quoted(thing.tenant)}]"
        given.append(f"tenant={value if column is not None and column.type == 'text' else f'str({value})'}")
    given += ["request_id=told.id", "trace_parent=told.traceparent"]
    module.put(python.call("Task", *given), before="task = ")
    if consumer.emits:
        cipher = ["service.cipher"] if values.is_sealed(thing) else []
        parts = ["row", *cipher, *(f"{each}=()" for each in list_members(thing))]
        module.put(python.call(f"{module.shape(thing.shape)}.of", *parts), before="shown = ")
        keeping.emit(module, consumer.emits, origin="task", shown="shown")
    changes: python.Part = '{"is_changed": True}'
    if consumer.do is Action.CREATE:
        changes = keeping.changes_of_new(thing, "row")
    elif consumer.to_state:
        changes = python.flat(python.mapping([("status", python.quoted(consumer.to_state))]))
    keeping.audit(module, origin="task", id=_shown_id(module), changes=changes)


def _shown_id(module: Module) -> str:
    if not module.thing.prefix:
        return 'str(row["id"])'
    module.runtime("identifier_text")
    return f'identifier_text(row["id"], {python.quoted(module.thing.prefix)})'


def _sealed(module: Module, query: PlannedQuery) -> dict[str, str]:
    """The columns of a statement, of the row that was put together; a ciphertext is bound to the row's identifier."""
    columns = {name: module.thing.table.column(name) for name in query.parameters}
    found = {name: hooks.decided(module, column) for name, column in columns.items() if column is not None}
    if any(_names(module.id, value) for value in found.values()):
        module.line(f"{module.id} = {module.thing.noun}.id")
    return found


def _given(module: Module, planned: PlannedJob, *, is_finding: bool = False) -> dict[str, Taken]:
    """Columns with the expression of the member that each is told by."""
    thing, received = module.thing, planned.receives
    assert received is not None
    shape = module.design.shape(received.shape)
    needed = shape.schema.get("required", []) if shape else []
    found: dict[str, Taken] = {}
    for target, member in received.finds if is_finding else received.sets:
        told = f"data.{values.attribute(member)}"
        missing = "" if member in needed else told
        field = thing.resource.field(target.partition(".")[0])
        if field is None:
            found[target] = Taken(value=_own_column(module, target, told), missing=missing)
            continue
        for column in thing.columns_of(field):
            if ("." in target and column.member != target) or values.is_digest(thing, column):
                continue
            part = column.member.partition(".")[2] if "." not in target else ""
            member_of = f"{told}.{values.attribute(part)}" if part else told
            value = values.plain(thing, column, thing.part_of(column), member_of, module.imports)
            found[column.name] = Taken(value=value, missing=missing)
    return found


def _own_column(module: Module, column: str, told: str) -> str:
    """The identifier, the owner or the tenant of a row."""
    thing = module.thing
    kept = thing.table.column(column)
    if kept is None or kept.type != "uuid":
        return told
    prefix = values.prefix_in(thing, kept) or (values.caller_prefix(thing) if column == "owner_id" else "")
    if not prefix:
        return told
    module.runtime("as_identifier")
    return f"as_identifier({told}, {python.quoted(prefix)})"
