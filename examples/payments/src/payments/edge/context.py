"""What is known about the request at hand."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class RequestContext:
    """Filled in while the request travels inwards; read by the log line, the metrics and the headers."""

    request_id: str
    path: str = ""
    subject: str = ""
    is_logged: bool = True
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Headers that every answer of this request carries, errors included."""


_current: ContextVar[RequestContext] = ContextVar("request")
_OUTSIDE = RequestContext(request_id="none")


def current() -> RequestContext:
    """The request at hand; outside of one (the sweep) a context with the id "none"."""
    return _current.get(_OUTSIDE)


def enter(context: RequestContext) -> None:
    """Makes this the current request for the running task."""
    _current.set(context)
