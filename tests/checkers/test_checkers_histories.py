"""Checkers over histories, against brute force where there is one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nines.checkers.counters import check_counter
from nines.checkers.idempotency import check_idempotency
from nines.checkers.sets import check_set
from nines.checkers.winners import rounds
from nines.model.history import Exchange, Outcome, Seen

OK, FAILED, INDEFINITE = Outcome.OK, Outcome.FAILED, Outcome.INDEFINITE


def sent(marker: str, outcome: Outcome) -> Exchange:
    return Exchange(operation="create", method="POST", path="/x", outcome=outcome, marker=marker)


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(Outcome)), st.sets(st.sampled_from("abcdefghxy")))
def test_sets_leave_the_indefinite_open(outcomes: dict[str, Outcome], there: set[str]) -> None:
    result = check_set([sent(m, o) for m, o in outcomes.items()], [Seen(marker=m) for m in sorted(there)])
    assert set(result.lost) == {m for m, o in outcomes.items() if o is OK and m not in there}
    assert set(result.phantom) == {m for m in there if outcomes.get(m, FAILED) is FAILED}
    assert set(result.recovered) == {m for m, o in outcomes.items() if o is INDEFINITE and m in there}
    assert result.holds == (not result.lost and not result.phantom)


def test_sets_find_duplicates_and_believe_an_acknowledgement() -> None:
    result = check_set([sent("a", INDEFINITE), sent("a", OK), sent("b", OK)], [Seen(marker="b", count=2)])
    assert result.lost == ("a",)
    assert result.duplicated == ("b",)
    assert check_set([sent("a", OK)], [Seen(marker="a", count=0)]).lost == ("a",)


@given(st.lists(st.tuples(st.integers(-9, 9), st.sampled_from(Outcome)), max_size=8), st.integers(0, 255))
def test_counters_allow_exactly_what_could_have_happened(changes: list[tuple[int, Outcome]], choice: int) -> None:
    certain = sum(amount for amount, outcome in changes if outcome is OK)
    perhaps = [amount for amount, outcome in changes if outcome is INDEFINITE]
    final = 100 + certain + sum(amount for bit, amount in enumerate(perhaps) if choice >> bit & 1)
    assert check_counter(100, changes, final).holds
    high = 100 + certain + sum(amount for amount in perhaps if amount > 0)
    low = 100 + certain + sum(amount for amount in perhaps if amount < 0)
    assert not check_counter(100, changes, high + 1).holds
    assert not check_counter(100, changes, low - 1).holds


def raced(group: int, status: int | None, body: str = "") -> Exchange:
    outcome = INDEFINITE if status is None or status >= 500 else OK if status < 400 else FAILED
    return Exchange(
        operation="create", method="POST", path="/x", outcome=outcome, status=status, group=group, body=body
    )


def test_a_race_has_one_winner_unless_the_answers_differ() -> None:
    found = rounds(
        enumerate(
            [
                raced(1, 201, "a"),
                raced(1, 409),
                raced(2, 201, "a"),
                raced(2, 201, "b"),
                raced(3, 200, "same"),
                raced(3, 200, "same"),
                raced(4, 201, "a"),
                raced(4, 500),
                raced(5, 409),
                raced(6, 201, "a"),
                raced(6, None),
                raced(0, 500),
            ]
        )
    )
    assert [race.holds for race in found] == [True, False, True, False, True, True]
    assert [race.is_decided for race in found] == [True, True, True, True, False, True]
    assert found[1].winners == (2, 3)
    assert found[5].open_ended == (10,)


def keyed(key: str, request: str, answer: str, outcome: Outcome = OK) -> Exchange:
    return Exchange(
        operation="pay", method="POST", path="/x", outcome=outcome, key=key, request_body=request, body=answer
    )


def test_idempotency_wants_one_answer_and_one_effect() -> None:
    fine = check_idempotency([keyed("k", "a", "1"), keyed("k", "a", "1"), keyed("k", "b", "", FAILED)], {"k": 1})
    assert fine.holds
    bad = check_idempotency(
        [keyed("k", "a", "1"), keyed("k", "a", "2"), keyed("m", "a", "1"), keyed("m", "b", "1")], {"m": 2}
    )
    assert bad.answered_differently == ("k",)
    assert bad.body_ignored == ("m",)
    assert bad.repeated == ("m",)
