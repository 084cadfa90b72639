"""What files of SQL say of tables, as migrations go on."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines.model.schema import Table
from nines.readers.sql import schema
from nines.readers.sql_files import SchemaFile, schema_files

ORDERS = """-- Orders of customers.
CREATE TABLE IF NOT EXISTS public.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers ON DELETE CASCADE,
    number text NOT NULL UNIQUE,
    total numeric(12, 2) CHECK (total >= 0),
    CONSTRAINT one_each UNIQUE (customer_id, number)
);
CREATE INDEX orders_customer ON orders (customer_id, id DESC);
"""


def tables(*texts: str) -> dict[str, Table]:
    files = [SchemaFile(name=f"{number:04}.sql", text=text) for number, text in enumerate(texts)]
    return {table.name: table for table in schema.tables(files)}


def test_columns_keys_and_indexes_are_read() -> None:
    orders = tables(ORDERS)["orders"]
    assert [(c.name, c.is_nullable, c.references) for c in orders.columns] == [
        ("id", False, ""),
        ("customer_id", False, "customers.id"),
        ("number", False, ""),
        ("total", True, ""),
    ]
    assert orders.unique == (("id",), ("number",), ("customer_id", "number"))
    assert orders.indexes == (("customer_id", "id"),)
    assert orders.is_complete
    assert str(orders.place) == "0000.sql:2"


@pytest.mark.parametrize(
    ("text", "unique"),
    [
        ("ALTER TABLE orders ADD CONSTRAINT k UNIQUE (customer_id)", ("customer_id",)),
        ("CREATE UNIQUE INDEX k ON orders (customer_id)", ("customer_id",)),
        ("ALTER TABLE ONLY orders ADD COLUMN code text UNIQUE", ("code",)),
    ],
)
def test_a_later_migration_adds_a_key(text: str, unique: tuple[str, ...]) -> None:
    orders = tables(ORDERS, text)["orders"]
    assert unique in orders.unique
    assert orders.is_complete


@pytest.mark.parametrize(
    "text",
    [
        "CREATE UNIQUE INDEX k ON orders (customer_id) WHERE total > 0",
        "CREATE UNIQUE INDEX k ON orders (lower(number))",
        "ALTER TABLE orders DROP CONSTRAINT one_each",
        "ALTER TABLE orders RENAME COLUMN number TO code",
        "ALTER TABLE orders ((( broken",
    ],
)
def test_what_is_no_plain_key_leaves_the_table_incomplete(text: str) -> None:
    assert not tables(ORDERS, text)["orders"].is_complete


def test_tables_are_renamed_and_dropped_and_what_undoes_is_left_out() -> None:
    assert set(tables(ORDERS, "ALTER TABLE orders RENAME TO purchases")) == {"purchases"}
    assert tables(ORDERS, "DROP TABLE orders") == {}
    assert set(tables("-- +goose Up\n" + ORDERS + "\n-- +goose Down\nDROP TABLE orders;")) == {"orders"}
    undo = SchemaFile(name="0002_orders.down.sql", text="DROP TABLE orders")
    assert [t.name for t in schema.tables([SchemaFile(name="0001_orders.up.sql", text=ORDERS), undo])] == ["orders"]


@given(st.text(alphabet="CREATE TABLE orders(id int); UNIQUE INDEX\n\"'-,$", max_size=200))
def test_broken_text_never_raises(text: str) -> None:
    tables(ORDERS, text)


def test_files_are_found_in_order_and_tests_and_dumps_are_left_out(tmp_path: Path) -> None:
    for name, text in {
        "db/0001_tables.sql": ORDERS,
        "db/0002_more.sql": "ALTER TABLE orders ADD COLUMN code text;",
        "aaa_query.sql": "SELECT 1;",
        "tests/other.sql": "CREATE TABLE only_tested (id int);",
        "dump.sql": "CREATE TABLE dumped (id int);\n" + "-- data\n" * 100_000,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert [file.name for file in schema_files(tmp_path)] == ["db/0001_tables.sql", "db/0002_more.sql"]
