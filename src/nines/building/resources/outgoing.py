"""Where events go: the outbox that keeps them, and whoever is told of each."""

from __future__ import annotations

from nines.building import names, python
from nines.building.project.settings import settings
from nines.building.resources import consuming
from nines.building.resources.code import Code
from nines.building.resources.facts import blueprint_of
from nines.building.resources.records import statements, tenanted
from nines.model.design import telling


def outbox(code: Code) -> python.Part:
    pairs = (
        ("insert", "insert-outbox-event"),
        ("claim", "claim-from-outbox"),
        ("delete", "delete-from-outbox"),
        ("retry", "retry-in-outbox"),
    )
    code.runtime("Outbox")
    broker = blueprint_of(code.design).events.broker
    where: python.Part
    if broker:
        where = _topics(code)
    else:
        _subscribers(code)
        where = "subscribers.destinations"
    if consuming.taking_own(code.design):
        _here(code, where)
        where = "receiving.destinations"
    given = (python.named("destinations", where), *tenanted(code.design))
    return python.call("Outbox", statements(code, "OutboxStatements", pairs), *given)


def _here(code: Code, others: python.Part) -> None:
    """The service's own events go to functions of its own as well."""
    code.runtime("Here", "Inbox")
    code.generated("consumers", "receivers")
    take = next(each for each in code.design.queries if each.base == "take-from-inbox")
    parts: list[python.Part] = ["lambda: receivers(service)", "database", python.named("destinations", others)]
    parts += [f"deliver={_delivered(code)}", f"inbox=Inbox({code.statement(take)})"]
    code.put(python.call("Here", *parts), before="receiving = ")


def _topics(code: Code) -> python.Part:
    """Where each event goes; to a subject of its own where it is told under its type."""
    design = code.design
    events = [each for each in design.events if telling.address_of(each, design) != telling.type_of(each, design)]
    if not events:
        code.runtime("everywhere")
        return 'everywhere("")'
    code.runtime("routed")
    pairs = [(each.name, python.quoted(telling.address_of(each, design))) for each in events]
    return python.call("routed", python.mapping(pairs))


def _subscribers(code: Code) -> None:
    """Who wants to know of events, as a setting tells."""
    code.runtime("Subscribers", "subscribers_of")
    is_optional = any(each.name == "SUBSCRIBER_SECRETS" and each.default for each in settings(code.design))
    told = "settings.subscriber_secrets.reveal()"
    told = f'{told} if settings.subscriber_secrets else ""' if is_optional else told
    private = 'allows_private=settings.environment != "production"'
    code.put(python.call("Subscribers", f"subscribers_of({told})", private), before="subscribers = ")
    code.line("stack.push_async_callback(subscribers.close)")


def deliver(code: Code) -> python.Part:
    return "receiving.deliver" if consuming.taking_own(code.design) else _delivered(code)


def _delivered(code: Code) -> str:
    broker = blueprint_of(code.design).events.broker
    if not broker:
        return "subscribers.deliver"
    name = names.snake(broker)
    code.imports.add(f"{code.package}.gateways", name)
    return f"await stack.enter_async_context({name}.relay(settings))"
