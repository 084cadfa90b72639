"""Mail that goes into a folder instead of to people: for laptops, tests and laboratories."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.mail import UNUSABLE, Mail, is_address, objection, written
from nines_runtime.calls.outcome import Declined


class Mailing(Protocol):
    """What sends mail: a Mailer, a FolderMailer, or an adapter of your own."""

    async def send(self, deadline: Deadline, mail: Mail, *, verb: str = "send") -> None:
        """Raises Declined for what is refused for good, and Unanswered for what may be sent again."""

    async def close(self) -> None: ...


_PRODUCTION = frozenset({"production", "prod", "live", ""})


class FolderMailer:
    """Stands in the place of a Mailer; each message becomes a file `<id>.eml`, the same id the same file."""

    def __init__(self, name: str, folder: Path, *, sender: str, environment: str) -> None:
        if environment.strip().lower() in _PRODUCTION:
            raise ValueError("mail that goes into a folder reaches nobody: refused where ENVIRONMENT is production")
        if not is_address(sender):
            raise ValueError(f"the sender of {name} is not an address")
        self.name = name
        self._folder = folder
        self._sender = sender

    async def close(self) -> None:
        """Nothing is open."""

    async def send(self, deadline: Deadline, mail: Mail, *, verb: str = "send") -> None:  # noqa: ARG002 -- of a Mailer
        if reason := objection(mail):
            raise Declined(self.name, verb, status=UNUSABLE, reason=reason)
        await asyncio.to_thread(self._write, mail)

    def _write(self, mail: Mail) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{mail.id or uuid4().hex}.eml"
        half = path.with_suffix(f".{uuid4().hex}.half")
        half.write_bytes(written(mail, self._sender))
        # Whoever watches the folder never reads half a message.
        half.replace(path)
