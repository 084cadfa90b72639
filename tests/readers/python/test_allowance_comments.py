"""Comments that silence a rule say which, where and why."""

from __future__ import annotations

import pytest

from nines.model.code import Allowance
from nines.readers.python.facts import facts_of, quiet


def _allowances(source: str) -> tuple[Allowance, ...]:
    with quiet():
        return facts_of(source.encode()).allowances


@pytest.mark.parametrize(
    ("comment", "rules", "reason"),
    [
        ("# nines: allow a/b -- the caller waits anyway", ("a/b",), "the caller waits anyway"),
        ("#nines:allow a/b-c,d/* -- why", ("a/b-c", "d/*"), "why"),
        ("# nines: allow a/b", ("a/b",), ""),
        ("# nines: allow a/b --", ("a/b",), ""),
        ("# nines: allow a/b — with a dash of its own", ("a/b",), "with a dash of its own"),
    ],
)
def test_what_a_comment_says(comment: str, rules: tuple[str, ...], reason: str) -> None:
    expected = (Allowance(rules, reason, 2, 2),) if "nines: allow" in comment else ()
    assert _allowances(f"x = 1\ny = 2  {comment}\n") == expected


def test_where_a_comment_speaks_of() -> None:
    source = (
        "# nines: allow whole/file -- 1\n"
        "import a\n"
        "# nines: allow next/line -- 2\n"
        "\n"
        "# another comment\n"
        "b = a.c(\n"
        "    1,  # nines: allow own/line -- 3\n"
        ")  # nines: allow statement/start -- 4\n"
        "text = '# nines: allow no/comment -- 5'\n"
    )
    assert {allowance.rules[0]: allowance.covers for allowance in _allowances(source)} == {
        "whole/file": 0,
        "next/line": 6,
        "own/line": 7,
        "statement/start": 6,
    }
