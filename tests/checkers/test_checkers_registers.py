"""One value that is written again and again: what may stand there at last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nines.checkers.registers import is_lost
from nines.model.history import Exchange, Outcome


def write(marker: str, sent_s: float, ended_s: float, outcome: Outcome = Outcome.OK) -> Exchange:
    return Exchange(
        operation="put", method="PUT", path="/x", outcome=outcome, marker=marker, sent_s=sent_s, ended_s=ended_s
    )


def test_the_last_acknowledged_write_must_be_there() -> None:
    writes = [write("a", 1, 2), write("b", 3, 4)]
    assert not is_lost(writes, ["b"])
    assert is_lost(writes, ["a"])
    assert is_lost(writes, [])


def test_writes_at_the_same_time_may_both_be_the_last() -> None:
    writes = [write("a", 1, 5), write("b", 2, 4)]
    assert not is_lost(writes, ["a"])
    assert not is_lost(writes, ["b"])


def test_what_was_left_open_may_have_happened_at_any_time() -> None:
    writes = [write("open", 0, 1, Outcome.INDEFINITE), write("a", 2, 3)]
    assert not is_lost(writes, ["open"])
    assert not is_lost(writes, ["a"])
    assert is_lost(writes, ["older"])


def test_what_was_refused_did_not_happen() -> None:
    assert is_lost([write("a", 1, 2), write("no", 3, 4, Outcome.FAILED)], ["no"])


def test_where_nothing_was_acknowledged_nothing_is_lost() -> None:
    assert not is_lost([write("a", 1, 2, Outcome.INDEFINITE)], [])


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 3)), min_size=1, max_size=12))
def test_whatever_ran_last_is_never_lost(spans: list[tuple[float, float]]) -> None:
    writes = [write(f"m{n}", begin, begin + length) for n, (begin, length) in enumerate(spans)]
    last = max(writes, key=lambda each: each.ended_s)
    assert not is_lost(writes, [last.marker])
