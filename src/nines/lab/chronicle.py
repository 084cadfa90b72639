"""Collects everything that one experiment sees, in order and in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nines.lab.load.ending import Ending, exchange_of_ending
from nines.lab.load.request import Request
from nines.model.history import (
    Check,
    Count,
    Credential,
    Exchange,
    History,
    LoadReport,
    Mark,
    Outcome,
    Sample,
    Seen,
    Skip,
)
from nines.model.trace import Trace

EXCHANGES_MAX = 1_000_000
NOTES_MAX = 200
CURLS_MAX = 500
"""Requests of a load that failed and get the command that repeats them."""


class Chronicle:
    """The growing history of one experiment; what came from a load is turned into exchanges only when asked for."""

    def __init__(
        self, seed: int, clock_s: Callable[[], float], origin_s: float, curl: Callable[[Request], str]
    ) -> None:
        self._seed = seed
        self._curl = curl
        self._failed = 0
        self._repeatable: set[tuple[str, str]] = set()
        self._clock_s = clock_s
        self._origin_s = origin_s
        self._exchanges: list[Exchange | Ending] = []
        self._dropped = 0
        self.marks: list[Mark] = []
        self.seen: list[Seen] = []
        self.counts: list[Count] = []
        self.checks: list[Check] = []
        self.skips: list[Skip] = []
        self.loads: list[LoadReport] = []
        self.traces: list[Trace] = []
        self._notes: dict[str, int] = {}

    def add(self, exchange: Exchange | Ending) -> None:
        if len(self._exchanges) < EXCHANGES_MAX:
            self._exchanges.append(exchange)
        else:
            self._dropped += 1

    def last(self) -> int:
        return len(self._exchanges) - 1

    def exchange(self, index: int) -> Exchange:
        """The exchange at this place, settled into its final form."""
        found = self._exchanges[index]
        if isinstance(found, Ending):
            found = exchange_of_ending(found, origin_s=self._origin_s, curl=self._command(found))
            self._exchanges[index] = found
        return found

    def _command(self, ending: Ending) -> str:
        """For what failed, and for one request of each operation and identity: building it for all costs too much."""
        call = ending.request.call
        kind = (call.operation, call.identity)
        has_failed = ending.outcome is not Outcome.OK
        if kind in self._repeatable and not (has_failed and self._failed < CURLS_MAX):
            return ""
        self._failed += has_failed
        self._repeatable.add(kind)
        return self._curl(ending.request)

    def sent_with(self, markers: Iterable[str]) -> tuple[Exchange, ...]:
        """The exchanges that carried one of these markers."""
        wanted = set(markers)
        found: list[Exchange] = []
        for index, each in enumerate(self._exchanges):
            marker = each.request.call.marker if isinstance(each, Ending) else each.marker
            if marker in wanted:
                found.append(self.exchange(index))
        return tuple(found)

    def mark(self, event: str, name: str, detail: str) -> None:
        self.marks.append(Mark(time_s=self._clock_s(), event=event, name=name, detail=detail))

    def note(self, text: str) -> None:
        """Keeps a note once, with the number of times that it was made."""
        if text in self._notes or len(self._notes) < NOTES_MAX:
            self._notes[text] = self._notes.get(text, 0) + 1

    def history(self, samples: Iterable[Sample], credentials: tuple[Credential, ...] = ()) -> History:
        notes = [text if times == 1 else f"{text} ({times} times)" for text, times in self._notes.items()]
        if self._dropped:
            notes.append(f"{self._dropped} exchanges beyond the first {EXCHANGES_MAX} were not kept")
        return History(
            seed=self._seed,
            exchanges=tuple(self.exchange(index) for index in range(len(self._exchanges))),
            marks=tuple(self.marks),
            samples=tuple(samples),
            seen=tuple(self.seen),
            counts=tuple(self.counts),
            checks=tuple(self.checks),
            skips=tuple(self.skips),
            loads=tuple(self.loads),
            traces=tuple(self.traces),
            notes=tuple(notes),
            credentials=credentials,
        )
