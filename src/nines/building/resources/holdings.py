"""What the container of a service holds: each thing with its type, and how it is made at the start."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nines.building import names, python
from nines.building.project.settings import has_sign_ins
from nines.building.resources import accepting as creations
from nines.building.resources import keeping, outgoing, ports, sagas, values
from nines.building.resources.code import Code, Module
from nines.building.resources.facts import Thing, blueprint_of, own_table, things
from nines.building.resources.guards import number
from nines.building.resources.mailing import leaves_letters
from nines.building.resources.records import is_tenanted, statements, tenanted
from nines.model.blueprint import Action, DependencyKind, ResourceKind
from nines.model.blueprint.operation import OF_ACCOUNTS
from nines.model.design import Design
from nines.model.record import Record


class Holding(Record):
    """One thing that operations and jobs find in the container."""

    name: str
    type: str
    make: Callable[[Code], python.Part]
    """Writes what has to be opened before, and tells the value."""
    module: str = "nines_runtime"
    """Of the type."""


def holdings(design: Design) -> Iterator[Holding]:
    """In the order in which they are made; whatever the blueprint does not ask for is not there."""
    yield Holding(name="database", type="Database", make=lambda _: "database")
    if has_keys(design):
        yield Holding(name="keys", type="Keys", make=_keys)
    if has_lists(design):
        yield Holding(name="cursors", type="Cursors", make=_cursors)
    if has_audit(design):
        yield Holding(name="audit", type="Audit", make=_audit)
    yield from _events(design)
    yield from _sealing(design)
    if sagas.spanning(design):
        yield Holding(name="sagas", type="Sagas", make=_sagas)
    for operation, thing in accepting(design):
        yield Holding(name=names.snake(operation), type="Accepting", make=_accepting(operation, thing))
    yield from _people(design)
    for port in ports.ports_of(design):
        where = f"{names.package(design)}._generated.ports"
        yield Holding(name=port.name, type=port.protocol, make=_port(port), module=where)


def _events(design: Design) -> Iterator[Holding]:
    if has_outbox(design):
        yield Holding(name="outbox", type="Outbox", make=outgoing.outbox)
        yield Holding(name="deliver", type="Deliver", make=outgoing.deliver)
    for thing in ledgers(design):
        name = keeping.ledger_name(thing, thing.resource.name)
        yield Holding(name=name, type="Ledger", make=_ledger(thing))


def _sealing(design: Design) -> Iterator[Holding]:
    if has_sealed(design):
        yield Holding(name="cipher", type="Cipher", make=_cipher)
    if has_lookups(design):
        yield Holding(name="lookup", type="Lookup", make=_lookup)


def _people(design: Design) -> Iterator[Holding]:
    if has_accounts(design):
        where = "nines_runtime.security.accounts"
        scheme = design.auth.scheme if design.auth else ""
        kind = "SessionAccounts" if scheme == "session" else "Accounts"
        yield Holding(name="accounts", type=kind, make=_accounts, module=where)
    if leaves_letters(design):
        yield Holding(name="mail", type="Mailing", make=_letters)
    if has_sign_ins(design):
        yield Holding(name="sign_ins", type="SignIns", make=_sign_ins)


def _sign_ins(code: Code) -> python.Part:
    code.generated("authentication", "sign_ins")
    return "await stack.enter_async_context(sign_ins(settings, database))"


def _keys(code: Code) -> python.Part:
    pairs = (
        ("claim", "claim-idempotency-key"),
        ("read", "read-idempotency-key"),
        ("finish", "finish-idempotency-key"),
        ("remember", "remember-idempotent-row"),
    )
    code.runtime("Keys")
    made = python.call("Keys", statements(code, "KeyStatements", pairs), *tenanted(code.design))
    code.put(made, before="keys = ")
    return "keys"


def _cursors(code: Code) -> python.Part:
    code.runtime("Cursors")
    return "Cursors.parse(settings.cursor_key.reveal())"


def _audit(code: Code) -> python.Part:
    code.runtime("Audit")
    query = next(each for each in code.design.queries if each.base == "append-audit-entry")
    table = own_table(code.design, "audit_log")
    parts = [code.statement(query), f"table={python.quoted(table.name if table else 'audit_log')}"]
    tenancy = code.design.tenancy
    if tenancy and is_tenanted(code.design):
        parts.append(f"tenant_column={python.quoted(tenancy.key)}")
    return python.call("Audit", *parts)


def _ledger(thing: Thing) -> Callable[[Code], python.Part]:
    noun = names.kebab(thing.resource.name)
    pairs = (
        ("open_account", f"open-{noun}-account"),
        ("insert_posting", f"insert-{noun}-posting"),
        ("insert_entry", f"insert-{noun}"),
    )

    def make(code: Code) -> python.Part:
        code.runtime("Ledger")
        return python.call("Ledger", statements(code, "LedgerStatements", pairs), *tenanted(code.design))

    return make


def _cipher(code: Code) -> python.Part:
    code.runtime("Cipher")
    return "Cipher.parse(settings.field_keys.reveal())"


def _lookup(code: Code) -> python.Part:
    code.runtime("Lookup")
    return "Lookup(settings.lookup_key.reveal().encode())"


def _sagas(code: Code) -> python.Part:
    code.runtime("Sagas")
    code.generated("sagas", "plans")
    pairs = (("start", "start-saga"), ("advance", "advance-saga"), ("end", "end-saga"), ("claim", "claim-sagas"))
    texts = statements(code, "SagaStatements", pairs)
    return python.call("Sagas", "database", "plans(lambda: service)", texts, *tenanted(code.design))


def _accounts(code: Code) -> python.Part:
    code.generated("identity", "accounts_of", "authenticator_of")
    code.line("accounts = accounts_of(settings)")
    code.line("stack.callback(accounts.close)")
    return "accounts"


def _letters(code: Code) -> python.Part:
    carrier = next((each for each in code.design.dependencies if each.kind is DependencyKind.SMTP), None)
    name = names.snake(carrier.name) if carrier else "mail"
    code.imports.add(f"{code.package}.gateways", name)
    return f"{name}.mail(settings, calls)"


def _port(port: ports.Port) -> Callable[[Code], python.Part]:
    def make(code: Code) -> python.Part:
        code.imports.add(f"{code.package}.gateways.{port.name}", f"{port.protocol}Client")
        if port.dependency.kind is DependencyKind.SMTP:
            where = names.snake(port.dependency.name)
            code.imports.add(f"{code.package}.gateways", f"{where} as {where}_gateway")
            code.line(f"{port.name} = {where}_gateway.mail(settings, calls)")
            code.line(f"stack.push_async_callback({port.name}.close)")
            return f"{port.protocol}Client({port.name})"
        code.line(f"{port.name} = _{port.name}_client(settings, calls)")
        code.line(f"stack.push_async_callback({port.name}.close)")
        return f"{port.protocol}Client({port.name})"

    return make


def _accepting(operation: str, thing: Thing) -> Callable[[Code], python.Part]:
    def make(code: Code) -> python.Part:
        code.runtime("Accepting", "keyed_insert")
        module = Module(thing)
        columns = python.mapping(
            (column.name, python.quoted(column.type)) for column in creations.accepted_columns(module)
        )
        parts: list[python.Part] = [python.quoted(thing.table.name), columns]
        if thing.tenant:
            parts.append(f"tenant={python.quoted(thing.tenant)}")
        table = own_table(code.design, "idempotency_keys")
        if table is not None and table.name != "idempotency_keys":
            parts.append(f"keys_table={python.quoted(table.name)}")
        endpoint = code.design.endpoint(operation)
        ttl_s = endpoint.idempotency.ttl_s if endpoint and endpoint.idempotency else 86_400.0
        given = (f"operation={python.quoted(operation)}", f"ttl_s={number(ttl_s)}")
        made = python.call("Accepting", "database", "keys", python.call("keyed_insert", *parts), *given)
        name = names.snake(operation)
        code.put(made, before=f"{name} = ")
        code.line(f"stack.push_async_callback({name}.close)")
        return name

    return make


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


def ledgers(design: Design) -> tuple[Thing, ...]:
    posted = {each.posts for each in blueprint_of(design).operations}
    return tuple(t for t in things(design) if t.resource.kind is ResourceKind.LEDGER and t.resource.name in posted)


def accepting(design: Design) -> tuple[tuple[str, Thing], ...]:
    """The operations whose commits are shared, with what they create."""
    found = []
    for thing in things(design):
        module = Module(thing)
        found += [(each, thing) for each in creations.grouped(module)]
    return tuple(found)
