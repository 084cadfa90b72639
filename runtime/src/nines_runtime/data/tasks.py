"""What jobs consist of: a queue whose rows are claimed, or a turn of a schedule; and what a piece of work may say."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.web.problem import Problem

Row = Mapping[str, Any]
ATTEMPTS_MAX = 20
"""With a wait that doubles up to an hour: most of a day."""
ERROR_LENGTH_MAX = 500


class GiveUp(Exception):  # noqa: N818 -- It says what is to be done.
    """Raised by a piece of work that was refused for good: it is not tried again."""


class TooEarly(Exception):  # noqa: N818 -- It says what is the case.
    """Raised by a piece of work whose time has not come: it becomes due again, and nothing failed."""

    def __init__(self, wait_s: float = 60.0) -> None:
        super().__init__(f"It is due again in {wait_s:g} s.")
        self.wait_s = wait_s


class NotNow(Exception):  # noqa: N818 -- It says what is the case.
    """Raised by a piece of work that cannot be done as things are: it is tried again as often as attempts allow."""


class Away(Exception):  # noqa: N818 -- It says what is the case.
    """Raised by a piece of work when whoever it asks is not there: the piece is tried again however often that was."""


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A job whose pieces are rows that are due. Each claim counts an attempt and leases the row."""

    name: str
    claim: str
    """SQL; its last two arguments are how many rows at most and the lease."""
    claim_arguments: tuple[Any, ...] = ()
    """Those before them."""
    work: Callable[[Row, Deadline], Awaitable[None]]
    """Does one piece and settles it, in a transaction of its own whose last condition names `row["attempts"]`: whoever
    was too slow settles nothing. It holds no connection while it asks others."""
    retry: str = ""
    """SQL: error, wait, [attempts_max,] id, attempt. Empty: a row is due again when its lease ends."""
    retry_marks_dead: bool = False
    """Whether `retry` takes attempts_max, and marks the row as dead itself."""
    postpone: str = ""
    """SQL: wait, id, attempt, for what comes too early: it takes the attempt back. Empty: `retry` is used."""
    give_up: Callable[[Row, Deadline], Awaitable[None]] | None = None
    """Settles a piece whose last attempt failed, or that was refused for good."""
    delete: str = ""
    """SQL: an array of ids. What was done is deleted; empty: `work` settles it."""
    attempts_max: int = ATTEMPTS_MAX
    concurrency: int = 8
    lease_s: float = 60.0
    poll_s: float = 1.0
    """How often it looks for what nobody woke it for."""
    suspends: bool = True
    """Whether one piece at a time is tried when everything fails: all of them ask the same others."""
    is_chained: bool = False
    """Whether a piece that is done may make another one due: then it looks again at once."""
    oldest: str = ""
    """SQL, with `claim_arguments`: a row whose member `oldest` is an interval, or NULL where nothing is due. Empty:
    what the claim itself says of what is due, where it has the form of those of a dossier."""


_DUE = re.compile(
    r"\s*WITH due AS \(\s*SELECT id\s+FROM (?P<table>\S+)\s+WHERE (?P<which>.+?)\s+ORDER BY (?P<since>\w+)\s+"
    r"LIMIT \$(?P<limit>\d+)\s+FOR UPDATE SKIP LOCKED\s*\)",
    re.DOTALL,
)


def oldest_of(queue: Queue) -> str:
    """The statement that tells how long the oldest piece has been due; empty where nothing says so."""
    found = _DUE.match(queue.claim)
    if queue.oldest or found is None or int(found["limit"]) != len(queue.claim_arguments) + 1:
        return queue.oldest
    return f"SELECT now() - min({found['since']}) AS oldest FROM {found['table']} WHERE {found['which']}"  # noqa: S608 -- Parts of the service's own statement.


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A job that runs every so often, in one of all processes."""

    name: str
    every_s: float
    run: Callable[[Deadline], Awaitable[None]]
    limit_s: float = 300.0
    """A run that takes longer is cut."""


class TaskMetrics(Protocol):
    """Where figures go; the names are those of the dossier's telemetry."""

    def delay(self, task: str, outcome: str, seconds: float) -> None:
        """task_delay_seconds: from when a piece was due to its end, outcome done or dead."""

    def oldest(self, task: str, seconds: float) -> None:
        """task_oldest_seconds"""

    def dead(self, task: str, count: int) -> None:
        """task_dead_total; 0 is told at the start."""

    def success(self, task: str, at_s: float) -> None:
        """task_last_success_timestamp_seconds; at the start its time is told, so that a new process is not overdue."""

    def interval(self, task: str, seconds: float) -> None:
        """task_interval_seconds"""


class NoMetrics:
    """Nobody counts."""

    def delay(self, task: str, outcome: str, seconds: float) -> None: ...
    def oldest(self, task: str, seconds: float) -> None: ...
    def dead(self, task: str, count: int) -> None: ...
    def success(self, task: str, at_s: float) -> None: ...
    def interval(self, task: str, seconds: float) -> None: ...


def reason_of(error: BaseException) -> str:
    """What is kept of an error in `last_error`: what somebody chose to say, else its class; never a foreign text."""
    if isinstance(error, GiveUp | TooEarly | NotNow | Away):
        said = str(error)
    elif isinstance(error, Problem):
        said = f"{type(error).__name__}: {error.code}"
    else:
        said = type(error).__name__
    return said[:ERROR_LENGTH_MAX]
