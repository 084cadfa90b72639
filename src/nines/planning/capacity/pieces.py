"""What one request, or one piece of a job's work, asks of the processors, the database and others, in its order."""

from __future__ import annotations

from nines.model.record import Record
from nines.planning.capacity import figures


class Computing(Record):
    """Time of the process's own core."""

    cpu_s: float
    is_even: bool = False
    """Takes the same each time."""


class Session(Record):
    """A connection that is held: one transaction, or one statement of its own."""

    round_trips: float
    database_s: float
    """Of a core of the database."""
    commits: float
    """Write-ahead log flushes that it waits for."""
    commit_s: float
    rows: float
    """Rows written."""

    @property
    def held_s(self) -> float:
        return self.round_trips * figures.ROUND_TRIP_S + self.database_s + self.commits * self.commit_s


class Remote(Record):
    """A call to another service, or a delivery."""

    target: str
    p95_s: float
    timeout_s: float
    attempts_max: int = 1

    @property
    def mean_s(self) -> float:
        return self.p95_s * figures.P95_TO_MEAN


Span = Computing | Session | Remote


class Piece(Record):
    """One request of an operation, or one piece of work of a job."""

    name: str
    is_job: bool
    module: str
    steady_hz: float
    peak_hz: float
    """Of a job: what it can do of what arrives."""
    spans: tuple[Span, ...]
    bytes: float = 0.0
    promised_s: float | None = None
    concurrency: int = 0
    """Of a job: pieces at once, per process."""
    arriving_hz: float = 0.0
    """Of a job: at the peak, done or not."""
    is_grouped: bool = False
    is_scheduled: bool = False
    is_read: bool = False
    path: str = ""

    @property
    def cpu_s(self) -> float:
        return sum(span.cpu_s for span in self.spans if isinstance(span, Computing))

    @property
    def sessions(self) -> tuple[Session, ...]:
        return tuple(span for span in self.spans if isinstance(span, Session))

    @property
    def remotes(self) -> tuple[Remote, ...]:
        return tuple(span for span in self.spans if isinstance(span, Remote))

    @property
    def held_s(self) -> float:
        return 0.0 if self.is_grouped else sum(session.held_s for session in self.sessions)

    @property
    def database_s(self) -> float:
        return sum(session.database_s for session in self.sessions)

    @property
    def rows(self) -> float:
        return sum(session.rows for session in self.sessions)

    @property
    def commits(self) -> float:
        """Of its own; those of a group are counted by the group."""
        return 0.0 if self.is_grouped else sum(session.commits for session in self.sessions)

    @property
    def mean_s(self) -> float:
        """With nobody else about; in a group, with half the time until it is closed."""
        in_groups = sum(1 for session in self.sessions if self.is_grouped and not session.round_trips)
        waited = in_groups * (figures.GROUP_EVERY_S / 2 + figures.GROUP_TRIPS * figures.ROUND_TRIP_S)
        held = sum(session.held_s for session in self.sessions)
        return self.cpu_s + held + waited + sum(remote.mean_s for remote in self.remotes)
