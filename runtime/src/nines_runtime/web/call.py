"""One request, as an operation sees it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from nines_runtime.calls.deadline import Deadline
from nines_runtime.web.caller import Caller, Headers


class Call:
    """Made by the edge once the caller, the rate and the body were checked."""

    __slots__ = ("address", "body", "caller", "deadline", "headers", "method", "operation", "parameters", "path",
                 "query", "request_id", "trace_parent")  # fmt: skip

    operation: str
    """The operationId."""
    method: str
    path: str
    """As it was asked for."""
    parameters: Mapping[str, str]
    """Of the path."""
    query: Mapping[str, str]
    headers: Headers
    body: bytes
    caller: Caller
    address: str
    """Of the caller; behind a trusted proxy the one that it tells."""
    request_id: str
    trace_parent: str
    deadline: Deadline

    @property
    def subject(self) -> str:
        return self.caller.subject

    @property
    def tenant(self) -> str:
        return self.caller.tenant

    def has(self, *roles: str) -> bool:
        """Whether the caller has one of the roles."""
        raise NotImplementedError

    def identifier(self, name: str, prefix: str = "") -> UUID:
        """The path parameter as an identifier; raises Problem("not-found") for what is none, for nothing has it."""
        raise NotImplementedError

    @property
    def version(self) -> int | None:
        """Of If-Match; None where it is not given or is *. Raises Problem("precondition-failed") for an ETag that this
        service never gives out."""
        raise NotImplementedError
