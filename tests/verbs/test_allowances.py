"""An allowance silences with a reason; without one, or without a finding, it is reported itself."""

from __future__ import annotations

from nines.model.code import Allowance, Module, Program
from nines.model.finding import Finding
from nines.model.place import Place
from nines.verbs import allowances


def program(*given: Allowance) -> Program:
    return Program(root=".", modules=(Module("app", "app.py", False, (), 10, given),))


FOUND = Finding(rule="database/unbounded-query", message="m", place=Place(file="app.py", line=4), subject="s")


def test_hides_what_it_names_on_its_line() -> None:
    for name in ("unbounded-query", "database/unbounded-query"):
        allowed = allowances.apply([FOUND], program(Allowance((name,), "ten rows at most", 4, 4)))
        assert allowed.count == 1
        assert not allowed.findings


def test_covers_a_whole_file() -> None:
    assert allowances.apply([FOUND], program(Allowance(("unbounded-query",), "a script", 1, 0))).count == 1


def test_another_line_or_rule_hides_nothing_and_is_reported() -> None:
    for given in (Allowance(("unbounded-query",), "why", 7, 7), Allowance(("n-plus-one-query",), "why", 4, 4)):
        allowed = allowances.apply([FOUND], program(given))
        assert allowed.count == 0
        assert {f.rule for f in allowed.findings} == {FOUND.rule, allowances.UNUSED}


def test_without_a_reason_it_is_not_followed() -> None:
    allowed = allowances.apply([FOUND], program(Allowance(("unbounded-query",), "", 4, 4)))
    assert {f.rule for f in allowed.findings} == {FOUND.rule, allowances.WITHOUT_REASON}
