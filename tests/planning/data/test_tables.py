"""Tables: PostgreSQL itself says whether they can be made, and what they refuse."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from nines.model.blueprint import Blueprint, Field, FieldKind, IndexPart, Resource, WantedIndex
from nines.model.design.ddl import identifier, schema_script
from nines.planning import plan
from nines.planning.data.names import table_name
from tests.planning.data.blueprints import ALL, EXAMPLES, LOGIN, PAYMENT, PAYMENTS, SHOP, named
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


def test_the_table_of_a_list_makes_room_for_a_resource_of_the_same_name() -> None:
    order = replace(SHOP.resources[1], name="Order")
    line = Resource(name="OrderLine", fields=(Field(name="order", kind=FieldKind.REFERENCE, of="Order"),))
    design = plan(replace(SHOP, resources=(*SHOP.resources[:1], order, line, *SHOP.resources[2:])))
    names = [table.name for table in design.tables]
    assert len(names) == len(set(names))
    assert {"order_lines", "order_lines_list"} <= set(names)
    assert design.table_of("OrderLine") == design.table("order_lines")


def test_a_list_of_ones_own_kind_names_the_others() -> None:
    box = Resource(name="Box", fields=(Field(name="neighbours", kind=FieldKind.REFERENCE, of="Box", is_list=True),))
    table = plan(Blueprint(service=SHOP.service, resources=(box,))).table("box_neighbours")
    assert table
    assert table.primary_key == ("box_id", "other_box_id")


def test_parents_come_before_their_children_and_every_foreign_key_has_an_index() -> None:
    for blueprint in ALL:
        seen: set[str] = set()
        for table in plan(blueprint).tables:
            seen.add(table.name)
            for column in table.columns:
                if column.references:
                    assert any(index.names[0] == column.name for index in table.indexes), (table.name, column.name)
        assert {parent for table in plan(blueprint).tables for parent in table.parents} <= seen


def test_no_index_serves_nothing_and_none_is_the_beginning_of_another() -> None:
    for blueprint in ALL:
        for table in plan(blueprint).tables:
            keys = {column.name for column in table.columns if column.references}
            for index in table.indexes:
                assert index.serves or index.is_unique or index.names[0] in keys, index.name
                longer = [
                    other.name
                    for other in table.indexes
                    if other is not index and other.columns[: len(index.columns)] == index.columns and not other.where
                ]
                assert not longer or index.is_unique, (index.name, longer)


def test_an_index_that_no_query_needs_is_left_out_and_said() -> None:
    wanted = WantedIndex(parts=(IndexPart(column="note"),))
    payment = replace(PAYMENT, indexes=(wanted,))
    resources = tuple(payment if each is PAYMENT else each for each in PAYMENTS.resources)
    design = plan(replace(PAYMENTS, resources=resources))
    payments = design.table("payments")
    assert payments
    assert not any(index.names == ("note",) for index in payments.indexes)
    assert any("payments (note)" in gap.question for gap in design.gaps)


def test_personal_and_secret_fields_are_marked_where_they_lie() -> None:
    accounts = plan(LOGIN).table("accounts")
    assert accounts
    phone, digest = accounts.column("phone"), accounts.column("phone_digest")
    assert phone
    assert digest
    assert (phone.type, phone.is_encrypted, phone.is_personal) == ("bytea", True, True)
    assert any(index.is_unique and index.names == ("phone_digest",) for index in accounts.indexes)
    assert accounts.column("password") is None


def test_what_another_service_keeps_is_referred_to_by_its_identifier_alone() -> None:
    shop = plan(next(each for each in EXAMPLES if each.service.name == "shop"))
    lines = shop.table("order_lines")
    assert lines
    product, order = lines.column("product_id"), lines.column("order_id")
    assert product
    assert order
    assert product.references == ""
    assert order.references == "orders.id"


@pytest.mark.parametrize(
    ("name", "many"),
    [
        ("Payment", "payments"),
        ("RefundRequest", "refund_requests"),
        ("Entry", "entries"),
        ("Box", "boxes"),
        ("Person", "people"),
        ("Day", "days"),
        ("HTTPCall", "http_calls"),
        ("News", "news"),
        ("Status", "statuses"),
    ],
)
def test_tables_are_named_in_the_plural(name: str, many: str) -> None:
    assert table_name(name) == many


def test_long_names_stay_distinct() -> None:
    names = [identifier("a" * 60, each) for each in ("first", "second")]
    assert len(set(names)) == 2
    assert all(len(name) <= 63 for name in names)
