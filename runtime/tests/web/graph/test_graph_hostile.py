"""Documents that ask for too much, or for nothing that there is: refused before any operation is carried out."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime import Limit
from nines_runtime.web.graph import Bounds
from nines_runtime.web.graph.documents import CACHE_BYTES_MAX
from nines_runtime.web.graph.naming import camel, snake

from ..asking import ask
from .library import Shop

RESPONSE = "application/graphql-response+json"
BOOK = 'getBook(bookId: "b1")'
_DEEP = '{ getBook(bookId: "b1") { author { books { author { books { author { books { author { name } } } } } } } } }'
_CYCLE = (
    'query { getBook(bookId: "b1") { ...A } } fragment A on Book { author { ...B } } '
    "fragment B on Author { books { ...A } }"
)
_DOUBLING = (
    '{ getBook(bookId: "b1") { ...F0 } } '
    + " ".join(
        f"fragment F{n} on Book {{ ...F{n + 1} author {{ books(first: 1) {{ ...F{n + 1} }} }} }}" for n in range(19)
    )
    + " fragment F19 on Book { id }"
)
_WIDE = "{ listBooks(pageSize: 200) { items { author { books(first: 3) { " + " ".join(f"f{n}: title" for n in range(15))
REFUSED: dict[str, tuple[str, str]] = {
    "deep": (_DEEP, "deeper than 8"),
    "aliases": ("{" + " ".join(f"a{n}: {BOOK} {{ id }}" for n in range(100)) + "}", "more than 15 aliases"),
    "some aliases": ("{" + " ".join(f"a{n}: {BOOK} {{ id }}" for n in range(16)) + "}", "more than 15 aliases"),
    "a cycle": (_CYCLE, "holds itself"),
    "a cycle that nobody spreads": ("{ __typename } fragment A on Book { ...B } fragment B on Book { ...A }", "itself"),
    "a spread of itself": (f"{{ {BOOK} {{ ...A }} }} fragment A on Book {{ ...A }}", "holds itself"),
    "fragments that double one another": (_DOUBLING, "deeper than|300 fields"),
    "long": ("{ " + BOOK + " { id } } #" + "x" * 17_000, "16,384 bytes"),
    "long in bytes": ("{ " + BOOK + " { id } } #" + "é" * 9_000, "16,384 bytes"),
    "brackets": ("{" + "a{" * 80, "nested more than 64"),
    "lists": ("{ a(b: " + "[" * 80, "nested more than 64"),
    "a huge page": ("{ listBooks(pageSize: 2000000000) { items { id } } }", "costs"),
    "lists of lists": ("{ listBooks(pageSize: 100) { items { author { books(first: 20) { id } } } } }", "costs 2,200"),
    "many values": (_WIDE + " id title authorId line_1 version } } } } }", "values"),
    "directives": ("{ " + BOOK + " { id " + "@include(if: true) " * 31 + "} }", "more than 30 directives"),
    "repeated fields": ("{ " + BOOK + " { " + "id " * 301 + "} }", "more than 300 fields"),
    "one field, repeated": ("{ " + BOOK + " { " + "author { name } " * 4 + "} }", "more than 3 fields of one name"),
    "fragments": (
        "{ __typename } " + " ".join(f"fragment F{n} on Book {{ id }}" for n in range(21)),
        "more than 20 fragments",
    ),
    "two operations": ("query a { __typename } query b { __typename }", "2 operations"),
    "none": ("fragment A on Book { id }", "0 operations"),
    "fragments of one name": ("{ __typename } fragment A on Book { id } fragment A on Book { id }", "own name"),
    "a schema": ("{ __typename } type X { id: ID }", "beside one operation"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_too_much_is_refused_with_a_reason_and_nothing_is_carried_out(name: str) -> None:
    query, said = REFUSED[name]
    shop = Shop()
    begun_s = time.process_time()
    answer = asyncio.run(shop.ask(query, accept=RESPONSE))
    assert answer.status == 422, answer
    (error,) = answer.json["errors"]
    assert any(each in error["message"] for each in said.split("|")), error
    assert error["extensions"]["code"] == "invalid-request"
    assert "data" not in answer.json
    assert not shop.library.statements
    assert time.process_time() - begun_s < 2.0


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("{", "malformed-request", "Syntax Error"),
        ("{ " + "x" * 100 + " }", "invalid-request", "Cannot query field"),
        ("{ listBook { items { id } } }", "invalid-request", "Cannot query field"),
        ("{ getBook { id } }", "invalid-request", "required"),
        ("{ " + BOOK + " { id @include(if: true) @include(if: true) } }", "invalid-request", "directive"),
        ("{ " + BOOK + " { id @cost(weight: 0) } }", "invalid-request", "may not be used"),
        ("{ " + BOOK + " { x: id x: title } }", "invalid-request", "conflict"),
        ("subscription { getBook }", "invalid-request", "subscri"),
        ("{ " + " ".join("{" for _ in range(3)) + "}}}}", "malformed-request", "Syntax Error"),
        ("query q($a: Int $a: Int) { listBooks(pageSize: $a) { nextCursor } }", "invalid-request", "one variable"),
    ],
)
def test_what_does_not_fit_the_schema_is_refused_without_hints(query: str, code: str, said: str) -> None:
    shop = Shop()
    answer = asyncio.run(shop.ask(query, accept=RESPONSE))
    assert answer.status in (400, 422)
    first = answer.json["errors"][0]
    assert first["extensions"]["code"] == code
    assert said.lower() in first["message"].lower()
    assert b"Did you mean" not in answer.body
    assert not shop.library.statements


def test_tokens_are_counted() -> None:
    shop = Shop(bounds=Bounds(tokens_max=20))
    answer = asyncio.run(shop.ask("{ " + "a " * 30 + "}", accept=RESPONSE))
    assert answer.status == 422
    assert "more than 20 tokens" in answer.json["errors"][0]["message"]


def test_the_size_of_a_page_counts_where_a_variable_gives_it() -> None:
    shop = Shop()
    query = "query q($n: Int = 3) { listBooks(pageSize: $n) { items { author { books(first: 5) { id } } } } }"
    asyncio.run(shop.data(query))
    error = asyncio.run(shop.error(query, {"n": 190}))
    assert "It costs" in error["message"]
    asyncio.run(shop.data(query, {"n": 10}))


@pytest.mark.parametrize("variables", [{"n": "many"}, {"n": 1.5}, {"n": True}, {"n": [1]}, {"n": 2**40}, {"n": {}}])
def test_variables_of_another_kind_are_refused(variables: dict[str, Any]) -> None:
    shop = Shop()
    query = "query q($n: Int) { listBooks(pageSize: $n) { items { id } } }"
    answer = asyncio.run(shop.ask(query, variables, accept=RESPONSE))
    assert answer.status == 422
    assert answer.json["errors"][0]["extensions"]["code"] == "invalid-request"
    assert not shop.library.statements


def test_values_of_an_enumeration_are_not_guessed_for_strangers() -> None:
    query = "query q($o: Order) { listBooks(order: $o) { nextCursor } }"
    for answer in (Shop().ask(query, {"o": "oldes"}), Shop().ask("{ listBooks(order: oldes) { nextCursor } }")):
        found = asyncio.run(answer)
        assert found.json["errors"][0]["extensions"]["code"] == "invalid-request"
        assert b"Did you mean" not in found.body
        assert b"oldest" not in found.body


def test_the_schema_is_told_only_where_it_may_be() -> None:
    query = (
        "{ __schema { types { name fields { name type { name ofType { name ofType { name ofType { name } } } } } } } }"
    )
    error = asyncio.run(Shop().error(query))
    assert error["extensions"]["code"] == "forbidden"
    hidden = f"{{ {BOOK} {{ ...A }} }} fragment A on Book {{ __typename author {{ __typename }} }}"
    assert asyncio.run(Shop().data(hidden))["getBook"]["__typename"] == "Book"
    told = asyncio.run(Shop(introspection=True).data(query))
    assert "Book" in {each["name"] for each in told["__schema"]["types"]}
    assert error["extensions"]["status"] == 403
    type_of = asyncio.run(Shop().error('{ __type(name: "Book") { name } }'))
    assert type_of["extensions"]["code"] == "forbidden"


def test_a_document_that_was_told_to_one_is_not_told_to_another() -> None:
    """What was validated for somebody who may read the schema is kept, and still refused to others."""
    shop = Shop()
    shop.graph._introspection = lambda caller: "librarian" in caller.roles
    query = "{ __schema { queryType { name } } }"
    assert asyncio.run(shop.data(query, roles="librarian")) == {"__schema": {"queryType": {"name": "Query"}}}
    assert asyncio.run(shop.error(query, roles="writer"))["extensions"]["code"] == "forbidden"


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        (b"", 400, "malformed-request"),
        (b"{", 400, "malformed-request"),
        (b"[]", 400, "malformed-request"),
        (b'[{"query":"{ __typename }"},{"query":"{ __typename }"}]', 400, "malformed-request"),
        (b"null", 400, "malformed-request"),
        (b"{}", 400, "malformed-request"),
        (b'{"query":1}', 400, "malformed-request"),
        (b'{"query":"{ __typename }","variables":[]}', 400, "malformed-request"),
        (b'{"query":"{ __typename }","variables":"{}"}', 400, "malformed-request"),
        (b'{"query":"{ __typename }","operationName":1}', 400, "malformed-request"),
        (b'{"query":"{ __typename }","extensions":1}', 400, "malformed-request"),
        (b'{"query":"\xff"}', 400, "malformed-request"),
        (b'{"query":"{ __typename }","variables":' + b"[" * 50 + b"]" * 50 + b"}", 400, "malformed-request"),
        (b'{"query":"\\u0000"}', 422, "invalid-request"),
        (b" " * 70_000, 413, "body-too-large"),
    ],
)
def test_what_is_no_request_is_a_problem_like_any_other(body: bytes, status: int, problem: str) -> None:
    answer = asyncio.run(Shop().post(body))
    assert (answer.status, answer.problem) == (status, problem)


def test_only_posts_of_json_are_taken() -> None:
    shop = Shop()
    plain = asyncio.run(shop.post(b'{"query":"{ __typename }"}', **{"content-type": "text/plain"}))
    assert (plain.status, plain.problem) == (415, "unsupported-media-type")
    form = asyncio.run(shop.post(b"query=x", **{"content-type": "application/x-www-form-urlencoded"}))
    assert form.status == 415
    for method in ("GET", "PUT", "DELETE"):
        answer = asyncio.run(ask(shop.edge, method, "/graphql", query="query=%7B__typename%7D"))
        assert (answer.status, answer.headers["allow"]) == (405, "OPTIONS, POST")
    asked = asyncio.run(
        ask(shop.edge, "POST", "/graphql", query="query=x", headers={"content-type": "application/json"})
    )
    assert asked.status == 400


def test_a_credential_that_does_not_hold_is_refused_at_once() -> None:
    shop = Shop()
    answer = asyncio.run(shop.post(b'{"query":"{ __typename }"}', authorization="Bearer wrong", roles=None))
    assert (answer.status, answer.problem) == (401, "unauthorized")
    assert "www-authenticate" in answer.headers


@pytest.mark.parametrize(
    ("accept", "media_type", "status"),
    [
        ("", "application/json", 200),
        ("*/*", "application/json", 200),
        ("application/json", "application/json", 200),
        ("text/html", "application/json", 200),
        (RESPONSE, RESPONSE, 422),
        (f"{RESPONSE}, application/json;q=0.9", RESPONSE, 422),
    ],
)
def test_statuses_are_those_of_the_media_type(accept: str, media_type: str, status: int) -> None:
    shop = Shop()
    well = asyncio.run(shop.ask(f"{{ {BOOK} {{ id }} }}", accept=accept))
    assert (well.status, well.headers["content-type"]) == (200, f"{media_type}; charset=utf-8")
    assert well.headers["cache-control"] == "no-store"
    wrong = asyncio.run(shop.ask("{ nothing }", accept=accept))
    assert (wrong.status, wrong.headers["content-type"]) == (status, f"{media_type}; charset=utf-8")
    partly = asyncio.run(shop.ask('{ getBook(bookId: "none") { id } }', accept=accept))
    assert (partly.status, partly.json["data"]) == (200, {"getBook": None})
    assert partly.json["errors"][0]["extensions"]["code"] == "not-found"


def test_documents_are_counted_by_a_limit_of_their_own() -> None:
    shop = Shop(limit=Limit(2))

    async def thrice() -> list[int]:
        return [(await shop.ask("{ __typename }")).status for _ in range(3)]

    assert asyncio.run(thrice()) == [200, 200, 429]


def test_documents_are_kept_within_a_bound() -> None:
    shop = Shop()

    async def many() -> None:
        for number in range(100):
            await shop.ask(f"{{ __typename }} # {number} {'x' * 16_000}")

    asyncio.run(many())
    kept = shop.graph._documents
    assert 0 < len(kept) < 100
    assert kept._bytes <= CACHE_BYTES_MAX


def test_the_name_of_the_operation_must_be_its_own() -> None:
    shop = Shop()
    body = b'{"query":"query a { __typename }","operationName":"%s"}'
    assert b"errors" not in asyncio.run(shop.post(body % b"a")).body
    assert b"no operation b" in asyncio.run(shop.post(body % b"b")).body


@given(st.from_regex(r"[a-z][a-z0-9]{0,4}(_[a-z0-9]{1,4}){0,4}", fullmatch=True))
def test_a_name_comes_back_as_it_was(name: str) -> None:
    assert snake(camel(name)) == name


@given(st.text(max_size=60), st.text(alphabet='{}()[]"#\\ \n@$:!.aé', max_size=60))
def test_nothing_that_is_sent_breaks_it(one: str, other: str) -> None:
    shop = Shop()

    async def ask_both() -> None:
        for text in (one, other, "{ " + other + " }"):
            answer = await shop.ask(text.replace("\0", ""), accept=RESPONSE)
            assert answer.status in (200, 400, 403, 422), answer

    asyncio.run(ask_both())
