"""Events, written in the transaction of the change that they tell of; a relay delivers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nines_runtime.data.database import Connection
from nines_runtime.data.identifiers import new_id
from nines_runtime.data.origin import Origin
from nines_runtime.data.statements import OutboxStatements

Destinations = Callable[[str], Sequence[str]]
"""Where an event goes: the topics, or the names of its subscribers. Each gets an event with an id of its own."""


def everywhere(*names: str) -> Destinations:
    """Every event goes to each of these."""
    return lambda _: names


class Outbox:
    """`on_added` may wake the relay; it is called within the transaction, so a relay that comes too early finds
    nothing and looks again."""

    def __init__(
        self,
        statements: OutboxStatements | None = None,
        *,
        destinations: Destinations,
        is_tenanted: bool = False,
        on_added: Callable[[], None] = lambda: None,
    ) -> None:
        self.statements = statements or OutboxStatements()
        self._destinations, self._is_tenanted = destinations, is_tenanted
        self.on_added = on_added

    async def add(
        self,
        tx: Connection,
        origin: Origin,
        event: str,
        subject_id: object,
        payload: Mapping[str, Any],
        *,
        version: int = 1,
    ) -> None:
        """One row for each destination; none where nobody wants to know. The payload is free of personal data."""
        tenants = (origin.tenant,) if self._is_tenanted else ()
        trace = origin.trace_parent or None
        for destination in self._destinations(event):
            told = (event, version, destination, str(subject_id), payload, trace)
            await tx.execute(self.statements.insert, new_id(), *tenants, *told)
        self.on_added()
