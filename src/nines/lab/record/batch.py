"""The statements between two ReadyForQuery messages, and what they did to the transaction status."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from nines.lab.record.events import StatementSeen
from nines.lab.record.sqltext import changes_data, is_chained, is_to_savepoint, split_statements
from nines.lab.record.wire import Session

DONE_MAX = 1000
"""Finished statements that wait for ReadyForQuery; more are recorded with an inferred status."""
TEXT_CHARS_MAX = 16_000
"""The part of a statement's text that is kept."""
MESSAGE_CHARS_MAX = 500


@dataclass
class Pending:
    """A client message whose answer is due; `kind` is its type byte."""

    kind: str
    text: str = ""
    parameters: int = 0
    started_s: float = 0.0
    is_simple: bool = False
    is_open: bool = True
    results: int = 0
    """Results that a simple query has had so far."""
    parts: tuple[str, ...] | None = None
    """The statements of a simple query, split when the first answer comes."""
    suspended: int = field(default=0)

    def part(self) -> str:
        """The text of the statement that is answered next."""
        if self.kind != "Q":
            return self.text
        if self.parts is None:
            self.parts = split_statements(self.text)
        return self.parts[self.results] if self.results < len(self.parts) else self.text


class Batch:
    """Gathers finished statements until the server says which transaction status they led to."""

    def __init__(self, session: Session) -> None:
        self.status = "I"
        self._session = session
        self._number = 1
        self._done: list[StatementSeen] = []
        self._last_s = 0.0
        self._has_changed = False
        """Something was changed for good in this batch."""
        self._is_dirty = False
        """The open transaction has changed something."""

    def complete(self, pending: Pending, at_s: float, tag: str, rows: int, *, is_suspended: bool = False) -> None:
        """A statement was answered; `rows` are those that were returned, for a portal that was only suspended."""
        text = pending.part()
        pending.results += 1
        word, counted = _read_tag(tag)
        if is_suspended:
            word, counted = "SELECT", rows
        if not word:
            return
        self._add(pending, at_s, text, tag=word, rows=counted)
        event = self._done[-1] if self._done else None
        if event is not None and word == "COMMIT":
            self._has_changed = self._has_changed or self._is_dirty
            self._is_dirty = False
        elif event is not None and changes_data(text):
            if event.after == "I":
                self._has_changed = True
            else:
                self._is_dirty = True

    def fail(self, pending: Pending, at_s: float, code: str, message: str) -> None:
        """A statement was answered with an error, or will never be answered."""
        self._add(pending, at_s, pending.part(), error=code, message=message)

    def fail_last(self, code: str, message: str) -> None:
        """The commit at the end of the batch failed (a deferred constraint), and with it the last statement."""
        if self._done:
            self._done[-1] = msgspec.structs.replace(self._done[-1], error=code, message=message)

    def ready(self, status: str) -> tuple[bool, bool]:
        """The server is ready: whether something was changed for good, and whether anything was answered."""
        is_failed = bool(self._done and self._done[-1].error)
        has_changed = self._has_changed and not is_failed
        was_answered = bool(self._done)
        self._has_changed = False
        if status == "I":
            self._is_dirty = False
        if self._done:
            self._done[-1] = msgspec.structs.replace(self._done[-1], after=status)
        self.flush()
        self.status = status
        return has_changed, was_answered

    def flush(self) -> None:
        """Records what is finished."""
        for event in self._done:
            self._session.recorder.add(event)
        self._done.clear()
        self._number += 1

    def _add(
        self,
        pending: Pending,
        at_s: float,
        text: str,
        *,
        tag: str = "",
        rows: int | None = None,
        error: str = "",
        message: str = "",
    ) -> None:
        before = self._done[-1].after if self._done else self.status
        after = _after(before, tag, text, error)
        event = StatementSeen(
            dependency=self._session.dependency,
            connection=self._session.connection,
            started_s=max(pending.started_s, min(self._last_s, at_s)),
            ended_s=at_s,
            text=text[:TEXT_CHARS_MAX],
            parameters=pending.parameters,
            tag=tag,
            rows=rows,
            before=before,
            after=after,
            error=error,
            message=message[:MESSAGE_CHARS_MAX],
            batch=self._number,
            is_simple=pending.is_simple,
        )
        self._last_s = at_s
        self._done.append(event)
        if len(self._done) >= DONE_MAX:
            self.status = event.after
            number = self._number
            self.flush()
            self._number = number


def _after(before: str, tag: str, text: str, error: str) -> str:
    """The status that a statement leads to when the server does not say (it does so only once a batch)."""
    if error:
        return "E" if before in "TE" else before
    if tag in ("BEGIN", "START TRANSACTION"):
        return "T"
    if tag == "ROLLBACK" and is_to_savepoint(text):
        return "T"
    if tag in ("COMMIT", "ROLLBACK", "PREPARE TRANSACTION"):
        return "T" if is_chained(text) else "I"
    return before


def _read_tag(tag: str) -> tuple[str, int | None]:
    """The words and the number of CommandComplete: "INSERT 0 5" is ("INSERT", 5)."""
    words = tag.split(" ")
    rows = int(words[-1]) if len(words) > 1 and words[-1].isdigit() else None
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    return " ".join(words), rows
