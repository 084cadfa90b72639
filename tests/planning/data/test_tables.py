"""Tables: PostgreSQL itself says whether they can be made, and what they refuse."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from nines.model.blueprint import Blueprint
from nines.model.design.ddl import schema_script
from nines.planning import plan
from tests.planning.data.blueprints import ALL, PAYMENTS, named
from tests.planning.data.server import Server


@pytest.mark.lab
@pytest.mark.parametrize("blueprint", ALL, ids=named)
def test_the_schema_runs_on_an_empty_database_in_one_go(server: Server, blueprint: Blueprint) -> None:
    tables = plan(blueprint).tables

    async def work(connection: Any) -> set[str]:
        await connection.execute(schema_script(tables))
        names = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        return {row[0] for row in await connection.fetch(f"{names} AND NOT relispartition")}

    assert server.run(work) == {table.name for table in tables}


@pytest.mark.lab
def test_a_ledger_only_grows_except_when_its_time_is_over(server: Server) -> None:
    async def work(connection: Any) -> int:
        await connection.execute(schema_script(plan(PAYMENTS).tables))
        await connection.execute(
            "INSERT INTO entry_postings (id, merchant_id, operation, subject_id, subject_version) "
            "VALUES ('00000000-0000-7000-8000-000000000001', 'm', 'capturePayment', 's', 1)"
        )
        for text in ("UPDATE entry_postings SET operation = 'x'", "DELETE FROM entry_postings"):
            with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                await connection.execute(text)
        async with connection.transaction():
            await connection.execute("SET LOCAL service.retention = 'on'")
            await connection.execute("DELETE FROM entry_postings")
        return int(await connection.fetchval("SELECT count(*) FROM entry_postings"))

    assert server.run(work) == 0
