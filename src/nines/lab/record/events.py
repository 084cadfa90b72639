"""What the proxies saw: one record per statement, request, command or closed connection.

All times are seconds on the recorder's clock. Values of parameters and bodies are never kept, only their number.
"""

from __future__ import annotations

from typing import TypeAlias

from nines.model.record import Record


class StatementSeen(Record):
    """One SQL statement that was executed through a PostgreSQL proxy."""

    dependency: str
    connection: int
    started_s: float
    ended_s: float
    text: str
    """As sent, cut at a named limit."""
    parameters: int = 0
    tag: str = ""
    """The word(s) of CommandComplete: "SELECT", "INSERT", "COMMIT" ...; "" when an error came instead."""
    rows: int | None = None
    """Returned or touched; None when the tag tells none."""
    before: str = "I"
    """Transaction status before it: I idle, T in a transaction, E in a failed one."""
    after: str = "I"
    error: str = ""
    """SQLSTATE, or "lost" when the connection ended before the answer."""
    message: str = ""
    batch: int = 0
    """Statements of one connection with the same number were sent without waiting for each other."""
    is_simple: bool = False
    """Sent by the simple protocol, its values (if any) inside the text."""


class RequestSeen(Record):
    """One HTTP request to an upstream."""

    dependency: str
    connection: int
    started_s: float
    ended_s: float
    method: str
    path: str
    """As sent, with its query."""
    status: int | None = None
    """None when no answer came."""
    has_key: bool = False
    """An Idempotency-Key (or a well-known equivalent) came with it."""
    body_bytes: int = 0
    error: str = ""


class CommandSeen(Record):
    """One Redis command."""

    dependency: str
    connection: int
    started_s: float
    ended_s: float
    name: str
    """Upper case; with its sub-command where it has one: "CLIENT SETINFO"."""
    keys: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    """Words among the arguments that change the meaning, upper case: NX, EX, PX ..."""
    error: str = ""


class ConnectionEnded(Record):
    """A connection that was opened through a proxy and is no more."""

    dependency: str
    connection: int
    started_s: float
    ended_s: float
    status: str = ""
    """PostgreSQL's transaction status when it ended."""
    error: str = ""
    """Why, when it did not end in good order: a SQLSTATE at start-up, "reset", "refused"."""


Event: TypeAlias = StatementSeen | RequestSeen | CommandSeen | ConnectionEnded


def when_s(event: Event) -> float:
    """The moment that an event stands for: its start, and the end of a connection."""
    return event.ended_s if isinstance(event, ConnectionEnded) else event.started_s


class Tally(Record):
    """Exact counts of one dependency since the recorder began; they go on when events are dropped."""

    connections: int = 0
    """Accepted, also those that a fault reset at once."""
    open: int = 0
    failed: int = 0
    """Connections that the dependency itself did not take."""
    statements: int = 0
    requests: int = 0
    commands: int = 0
    errors: int = 0
    """Statements, requests (status 500 and above, or no answer) and commands that ended in an error."""
    unreadable: int = 0
    """Connections whose bytes were passed on without being understood."""

    def since(self, earlier: Tally) -> Tally:
        """What was added after `earlier`; `open` stays the present number."""
        return Tally(
            connections=self.connections - earlier.connections,
            open=self.open,
            failed=self.failed - earlier.failed,
            statements=self.statements - earlier.statements,
            requests=self.requests - earlier.requests,
            commands=self.commands - earlier.commands,
            errors=self.errors - earlier.errors,
            unreadable=self.unreadable - earlier.unreadable,
        )

    @property
    def attempts(self) -> int:
        """Everything that was asked of the dependency."""
        return self.statements + self.requests + self.commands
