"""What a row must be for whoever asks."""

from __future__ import annotations

from typing import Any

import pytest

from nines_runtime.calls.deadline import Deadline
from nines_runtime.web.call import Call
from nines_runtime.web.problem import Problem

ROW = {"id": 1, "version": 3, "status": "open"}


def call(if_match: str | None = None) -> Call:
    headers = {} if if_match is None else {"if-match": if_match}
    return Call(operation="o", method="PATCH", path="/", deadline=Deadline.after(1), headers=headers)


def problem(row: dict[str, Any] | None, *states: str, if_match: str | None = None) -> tuple[str, str]:
    with pytest.raises(Problem) as caught:
        call(if_match).changeable(row, "order", *states)
    return caught.value.code, str(caught.value.detail)


@pytest.mark.parametrize("if_match", [None, "*", '"3"'])
def test_a_row_that_fits_is_given_back(if_match: str | None) -> None:
    assert call(if_match).existing(ROW, "order") is ROW
    assert call(if_match).changeable(ROW, "order") is ROW
    assert call(if_match).changeable(ROW, "order", "held", "open") is ROW


def test_what_nobody_may_see_is_not_there() -> None:
    said = ("not-found", "There is no such order, or it is not yours.")
    assert problem(None) == said
    with pytest.raises(Problem) as caught:
        call().existing(None, "order")
    assert (caught.value.code, caught.value.detail) == said


def test_another_version_and_another_state_are_told_apart() -> None:
    assert problem(ROW, "held", if_match='"2"')[0] == "precondition-failed"
    assert problem(ROW, "held", "closed", if_match='"3"') == (
        "state-conflict",
        "The order is open; it must be held or closed.",
    )


def test_a_row_without_versions_is_of_every_version() -> None:
    row = {"id": 1}
    assert call('"2"').changeable(row, "order") is row
