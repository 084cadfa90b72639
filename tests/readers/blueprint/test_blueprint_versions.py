"""A blueprint of an older vocabulary is rewritten step by step; this tries the machinery with made-up versions."""

from __future__ import annotations

import msgspec
import pytest

from nines.readers.blueprint.document import Entry, Mapping, Scalar, compose
from nines.readers.blueprint.reading import Collected, Reading, Unreadable
from nines.readers.blueprint.upgrade import UPGRADES, upgraded
from nines.readers.blueprint.vocabulary.blueprint import NEWEST


def _versioned(root: Mapping, version: int, **renamed: str) -> Mapping:
    """The root with keys renamed and its version set, every place kept."""

    def changed(entry: Entry) -> Entry:
        if entry.key.text == "nines":
            return msgspec.structs.replace(entry, value=Scalar(text=str(version), mark=entry.value.mark))
        name = renamed.get(entry.key.text, entry.key.text)
        return msgspec.structs.replace(entry, key=msgspec.structs.replace(entry.key, text=name))

    return msgspec.structs.replace(root, entries=tuple(map(changed, root.entries)))


STEPS = {
    1: lambda root: _versioned(root, 2, traffic="demand"),
    2: lambda root: _versioned(root, 3, demand="load"),
}


def test_every_step_between_two_versions_is_taken_and_places_are_kept() -> None:
    root = compose("nines: 1\ntraffic: {}\n").root
    found = upgraded(root, Reading(Collected("b.yaml")), upgrades=STEPS, newest=3)
    assert [(entry.key.text, entry.key.mark.line) for entry in found.entries] == [("nines", 1), ("load", 2)]
    version = found.get("nines")
    assert isinstance(version, Scalar)
    assert version.text == "3"


def test_a_blueprint_of_the_middle_takes_the_steps_that_are_left() -> None:
    root = compose("nines: 2\ndemand: {}\n").root
    found = upgraded(root, Reading(Collected("b.yaml")), upgrades=STEPS, newest=3)
    assert [entry.key.text for entry in found.entries] == ["nines", "load"]


def test_an_unknown_newer_version_says_what_to_do() -> None:
    collected = Collected("b.yaml")
    with pytest.raises(Unreadable):
        upgraded(compose("nines: 4\n").root, Reading(collected), upgrades=STEPS, newest=3)
    assert "versions up to 3: install a newer one" in str(collected.problems[0])


def test_there_is_a_step_from_every_version_to_the_newest() -> None:
    assert sorted(UPGRADES) == list(range(1, NEWEST))
