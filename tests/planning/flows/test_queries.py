"""Queries: PostgreSQL takes each of them, and reads each by the index that it names."""

from __future__ import annotations

import pytest

from nines.model.blueprint import Blueprint
from nines.planning import plan
from tests.planning.data.blueprints import ALL, named
from tests.planning.data.server import Server
from tests.planning.flows.trying import flaws, tried

over_all = pytest.mark.parametrize("blueprint", ALL, ids=named)


@pytest.mark.lab
@over_all
def test_every_query_runs_with_its_sample_arguments(server: Server, blueprint: Blueprint) -> None:
    design = plan(blueprint)
    server.run(lambda connection: tried(connection, design))


@pytest.mark.lab
@over_all
def test_every_query_uses_the_index_that_it_names(server: Server, blueprint: Blueprint) -> None:
    design = plan(blueprint)
    assert server.run(lambda connection: flaws(connection, design)) == ""
