"""`_generated/service.py`, what operations get; `_generated/constraints.py`; `_generated/application.py`, which opens
it all; and the owner's `app.py`."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.project.settings import database as database_variable
from nines.building.project.settings import is_issued_elsewhere, settings, variables
from nines.building.resources import changing, keeping, ports, sagas, values
from nines.building.resources.code import Code, Module
from nines.building.resources.facts import Thing, blueprint_of, own_table, things
from nines.building.resources.guards import number
from nines.model.blueprint import Action, Dependency, DependencyKind, ResourceKind
from nines.model.blueprint.operation import OF_ACCOUNTS
from nines.model.design import Design, PlannedColumn
from nines.model.design.ddl import foreign_key_name

_POOL = 10


def has_accounts(design: Design) -> bool:
    return any(each.action in OF_ACCOUNTS for each in design.endpoints)


def has_outbox(design: Design) -> bool:
    return any(query.base == "insert-outbox-event" for query in design.queries)


def has_audit(design: Design) -> bool:
    return any(query.base == "append-audit-entry" for query in design.queries)


def has_keys(design: Design) -> bool:
    return any(query.base == "claim-idempotency-key" for query in design.queries)


def has_lists(design: Design) -> bool:
    return any(each.action is Action.LIST for each in design.endpoints)


def has_sealed(design: Design) -> bool:
    return any(
        values.keeps_sealed(thing) for thing in things(design) if thing.resource.kind is not ResourceKind.ACCOUNT
    )


def has_lookups(design: Design) -> bool:
    return any(
        values.is_digest(thing, column)
        for thing in things(design)
        for column in thing.table.columns
        if thing.resource.kind is not ResourceKind.ACCOUNT
    )


def has_letters(design: Design) -> bool:
    return any(query.base.startswith("claim-from-") and query.base != "claim-from-outbox" for query in design.queries)


def ledgers(design: Design) -> tuple[Thing, ...]:
    posted = {each.posts for each in blueprint_of(design).operations}
    return tuple(t for t in things(design) if t.resource.kind is ResourceKind.LEDGER and t.resource.name in posted)


def accepting(design: Design) -> tuple[tuple[str, Thing], ...]:
    """The operations whose commits are shared, with what they create."""
    found = []
    for thing in things(design):
        module = Module(thing)
        found += [(each, thing) for each in changing.grouped(module)]
    return tuple(found)


def is_tenanted(design: Design) -> bool:
    return design.tenancy is not None and design.tenancy.isolation == "row"


def write(design: Design) -> Iterator[File]:
    yield File(
        path=names.source(design, "_generated/__init__.py"), text='"""Written by nines; change the blueprint."""\n'
    )
    yield File(path=names.source(design, "_generated/service.py"), text=_service(design))
    yield File(path=names.source(design, "_generated/constraints.py"), text=_constraints(design))
    yield File(path=names.source(design, "_generated/application.py"), text=_application(design))
    yield File(path=names.source(design, "app.py"), text=_app(design), is_owned=True)
    yield from _broker(design)


def _fields(design: Design, code: Code) -> Iterator[tuple[str, str]]:
    """What the container holds, with types."""
    code.runtime("Database")
    yield "database", "Database"
    if has_keys(design):
        code.runtime("Keys")
        yield "keys", "Keys"
    if has_lists(design):
        code.runtime("Cursors")
        yield "cursors", "Cursors"
    if has_audit(design):
        code.runtime("Audit")
        yield "audit", "Audit"
    if has_outbox(design):
        code.runtime("Outbox", "Deliver")
        yield "outbox", "Outbox"
        yield "deliver", "Deliver"
    for thing in ledgers(design):
        code.runtime("Ledger")
        yield keeping.ledger_name(thing, thing.resource.name), "Ledger"
    if has_sealed(design):
        code.runtime("Cipher")
        yield "cipher", "Cipher"
    if has_lookups(design):
        code.runtime("Lookup")
        yield "lookup", "Lookup"
    if sagas.spanning(design):
        code.runtime("Sagas")
        yield "sagas", "Sagas"
    for operation, _ in accepting(design):
        code.runtime("Accepting")
        yield names.snake(operation), "Accepting"
    if has_accounts(design):
        code.imports.add("nines_runtime.security.accounts", "Accounts")
        yield "accounts", "Accounts"
    if has_letters(design):
        code.runtime("Mailing")
        yield "mail", "Mailing"
    for port in ports.ports_of(design):
        code.generated("ports", port.protocol)
        yield port.name, port.protocol
    code.imports.add("collections.abc", "Callable")
    yield "wake", "Callable[[str], None]"


def _service(design: Design) -> str:
    code = Code(design)
    fields = list(_fields(design, code))
    code.imports.add("dataclasses", "dataclass")
    code.gap()
    code.line("@dataclass(kw_only=True, slots=True)")
    with code.block("class Service:"):
        code.doc("What operations and jobs get: opened at the start, closed at the end")
        code.line()
        for name, type in fields:
            code.line(f"{name}: {type}")
        code.line('"""Tells a job that something is due."""')
    if any(each.calls for each in blueprint_of(design).operations):
        code.imports.add("collections.abc", "Mapping")
        code.imports.add("typing", "Any")
        code.gap()
        code.line("@dataclass(frozen=True, kw_only=True, slots=True)")
        with code.block("class Reserved:"):
            code.doc("A row that is held until others have answered, and what is remembered of who asked")
            code.line()
            code.line("row: Mapping[str, Any]")
            code.line("remembered: dict[str, Any]")
    return code.text("What operations get.")


def _constraints(design: Design) -> str:
    """What it means to a caller that a constraint of the database was broken."""
    code = Code(design)
    code.runtime("Violation")
    parts = [
        python.Group(head=f"{python.quoted(name)}: Violation", parts=tuple(map(python.quoted, given)))
        for name, given in _violations(design)
    ]
    code.line()
    if parts:
        code.line("CONSTRAINTS = {")
        code.depth += 1
        for each in parts:
            code.put(each, after=",")
        code.depth -= 1
        code.line("}")
    else:
        code.line("CONSTRAINTS: dict[str, Violation] = {}")
    code.line('"""By the name of the constraint; what is not here is no caller\'s fault."""')
    return code.text("What it means to a caller that a constraint of the database was broken.")


def _violations(design: Design) -> Iterator[tuple[str, tuple[str, ...]]]:
    own = {thing.table.name: thing for thing in things(design)}
    for table in design.tables:
        thing = own.get(table.name)
        if thing is None or thing.is_append_only:
            continue
        yield from _keys(thing)
        invariants = " and ".join(thing.resource.invariants)
        named = {f"{table.name}_{column.name}_check": column for column in table.columns}
        for check in table.checks:
            column = named.get(check.name)
            if column is not None and is_sent(thing, column):
                yield check.name, ("invalid-request", "It cannot be taken.", f"/{column.member.replace('.', '/')}")
            elif column is None and invariants:
                yield check.name, ("invariant-broken", f"{invariants} would no longer hold.")
        for column in table.columns:
            if column.references and is_sent(thing, column):
                pointer = f"/{column.member.replace('.', '/')}"
                yield foreign_key_name(table, column), ("invalid-request", "There is no such object.", pointer)
    yield from _others(design, own)


def _others(design: Design, own: dict[str, Thing]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """References from tables of lists, and to tenants and owners: what they refer to is in use."""
    for table in design.tables:
        for column in table.columns:
            is_known = table.name in own and column.member
            is_refused = column.on_delete == "RESTRICT" and not table.is_append_only
            if column.references and not is_known and is_refused:
                yield foreign_key_name(table, column), ("invalid-request", "There is no such object.")


def is_sent(thing: Thing, column: PlannedColumn) -> bool:
    """Whether a caller sets it."""
    field = thing.field_of(column)
    return field is not None and not field.is_read_only and bool(column.member)


def _keys(thing: Thing) -> Iterator[tuple[str, tuple[str, ...]]]:
    said = values_of_noun(thing.spoken)
    for index in thing.table.indexes:
        if index.is_unique and not index.is_primary:
            told = [name for name in index.names if name not in (thing.tenant, "owner_id")]
            members = [
                c.member.replace("_digest", "") if (c := thing.table.column(n)) and c.member else n for n in told
            ]
            same = " and ".join(members)
            yield index.name, ("already-exists", f"{said} with the same {same} exists already.")


def values_of_noun(spoken: str) -> str:
    return f"{'An' if spoken[:1] in 'aeiou' else 'A'} {spoken}"


def _statements(code: Code, kind: str, pairs: tuple[tuple[str, str], ...]) -> python.Group:
    """A record of the runtime with the texts of the service's own tables."""
    code.runtime(kind)
    parts = []
    for name, base in pairs:
        query = next((each for each in code.design.queries if each.base == base), None)
        if query is not None:
            parts.append(f"{name}={code.statement(query)}")
    return python.call(kind, *parts)


def _application(design: Design) -> str:
    code = Code(design)
    code.runtime("Application", "Operations", "Started", "Metrics")
    code.imports.add("pathlib", "Path")
    code.imports.add("collections.abc", "AsyncIterator")
    code.imports.add("contextlib", "AsyncExitStack", "asynccontextmanager")
    code.imports.add("functools", "partial")
    code.imports.add("starlette.types", "ASGIApp")
    code.generated("service", "Service")
    code.generated("settings", "GeneratedSettings")
    modules = names.modules(design)
    for module in modules:
        code.generated(module)
    code.line()
    code.line('CONTRACT = Path(__file__).with_name("openapi.json")')
    parts = [f"{module}.operations" for module in modules]
    code.put(python.call("Operations", *parts), before="operations: Operations[Service] = ")
    code.gap()
    _make(code)
    code.gap()
    _opened(code)
    for thing_port in ports.ports_of(design):
        code.gap()
        _client(code, thing_port)
    return code.text(f"{design.name} as a whole: what it opens at its start, and the application that answers.")


def _thresholds(design: Design, indicator: str) -> tuple[float, ...]:
    found = {each.threshold_s for each in design.running.objectives if each.indicator == indicator and each.threshold_s}
    return tuple(sorted(found))


def _edges(design: Design, indicator: str) -> list[str]:
    found = _thresholds(design, indicator)
    return [f"thresholds_s={python.flat(python.row(*(repr(float(each)) for each in found)))}"] if found else []


def _make(code: Code) -> None:
    design = code.design
    head = python.Group(
        head="def make", parts=("settings: GeneratedSettings", "*", "beside: ASGIApp | None = None"),
        tail=" -> Application[Service]",
    )  # fmt: skip
    with code.block(head):
        code.doc("The whole; `beside` answers what no operation does")
        code.line("metrics = Metrics()")
        code.runtime("Log")
        parts = [
            python.quoted(design.name),
            "operations",
            "partial(opened, settings, metrics)",
            "openapi=CONTRACT.read_bytes()",
            "fallback=beside",
            "metrics=metrics",
            f"log=Log({python.quoted(design.name)}, level=settings.log_level)",
        ]
        if design.tenancy:
            parts.append(f"tenant={python.quoted(design.tenancy.key)}")
        parts += _edges(design, "latency")
        parts += [
            "drain_s=settings.drain_s",
            "proxies_trusted=settings.proxies_trusted",
            "limit_factor=settings.limit_factor",
        ]
        code.put(python.call("Application", *parts), before="return ")


def _opened(code: Code) -> None:
    design = code.design
    code.line("@asynccontextmanager")
    parts = ("settings: GeneratedSettings", "metrics: Metrics")
    with code.block(python.Group(head="async def opened", parts=parts, tail=" -> AsyncIterator[Started[Service]]")):
        code.doc("Opens what the service needs, and closes it in the reverse order")
        with code.block("async with AsyncExitStack() as stack:"):
            _database(code)
            calls = [(port.dependency.name, verb.name) for port in ports.ports_of(design) for verb in port.verbs]
            if has_letters(design):
                calls += [(each.name, "send") for each in design.dependencies if each.kind is DependencyKind.SMTP]
            if calls or has_letters(design):
                _call_metrics(code, calls)
            _delivery(code)
            _container(code)
            _working(code)
            _authenticated(code)


def _database(code: Code) -> None:
    design = code.design
    store = next(each for each in design.dependencies if each.kind is DependencyKind.POSTGRES)
    code.runtime("Database", "PoolMetrics")
    code.generated("constraints", "CONSTRAINTS")
    name = python.quoted(store.name)
    code.put(python.call("PoolMetrics", "metrics", name, *_edges(design, "latency")), before="pool = ")
    code.line(f"password = settings.{names.snake(store.name)}_password")
    size = design.capacity.pool.per_process if design.capacity and design.capacity.pool else store.pool or _POOL
    parts = [
        f"str(settings.{database_variable(design).lower()})",
        f"size_max={size}",
        "constraints=CONSTRAINTS",
        "password=password.reveal() if password else None",
        f"application={python.quoted(design.name)}",
        "on_wait=pool.waited",
    ]
    if design.capacity and design.capacity.pool and design.capacity.pool.is_pooler_needed:
        parts.append("is_pooled=True")
    code.put(python.call("Database", *parts), before="database = ")
    code.line("pool.watch(lambda: database.in_use, database.size_max)")
    code.line("stack.push_async_callback(database.close)")


def _call_metrics(code: Code, calls: list[tuple[str, str]]) -> None:
    code.runtime("CallMetrics")
    pairs = python.row(*(f"({python.quoted(a)}, {python.quoted(b)})" for a, b in calls))
    breakers = [each.name for each in code.design.dependencies if each.breaker and each.name in {a for a, _ in calls}]
    parts: list[python.Part] = ["metrics"]
    if calls:
        parts.append(pairs)
    parts.append(f"breakers={python.flat(python.row(*map(python.quoted, breakers)))}")
    parts += _edges(code.design, "latency")
    code.put(python.call("CallMetrics", *parts), before="calls = ")


def _delivery(code: Code) -> None:
    """How events leave: over the owner's broker, or to subscribers over HTTP."""
    design = code.design
    if not has_outbox(design):
        return
    broker = blueprint_of(design).events.broker
    if broker:
        name = names.snake(broker)
        code.imports.add(f"{code.package}.gateways", name)
        code.line(f"{name}_relay = await stack.enter_async_context({name}.relay(settings))")
        return
    code.runtime("Subscribers", "subscribers_of")
    code.put(
        python.call(
            "Subscribers",
            _subscribers(code.design),
            'allows_private=settings.environment != "production"',
        ),
        before="subscribers = ",
    )
    code.line("stack.push_async_callback(subscribers.close)")


def _subscribers(design: Design) -> str:
    """Who wants to know of events, as a setting tells."""
    is_optional = any(each.name == "SUBSCRIBER_SECRETS" and each.default for each in settings(design))
    told = "settings.subscriber_secrets.reveal()"
    return (
        f'subscribers_of({told} if settings.subscriber_secrets else "")' if is_optional else f"subscribers_of({told})"
    )


def _container(code: Code) -> None:
    design = code.design
    tenanted = ["is_tenanted=True"] if is_tenanted(design) else []
    made: list[python.Part] = ["database=database"]
    if has_keys(design):
        pairs = (
            ("claim", "claim-idempotency-key"),
            ("read", "read-idempotency-key"),
            ("finish", "finish-idempotency-key"),
        )
        code.runtime("Keys")
        code.put(python.call("Keys", _statements(code, "KeyStatements", pairs), *tenanted), before="keys = ")
        made.append("keys=keys")
    if has_lists(design):
        code.runtime("Cursors")
        made.append("cursors=Cursors(settings.cursor_key.reveal().encode())")
    if has_audit(design):
        code.runtime("Audit")
        query = next(each for each in design.queries if each.base == "append-audit-entry")
        table = own_table(design, "audit_log")
        parts = [code.statement(query), f"table={python.quoted(table.name if table else 'audit_log')}"]
        if tenanted and design.tenancy:
            parts.append(f"tenant_column={python.quoted(design.tenancy.key)}")
        made.append(python.named("audit", python.call("Audit", *parts)))
    if has_outbox(design):
        made += _outbox(code, tenanted)
    for thing in ledgers(design):
        noun = names.kebab(thing.resource.name)
        pairs = (
            ("open_account", f"open-{noun}-account"),
            ("insert_posting", f"insert-{noun}-posting"),
            ("insert_entry", f"insert-{noun}"),
        )
        code.runtime("Ledger")
        made_ledger = python.call("Ledger", _statements(code, "LedgerStatements", pairs), *tenanted)
        made.append(python.named(keeping.ledger_name(thing, thing.resource.name), made_ledger))
    if has_sealed(design):
        code.runtime("Cipher")
        made.append("cipher=Cipher.parse(settings.field_keys.reveal())")
    if has_lookups(design):
        code.runtime("Lookup")
        made.append("lookup=Lookup(settings.lookup_key.reveal().encode())")
    if sagas.spanning(design):
        made.append(_sagas(code, tenanted))
    for operation, thing in accepting(design):
        _accepting(code, operation, thing)
        made.append(f"{names.snake(operation)}={names.snake(operation)}")
    if has_accounts(design):
        code.generated("identity", "accounts_of", "authenticator_of")
        code.line("accounts = accounts_of(settings)")
        code.line("stack.callback(accounts.close)")
        made.append("accounts=accounts")
    if has_letters(design):
        carrier = next((each for each in design.dependencies if each.kind is DependencyKind.SMTP), None)
        name = names.snake(carrier.name) if carrier else "mail"
        code.imports.add(f"{code.package}.gateways", name)
        code.line(f"letters = {name}.mail(settings, calls)")
        made.append("mail=letters")
    for port in ports.ports_of(design):
        code.imports.add(f"{code.package}.gateways.{port.name}", f"{port.protocol}Client")
        client = f"_{port.name}_client"
        code.line(f"{port.name} = {client}(settings, calls)")
        code.line(f"stack.push_async_callback({port.name}.close)")
        made.append(f"{port.name}={port.protocol}Client({port.name})")
    made.append("wake=lambda name: jobs.wake(name)")
    code.put(python.call("Service", *made), before="service = ")


def _outbox(code: Code, tenanted: list[str]) -> list[python.Part]:
    pairs = (
        ("insert", "insert-outbox-event"), ("claim", "claim-from-outbox"), ("delete", "delete-from-outbox"),
        ("retry", "retry-in-outbox"),
    )  # fmt: skip
    code.runtime("Outbox")
    broker = blueprint_of(code.design).events.broker
    if broker:
        code.runtime("everywhere")
        where, deliver = f"everywhere({python.quoted(broker)})", f"{names.snake(broker)}_relay"
    else:
        where, deliver = "subscribers.destinations", "subscribers.deliver"
    made = python.call("Outbox", _statements(code, "OutboxStatements", pairs), f"destinations={where}", *tenanted)
    return [python.named("outbox", made), f"deliver={deliver}"]


def _sagas(code: Code, tenanted: list[str]) -> python.Part:
    code.runtime("Sagas")
    code.generated("sagas", "plans")
    pairs = (("start", "start-saga"), ("advance", "advance-saga"), ("end", "end-saga"), ("claim", "claim-sagas"))
    return python.named(
        "sagas",
        python.call("Sagas", "database", "plans(database)", _statements(code, "SagaStatements", pairs), *tenanted),
    )


def _accepting(code: Code, operation: str, thing: Thing) -> None:
    code.runtime("Accepting", "keyed_insert")
    module = Module(thing)
    columns = python.mapping((column.name, python.quoted(column.type)) for column in changing.accepted_columns(module))
    parts: list[python.Part] = [python.quoted(thing.table.name), columns]
    if thing.tenant:
        parts.append(f"tenant={python.quoted(thing.tenant)}")
    table = own_table(code.design, "idempotency_keys")
    if table is not None and table.name != "idempotency_keys":
        parts.append(f"keys_table={python.quoted(table.name)}")
    endpoint = code.design.endpoint(operation)
    ttl_s = endpoint.idempotency.ttl_s if endpoint and endpoint.idempotency else 86_400.0
    made = python.call(
        "Accepting", "database", "keys", python.call("keyed_insert", *parts), f"operation={python.quoted(operation)}",
        f"ttl_s={number(ttl_s)}",
    )  # fmt: skip
    name = names.snake(operation)
    code.put(made, before=f"{name} = ")
    code.line(f"stack.push_async_callback({name}.close)")


def _working(code: Code) -> None:
    design = code.design
    code.runtime("Jobs", "JobMetrics")
    code.generated("jobs", "queues", "schedules")
    code.line("waiting = queues(service)")
    edges = _edges(design, "freshness")
    code.put(python.call("JobMetrics", "metrics", "queues=[each.name for each in waiting]", *edges), before="told = ")
    turn = next((each for each in design.queries if each.base == "take-turn"), None)
    parts = ["database", "queues=waiting", "schedules=schedules(service)"]
    if turn is not None:
        parts.append(f"take_turn={code.statement(turn)}")
    code.put(python.call("Jobs", *parts, "metrics=told"), before="jobs = ")
    code.line("jobs.start()")
    code.line("stack.push_async_callback(jobs.stop, settings.drain_s)")


def _authenticated(code: Code) -> None:
    design = code.design
    name = next(each.name for each in design.dependencies if each.kind is DependencyKind.POSTGRES)
    code.runtime("Deadline")
    checks = f'checks={{{python.quoted(name)}: lambda: database.fetch(Deadline.after(1.0), "SELECT 1")}}'
    parts = ["service"]
    if has_accounts(design):
        parts.append("authenticator=authenticator_of(accounts, database)")
    elif is_issued_elsewhere(design):
        code.generated("authentication", "authenticator")
        parts.append("authenticator=await stack.enter_async_context(authenticator(settings))")
    code.put(python.call("Started", *parts, checks), before="yield ")


def _client(code: Code, port: ports.Port) -> None:
    """The client of one dependency, with everything that keeps its trouble away."""
    found: Dependency = port.dependency
    code.runtime("Client", "CallMetrics")
    head = python.Group(
        head=f"def _{port.name}_client", parts=("settings: GeneratedSettings", "calls: CallMetrics"), tail=" -> Client"
    )
    with code.block(head):
        parts: list[python.Part] = [python.quoted(found.name), f"str(settings.{variables(found)[0].lower()})"]
        if found.timeout_s:
            parts.append(f"timeout_s={found.timeout_s!r}")
        if found.retry:
            code.runtime("Retry")
            only = "" if found.retry.only_idempotent else ", only_idempotent=False"
            parts.append(f"retry=Retry(max={found.retry.max}{only})")
        if found.breaker:
            code.runtime("Breaker")
            made = python.call(
                "Breaker",
                f"error_share={found.breaker.error_share!r}",
                f"of={found.breaker.of}",
                f"open_s={found.breaker.open_s!r}",
            )
            parts.append(python.named("breaker", made))
        if found.bulkhead:
            code.runtime("Bulkhead")
            parts.append(f"bulkhead=Bulkhead({found.bulkhead})")
        secret = next((each.name for each in code.design.secrets if each.dependency == found.name), "")
        if secret:
            code.line(f"credential = settings.{secret.lower()}")
            parts.append("credential=credential.reveal() if credential else None")
        private = 'settings.environment != "production"' if found.is_external else "True"
        parts.append(f"allows_private={private}")
        parts.append("observer=calls")
        code.put(python.call("Client", *parts), before="return ")


def _app(design: Design) -> str:
    name = names.package(design)
    return f'''"""Yours: what answers beside the operations of the blueprint, in FastAPI."""

from __future__ import annotations

from fastapi import FastAPI
from nines_runtime import Application

from {name}._generated.application import make
from {name}._generated.service import Service
from {name}.settings import Settings

beside = FastAPI(title={python.quoted(design.name)}, openapi_url=None)


def application(settings: Settings) -> Application[Service]:
    """What is served: operations first, then whatever you add to `beside`."""
    return make(settings, beside=beside)
'''


def _broker(design: Design) -> Iterator[File]:
    broker = blueprint_of(design).events.broker
    if not broker or not has_outbox(design):
        return
    name = names.package(design)
    text = f'''"""Yours: how events reach {broker}. Until this is written they wait in the outbox, where an alert sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nines_runtime import Deadline, Deliver, Event, Problem

from {name}._generated.settings import GeneratedSettings


@asynccontextmanager
async def relay(settings: GeneratedSettings) -> AsyncIterator[Deliver]:
    """Opens the connection, hands out what delivers one event, and closes it in the end."""
    del settings

    async def deliver(event: Event, deadline: Deadline) -> None:
        """Returns when {broker} has taken `event.document()` for good; raises where that is not sure."""
        del event, deadline
        raise Problem("unavailable")

    yield deliver
'''
    yield File(path=names.source(design, f"gateways/{names.snake(broker)}.py"), text=text, is_owned=True)
