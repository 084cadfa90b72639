"""The guides: their links lead somewhere, and the commands that they show exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from nines import experiments
from nines.cli.main import Commands, application
from nines.model import page as pages

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
QUESTIONS = {
    "I need a secure login endpoint with JWT and rate limiting",
    "My database queries are slow",
    "What should I consider for a payments endpoint?",
    "Review my schema",
    "Our API takes 500 ms and sometimes answers 500",
    "Design a notification service for 10,000 requests a second",
}
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")

each_guide = pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)


def commands(guide: Path) -> list[list[str]]:
    """The lines after a prompt, as words, without comments."""
    shown = [
        e.text for e in pages.parse(guide.read_text(encoding="utf-8"), guide.name).examples if e.language == "console"
    ]
    lines = [line for text in shown for line in text.splitlines() if line.startswith("$ ")]
    return [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]


def test_each_of_the_six_questions_has_its_guide() -> None:
    titles = {pages.parse(guide.read_text(encoding="utf-8"), guide.name).title for guide in GUIDES}
    assert titles >= QUESTIONS


@each_guide
def test_links_lead_to_files(guide: Path) -> None:
    for target in _LINK.findall(guide.read_text(encoding="utf-8")):
        assert (guide.parent / target).resolve().is_file(), target


@each_guide
def test_the_commands_exist(guide: Path) -> None:
    assert isinstance(application, Commands)
    ids = {experiment.id for experiment in experiments.discover()}
    found = commands(guide)
    assert found
    for words in found:
        assert words[0] == "nines"
        context = application.make_context("nines", [], resilient_parsing=True)
        command = application.get_command(context, words[1])
        assert command is not None, words
        known = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known, words
        only = [words[at + 1] for at, word in enumerate(words) if word == "--only"]
        assert set(only) <= ids
        paths = [word for word in words if word.startswith("examples/")]
        assert all((ROOT / path).exists() for path in paths), words


@each_guide
def test_a_guide_says_what_it_does_not_show(guide: Path) -> None:
    page = pages.parse(guide.read_text(encoding="utf-8"), guide.name)
    assert page.section("What this does not show")
    assert page.section("Ask").count("```console") >= 1
