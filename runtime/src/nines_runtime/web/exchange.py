"""What is told about a request once it has been answered: the material of a log line, a metric and a span."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from nines_runtime.web.caller import ANONYMOUS, Caller, Headers

if TYPE_CHECKING:
    from nines_runtime.web.sending import Direct

UNMATCHED = "unmatched"
"""Stands for the operation of a request that meets none."""


class Exchange(msgspec.Struct, eq=False):
    """A request on its way through the edge."""

    operation: str
    method: str
    path: str
    headers: Headers
    parameters: Mapping[str, str]
    began_s: float
    at_s: float
    """When it is too late."""
    quotas: list[tuple[bytes, bytes]] = []
    """Headers that every answer to it has: those of quotas, and those of its operation."""
    direct: Direct | None = None
    """Our own server, where it is that."""
    status: int = 0
    """0: the caller hung up before there was an answer."""
    duration_s: float = 0.0
    caller: Caller = ANONYMOUS
    address: str = ""
    request_id: str = ""
    trace_parent: str = ""
    problem: str = ""
    error: BaseException | None = None
    """What nobody expected, or where it was waiting when its time was over; it is in the log alone."""
    is_replayed: bool = False
    is_whole: bool = False
    """The request has arrived to its end."""

    def __repr__(self) -> str:
        """Without headers, which hold credentials."""
        return f"Exchange({self.request_id} {self.method} {self.operation} {self.status})"


class Observer(Protocol):
    """Its methods return at once."""

    def ended(self, exchange: Exchange) -> None: ...

    def shed(self, reason: str) -> None: ...


class Nobody:
    def ended(self, exchange: Exchange) -> None: ...

    def shed(self, reason: str) -> None: ...
