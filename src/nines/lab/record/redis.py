"""Reads Redis commands and their answers, RESP2 and RESP3, pipelines and subscriptions included."""

from __future__ import annotations

from collections import deque
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
from nines.lab.record.wire import Refusal, Session, Unreadable, Wire

PENDING_MAX = 100_000
_LOADING = b"-LOADING Redis is loading the dataset in memory\r\n"


@dataclass
class _Sent:
    name: str
    keys: tuple[str, ...]
    flags: tuple[str, ...]
    started_s: float
    answers: int = 1
    """Answers that are due: one, or one per channel of a subscription."""


class RedisWire(Wire):
    """One Redis connection; emits a CommandSeen for every command that was answered or lost."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._front = Values(self._command, allows_inline=True)
        self._back = Values(self._answer)
        self._sent: deque[_Sent] = deque()
        self._at_s = 0.0

    def from_client(self, data: bytes, at_s: float) -> bytes:
        self._at_s = at_s
        self._front.feed(data)
        return data

    def from_server(self, data: bytes, at_s: float) -> bytes:
        self._at_s = at_s
        self._back.feed(data)
        return data

    @property
    def is_idle(self) -> bool:
        return self._front.is_between and not self._sent

    def refuse(self, status: int) -> Refusal:
        """What Redis itself says while it cannot serve yet."""
        del status
        return Refusal(data=_LOADING * len(self._sent))

    def closed(self, at_s: float, error: str) -> None:
        self._at_s = at_s
        for sent in self._sent:
            self._record(sent, error)
        self._sent.clear()

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
        if len(self._sent) >= PENDING_MAX:
            raise Unreadable("too many commands wait for an answer")
        keys = keys_of(name, words)
        answers = max(len(keys), 1) if name in SUBSCRIPTIONS else 1
        self._sent.append(_Sent(name, keys, flags_of(name, words), self._at_s, answers))

    def _answer(self, value: Value) -> None:
        first = value.items[0] if value.items else b""
        head = self._sent[0] if self._sent else None
        is_confirmation = first.decode("latin-1").upper() in SUBSCRIPTIONS and value.sign in "*>"
        if head is not None and head.name in SUBSCRIPTIONS and is_confirmation:
            head.answers -= 1
            if head.answers <= 0:
                self._record(self._sent.popleft(), "")
            return
        if (
            value.sign == ">"
            or is_confirmation
            or head is None
            or (value.sign == "*" and first in (b"message", b"pmessage", b"smessage"))
        ):
            # A message to a subscriber, an invalidation, or the like: it answers no command.
            return
        self._sent.popleft()
        error = first.decode("utf-8", "replace") if value.sign in "-!" else ""
        if head.name.split(" ")[0] in READS | CONNECTION and head.name != "EXEC":
            self.answered_read = True
        elif not error:
            self.answered_write = True
        self._record(head, error)

    def _record(self, sent: _Sent, error: str) -> None:
        self.session.recorder.add(
            CommandSeen(
                dependency=self.session.dependency,
                connection=self.session.connection,
                started_s=sent.started_s,
                ended_s=self._at_s,
                name=sent.name,
                keys=sent.keys,
                flags=sent.flags,
                error=error,
            )
        )
