"""Progress: plain lines where nobody watches, a live line in a terminal, no control characters of anybody else's."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from nines.cli.progress import LiveProgress, told


def plain() -> tuple[LiveProgress, io.StringIO]:
    stream = io.StringIO()
    return LiveProgress(Console(file=stream, force_terminal=False, width=80)), stream


@pytest.mark.parametrize(
    ("duration_s", "words"),
    [(0.0, "0 s"), (-3.0, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (125.0, "2 min 5 s")],
)
def test_durations_as_people_say_them(duration_s: float, words: str) -> None:
    assert told(duration_s) == words


def test_plain_lines_with_the_time_that_is_left_once() -> None:
    progress, stream = plain()
    progress.stage("reading the code")
    progress.plan(200.0)
    progress.stage("Steady load", 68.0)
    progress.stage("joining")
    lines = stream.getvalue().splitlines()
    assert lines == ["· reading the code", "· Steady load (about 1 min 8 s), about 3 min 20 s left in all", "· joining"]


def test_notes_keep_their_lines_and_lose_what_drives_a_terminal() -> None:
    progress, stream = plain()
    progress.note("first \x1b[2Jsecond\n" + "long " * 40)
    first, second = stream.getvalue().splitlines()
    assert first.startswith("  first")
    assert "\x1b" not in first
    assert second.count("long") == 40


def test_a_live_line_tells_when_it_takes_longer_than_usual() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    progress = LiveProgress(console)
    progress.stage("Steady load", 68.0)
    progress.plan(90.0)
    assert "left" in _text(progress)
    progress.plan(0.0)
    assert "longer than usual" in _text(progress)


def _text(progress: LiveProgress) -> str:
    stream = io.StringIO()
    Console(file=stream, force_terminal=False, width=100).print(progress)
    return stream.getvalue()
