"""The chapter on capacity tells the figures of the design, and nothing else."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from msgspec.structs import replace

from nines.dossier.chapters import capacity as chapter
from nines.model.design import Design
from nines.planning.capacity import capacity
from tests.dossier.chapters.capacity.pages import assert_sound, recovered
from tests.planning.capacity.examples import NAMES, capacity_of, designed, notes, simulated

over_all = pytest.mark.parametrize("name", NAMES)


def pages(design: Design) -> dict[str, str]:
    return {each.path: each.text for each in chapter.write(design)}


def exported(design: Design) -> Any:
    return json.loads(pages(design)["capacity/capacity.json"])


@over_all
def test_pages_are_sound(name: str) -> None:
    assert_sound(chapter.write(simulated(name)))
    assert_sound(chapter.write(designed(name)))


@over_all
def test_every_resource_stands_in_the_table_with_its_sum(name: str) -> None:
    design = simulated(name)
    text = pages(design)["capacity/README.md"]
    for use in capacity_of(design).resources:
        assert f"| {use.name}{'*' if use.is_deferred else ''} |" in text
        assert f"**{use.name}**: {use.says}" in text
    for point in capacity_of(design).points:
        assert all(f"- {remedy}" in text for remedy in point.remedies)


@over_all
def test_figures_for_tools_are_those_of_the_design(name: str) -> None:
    design = simulated(name)
    found, plan = exported(design), capacity_of(design)
    assert [each["name"] for each in found["resources"]] == [use.name for use in plan.resources]
    for told, use in zip(found["resources"], plan.resources, strict=True):
        assert told["at_peak"] == pytest.approx(use.at_peak, rel=1e-5)
    assert [point["bottleneck"] for point in found["points"]] == [point.bottleneck for point in plan.points]
    rates = {each["operation"]: each["peak_hz"] for each in found["operations"]}
    assert sum(rates.values()) == pytest.approx(found["load"]["peak_hz"], rel=1e-4)
    assert finite(found)


def finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(finite(each) for each in value.values())
    if isinstance(value, list):
        return all(finite(each) for each in value)
    return not isinstance(value, float) or math.isfinite(value)


def test_what_gives_way_first_is_told_first() -> None:
    opening = pages(designed("payments"))["capacity/README.md"].splitlines()[2]
    assert "**rate of gateway**, at 1.56 times the expected load: after 5 months" in opening
    assert "not expected to grow" in pages(notes())["capacity/README.md"].splitlines()[2]


def test_a_use_beyond_all_that_there_is_is_no_percentage() -> None:
    text = pages(designed("payments"))["capacity/README.md"]
    assert "5.77 times what there is" in text
    assert "577" not in text


def test_without_a_simulation_no_latency_is_told() -> None:
    text = pages(designed("login"))["capacity/README.md"]
    assert "not simulated" in text
    assert "## The simulation" not in text


def test_of_a_service_that_was_read_no_load_is_invented() -> None:
    design = capacity(recovered())
    text = pages(design)["capacity/README.md"]
    assert "no load is invented here" in text
    assert "1 of 2 operations" in text
    assert "POST /orders" in text
    assert "GET /secret" not in text
    assert "the connection is held meanwhile" in text
    assert_sound(chapter.write(design))
    found = exported(design)
    assert found["load"] is None
    assert found["points"] == []
    assert found["resources"] == []
    assert found["needs"][0]["writes"] == 100.0  # One commit each.


def test_a_design_without_capacity() -> None:
    assert list(pages(replace(designed("shop"), capacity=None))) == ["capacity/README.md"]
