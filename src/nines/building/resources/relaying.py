"""The owner's gateway to the broker of events."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.project.settings import variables
from nines.building.resources.facts import blueprint_of
from nines.building.resources.holdings import has_outbox
from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Design, telling


def gateway(design: Design) -> Iterator[File]:
    broker = blueprint_of(design).events.broker
    if not broker or not has_outbox(design):
        return
    carrier = telling.broker(design)
    is_served = carrier is not None and carrier.kind in telling.SERVED
    text = _served(design, carrier) if carrier and is_served else _unserved(design, broker)
    yield File(path=names.source(design, f"gateways/{names.snake(broker)}.py"), text=text, is_owned=True)


def _served(design: Design, carrier: Dependency) -> str:
    name, variable = names.package(design), variables(carrier)[0].lower()
    given = [f"str(settings.{variable})"]
    secret = next((each.name for each in design.secrets if each.dependency == carrier.name), "")
    if secret:
        given.append(f"credential=settings.{secret.lower()}")
    given += [f"ca=settings.{names.snake(carrier.name)}_ca", f"service={python.quoted(design.name)}"]
    given.append("environment=settings.environment")
    made = python.call("broker_at", *given)
    opened = _lines(python.laid(made, before="async with ", after=" as broker:", depth=1))
    says = (
        f"Yours: how events reach {carrier.name}. It serves {_SERVED[carrier.kind]}; change what yours wants otherwise."
    )
    return f'''{_lines(python.docstring(says))}

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nines_runtime import Deliver, broker_at

from {name}._generated.settings import GeneratedSettings


@asynccontextmanager
async def relay(settings: GeneratedSettings) -> AsyncIterator[Deliver]:
    """Hands out what delivers one event; it connects when there is one, and closes in the end."""
{opened}
        yield broker.deliver
'''


_SERVED = {
    DependencyKind.KAFKA: "any Kafka",
    DependencyKind.NATS: "NATS with JetStream",
    DependencyKind.REDIS: "streams of Redis",
}


def _lines(found: list[str]) -> str:
    return "\n".join(found)


def _unserved(design: Design, broker: str) -> str:
    name = names.package(design)
    return f'''"""Yours: how events reach {broker}. Until this is written they wait in the outbox."""

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
