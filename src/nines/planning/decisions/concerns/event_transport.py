"""How others hear of what happened."""

from __future__ import annotations

from nines.model.blueprint import DependencyKind
from nines.model.design import Choice, Decision, Design
from nines.model.words import rate
from nines.planning.decisions.deciding import is_said, option, some

NUMBER = 4
_HTTP = "outbox, delivered to subscribers over HTTP"
_DIRECT = "publish after the commit"
_BROKERS: dict[DependencyKind, tuple[str, str]] = {
    DependencyKind.NATS: ("small to run, milliseconds to deliver", "keeps less history than a log does"),
    DependencyKind.KAFKA: ("a log that readers may read again from any point", "the largest thing of all to run"),
    DependencyKind.RABBITMQ: ("routes and priorities, known everywhere", "a queue that grows long becomes slow"),
    DependencyKind.REDIS: ("there already, where there is a cache", "keeps what fits into memory"),
}


def decide(design: Design) -> Decision | None:
    blueprint = design.blueprint
    if blueprint is None or not design.events:
        return None
    broker = blueprint.dependency(blueprint.events.broker)
    relay = next((job for job in design.jobs if job.name == "relayOutbox"), None)
    told = relay.peak_hz if relay and relay.peak_hz else sum(e.peak_hz or 0.0 for e in design.endpoints if e.emits)
    kind = broker.kind if broker else _alternative(told)
    through = f"outbox, relayed to {kind.value}"
    chosen = _DIRECT if blueprint.events.transport == "direct" else through if broker else _HTTP
    return Decision(
        id="event-transport",
        number=NUMBER,
        concern="Transport of events",
        context=f"{len(design.events)} events ({some(each.name for each in design.events)}), {rate(told)} at the peak. "
        f"An event that is told must have happened, and what happened must be told.",
        options=(
            _http(),
            option(
                through,
                f"subscribers come and go without this service; {_BROKERS.get(kind, ('', ''))[0]}",
                f"one more system to run and to watch; {_BROKERS.get(kind, ('', ''))[1]}",
                "there are many subscribers, or they read events again later",
            ),
            option(
                _DIRECT,
                "nothing to keep and nothing to relay",
                "a process that dies between the commit and the publishing loses the event, and nobody knows",
                "an event may be missed, because somebody counts again anyway",
            ),
        ),
        chosen=chosen,
        because=_because(chosen, told),
        consequences=(
            "Events come at least once and may come again: each has an id, and consumers drop what they have.",
            "They carry identifiers and states, no personal data; who wants more asks for it, and is authorized.",
        )
        if chosen != _DIRECT
        else ("An event may be lost: no consumer may rely on having seen all.",),
        changes_when="More than a handful of subscribers, one that wants to read old events again, or a rate at which "
        "delivering to each of them costs more than a broker."
        if not broker
        else f"{kind.value} turns out to have one reader only: then the outbox can deliver to it.",
        is_given=is_said(design, "events.broker") or is_said(design, "events.transport"),
    )


def _http() -> Choice:
    return option(
        _HTTP,
        "nothing more to run: the events stand in the database, with the change that they tell of",
        "a subscriber that is slow or gone is retried by this service",
        "there are a few subscribers",
    )


def _alternative(told_hz: float) -> DependencyKind:
    return DependencyKind.KAFKA if told_hz > 5_000 else DependencyKind.NATS


def _because(chosen: str, told_hz: float) -> str:
    if chosen == _DIRECT:
        return "The blueprint accepts that an event may be lost"
    if chosen == _HTTP:
        return f"{rate(told_hz)} is what one relay delivers easily, and nobody named a broker that is there already"
    return "The broker is there, and the outbox keeps what it could not take"
