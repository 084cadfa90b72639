"""The recorder's memory: bounded, counted, and cut by time."""

from __future__ import annotations

from nines.lab.record.events import CommandSeen, ConnectionEnded, RequestSeen, StatementSeen, Tally
from nines.lab.record.recorder import Recorder


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def statement(started_s: float, ended_s: float, text: str = "select 1", error: str = "") -> StatementSeen:
    return StatementSeen(
        dependency="database", connection=1, started_s=started_s, ended_s=ended_s, text=text, error=error
    )


def request(status: int | None) -> RequestSeen:
    return RequestSeen(dependency="mail", connection=1, started_s=0, ended_s=0, method="GET", path="/", status=status)


def test_a_window_holds_what_began_in_it_in_that_order() -> None:
    clock = Clock()
    recorder = Recorder(clock)
    for recorded_s, event in (
        (1.0, statement(0.5, 0.9)),
        (4.0, statement(3.5, 4.0)),
        # Recorded at the end of its batch, long after it ended.
        (5.0, statement(1.0, 1.1)),
        (6.0, statement(3.2, 6.0)),
        (7.0, ConnectionEnded(dependency="database", connection=1, started_s=0.1, ended_s=7.0)),
    ):
        clock.now_s = recorded_s
        recorder.add(event)
    assert [event.started_s for event in recorder.window(0.0)] == [0.5, 1.0, 3.2, 3.5, 0.1]
    assert [event.started_s for event in recorder.window(3.0)] == [3.2, 3.5, 0.1]
    assert [event.started_s for event in recorder.window(0.6, 3.3)] == [1.0, 3.2]
    assert recorder.window(8.0) == ()


def test_memory_is_bounded_and_counts_are_exact() -> None:
    recorder = Recorder(Clock(), events_max=10, text_chars_max=1000)
    for number in range(25):
        recorder.add(statement(number, number))
    assert [event.started_s for event in recorder.window(-1.0)] == list(range(15, 25))
    assert recorder.dropped == 15
    recorder.add(statement(30, 30, "x" * 995))
    assert len(recorder.window(-1.0)) == 1
    assert recorder.tally("database").statements == 26
    recorder.clear()
    assert recorder.window(-1.0) == ()
    for number in range(10):
        recorder.add(statement(number, number, "y" * 100))
    assert len(recorder.window(-1.0)) == 10


def test_tallies_are_kept_apart_and_subtracted() -> None:
    recorder = Recorder(Clock())
    recorder.opened("database")
    recorder.add(statement(0, 0))
    before = recorder.tally("database")
    recorder.opened("database")
    recorder.closed("database", 1)
    recorder.failed("database")
    recorder.add(statement(1, 1, error="40001"))
    recorder.add(statement(1, 1))
    recorder.add(
        RequestSeen(dependency="mail", connection=1, started_s=0, ended_s=0, method="GET", path="/", status=404)
    )
    recorder.add(
        RequestSeen(dependency="mail", connection=1, started_s=0, ended_s=0, method="GET", path="/", status=500)
    )
    recorder.add(request(None))
    recorder.add(CommandSeen(dependency="redis", connection=1, started_s=0, ended_s=0, name="GET"))
    assert recorder.tally("database").since(before) == Tally(connections=1, open=1, failed=1, statements=2, errors=1)
    assert recorder.tally("mail") == Tally(requests=3, errors=2)
    assert recorder.tally("redis").attempts == 1
    assert recorder.tally("nothing") == Tally()
