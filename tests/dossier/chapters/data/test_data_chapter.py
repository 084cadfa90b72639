"""The chapter on data: it tells the design and nothing else, the same in each run."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from nines.dossier.chapters.data import write
from nines.model.blueprint import Blueprint, Card
from nines.model.design import Design, Document, PlannedColumn, PlannedIndex, PlannedTable, Source
from nines.planning import plan
from tests.planning.data.blueprints import ALL, EXAMPLES, named
from tests.planning.data.random_blueprints import blueprints
from tests.planning.data.server import Server

over_all = pytest.mark.parametrize("blueprint", ALL, ids=named)


def _documents(design: Design) -> dict[str, Document]:
    return {document.path: document for document in write(design)}


def _page(design: Design) -> str:
    return _documents(design)["data/README.md"].text


@over_all
def test_a_second_run_changes_no_byte(blueprint: Blueprint) -> None:
    assert list(write(plan(blueprint))) == list(write(plan(blueprint)))


@over_all
def test_every_link_leads_to_a_document_of_the_chapter(blueprint: Blueprint) -> None:
    found = _documents(plan(blueprint))
    for path in re.findall(r"\]\(([^)#]+)\)", found["data/README.md"].text):
        assert f"data/{path}" in found


@over_all
def test_every_index_and_query_is_told(blueprint: Blueprint) -> None:
    design = plan(blueprint)
    found = _documents(design)
    for table in design.tables:
        assert f"### {table.name}\n" in found["data/tables.md"].text
        for index in table.indexes:
            assert f"`{', '.join(index.columns)}`" in found["data/README.md"].text
    for query in design.queries:
        assert f"-- {query.id}\n" in found["data/queries.sql"].text


@pytest.mark.lab
@pytest.mark.parametrize("blueprint", EXAMPLES, ids=named)
def test_the_scripts_of_the_dossier_run(server: Server, blueprint: Blueprint) -> None:
    found = _documents(plan(blueprint))
    asked = found["data/queries.sql"].text
    arguments = re.findall(r"^-- \$\d+ = (.*)$", asked, flags=re.MULTILINE)

    async def work(connection: Any) -> None:
        await connection.execute(found["data/migrations/0001_first.sql"].text)
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await connection.execute(found["data/schema.sql"].text)
        for number, text in enumerate(asked.split("\n\n")):
            body = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
            await connection.execute(f"PREPARE query_{number} AS {body}")

    server.run(work)
    assert arguments


def test_drawings_go_with_the_diagrams_of_the_page() -> None:
    for blueprint in EXAMPLES:
        page = _documents(plan(blueprint))["data/README.md"]
        assert page.drawings
        assert page.text.count("```mermaid") == len(page.drawings)
        for text, svg in page.drawings:
            assert text.strip() in page.text
            assert svg.startswith("<svg") or "<svg" in svg


def test_modules_that_are_deployed_by_themselves_have_databases_of_their_own() -> None:
    shop = next(each for each in EXAMPLES if each.service.name == "shop")
    page = _page(plan(shop))
    assert "4 databases, one for each of catalogue, inventory, orders, payments" in page
    assert page.count("```mermaid") == 4


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(blueprints())
def test_whatever_the_blueprint_the_page_is_whole(blueprint: Blueprint) -> None:
    for document in write(plan(blueprint)):
        assert document.text.endswith("\n")
        assert not document.text.endswith("\n\n")
        assert "None" not in document.text


def _recovered(*tables: PlannedTable) -> Design:
    return Design(card=Card(name="found"), source=Source.CODE, tables=tables)


ORDERS = PlannedTable(
    name="orders",
    columns=(
        PlannedColumn(name="id", type="integer"),
        PlannedColumn(name="user_id", type="", references="users.id"),
        PlannedColumn(name="total", type="numeric", is_nullable=True),
    ),
    indexes=(PlannedIndex(name="orders_pkey", columns=("id",), is_unique=True, is_primary=True),),
)
USERS = PlannedTable(name="users", columns=(PlannedColumn(name="id", type="integer"),))


def test_of_a_service_that_was_read_only_what_was_read_is_told() -> None:
    found = _documents(_recovered(USERS, ORDERS))
    page = found["data/README.md"].text
    assert set(found) == {"data/README.md", "data/tables.md"}
    assert "2 tables of `found` were found in its code" in page
    assert "`orders`.`user_id` refers to `users.id`" in page
    assert "Not known: it would take the rate of each operation" in page
    for untold in ("Normal form", "Isolation", "Encryption", "Audit", "Migrations", "Personal data"):
        assert f"## {untold}" not in page
    assert "| `user_id` | ? |" in found["data/tables.md"].text


def test_an_index_that_begins_another_is_named_whatever_the_queries_are() -> None:
    short, long = (
        PlannedIndex(name="short", columns=("user_id",)),
        PlannedIndex(name="long", columns=("user_id", "id")),
    )
    page = _page(_recovered(USERS, replace(ORDERS, indexes=(*ORDERS.indexes, short, long))))
    assert "- `orders` (user_id) begins (user_id, id)" in page
    assert "no index" not in page
    assert "| `orders` | `user_id` |  | the reference to `users.id` |" in page


def test_what_was_not_understood_is_not_said_to_be_missing() -> None:
    page = _page(_recovered(USERS, replace(ORDERS, is_complete=False)))
    assert "Of 1 a part of the declaration was not understood" in page
    assert "refers to `users.id`" not in page


def test_nothing_found_and_nothing_kept_are_two_things() -> None:
    assert "No table was found in the code" in _page(_recovered())
    assert "keeps nothing" in _page(Design(card=Card(name="empty"), source=Source.BLUEPRINT))
