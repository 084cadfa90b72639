"""What the database refuses, as problems: constraints by their names, outages as such, and bugs as they are."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg
import msgspec

from nines_runtime.web.problem import Problem

RETRY_AFTER_S = 1.0
"""When somebody is told to come back: a server that crashed needs about as long to recover."""


class Violation(msgspec.Struct, frozen=True):
    """What it means to a caller that a constraint was broken."""

    code: str
    """already-exists, invariant-broken, invalid-request, in-use, ..."""
    detail: str = ""
    pointer: str = ""
    """The member of the body that it is about."""


Constraints = Mapping[str, Violation]
"""By the name of the constraint. One that is not in it is no caller's fault: its error stays what it is."""


class Violated(Problem):
    """A constraint of the table was broken; the database itself is well."""

    def __init__(self, violation: Violation, code: str) -> None:
        # What still refers to it is another thing than what the constraint says of whoever refers.
        is_other = code != violation.code
        is_told = bool(violation.pointer) and not is_other
        errors = ((violation.pointer, violation.detail or "It cannot be taken."),) if is_told else ()
        super().__init__(code, "" if is_other else violation.detail, errors=errors)


class Unavailable(Problem):
    """The database cannot be reached, or not in time; what was under way may have been done or not."""

    def __init__(self, retry_after_s: float = RETRY_AFTER_S) -> None:
        super().__init__("unavailable", retry_after_s=retry_after_s)


class Conflict(Unavailable):
    """Two transactions could not both go on; nothing of this one was done, and it may be tried again."""


_CONFLICTS = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    # A migration changed what a prepared statement answers with; it is prepared anew the next time.
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
)
_TOO_LATE = (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError, TimeoutError)
_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,
    ConnectionError,
    OSError,
)
_CLOSED = ("connection is closed", "connection was closed", "connection has been released", "underlying connection")


def is_broken(error: BaseException) -> bool:
    """Whether the connection that gave this error must not be used again."""
    if isinstance(error, asyncpg.QueryCanceledError | TimeoutError):
        # The limit was ours, although TimeoutError is an OSError.
        return False
    if isinstance(error, asyncpg.InterfaceError):
        return any(words in str(error) for words in _CLOSED)
    return isinstance(error, _GONE)


def problem_of(error: BaseException, constraints: Constraints) -> Problem | None:
    """None: it is no caller's fault and no outage, so it stays what it is."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        violation = constraints.get(error.constraint_name or "")
        return Violated(violation, _code(error, violation)) if violation else None
    if isinstance(error, _CONFLICTS):
        return Conflict()
    if isinstance(error, _TOO_LATE) or is_broken(error):
        return Unavailable()
    return None


def _code(error: asyncpg.PostgresError, violation: Violation) -> str:
    """A foreign key has two sides: what is referred to is missing, or others still refer to what should go."""
    if isinstance(error, asyncpg.RestrictViolationError):
        return "in-use"
    if isinstance(error, asyncpg.ForeignKeyViolationError) and str(error.args[0]).startswith("update or delete"):
        return "in-use"
    return violation.code
