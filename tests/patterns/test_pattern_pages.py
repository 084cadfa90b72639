"""Every page has the form, its ties lead somewhere, and everything that nines finds or proves leads to a page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from markdown_it import MarkdownIt

import nines_runtime
from nines import experiments, patterns, rules
from nines.model.errors import SourceError
from nines.model.pattern import Pattern
from nines.patterns.page import parse
from nines.planning import objections
from nines.readers.blueprint import vocabulary

PATTERNS = patterns.discover()
RULES = frozenset(rule.id for rule in rules.discover())
EXPERIMENTS = frozenset(experiment.id for experiment in experiments.discover())
OBJECTIONS = frozenset(code for code, _ in objections.objectors())
IDS = frozenset(pattern.id for pattern in PATTERNS)
LINES_MAX = 140
LINE_MAX = 132
"""A page is read in a terminal, too."""

named = pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.id)


@named
def test_its_ties_lead_to_something(pattern: Pattern) -> None:
    assert set(pattern.rules) <= RULES
    assert set(pattern.experiments) <= EXPERIMENTS
    assert set(pattern.objections) <= OBJECTIONS
    assert set(pattern.related) <= IDS - {pattern.id}
    assert pattern.related, "a pattern stands beside others"


@named
def test_the_blueprint_has_its_words(pattern: Pattern) -> None:
    page = vocabulary()
    sections = dict(re.findall(r"^## (\S+)$(.*?)(?=^## |\Z)", page, flags=re.MULTILINE | re.DOTALL))
    for word in pattern.blueprint:
        section, _, key = word.partition(".")
        if key:
            assert f"| `{key}` |" in sections[section], word
        else:
            assert f"| `{section}` |" in page, word


@named
def test_a_page_is_short_and_says_where_it_is_from(pattern: Pattern) -> None:
    lines = pattern.page.splitlines()
    assert len(lines) <= LINES_MAX
    assert max(len(line) for line in lines if "](https://" not in line) <= LINE_MAX
    assert pattern.sources
    assert pattern.page.endswith("\n")
    kinds = {token.type for token in MarkdownIt("commonmark").parse(pattern.page)}
    unmeant = {"ordered_list_open", "blockquote_open", "html_block", "code_block", "hr"}
    assert kinds.isdisjoint(unmeant), "a wrapped line begins like something else"


@pytest.mark.parametrize("id", sorted(RULES | EXPERIMENTS))
def test_what_is_found_or_proved_has_a_pattern(id: str) -> None:
    assert patterns.about(id), (
        f"no page under src/nines/patterns/ names {id}: what should be done instead of the defect?"
    )


def test_nobody_is_called_as_another_is() -> None:
    called = {p.id: {n.lower() for n in (p.id.replace("-", " "), p.title, *p.also_called)} for p in PATTERNS}
    shared = {(one, other): called[one] & called[other] for one in called for other in called if one < other}
    assert {pair: names for pair, names in shared.items() if names} == {}


GOOD = next(pattern for pattern in PATTERNS if pattern.id == "circuit-breaker").page


def without(part: str) -> Callable[[str], str]:
    return lambda page: page.replace(part, "")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda page: page.replace("## When not", "## Never"), "its sections are"),
        (lambda page: page.replace("- Topic: calls", "- Topic: weather"), "no topic"),
        (lambda page: page.replace("- Topic: calls", "- Colour: red"), "this is no tie"),
        (lambda page: page.replace("`dependencies/dependency-stall`", "dependency-stall"), "these are no ids"),
        (lambda page: page.replace("- Related: ", "- Related: `deadline`, "), "stand twice"),
        (lambda page: page.replace("](https://", "](http://"), "this is no source"),
        (lambda page: page.replace("```python", "```text"), "no Python"),
        (
            lambda page: re.sub(r"## Problem.*?## When", "## Problem\n\n## When", page, flags=re.DOTALL),
            "nothing stands",
        ),
        (
            lambda page: re.sub(
                r"## Options.*?## Ex", "## Options\n\n- **One.** Only.\n\n## Ex", page, flags=re.DOTALL
            ),
            "two",
        ),
        (lambda page: re.sub(r"- Built by:.*\n", "", page), "Built by"),
        (lambda page: page.replace("- Topic: calls\n", "").rstrip() + "\n- Topic: calls\n", "another order"),
        (without("# Circuit breaker"), "level-one"),
    ],
)
def test_a_page_without_the_form_is_refused(broken: Callable[[str], str], said: str) -> None:
    page = broken(GOOD)
    assert page != GOOD
    with pytest.raises(SourceError, match=said):
        parse(page, "circuit-breaker")


def test_what_a_page_says_is_read() -> None:
    pattern = parse(GOOD, "circuit-breaker")
    assert pattern.title == "Circuit breaker"
    assert pattern.summary.startswith("After repeated failures")
    assert pattern.summary.count(".") == 1
    assert "dependencies/dependency-stall" in pattern.experiments
    assert pattern.is_about("dependencies/dependency-stall")
    assert not pattern.is_about("load/steady")
    assert pattern.rules == ()
    assert [source.url for source in pattern.sources if source.url.endswith("handling-overload/")]
    assert pattern.options[0].title == "Count failures in a row"


@named
def test_what_build_provides_is_there(pattern: Pattern) -> None:
    missing = [name for name in re.findall(r"nines_runtime\.(\w+)", pattern.page) if not hasattr(nines_runtime, name)]
    assert missing == []
