"""The chapter on decisions: a record for each, under a name that stays, and the questions."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from nines.dossier.chapters import decisions as chapter
from nines.model.design import Design, Gap
from nines.planning.decisions import decisions
from tests.dossier.chapters.capacity.pages import assert_sound, recovered
from tests.planning.capacity.examples import NAMES, designed

over_all = pytest.mark.parametrize("name", NAMES)


def pages(design: Design) -> dict[str, str]:
    return {each.path: each.text for each in chapter.write(design)}


@over_all
def test_pages_are_sound(name: str) -> None:
    assert_sound(chapter.write(designed(name)))


@over_all
def test_a_record_for_each_decision(name: str) -> None:
    design = designed(name)
    found = pages(design)
    for decision in design.decisions:
        text = found[f"decisions/{decision.number:04d}-{decision.id}.md"]
        titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
        assert titles == ["Context", "Options", "Decision", "Consequences", "What would change it"]
        assert re.findall(r"^### (.*)$", text, re.MULTILINE) == [option.name for option in decision.options]
        assert f"**{decision.chosen}.**" in text
        status = "given by the blueprint" if decision.is_given else "Status: proposed"
        assert status in text


def test_the_same_concern_has_the_same_file_in_every_design() -> None:
    named: dict[str, str] = {}
    for name in NAMES:
        for path in pages(designed(name)):
            concern = path.partition("-")[2]
            if concern and concern != "questions.md":
                assert named.setdefault(concern, path) == path


def test_open_questions() -> None:
    design = designed("shop")
    assert "Everything that changes this design was answered." in pages(design)["decisions/open-questions.md"]
    gaps = (
        Gap(question="How many | come?", assumed="50/s", matters="pools", where="load.peak"),
        Gap(question="What is behind it?", kind="reading", where="app.py:3"),
    )
    text = pages(replace(design, gaps=gaps))["decisions/open-questions.md"]
    assert "| How many \\| come? | 50/s | pools | `load.peak` |" in text
    assert "| What is behind it? | nothing |" in text.partition("## What was not understood")[2]
    assert "2 questions are open" in pages(replace(design, gaps=gaps))["decisions/README.md"]


def test_records_of_a_service_that_was_read() -> None:
    design = decisions(recovered())
    assert_sound(chapter.write(design))
    found = pages(design)
    assert all("Status: found in the code." in text for path, text in found.items() if re.search(r"/\d{4}-", path))
    assert any(re.search(r"/\d{4}-", path) for path in found)
