"""The chapter on technology: every concern with its options, and the same choice as in its record."""

from __future__ import annotations

import re

import pytest

from nines.dossier.chapters import technology as chapter
from nines.dossier.markdown import anchor
from nines.model.blueprint import Card
from nines.model.design import Design, Source
from nines.planning.decisions import decisions
from tests.dossier.chapters.capacity.pages import assert_sound, recovered
from tests.planning.capacity.examples import NAMES, designed

over_all = pytest.mark.parametrize("name", NAMES)
_RECORDS = ("../decisions/README.md",)


def text_of(design: Design) -> str:
    (page,) = chapter.write(design)
    return page.text


@over_all
def test_page_is_sound(name: str) -> None:
    assert_sound(chapter.write(designed(name)), elsewhere=_RECORDS)


@over_all
def test_every_concern_with_its_options_and_one_choice(name: str) -> None:
    design = designed(name)
    sections = re.split(r"^## ", text_of(design), flags=re.MULTILINE)
    assert len(sections) == 1 + len(design.decisions)
    for decision, section in zip(design.decisions, sections[1:], strict=True):
        assert section.startswith(decision.concern + "\n")
        assert all(option.name in section for option in decision.options)
        assert section.count("✓") == 1
        assert f"Chosen: **{decision.chosen}**" in section
        assert f"](#{anchor(decision.concern)})" in sections[0]


def test_of_a_service_that_was_read_only_what_its_code_shows() -> None:
    text = text_of(decisions(recovered()))
    assert "no choice is called wrong here" in text
    assert "REST with OpenAPI" in text
    assert "the blueprint" not in text
    for unknown in ("Runtime", "Write path", "Replication", "200 ms"):
        assert unknown not in text
    assert_sound(chapter.write(decisions(recovered())), elsewhere=_RECORDS)


def test_nothing_to_decide() -> None:
    assert "No choice of technology" in text_of(Design(card=Card(name="empty"), source=Source.CODE))
