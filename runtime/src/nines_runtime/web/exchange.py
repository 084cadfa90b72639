"""What is told about a request once it has been answered: the material of a log line, a metric and a span."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from nines_runtime.web.caller import ANONYMOUS, Caller, Headers

UNMATCHED = "unmatched"
"""Stands for the operation of a request that meets none."""


class Exchange:
    """A request on its way through the edge."""

    __slots__ = ("address", "at_s", "began_s", "caller", "duration_s", "error", "headers", "is_replayed", "is_whole",
                 "method", "operation", "parameters", "path", "problem", "quotas", "request_id", "status",
                 "trace_parent")  # fmt: skip

    def __init__(
        self,
        operation: str,
        *,
        method: str,
        path: str,
        headers: Headers,
        parameters: Mapping[str, str],
        began_s: float,
    ) -> None:
        self.operation = operation
        self.method = method
        self.path = path
        self.headers = headers
        self.parameters = parameters
        self.began_s = began_s
        self.at_s = began_s
        """When it is too late."""
        self.quotas: list[tuple[bytes, bytes]] = []
        self.status = 0
        """0: the caller hung up before there was an answer."""
        self.duration_s = 0.0
        self.caller: Caller = ANONYMOUS
        self.address = ""
        self.request_id = ""
        self.trace_parent = ""
        self.problem = ""
        self.error: BaseException | None = None
        """What nobody expected; it is in the log alone."""
        self.is_replayed = False
        self.is_whole = False
        """The request has arrived to its end."""


class Observer(Protocol):
    """Its methods return at once."""

    def ended(self, exchange: Exchange) -> None: ...

    def shed(self, reason: str) -> None: ...


class Nobody:
    def ended(self, exchange: Exchange) -> None: ...

    def shed(self, reason: str) -> None: ...
