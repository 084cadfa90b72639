"""Tries every query of a design on PostgreSQL."""

from __future__ import annotations

import json
import re
from typing import Any

import asyncpg

from nines.model.design import Design, PlannedQuery, PlannedTable
from nines.model.design.ddl import quoted, schema_script
from tests.planning.data.rows import fill, seed

_COMING = re.compile(r"_p[0-9]{8}$")
_PARENTS = """
SELECT child.relname, parent.relname
FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid JOIN pg_class parent ON parent.oid = inhparent
WHERE child.relkind = 'i'
"""
ROWS = 20_000
EXECUTIONS = 7
"""PostgreSQL considers a plan for all arguments from the sixth on."""


async def tried(connection: Any, design: Design) -> None:
    """Raises AssertionError for the first query that does not run."""
    await connection.execute(schema_script(design.tables))
    await connection.execute("SET session_replication_role = replica")
    for table in design.tables:
        if any(c.references == f"{table.name}.id" for other in design.tables for c in other.columns):
            await connection.execute(seed(design.tables, table))
    await connection.execute("SET session_replication_role = origin")
    for query in design.queries:
        await _run(connection, query)


async def flaws(connection: Any, design: Design) -> str:
    """One line for each query that does not use the index that it names."""
    await connection.execute(schema_script(design.tables))
    await _fill(connection, design)
    large = {table.name for table in design.tables if await _count(connection, table) > ROWS // 2}
    asked = [query for query in design.queries if set(query.tables) <= large]
    found = {query.id: await _flaw(connection, query, design.tables) for query in asked}
    return "\n".join(f"{id} {flaw}" for id, flaw in found.items() if flaw)


async def _fill(connection: Any, design: Design) -> None:
    await connection.execute("SET session_replication_role = replica")
    tenant = design.tenancy.key if design.tenancy else ""
    for table in design.tables:
        await connection.execute(fill(design.tables, table, ROWS, tenant=tenant))
    await connection.execute("SET session_replication_role = origin")
    await connection.execute("ANALYZE")
    # As on the solid-state disks of our time; the default speaks of disks that turn.
    await connection.execute("SET random_page_cost = 1.1")


async def _count(connection: Any, table: PlannedTable) -> int:
    """A unique key over few values leaves few rows, and a small table is read as a whole with good reason."""
    return int(await connection.fetchval(f"SELECT count(*) FROM {quoted(table.name)}"))


async def _run(connection: Any, query: PlannedQuery) -> None:
    transaction = connection.transaction()
    await transaction.start()
    try:
        if query.id.startswith("purge-"):
            await connection.execute("SET LOCAL service.retention = 'on'")
        await connection.execute(f"PREPARE tried AS {query.text}")
        arguments = f"({', '.join(query.arguments)})" if query.arguments else ""
        await connection.execute(f"EXECUTE tried{arguments}")
    except (asyncpg.RestrictViolationError, asyncpg.ForeignKeyViolationError) as error:
        # Somebody may refer to the row that is to be deleted: the caller gets 409, as its flow says.
        if not query.id.startswith("delete-"):
            raise AssertionError(f"{query.id}: {error}\n{query.text}\n{query.arguments}") from error
    except asyncpg.PostgresError as error:
        raise AssertionError(f"{query.id}: {error}\n{query.text}\n{query.arguments}") from error
    finally:
        await transaction.rollback()
    await connection.execute("DEALLOCATE tried")


async def _flaw(connection: Any, query: PlannedQuery, tables: tuple[PlannedTable, ...]) -> str:
    """What is wrong with the plan of the query; empty: nothing."""
    if not query.index:
        return ""
    await connection.execute(f"PREPARE tried AS {query.text}")
    try:
        arguments = f"({', '.join(query.arguments)})" if query.arguments else ""
        # A server plans for the arguments at first, and then may settle on one plan for all of them.
        for _ in range(EXECUTIONS):
            answer = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE tried{arguments}")
    finally:
        await connection.execute("DEALLOCATE tried")
    parents = {row[0]: row[1] for row in await connection.fetch(_PARENTS)}
    nodes = list(_nodes(json.loads(answer)[0]["Plan"]))
    # Partitions of the days to come are empty, and read as a whole with good reason.
    scanned = (node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan")
    read = [name for name in scanned if not _COMING.search(name)]
    if read:
        return f"reads all of {', '.join(read)}"
    used = {node.get("Index Name") for node in nodes} | {
        index for node in nodes for index in node.get("Conflict Arbiter Indexes", ())
    }
    used |= {parents.get(str(name), "") for name in used}
    if query.index not in used:
        return f"uses {used - {None}} and not {query.index}"
    sorts = [node for node in nodes if "Sort" in node["Node Type"] and node["Plan Rows"] > (query.rows_max or 1)]
    unique = {index.name for table in tables for index in table.indexes if index.is_unique}
    return (
        "sorts what the index should have given in order"
        if sorts and "list-" in query.id and query.index not in unique
        else ""
    )


def _nodes(plan: dict[str, Any]) -> Any:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)
