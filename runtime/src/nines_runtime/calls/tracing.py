"""The trace that runs through a call: W3C Trace Context."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar

trace_parent: ContextVar[str] = ContextVar("trace_parent", default="")
"""Of what is being worked on; whoever begins a piece of work sets it."""
request_id: ContextVar[str] = ContextVar("request_id", default="")


def child_of(parent: str) -> str:
    """A traceparent with the same trace and flags, and a span of its own; empty for none that holds."""
    parts = parent.split("-")
    if len(parts) != 4 or parts[0] != "00" or len(parts[1]) != 32 or len(parts[2]) != 16 or len(parts[3]) != 2:
        return ""
    return f"00-{parts[1]}-{os.urandom(8).hex()}-{parts[3]}"


Recorder = Callable[[str, str], AbstractContextManager[None]]
Sampler = Callable[[str], bool]
_recorders: list[tuple[Recorder, Sampler]] = []
_NOTHING: AbstractContextManager[None] = contextlib.nullcontext()
NO_SPAN = "0" * 16


def record(recorder: Recorder | None, is_sampled: Sampler = lambda _trace_id: True) -> None:
    """Whoever keeps the spans of this process; None: nobody does."""
    _recorders[:] = [(recorder, is_sampled)] if recorder is not None else []


def span(name: str, kind: str = "internal") -> AbstractContextManager[None]:
    """Around a piece of work, of kind internal, client or server; next to nothing where nobody samples the trace."""
    if not _recorders or not trace_parent.get().endswith("1"):
        return _NOTHING
    return _recorders[0][0](name, kind)


def begun(name: str) -> AbstractContextManager[None]:
    """Around work outside a request, in a task of its own: it begins a trace of its own."""
    trace_id = os.urandom(16).hex()
    flags = "01" if _recorders and _recorders[0][1](trace_id) else "00"
    trace_parent.set(f"00-{trace_id}-{NO_SPAN}-{flags}")
    return span(name)
