"""What a page shows runs, and asserts by itself what goes wrong without the pattern and right with it."""

from __future__ import annotations

import ast
import asyncio
import threading

import pytest

from nines import patterns
from nines.model.page import Example
from nines.model.pattern import Pattern

ASSERTS_MIN = 2
EXAMPLES = [(pattern, example) for pattern in patterns.discover() for example in pattern.examples]
NEEDS_DATABASE = "postgres"


def named(examples: list[tuple[Pattern, Example]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("pattern", "example"), examples, ids=[f"{pattern.id}:{example.line}" for pattern, example in examples]
    )


def execute(pattern: Pattern, example: Example) -> None:
    # Line numbers of the page, so that a failure leads to the line that failed.
    tree = ast.parse(example.text, filename=f"{pattern.id}.md")
    ast.increment_lineno(tree, example.line)
    before = set(threading.enumerate())
    exec(compile(tree, f"src/nines/patterns/{pattern.id}.md", "exec", dont_inherit=True), {"__name__": "__main__"})
    left = [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
    assert left == [], "the example leaves threads behind"


@named([each for each in EXAMPLES if NEEDS_DATABASE not in each[1].attributes])
def test_example_runs(pattern: Pattern, example: Example) -> None:
    execute(pattern, example)


@pytest.mark.lab
@named([each for each in EXAMPLES if NEEDS_DATABASE in each[1].attributes])
def test_example_runs_against_postgresql(
    pattern: Pattern, example: Example, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    execute(pattern, example)


@pytest.mark.parametrize("pattern", patterns.discover(), ids=lambda pattern: pattern.id)
def test_an_example_asserts_what_it_shows(pattern: Pattern) -> None:
    checks = [
        node for each in pattern.examples for node in ast.walk(ast.parse(each.text)) if isinstance(node, ast.Assert)
    ]
    assert len(checks) >= ASSERTS_MIN
    assert not any(isinstance(check.test, ast.Constant) for check in checks)


def test_no_example_leaves_an_event_loop() -> None:
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
