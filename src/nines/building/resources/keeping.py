"""What an operation writes beside its change: the key, events, the audit trail, the ledger."""

from __future__ import annotations

from nines.building import names, python
from nines.building.resources import shapes, values
from nines.building.resources.code import Code, Module
from nines.building.resources.facts import Thing
from nines.model.blueprint import FieldKind, ResourceKind
from nines.model.design import PlannedEndpoint, Shape


def claim(module: Code, endpoint: PlannedEndpoint) -> None:
    """The first statement of a transaction."""
    if endpoint.idempotency is None:
        return
    module.line("claim = await service.keys.claim(tx, call)")
    with module.block("if claim.answer is not None:"):
        module.line("return claim.answer")


def finish(module: Code, endpoint: PlannedEndpoint, *, answer: str = "answer", id: str = "") -> None:
    """The last statement of a transaction."""
    if endpoint.idempotency is not None:
        given = ["tx", "claim", answer, *([id] if id else [])]
        module.put(python.call("await service.keys.finish", *given))


def audit(module: Module, *, origin: str, id: str, changes: python.Part, service: str = "service") -> None:
    """Who changed what; the row is locked by the change itself."""
    if module.thing.resource.audit not in ("all", "writes"):
        return
    noun = python.quoted(names.column(module.thing.resource.name))
    module.put(python.call(f"await {service}.audit.add", "tx", origin, noun, id, changes, "holds_lock=True"))


def audit_read(module: Module, *, id: str, changes: str = "") -> None:
    if module.thing.resource.audit != "all":
        return
    given = ["service.database", "call.deadline", "call", python.quoted(names.column(module.thing.resource.name)), id]
    module.put(python.call("await service.audit.add_read", *given, *([f"changes={changes}"] if changes else [])))


def is_told(module: Module) -> bool:
    blueprint = module.thing.blueprint
    return blueprint.events.transport == "outbox"


def emit(module: Module, events: tuple[str, ...], *, origin: str, shown: str, service: str = "service") -> None:
    """Events go to the outbox with the change that they tell of; `shown` is the object as callers see it."""
    blueprint = module.thing.blueprint
    for event in events:
        known = next((each for each in blueprint.events.types if each.name == event), None)
        version = known.version if known else 1
        data = _data(module.thing, event, version)
        members = data.schema.get("properties", {}) if data else {"id": {}}
        payload = python.mapping((name, f"{shown}.{values.attribute(name)}") for name in members)
        given: list[python.Part] = ["tx", origin, python.quoted(event), f"{shown}.id", payload]
        if version != 1:
            given.append(f"version={version}")
        module.put(python.call(f"await {service}.outbox.add", *given))


def _data(thing: Thing, event: str, version: int) -> Shape | None:
    """The data of an event, as the contract of events has it."""
    wanted = f"{''.join(names.pascal(part) for part in event.split('.'))}V{version}Data"
    return next((each for each in thing.design.shapes if each.name.lower() == wanted.lower()), None)


def post(
    module: Module, endpoint: PlannedEndpoint, *, origin: str, row: str, body: str, service: str = "service"
) -> None:
    """What the owner says that the operation moves, in the ledger."""
    operation = module.thing.blueprint.operation(endpoint.id)
    ledger = module.thing.blueprint.resource(operation.posts) if operation and operation.posts else None
    if operation is None or ledger is None or ledger.kind is not ResourceKind.LEDGER:
        return
    module.imports.add(f"{module.package}.operations", "postings")
    entries = f"postings.{names.snake(endpoint.id)}({', '.join([row, *([body] if body else [])])})"
    version = f"{row}.version" if module.thing.is_versioned else "1"
    name = ledger_name(module.thing, ledger.name)
    module.put(python.call(f"await {service}.{name}.post", "tx", origin, f"{row}.id", version, entries))


def ledger_name(thing: Thing, ledger: str) -> str:
    """What the container calls a ledger."""
    ledgers = [each for each in thing.blueprint.resources if each.kind is ResourceKind.LEDGER]
    return "ledger" if len(ledgers) == 1 else f"{names.snake(ledger)}_ledger"


def changes_of_new(thing: Thing, row: str) -> python.Part:
    """What the audit trail keeps of a new object: its state and its plain references, of personal data nothing."""
    found = []
    if thing.resource.states:
        found.append(("status", f'{row}["status"]'))
    for field in thing.resource.fields:
        if field.kind is FieldKind.REFERENCE and not field.is_list and not field.is_personal:
            found += [(column.name, f"{row}[{python.quoted(column.name)}]") for column in thing.columns_of(field)]
    return python.mapping(found) if found else '{"is_new": True}'


def shown_expression(module: Module, row: str, *, is_bare: bool = False) -> python.Group:
    """The object as callers see it; lists are read apart, or left out where it is `is_bare`."""
    thing = module.thing
    given: list[python.Part] = [row, *(["service.cipher"] if values.is_sealed(thing) else [])]
    given += [
        f"{values.attribute(shapes.member(field))}={'()' if is_bare else lists_variable(field)}"
        for field in thing.lists()
    ]
    return python.call(f"{module.shape(thing.shape)}.of", *given)


def lists_variable(field: object) -> str:
    return names.snake(getattr(field, "name", ""))


def read_lists(module: Module, user: str, *, id: str, how: str = "tx") -> None:
    """Reads the lists of one object for its answer."""
    for field in module.thing.lists():
        query = module.query(user, f"read-{names.kebab(field.name)}-of-{names.kebab(module.thing.resource.name)}")
        given = dict.fromkeys(query.parameters, id)
        module.put(module.send(f"{how}.fetch", query, given), before=f"{lists_variable(field)} = await ")
