"""Where a change comes from: a request, or a piece of work that nobody waits for."""

from __future__ import annotations

from typing import Protocol

import msgspec

from nines_runtime.data.identifiers import new_id


class Origin(Protocol):
    """What is written down of it: a Call has all of this, and so has a Task."""

    @property
    def operation(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def tenant(self) -> str: ...
    @property
    def request_id(self) -> str: ...
    @property
    def trace_parent(self) -> str: ...


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of work of a job, in the place of a Call."""

    operation: str
    """The job's name."""
    tenant: str = ""
    subject: str = ""
    """On whose behalf; empty: the job's own."""
    request_id: str = msgspec.field(default_factory=lambda: new_id().hex)
    trace_parent: str = ""

    @property
    def actor(self) -> str:
        return self.subject or f"task:{self.operation}"


def actor_of(origin: Origin) -> str:
    """Who is named in the audit trail."""
    return origin.actor if isinstance(origin, Task) else origin.subject or "anonymous"
