"""Collects what all proxies saw, on one clock and in bounded memory."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from nines.lab.record.events import CommandSeen, ConnectionEnded, Event, RequestSeen, StatementSeen, Tally, when_s

EVENTS_MAX = 200_000
"""Events kept; the oldest are dropped, and counted, when more come."""
TEXT_CHARS_MAX = 64_000_000
"""Characters of statement text kept over all events."""
UNREADABLE_MAX = 1000
"""Connections remembered that could not be read."""


@dataclass
class _Unread:
    reason: str
    until_s: float = float("inf")


class Recorder:
    """The memory of one bench; every proxy adds to it from the same event loop."""

    def __init__(
        self,
        clock_s: Callable[[], float] = time.monotonic,
        *,
        events_max: int = EVENTS_MAX,
        text_chars_max: int = TEXT_CHARS_MAX,
    ) -> None:
        self.clock_s = clock_s
        self.dropped = 0
        self._events: deque[tuple[float, Event]] = deque()
        """With the moment at which each was recorded; these only grow, while ends may come out of order."""
        self._events_max = events_max
        self._text_chars_max = text_chars_max
        self._text_chars = 0
        self._counts: Counter[tuple[str, str]] = Counter()
        self._unreadable: dict[tuple[str, int], _Unread] = {}
        self.moved_s = clock_s()
        """When bytes last moved through any proxy."""

    def add(self, event: Event) -> None:
        """Keeps an event, dropping the oldest ones where a limit is passed."""
        self._events.append((self.clock_s(), event))
        self._text_chars += _chars(event)
        self._count(event)
        while len(self._events) > self._events_max or self._text_chars > self._text_chars_max:
            self._text_chars -= _chars(self._events.popleft()[1])
            self.dropped += 1

    def opened(self, dependency: str) -> None:
        """Notes an accepted connection."""
        self._counts[dependency, "connections"] += 1
        self._counts[dependency, "open"] += 1

    def closed(self, dependency: str, connection: int) -> None:
        """Notes that an accepted connection is gone."""
        self._counts[dependency, "open"] -= 1
        unread = self._unreadable.get((dependency, connection))
        if unread is not None:
            unread.until_s = self.clock_s()

    def failed(self, dependency: str) -> None:
        """Notes a connection that the dependency did not take."""
        self._counts[dependency, "failed"] += 1

    def unreadable(self, dependency: str, connection: int, reason: str) -> None:
        """Notes a connection whose bytes are passed on without being understood."""
        self._counts[dependency, "unreadable"] += 1
        self._unreadable[dependency, connection] = _Unread(reason)
        if len(self._unreadable) > UNREADABLE_MAX:
            del self._unreadable[next(iter(self._unreadable))]

    def window(self, since_s: float, until_s: float = float("inf")) -> tuple[Event, ...]:
        """The events that started within these times (a connection: ended), in this order."""
        found: list[Event] = []
        for recorded_s, event in reversed(self._events):
            if recorded_s < since_s:
                break
            if since_s <= when_s(event) <= until_s:
                found.append(event)
        found.reverse()
        return tuple(sorted(found, key=when_s))

    def blind(self, since_s: float = float("-inf")) -> tuple[tuple[str, str], ...]:
        """Dependency and reason of connections that could not be read and were open at or after this time."""
        return tuple((key[0], unread.reason) for key, unread in self._unreadable.items() if unread.until_s >= since_s)

    def tally(self, dependency: str) -> Tally:
        """Exact counts of one dependency; subtract two with `Tally.since` for an experiment's part."""
        get = self._counts
        return Tally(**{name: get[dependency, name] for name in Tally.__struct_fields__})

    def clear(self) -> None:
        """Forgets the events, not the counts: a new experiment begins."""
        self._events.clear()
        self._text_chars = 0

    def _count(self, event: Event) -> None:
        match event:
            case StatementSeen():
                name, is_error = "statements", bool(event.error)
            case RequestSeen():
                name, is_error = "requests", event.status is None or event.status >= 500
            case CommandSeen():
                name, is_error = "commands", bool(event.error)
            case ConnectionEnded():
                return
        self._counts[event.dependency, name] += 1
        if is_error:
            self._counts[event.dependency, "errors"] += 1


def _chars(event: Event) -> int:
    return len(event.text) if isinstance(event, StatementSeen) else 0
