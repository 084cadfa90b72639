"""Growth: the arithmetic against a day-by-day count, the bytes against PostgreSQL, and what becomes due."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nines.model.blueprint import Blueprint, Demand, Field, FieldKind
from nines.model.design import Design
from nines.model.design.ddl import schema_script
from nines.planning import plan
from nines.planning.data.growth import DAY_S, PARTITION_ROWS_MAX, accumulated, bytes_of_row
from tests.planning.data.blueprints import ALL, EXAMPLES, PAYMENT, PAYMENTS, PUSHES
from tests.planning.data.rows import fill
from tests.planning.data.server import Server

YEAR = 365


def _example(name: str) -> Design:
    return plan(next(each for each in EXAMPLES if each.service.name == name))


@given(
    per_day=st.floats(1, 1e7),
    factor=st.sampled_from((0.5, 1.0, 1.5, 3.0)),
    years=st.integers(0, 3),
    lives_days=st.sampled_from((None, 7, 400, 5_000)),
)
def test_what_is_left_is_what_a_count_of_the_days_says(
    per_day: float, factor: float, years: int, lives_days: int | None
) -> None:
    days = range(years * YEAR)
    left = sum(
        per_day * factor ** ((day + 0.5) / YEAR)
        for day in days
        if lives_days is None or day >= years * YEAR - lives_days
    )
    lives_s = None if lives_days is None else lives_days * DAY_S
    assert accumulated(per_day, factor, years, lives_s) == pytest.approx(left, rel=0.01, abs=1)


def test_rows_come_from_the_rates_of_the_operations_that_make_them() -> None:
    design = _example("payments")
    payments = design.table("payments")
    assert payments
    assert payments.growth
    assert payments.growth.per_day == pytest.approx(150 * 0.25 * 86_400)
    assert payments.growth.says.startswith("createPayment 37.5/s; x 86,400 s = 3,240,000 a day")
    assert payments.growth.rows[0] == 0
    assert payments.growth.bytes == tuple(rows * payments.growth.row_bytes for rows in payments.growth.rows)


def test_rows_that_end_stay_as_many_as_their_time_allows() -> None:
    keys = plan(PUSHES).table("idempotency_keys")
    assert keys
    assert keys.growth
    daily = keys.growth.per_day
    assert keys.growth.rows[1] == pytest.approx(2 * daily, rel=0.01)


def test_a_table_is_cut_when_it_will_hold_too_many_rows_and_its_keys_allow() -> None:
    assert {table.name for table in plan(PUSHES).tables if table.partition_by} == {"pushes"}
    keyed = replace(PUSHES.resources[0], unique=(("title",),))
    assert not any(table.partition_by for table in plan(replace(PUSHES, resources=(keyed,))).tables)
    for blueprint in ALL:
        for table in plan(blueprint).tables:
            assert table.growth
            if table.growth.rows[-1] > PARTITION_ROWS_MAX and table.retention_s is not None:
                assert table.partition_by or "partition" in table.growth.remedy


def test_a_table_that_is_read_by_more_than_a_server_answers_needs_a_replica() -> None:
    busy = plan(replace(PUSHES, load=Demand(steady_hz=10, peak_hz=30_000, growth_per_year=2.0))).table("pushes")
    assert busy
    assert busy.growth
    assert "a replica for reads that may be a second old after 5 months" in busy.growth.remedy


def test_small_tables_need_nothing() -> None:
    small = plan(replace(PAYMENTS, load=Demand(steady_hz=0.1, peak_hz=1.0, growth_per_year=1.0)))
    assert not any(table.growth and table.growth.remedy for table in small.tables)
    assert not any(table.partition_by for table in small.tables)


@pytest.mark.lab
def test_the_bytes_of_a_row_are_those_that_postgresql_takes(server: Server) -> None:
    """Columns of a known width, so that only headers, alignment and indexes are estimated."""
    plain = replace(
        PAYMENT,
        fields=(
            Field(name="first", kind=FieldKind.INT64),
            Field(name="second", kind=FieldKind.TIMESTAMP),
            Field(name="third", kind=FieldKind.UUID),
        ),
        unique=(("third",),),
        invariants=(),
        indexes=(),
    )
    blueprint = Blueprint(service=PAYMENTS.service, resources=(plain,))
    table = plan(blueprint).tables[0]

    async def work(connection: Any) -> float:
        await connection.execute(schema_script((table,)))
        await connection.execute(fill((table,), table, 50_000).replace("% 1000", "% 100000007"))
        count = await connection.fetchval(f"SELECT count(*) FROM {table.name}")
        whole = await connection.fetchval("SELECT pg_total_relation_size($1::text)", table.name)
        return float(whole) / int(count)

    assert bytes_of_row(table) == pytest.approx(server.run(work), rel=0.2)
