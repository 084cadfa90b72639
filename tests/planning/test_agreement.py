"""Parts of one design that were planned apart agree with one another."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from nines import planning
from nines.model.blueprint import Blueprint
from nines.model.design import Design
from nines.readers import blueprint as reader
from tests.planning.blueprints import blueprints

_EXAMPLES = Path(__file__).parents[2] / "examples" / "blueprints"


def _unanswered(design: Design) -> list[str]:
    """What a flow may end with, and the contract does not tell."""
    return [
        f"{endpoint.id}: {step.says}: {branch.when}: {branch.status}"
        for endpoint in design.endpoints
        for step in endpoint.flow.steps
        for branch in step.branches
        if branch.status is not None and branch.status not in {answer.status for answer in endpoint.answers}
    ]


@pytest.mark.parametrize("name", ["login", "payments", "notifications", "shop"])
def test_every_end_of_a_flow_is_an_answer_of_the_contract(name: str) -> None:
    assert _unanswered(planning.plan(reader.read(_EXAMPLES / f"{name}.yaml"))) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(blueprints())
def test_every_end_of_any_flow_is_an_answer_of_the_contract(blueprint: Blueprint) -> None:
    told = _unanswered(planning.plan(blueprint))
    # A sign-in without a limit is refused before it is planned (guessing-without-limit).
    assert [each for each in told if not (each.endswith(": 429") and "blocked" in each)] == []
