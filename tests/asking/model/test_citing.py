"""A claim has a source that a tool gave, or a mark."""

from __future__ import annotations

import pytest

from nines.asking.model.citing import checked, sources_in

KNOWN = {"bd35ddb9c2a08fb1", "r1", "POST /v1/payments", "outbox", "load/steady"}


@pytest.mark.parametrize(
    "line",
    [
        "The call has no timeout. [finding bd35ddb9c2a08fb1]",
        "It was measured twice. [report r1] [page load/steady]",
        "It writes before it calls. [trace post /v1/payments]",
        "Both say so. [page outbox, load/steady]",
    ],
)
def test_a_source_that_is_known_is_enough(line: str) -> None:
    assert checked(line, KNOWN) == (line, 1, 1)


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        ("The service is perfectly safe now.", "not shown"),
        ("The call has no timeout. [finding 0000000000000000]", "source unknown: 0000000000000000"),
        ("It was measured. [report r1] and also [report r7]", "source unknown: r7"),
        ("It is fast (see the report r1)", "not shown"),
    ],
)
def test_anything_else_is_marked(line: str, mark: str) -> None:
    text, claims, sourced = checked(line, KNOWN)
    assert mark in text
    assert (claims, sourced) == (1, 0)


@pytest.mark.parametrize(
    "line",
    [
        "## Reasoning",
        "Next:",
        "How many requests a second come at the peak?",
        "- `nines check .`",
        "| a | b |",
        "",
        "Yes.",
    ],
)
def test_what_claims_nothing_is_left_alone(line: str) -> None:
    assert checked(line, KNOWN) == (line, 0, 0)


def test_code_is_left_alone() -> None:
    text = "```python\nthis is a line of code that claims nothing\n```"
    assert checked(text, set()) == (text, 0, 0)


def test_sources_are_found_in_what_tools_answer() -> None:
    answer = (
        '{"report":"r3","findings":[{"id":"bd35ddb9c2a08fb1","rule":"a/b","entry_point":"POST /x"}],"page_id":"outbox"}'
    )
    assert {"r3", "bd35ddb9c2a08fb1", "a/b", "POST /x", "outbox"} <= set(sources_in(answer))
