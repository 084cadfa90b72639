"""Objecting never fails, whatever the blueprint says, and says the same each time."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from nines.model.blueprint import Blueprint
from nines.model.errors import BlueprintError
from nines.planning.objections import object_to
from nines.readers.blueprint import parse
from tests.planning.blueprints import blueprints

EXAMPLES = [path.read_text() for path in sorted((Path(__file__).parents[3] / "examples/blueprints").glob("*.yaml"))]
_LINE = re.compile(r"^ .*\n", re.MULTILINE)


def _hold(blueprint: Blueprint) -> None:
    found = object_to(blueprint)
    assert found == object_to(blueprint)
    for each in found:
        assert each.says == " ".join(each.says.split())
        assert not each.says.endswith(".")
        assert len({option.name for option in each.options}) >= 2
        assert each.path.partition(".")[0] in {field.name for field in msgspec.structs.fields(Blueprint)}


@settings(max_examples=50, deadline=None)
@given(blueprints())
def test_any_blueprint_is_objected_to_in_the_same_words_each_time(blueprint: Blueprint) -> None:
    _hold(blueprint)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_an_example_with_lines_taken_out_is_objected_to_or_cannot_be_read(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(_LINE.finditer(text))
        place = data.draw(st.sampled_from(places))
        text = text[: place.start()] + text[place.end() :]
    try:
        blueprint = parse(text)
    except BlueprintError:
        return
    _hold(blueprint)
