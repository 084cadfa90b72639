"""Live progress on standard error: what is being done, and how long is left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from nines import reports
from nines.model.progress import Progress, Silent

_REFRESH_HZ = 4


class LiveProgress:
    """A line with the stage, its age, and the time left when it is known; plain lines where nobody watches live."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._name = "starting"
        self._begun_s = time.monotonic()
        self._ends_s: float | None = None
        self._is_planned = False
        """Whether the end is newer than the stage before; plain lines say it then only."""
        self._spinner = Spinner("dots")

    def stage(self, name: str, duration_s: float = 0.0) -> None:
        self._name, self._begun_s = _plain(name), time.monotonic()
        if not self._console.is_terminal:
            about = f" (about {told(duration_s)})" if duration_s >= 1 else ""
            left = ""
            if self._ends_s is not None and self._is_planned and self._ends_s - self._begun_s > duration_s + 1:
                left = f", about {told(self._ends_s - self._begun_s)} left in all"
            self._is_planned = False
            self._line(f"· {self._name}{about}{left}")

    def plan(self, remaining_s: float) -> None:
        self._ends_s, self._is_planned = time.monotonic() + remaining_s, True

    def note(self, text: str) -> None:
        for line in _plain(text).splitlines():
            self._line(f"  {line}", style="dim")

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style), highlight=False, soft_wrap=not self._console.is_terminal)

    def __rich__(self) -> Spinner:
        now_s = time.monotonic()
        left = ""
        if self._ends_s is not None:
            rest_s = self._ends_s - now_s
            left = f", about {told(rest_s)} left" if rest_s >= 1 else ", longer than usual"
        self._spinner.update(text=Text(f"{self._name} ({told(now_s - self._begun_s)}{left})", overflow="ellipsis"))
        return self._spinner


def told(duration_s: float) -> str:
    """A duration as people say it: 45 s, 2 min 5 s."""
    minutes, seconds = divmod(round(max(duration_s, 0.0)), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _plain(text: str) -> str:
    """What a repository or a service said must not drive the terminal."""
    cleaned: str = reports.harmless(text)
    return cleaned


@contextmanager
def shown(*, quiet: bool) -> Iterator[Progress]:
    """Progress for the time of a verb; nothing at all when quiet."""
    if quiet:
        yield Silent()
        return
    console = Console(stderr=True)
    progress = LiveProgress(console)
    if not console.is_terminal:
        yield progress
        return
    with Live(progress, console=console, refresh_per_second=_REFRESH_HZ, transient=True):
        yield progress
