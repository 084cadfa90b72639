"""Queries and changes: the operations' own functions behind their own guards, and never a statement for each row."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nines_runtime import Answer, Call, Edge, Operations
from nines_runtime.web.graph import Graph

from ..asking import ask
from .library import SCHEMA, Known, Library, Shop, operations

PAGE = "{ listBooks(pageSize: 50) { items { id title author { name country { name } } } } }"


def test_an_object_is_read_by_its_operation() -> None:
    shop = Shop()
    found = asyncio.run(
        shop.data('{ getBook(bookId: "b3") { id title line_1 listPrice { amountMinor currency } version __typename } }')
    )
    assert found["getBook"] == {
        "id": "b3",
        "title": "Book 3",
        "line_1": None,
        "listPrice": {"amountMinor": 100, "currency": "EUR"},
        "version": 1,
        "__typename": "Book",
    }


def test_a_page_with_references_two_levels_deep_is_three_statements() -> None:
    shop = Shop()
    found = asyncio.run(shop.data(PAGE))["listBooks"]["items"]
    assert len(found) == 50
    assert found[4]["author"] == {"name": "Author 4", "country": {"name": "Country 1"}}
    assert found[9]["author"] is None
    assert shop.library.statements == [("page", 50), ("authors", 10), ("countries", 3)]


def test_lists_of_what_refers_to_an_object_are_one_statement_for_all() -> None:
    shop = Shop()
    query = "{ listBooks(pageSize: 20) { items { author { name books(first: 2) { title version } } } } }"
    found = asyncio.run(shop.data(query))["listBooks"]["items"]
    assert found[1]["author"]["books"] == [{"title": "Book 1", "version": 1}, {"title": "Book 11", "version": 1}]
    assert shop.library.statements == [("page", 20), ("authors", 10), ("books of authors", 9)]


def test_how_many_children_are_wanted_is_bounded() -> None:
    shop = Shop()
    query = "{ listBooks(pageSize: 1) { items { author { books(first: 51) { title } } } } }"
    error = asyncio.run(shop.error(query))
    assert error["extensions"]["code"] == "invalid-parameter"
    assert error["extensions"]["errors"] == [{"pointer": "first", "detail": "Must be from 1 to 50."}]


def test_versions_of_a_page_are_read_at_once_where_somebody_wants_them() -> None:
    shop = Shop()
    found = asyncio.run(shop.data("{ listBooks(pageSize: 30) { items { id version } } }"))
    assert {each["version"] for each in found["listBooks"]["items"]} == {1}
    assert shop.library.statements == [("page", 30), ("books", 30)]


def test_what_is_asked_for_twice_is_read_once() -> None:
    shop = Shop()
    query = """{
      one: listBooks(pageSize: 10) { items { author { name } } }
      two: listBooks(pageSize: 10) { items { author { name country { name } } } }
    }"""
    asyncio.run(shop.data(query))
    assert [each for each in shop.library.statements if each[0] == "authors"] == [("authors", 10)]


def test_arguments_and_variables_reach_the_operation() -> None:
    shop = Shop()
    query = "query q($n: Int, $old: Boolean) { listBooks(pageSize: $n, isOld: $old) { items { id } nextCursor } }"
    found = asyncio.run(shop.data(query, {"n": 2, "old": True}))
    assert found == {"listBooks": {"items": [{"id": "b0"}, {"id": "b1"}], "nextCursor": None}}
    call = shop.library.asked[0]
    assert (call.operation, call.query) == ("listBooks", {"page_size": "2", "is_old": "true"})


def test_a_change_has_its_key_and_its_version_as_arguments() -> None:
    shop = Shop()
    create = """mutation m($k: String!, $in: BookCreateInput!) {
      createBook(idempotencyKey: $k, input: $in) { id title line_1 version listPrice { amountMinor } } }"""
    given = {"title": "New", "listPrice": {"amountMinor": 5, "currency": "EUR"}, "line_1": "x"}
    made = asyncio.run(shop.data(create, {"k": "key-1", "in": given}))["createBook"]
    assert (made["title"], made["line_1"], made["version"]) == ("New", "x", 1)
    call = shop.library.asked[0]
    assert (call.idempotency_key, call.path, call.method) == ("key-1", "/v1/books", "POST")
    assert call.body == b'{"title":"New","list_price":{"amount_minor":5,"currency":"EUR"},"line_1":"x"}'
    rename = "mutation m($v: Long!) { renameBook(bookId: %s, version: $v, input: {title: %s}) { version title } }"
    query = rename % (f'"{made["id"]}"', '"Newer"')
    assert asyncio.run(shop.data(query, {"v": 1}))["renameBook"] == {"version": 2, "title": "Newer"}
    assert asyncio.run(shop.error(query, {"v": 1}))["extensions"]["code"] == "precondition-failed"


def test_what_answers_nothing_is_true() -> None:
    assert asyncio.run(Shop().data('mutation { removeBook(bookId: "b1") }')) == {"removeBook": True}


def test_changes_come_one_after_the_other_and_see_what_was_changed() -> None:
    shop = Shop()
    query = """mutation {
      one: renameBook(bookId: "b1", version: 1, input: {title: "One"}) { title version }
      two: renameBook(bookId: "b1", version: 2, input: {title: "Two"}) { title version author { name } }
      three: renameBook(bookId: "b1", version: 2, input: {title: "Three"}) { title }
    }"""
    answer = asyncio.run(shop.ask(query)).json
    assert answer["data"]["one"] == {"title": "One", "version": 2}
    assert answer["data"]["two"]["version"] == 3
    assert answer["data"]["three"] is None
    assert [each["path"] for each in answer["errors"]] == [["three"]]


def test_a_key_in_the_header_of_the_request_is_nobodys() -> None:
    shop = Shop()
    query = """mutation { createBook(idempotencyKey: "mine", input: {title: "x",
      listPrice: {amountMinor: 1, currency: "EUR"}}) { id } }"""
    asyncio.run(shop.ask(query, **{"idempotency-key": "other", "if-match": '"7"'}))
    assert shop.library.asked[0].idempotency_key == "mine"
    assert shop.library.asked[0].version is None


def test_the_operations_guards_are_the_graphs() -> None:
    shop = Shop()
    error = asyncio.run(shop.error("{ secret { id } }"))
    assert (error["extensions"]["code"], error["extensions"]["status"], error["path"]) == ("forbidden", 403, ["secret"])
    stranger = asyncio.run(shop.error("{ secret { id } }", roles=None))
    assert (stranger["extensions"]["code"], stranger["extensions"]["status"]) == ("unauthorized", 401)
    assert asyncio.run(shop.data("{ secret { id } }", roles="librarian")) == {"secret": {"id": "b1"}}


def test_references_are_read_behind_the_guards_of_the_operation_that_reads_one() -> None:
    shop = Shop()
    query = "{ listBooks(pageSize: 3) { items { title author { name country { name } } } } }"
    answer = asyncio.run(shop.ask(query, roles="")).json
    assert {each["extensions"]["code"] for each in answer["errors"]} == {"forbidden"}
    items = answer["data"]["listBooks"]["items"]
    assert items[0] == {"title": "Book 0", "author": {"name": "Author 0", "country": None}}
    assert not [each for each in shop.library.statements if each[0] == "countries"]


def test_operations_are_counted_by_their_own_limits() -> None:
    shop = Shop()

    async def often() -> list[dict[str, Any]]:
        codes: list[dict[str, Any]] = []
        for _ in range(3):
            query = "{" + " ".join(f'a{n}: getBook(bookId: "b1") {{ id }}' for n in range(15)) + "}"
            answer = (await shop.ask(query)).json
            codes += [each["extensions"] for each in answer.get("errors", ())]
        return codes

    found = asyncio.run(often())
    assert [each["code"] for each in found] == ["rate-limited"] * 15
    assert all(each["retry_after"] >= 1 and each["status"] == 429 for each in found)


def test_the_body_of_a_change_is_judged_as_strictly_as_elsewhere() -> None:
    shop = Shop()
    query = """mutation { createBook(idempotencyKey: "k", input: {title: "%s",
      listPrice: {amountMinor: -1, currency: "EUR"}}) { id } }"""
    error = asyncio.run(shop.error(query % ("x" * 21)))
    assert error["extensions"]["code"] == "invalid-request"
    assert error["extensions"]["errors"] == [
        {"pointer": "/input/title", "detail": "At most 20 characters."},
        {"pointer": "/input/listPrice/amountMinor", "detail": "Must be at least 0."},
    ]
    wrong = asyncio.run(shop.error(query.replace('"k"', '""') % "x"))
    assert wrong["extensions"]["code"] == "invalid-parameter"


def test_nothing_of_the_inside_is_told() -> None:
    shop = Shop()
    answer = asyncio.run(shop.ask('{ broken { id } getBook(bookId: "b1") { id } }'))
    assert answer.json["data"] == {"broken": None, "getBook": {"id": "b1"}}
    assert answer.json["errors"][0]["extensions"]["code"] == "internal-error"
    assert b"hunter2" not in answer.body
    assert b"Runtime" not in answer.body
    outer = shop.watching.seen[-1]
    assert outer.operation == "graphql"
    assert isinstance(outer.error, RuntimeError)


def test_logs_and_metrics_get_operations_and_never_the_document() -> None:
    shop = Shop()
    asyncio.run(shop.ask('query evil { secret { id } getBook(bookId: "b1") { author { name } } }'))
    seen = [(each.operation, each.method, each.status, each.problem) for each in shop.watching.seen]
    assert sorted(seen) == [
        ("getAuthor", "GET", 200, ""),
        ("getBook", "GET", 200, ""),
        ("graphql", "POST", 200, "forbidden"),
        ("secret", "GET", 403, "forbidden"),
    ]
    assert len({each.request_id for each in shop.watching.seen}) == 1
    assert len({each.trace_parent[3:35] for each in shop.watching.seen}) == 1
    assert len({each.trace_parent[36:52] for each in shop.watching.seen}) == 4


def test_what_takes_too_long_is_cut_for_the_whole_document() -> None:
    slow: Operations[Library] = Operations()

    @slow.get("/v1/slow", id="slow", deadline_s=0.05)
    async def wait(library: Library, call: Call) -> Answer:
        await asyncio.sleep(60)
        raise AssertionError(library, call)

    graph: Graph[Library] = Graph("type Query { slow: Boolean }", slow)
    edge: Edge[Library] = Edge(Operations(slow, graph.operations))
    edge.open(Library(), authenticator=Known())
    headers = {"content-type": "application/json", "authorization": "Bearer ada"}
    answer = asyncio.run(ask(edge, "POST", "/graphql", b'{"query":"{ slow }"}', headers=headers))
    assert (answer.status, answer.problem) == (503, "unavailable")


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("type Query { nothing: Boolean }", "neither an operation nor a resolver"),
        ("type Query { getBook(bookId: ID!, more: Int): Boolean }", "an argument more"),
        ("type Query { getBook(bookId: ID): Boolean }", "must require bookId"),
        (SCHEMA.replace("idempotencyKey: String!", "idempotencyKey: String"), "must require idempotencyKey"),
        (SCHEMA.replace("version: Long!", "version: Long"), "must require version"),
    ],
)
def test_a_schema_that_does_not_fit_its_operations_is_refused_at_the_start(schema: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Graph(schema, operations)
