"""What a new AsyncAPI document changes for those who take events by the released one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nines.checkers.contracts.answers import answered
from nines.checkers.contracts.document import Document, Json, mapping
from nines.model.change import ContractChange, Impact

_TAKERS = "subscribers"


def compare_events(before: Any, after: Any) -> tuple[ContractChange, ...]:
    """Every change from one AsyncAPI document to the next, those that break first; pure, and never raises."""
    order = list(Impact)
    found = dict.fromkeys(_differences(Document(before), Document(after)))
    return tuple(sorted(found, key=lambda change: order.index(change.impact)))


def _differences(old: Document, new: Document) -> Iterator[ContractChange]:
    had, has = _told(old), _told(new)
    for kind, (address, payload) in had.items():
        name = f"event {kind}"
        if kind not in has:
            yield _breaking("event-removed", name, "is no longer told")
            continue
        now_at, now = has[kind]
        if address and now_at != address:
            yield _breaking("event-moved", name, f"is told at {now_at} and was at {address}")
        yield from answered(old, new, (payload, now), name=name, code="", whom=_TAKERS)
    for kind in has:
        if kind not in had:
            yield ContractChange(rule="event-added", impact=Impact.COMPATIBLE, operation=f"event {kind}", says="is new")


def _told(document: Document) -> dict[str, tuple[str, Json]]:
    """The address and the schema of each event, by its type; by its name where the type is not fixed."""
    addresses: dict[str, str] = {}
    for channel in mapping(document.root.get("channels")).values():
        for name in mapping(mapping(channel).get("messages")):
            addresses[str(name)] = str(mapping(channel).get("address", ""))
    found = {}
    for name, message in mapping(mapping(document.root.get("components")).get("messages")).items():
        payload = mapping(mapping(message).get("payload"))
        schema = mapping(document.resolve(payload))
        kind = mapping(mapping(schema.get("properties")).get("type")).get("const")
        found[str(kind or name)] = (addresses.get(str(name), ""), payload)
    return found


def _breaking(rule: str, name: str, says: str) -> ContractChange:
    return ContractChange(rule=rule, impact=Impact.BREAKING, operation=name, says=says, whom=_TAKERS)
