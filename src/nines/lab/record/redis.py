"""Reads Redis commands and their answers, RESP2 and RESP3, pipelines and subscriptions included."""

from __future__ import annotations

from dataclasses import dataclass

from nines.lab.record.commands import (
    CONNECTION,
    READS,
    SUBSCRIPTIONS,
    WITH_SUBCOMMAND,
    flags_of,
    keys_of,
)
from nines.lab.record.events import CommandSeen
from nines.lab.record.resp import Value, Values
from nines.lab.record.wire import QueueWire, Refusal, Session, Unreadable

_LOADING = b"-LOADING Redis is loading the dataset in memory\r\n"


@dataclass
class _Sent:
    name: str
    keys: tuple[str, ...]
    flags: tuple[str, ...]
    started_s: float
    answers: int = 1
    """Answers that are due: one, or one per channel of a subscription."""


class RedisWire(QueueWire[_Sent]):
    """One Redis connection; emits a CommandSeen for every command that was answered or lost."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Values(self._command, allows_inline=True), Values(self._answer))

    def refuse(self, status: int) -> Refusal:
        """What Redis itself says while it cannot serve yet."""
        del status
        return Refusal(data=_LOADING * len(self.due))

    def _command(self, value: Value) -> None:
        words = [item.decode("utf-8", "replace") for item in value.items]
        if value.sign != "*" or not words:
            raise Unreadable("a command that is no array")
        name = words[0].upper()
        if name == "MONITOR":
            raise Unreadable("MONITOR")
        if name in WITH_SUBCOMMAND and len(words) > 1:
            name = f"{name} {words[1].upper()}"
        if name == "CLIENT REPLY":
            raise Unreadable("the client switches answers off")
        keys = keys_of(name, words)
        answers = max(len(keys), 1) if name in SUBSCRIPTIONS else 1
        self.expect(_Sent(name, keys, flags_of(name, words), self.at_s, answers))

    def _answer(self, value: Value) -> None:
        first = value.items[0] if value.items else b""
        head = self.due[0] if self.due else None
        is_confirmation = first.decode("latin-1").upper() in SUBSCRIPTIONS and value.sign in "*>"
        if head is not None and head.name in SUBSCRIPTIONS and is_confirmation:
            head.answers -= 1
            if head.answers <= 0:
                self.record(self.due.popleft(), "")
            return
        if (
            value.sign == ">"
            or is_confirmation
            or head is None
            or (value.sign == "*" and first in (b"message", b"pmessage", b"smessage"))
        ):
            # A message to a subscriber, an invalidation, or the like: it answers no command.
            return
        self.due.popleft()
        error = first.decode("utf-8", "replace") if value.sign in "-!" else ""
        if head.name.split(" ")[0] in READS | CONNECTION and head.name != "EXEC":
            self.answered_read = True
        elif not error:
            self.answered_write = True
        self.record(head, error)

    def record(self, request: _Sent, error: str) -> None:
        self.session.recorder.add(
            CommandSeen(
                dependency=self.session.dependency,
                connection=self.session.connection,
                started_s=request.started_s,
                ended_s=self.at_s,
                name=request.name,
                keys=request.keys,
                flags=request.flags,
                error=error,
            )
        )
