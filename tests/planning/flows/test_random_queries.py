"""Queries of blueprints that were drawn by chance: each runs, and none of those that read lists reads a whole table."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from nines.model.blueprint import Blueprint
from nines.model.design import Design
from nines.planning import plan
from tests.planning.data.random_blueprints import blueprints
from tests.planning.data.server import Server
from tests.planning.flows.trying import flaws, tried


def _designs(count: int) -> list[Design]:
    found: list[Design] = []

    @settings(max_examples=count, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(blueprints())
    def drawn(blueprint: Blueprint) -> None:
        found.append(plan(blueprint))

    drawn()
    return found


@pytest.mark.lab
def test_every_query_runs(server: Server) -> None:
    async def work(connection: Any) -> None:
        for design in _designs(12):
            await tried(connection, design)
            await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    server.run(work)


@pytest.mark.lab
def test_every_query_uses_its_index(server: Server) -> None:
    async def work(connection: Any) -> str:
        found = ""
        for design in _designs(3):
            found += await flaws(connection, design) + "\n"
            await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        return found

    assert server.run(work).strip() == ""
