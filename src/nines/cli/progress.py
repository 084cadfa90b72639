"""Live progress on standard error: what is being done, and how long is left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from nines.model.progress import Progress, Silent

_REFRESH_HZ = 4


class LiveProgress:
    """A spinner line with the stage, its age, and the time left when it is known."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._name = "starting"
        self._begun_s = time.monotonic()
        self._ends_s: float | None = None
        self._spinner = Spinner("dots")

    def stage(self, name: str, duration_s: float = 0.0) -> None:
        self._name, self._begun_s = name, time.monotonic()
        if not self._console.is_terminal:
            self._console.print(f"· {name}" + (f" (about {duration_s:.0f} s)" if duration_s else ""), highlight=False)

    def plan(self, remaining_s: float) -> None:
        self._ends_s = time.monotonic() + remaining_s

    def note(self, text: str) -> None:
        self._console.print(Text(f"  {text}", style="dim"), highlight=False)

    def __rich__(self) -> Spinner:
        age_s = time.monotonic() - self._begun_s
        left = f", about {max(0.0, self._ends_s - time.monotonic()):.0f} s left" if self._ends_s else ""
        self._spinner.update(text=Text(f" {self._name} ({age_s:.0f} s{left})"))
        return self._spinner


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
