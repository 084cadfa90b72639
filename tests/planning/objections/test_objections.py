from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objections import object_to, objectors, page
from nines.readers.blueprint import parse, read
from nines.readers.blueprint.page import EXAMPLE
from tests.planning.objections.cases import CASES, SOUND, Case, Tree

EXAMPLES = sorted((Path(__file__).parents[3] / "examples/blueprints").glob("*.yaml"))


def _merged(base: Any, change: Any) -> Any:
    """The base with the change laid over it; None takes a key out."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    found = {key: value for key, value in base.items() if change.get(key, "") is not None}
    return found | {
        key: _merged(found[key], value) if key in found else value for key, value in change.items() if value is not None
    }


def _written(change: Tree) -> Blueprint:
    return parse(yaml.safe_dump(_merged(SOUND, change), sort_keys=False).replace("'on':", "on:"), "parcels.yaml")


def _raised(change: Tree, code: str) -> list[Objection]:
    return [each for each in object_to(_written(change)) if each.code == code]


def _id(case: Case) -> str:
    return f"{case.code}-{CASES.index(case)}"


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_an_objection_is_raised_where_it_must_be(case: Case) -> None:
    found = _raised(case.refused, case.code)
    assert found
    assert any(each.is_fatal == case.is_fatal for each in found)
    for each in found:
        assert each.where.startswith("parcels.yaml")
        assert len(each.options) >= 2
        assert all(option.name and option.gains and option.costs for option in each.options)


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_an_objection_is_silent_where_it_must_be(case: Case) -> None:
    assert _raised(case.allowed, case.code) == []


def test_every_objection_has_a_case() -> None:
    assert {code for code, _ in objectors()} == {case.code for case in CASES}


def test_a_sound_blueprint_meets_no_objection() -> None:
    assert object_to(_written({})) == ()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_refused_by_nothing(path: Path) -> None:
    assert [each for each in object_to(read(path)) if each.is_fatal] == []


def test_what_is_fatal_comes_first() -> None:
    found = object_to(_written({"roles": {"visitor": {}}, "budgets": {"recovery": "10s"}, "deploy": {"regions": 2}}))
    assert [each.is_fatal for each in found] == [True, True, False]
    assert [each.code for each in found] == ["recovery-below-failover", "writes-in-several-regions", "role-never-used"]


def test_the_arithmetic_is_shown() -> None:
    (found,) = _raised({"dependencies": {"db": {"pool": 20, "connections": 200}}}, "connections-above-server")
    assert "10 processes × 20 connections × 1.25 while deploying = 250" in found.says
    assert found.where == "parcels.yaml:62:5"
    assert found.path == "dependencies.db.connections"


def test_the_example_of_the_vocabulary_meets_no_objection() -> None:
    assert object_to(parse(EXAMPLE)) == ()


def test_the_page_tells_every_objection_in_a_sentence() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) == len(objectors())
    for row in rows:
        assert re.fullmatch(r"\| `[a-z-]+` \| [A-Z][^|]+\. \|", row)
