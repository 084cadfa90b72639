"""One call of a tool: what it may touch, where it tells its progress, and how it has work done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from nines.mcp.desk import Desk
from nines.mcp.roots import Roots
from nines.mcp.workshop import Tell, Workshop
from nines.model.progress import Progress
from nines.model.record import Record

_Job = TypeVar("_Job", bound=Record)
_Done = TypeVar("_Done", bound=Record)


@dataclass(frozen=True, kw_only=True)
class Call:
    """Handed to a tool's `run`."""

    desk: Desk
    roots: Roots
    workshop: Workshop
    tell: Tell

    def inside(self, text: str) -> str:
        """A path of an argument, resolved and allowed; "" stays ""."""
        return str(self.roots.inside(text)) if text else ""

    def folder(self, text: str) -> Path:
        return self.roots.inside(text or ".")

    async def work(self, work: Callable[[_Job, Progress], _Done], job: _Job, *, is_alone: bool = False) -> _Done:
        """Has a tool's `work` done in a process of its own, which ends with this call, however it ends.

        `is_alone`: measures, so that no other that measures may run beside it."""
        return await self.workshop.work(work, job, self.tell, is_alone=is_alone)


def plain(record: Record) -> object:
    """A record as JSON's own values, defaults left out."""
    return msgspec.to_builtins(record)
