"""Migrations: whatever the way between two designs, PostgreSQL ends at the schema of the second."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from nines.model.blueprint import Blueprint, Field, FieldKind, Identifier, State
from nines.model.design import Migration, PlannedTable
from nines.model.design.ddl import schema_script
from nines.model.errors import NinesError
from nines.planning import plan
from nines.planning.data import migrate
from nines.planning.data.partitioning import as_before
from tests.planning.data.blueprints import LOGIN, PAYMENT, PAYMENTS, PUSHES, SHOP
from tests.planning.data.random_blueprints import blueprints
from tests.planning.data.rows import fill
from tests.planning.data.server import Server

_SCHEMA = """
SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
       coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
  AND NOT c.relispartition
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text, ''
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
  AND conparentid = 0 AND conrelid NOT IN (SELECT inhrelid FROM pg_inherits)
UNION ALL
SELECT 'index', i.indrelid::regclass::text, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid),
       i.indisvalid::text, ''
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace
  AND NOT c.relispartition
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), tgenabled::text, ''
FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function', proname, '', prosrc, '', '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
ORDER BY 1, 2, 3, 4
"""


async def _schema(connection: Any) -> list[tuple[str, ...]]:
    return [tuple(row) for row in await connection.fetch(_SCHEMA)]


async def _apply(connection: Any, steps: tuple[Migration, ...]) -> None:
    for step in steps:
        try:
            await connection.execute(step.sql)
        except asyncpg.PostgresError as error:
            raise AssertionError(f"{step.name}: {error}\n{step.sql}") from error


async def _renewed(connection: Any) -> None:
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def _is_recut(before: tuple[PlannedTable, ...], after: tuple[PlannedTable, ...]) -> bool:
    """Whether a table that is cut by its identifier would get one of another type."""
    types = {table.name: column.type for table in after if (column := table.column("id"))}
    return any(
        table.partition_by and (column := table.column("id")) and types.get(table.name, column.type) != column.type
        for table in before
    )


async def _compare(connection: Any, before: tuple[PlannedTable, ...], after: tuple[PlannedTable, ...]) -> None:
    old = {table.name: table for table in before}
    after = tuple(as_before(old[table.name], table) if table.name in old else table for table in after)
    await connection.execute(schema_script(after))
    fresh = await _schema(connection)
    await _renewed(connection)
    await connection.execute(schema_script(before))
    await _apply(connection, migrate(before, after))
    assert await _schema(connection) == fresh
    await _renewed(connection)


@pytest.mark.lab
@pytest.mark.parametrize(("one", "other"), [(PAYMENTS, LOGIN), (LOGIN, SHOP), (SHOP, PUSHES), (PUSHES, PAYMENTS)])
def test_every_way_ends_at_the_fresh_schema(server: Server, one: Blueprint, other: Blueprint) -> None:
    server.run(lambda connection: _compare(connection, plan(one).tables, plan(other).tables))


@pytest.mark.lab
def test_between_designs_that_were_drawn_by_chance(server: Server) -> None:
    async def work(connection: Any) -> None:
        @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(blueprints(), blueprints())
        def compared(one: Blueprint, other: Blueprint) -> None:
            before, after = plan(one).tables, plan(other).tables
            if not _is_recut(before, after):
                pairs.append((before, after))

        pairs: list[tuple[tuple[PlannedTable, ...], tuple[PlannedTable, ...]]] = []
        compared()
        for one, other in pairs:
            await _compare(connection, one, other)

    server.run(work)


def _changed(**changes: Any) -> Blueprint:
    resources = tuple(replace(each, **changes) if each is PAYMENT else each for each in PAYMENTS.resources)
    return replace(PAYMENTS, resources=resources)


def test_a_table_that_is_cut_by_its_identifier_keeps_its_type() -> None:
    numbered = replace(PUSHES.resources[0], identifier=Identifier(kind=FieldKind.INT64))
    before, after = plan(PUSHES).tables, plan(replace(PUSHES, resources=(numbered,))).tables
    assert _is_recut(before, after)
    with pytest.raises(NinesError, match="cannot become bigint: the table is cut by it"):
        migrate(before, after)


@pytest.mark.parametrize(("had", "has", "phase"), [(7, None, "contract"), (None, 7, "migrate"), (7, 8, "migrate")])
def test_a_default_goes_when_old_code_that_leaves_values_to_it_is_gone(
    had: int | None, has: int | None, phase: str
) -> None:
    def tables(default: int | None) -> tuple[PlannedTable, ...]:
        more = Field(name="weight", kind=FieldKind.INT32, default=default)
        return plan(_changed(fields=(*PAYMENT.fields, more))).tables

    steps = [each for each in migrate(tables(had), tables(has)) if "default" in each.name]
    assert [each.phase for each in steps] == [phase]


def test_nothing_changes_without_a_step() -> None:
    tables = plan(PAYMENTS).tables
    assert migrate(tables, tables) == ()


@pytest.mark.lab
def test_a_renamed_column_keeps_its_values_while_both_versions_write(server: Server) -> None:
    renamed = tuple(replace(each, name="remark") if each.name == "note" else each for each in PAYMENT.fields)
    before, after = plan(PAYMENTS), plan(_changed(fields=renamed))
    steps = migrate(before.tables, after.tables, renames={"payments.note": "remark"})
    running = tuple(step for step in steps if step.phase != "contract")
    ending = tuple(step for step in steps if step.phase == "contract")

    async def work(connection: Any) -> None:
        await connection.execute(schema_script(before.tables))
        await connection.execute("SET session_replication_role = replica")
        table = before.table("payments")
        assert table
        await connection.execute(fill(before.tables, table, 2_500))
        await connection.execute("SET session_replication_role = origin")
        notes = await connection.fetch("SELECT id, note FROM payments ORDER BY id")
        await _apply(connection, running)
        assert await connection.fetch("SELECT id, remark AS note FROM payments ORDER BY id") == notes
        first, second = notes[0]["id"], notes[1]["id"]
        await connection.execute("UPDATE payments SET note = 'old code' WHERE id = $1", first)
        await connection.execute("UPDATE payments SET remark = 'new code' WHERE id = $1", second)
        both = await connection.fetch(
            "SELECT note, remark FROM payments WHERE id = ANY($1) ORDER BY id", [first, second]
        )
        assert [tuple(row) for row in both] == [("old code", "old code"), ("new code", "new code")]
        await _apply(connection, ending)
        assert await connection.fetchval("SELECT remark FROM payments WHERE id = $1", first) == "old code"

    server.run(work)


@pytest.mark.lab
def test_a_required_column_takes_the_value_that_was_named_and_refuses_without(server: Server) -> None:
    more = (*PAYMENT.fields, Field(name="channel", kind=FieldKind.ENUM, values=("web", "shop")))
    before, after = plan(PAYMENTS), plan(_changed(fields=more))

    async def work(connection: Any) -> None:
        await connection.execute(schema_script(before.tables))
        await connection.execute("SET session_replication_role = replica")
        table = before.table("payments")
        assert table
        await connection.execute(fill(before.tables, table, 10))
        await connection.execute("SET session_replication_role = origin")
        with pytest.raises(AssertionError, match="is violated by some row"):
            await _apply(connection, migrate(before.tables, after.tables))
        await connection.execute("ALTER TABLE payments DROP COLUMN channel")
        await _apply(connection, migrate(before.tables, after.tables, fills={"payments.channel": "'web'"}))
        assert await connection.fetchval("SELECT count(*) FROM payments WHERE channel = 'web'") == 10

    server.run(work)


def test_a_new_state_is_allowed_before_new_code_runs_and_an_old_one_until_old_code_is_gone() -> None:
    more = (*PAYMENT.states, State(name="disputed"))
    before, after = plan(PAYMENTS).tables, plan(_changed(states=more)).tables
    wider = migrate(before, after)
    narrower = migrate(after, before)
    assert {step.phase for step in wider} == {"expand"}
    assert [step.phase for step in narrower if "ADD CONSTRAINT" in step.sql] == ["contract"]
    assert not any(step.is_blocking for step in (*wider, *narrower))


@pytest.mark.lab
def test_a_number_becomes_wider_beside_those_who_write(server: Server) -> None:
    """No step writes the table anew; both versions write between the steps, and nothing of it is lost."""
    count = Field(name="items", kind=FieldKind.INT32, minimum=1)
    narrow = _changed(fields=(*PAYMENT.fields, count))
    wide = _changed(fields=(*PAYMENT.fields, replace(count, kind=FieldKind.INT64)))
    before, after = plan(narrow), plan(wide)
    steps = migrate(before.tables, after.tables)
    assert not any(step.is_blocking for step in steps)

    async def work(connection: Any) -> None:
        await _compare(connection, before.tables, after.tables)
        await _renewed(connection)
        await connection.execute(schema_script(before.tables))
        table = before.table("payments")
        assert table
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(fill(before.tables, table, 2_500))
        await connection.execute("UPDATE payments SET items = 1 + abs(hashtext(id::text)) % 1000")
        await connection.execute("SET session_replication_role = origin")
        rows = "SELECT id, items FROM payments ORDER BY id"
        held = dict(await connection.fetch(rows))
        for number, step in enumerate(steps, 1):
            await _apply(connection, (step,))
            one = list(held)[number]
            held[one] = number
            await connection.execute("UPDATE payments SET items = $1 WHERE id = $2", number, one)
        assert dict(await connection.fetch(rows)) == held
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("UPDATE payments SET items = 0 WHERE id = $1", next(iter(held)))
        await connection.execute("UPDATE payments SET items = $1", 2**40)

    server.run(work)


@pytest.mark.lab
def test_rows_that_stand_in_the_way_stop_a_change_before_it_begins(server: Server) -> None:
    before = plan(PAYMENTS)
    after = plan(_changed(unique=(*PAYMENT.unique, ("note",))))
    steps = migrate(before.tables, after.tables)
    assert "_look_" in steps[0].name
    assert [step.phase for step in steps if "CREATE UNIQUE INDEX" in step.sql] == ["contract"]

    async def work(connection: Any) -> None:
        await connection.execute(schema_script(before.tables))
        table = before.table("payments")
        assert table
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(fill(before.tables, table, 10))
        await connection.execute("UPDATE payments SET note = 'the same'")
        await connection.execute("SET session_replication_role = origin")
        with pytest.raises(asyncpg.RaiseError, match="held by several rows of payments: mend them"):
            await connection.execute(steps[0].sql)
        await connection.execute("UPDATE payments SET note = id::text")
        await _apply(connection, steps)

    server.run(work)
