"""How the whole load falls to the operations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines.model.blueprint import Blueprint, Card, Demand, Limit, Operation


def _blueprint(*shares: float | None) -> Blueprint:
    operations = tuple(Operation(name=f"operation{number}", share=share) for number, share in enumerate(shares))
    return Blueprint(service=Card(name="shop"), load=Demand(steady_hz=100, peak_hz=400), operations=operations)


def test_what_is_said_is_taken_and_the_rest_is_shared_equally() -> None:
    blueprint = _blueprint(0.5, None, None)
    assert [blueprint.rate_hz(each) for each in blueprint.operations] == [50, 25, 25]
    assert blueprint.rate_hz(blueprint.operations[0], at_peak=True) == 200


@given(st.lists(st.none() | st.floats(0, 0.2), min_size=1, max_size=5).filter(lambda shares: None in shares))
def test_the_operations_together_carry_the_whole_load(shares: list[float | None]) -> None:
    blueprint = _blueprint(*shares)
    assert sum(map(blueprint.rate_hz, blueprint.operations)) == pytest.approx(100)


def test_an_operation_without_a_limit_of_its_own_has_the_default() -> None:
    default, own = Limit(count=100), Limit(operation="sign_in", count=5)
    blueprint = Blueprint(service=Card(name="shop"), limits=(default, own))
    assert (blueprint.limit_of("sign_in"), blueprint.limit_of("list_items")) == (own, default)
