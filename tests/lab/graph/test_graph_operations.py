"""Queries and mutations by what they mean: the method, the path, what is sent, and what an answer says."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from typing import Any

import graphql
import pytest

from nines.lab.graph import naming, values
from nines.lab.graph.doors import with_doors
from nines.lab.graph.finding import FoundGraph
from nines.lab.graph.hostile import documents
from nines.lab.graph.joining import joined
from nines.lab.graph.operations import operations_of
from nines.lab.load import document, meaning
from nines.lab.requests.planner import Planner
from nines.model.contract import Body, Contract, Operation
from nines.model.experiment import Call
from nines.model.history import Exchange, Outcome
from nines.model.settings import LoginSettings, Settings
from nines.readers.graphql import read_text

TEXT = """
type Query {
  me: User
  book(id: ID!): Book
  books(first: Int! = 20, after: String): BookConnection!
  booksOf(authorId: ID!): [Book!]!
  author(authorId: ID): AuthorType
  search(text: String!): [Anything!]!
  upload: String @deprecated
}
type Mutation {
  login(email: String!, password: String!): Session
  createBook(input: CreateBookInput!, clientMutationId: String): CreateBookPayload
  bookUpdate(input: UpdateBookInput!): Book
  deleteBook(id: ID!): Boolean
  publishBook(bookId: ID!, version: Int!): Book
  addAuthor(name: String!): AuthorType
  replaceCover(bookId: ID!, file: Upload!): Book
}
scalar Upload
scalar DateTime
type Session { token: String }
type User { id: ID! email: String }
type AuthorType { id: ID! name: String! books(first: Int): [Book!]! }
type Book { id: ID! title: String! version: Int author: AuthorType similar(to: ID!): Book soldAt: Place }
type Place { city: String }
type Film { id: ID! title: Int }
union Anything = Book | Film
type BookConnection { edges: [BookEdge!]! pageInfo: PageInfo! }
type BookEdge { node: Book! cursor: String! }
type PageInfo { hasNextPage: Boolean! }
type CreateBookPayload { book: Book errors: [Failure!]! }
type Failure { message: String! }
input CreateBookInput { title: String!, authorId: ID!, genre: Genre!, publishedAt: DateTime }
input UpdateBookInput { id: ID!, title: String }
enum Genre { DRAMA FARCE }
"""
SCHEMA = read_text(TEXT.encode(), "schema.graphql")
TWIN = Operation(
    id="create_book",
    method="POST",
    path="/v1/books",
    security=(("token",),),
    body=Body(media_type="application/json", schema={"properties": {"title": {"type": "string", "maxLength": 9}}}),
)
KNOWN = Contract(operations=(TWIN,))
BY_ID = {operation.id: operation for operation in operations_of(SCHEMA, "/graphql", KNOWN)}


def test_each_is_given_the_method_and_the_path_of_its_meaning() -> None:
    assert {id: f"{each.method} {each.path}" for id, each in BY_ID.items()} == {
        "query me": "GET /graphql/me",
        "query book": "GET /graphql/books/{id}",
        "query books": "GET /graphql/books",
        "query booksOf": "GET /graphql/books-of",
        "query author": "GET /graphql/authors/{authorId}",
        "query search": "GET /graphql/search",
        "mutation login": "POST /graphql/login",
        "mutation createBook": "POST /graphql/books",
        "mutation bookUpdate": "PATCH /graphql/books/{id}",
        "mutation deleteBook": "DELETE /graphql/books/{id}",
        "mutation publishBook": "POST /graphql/books/{bookId}/publish-book",
        "mutation addAuthor": "POST /graphql/authors",
    }


def test_every_document_is_valid() -> None:
    real = graphql.build_schema(TEXT)
    for operation in BY_ID.values():
        assert operation.document is not None
        assert not graphql.validate(real, graphql.parse(operation.document.text)), operation.document.text
    assert "$first: Int," in BY_ID["query books"].document.text  # type: ignore[union-attr]


def test_bounds_and_security_are_those_of_the_same_operation() -> None:
    created = BY_ID["mutation createBook"]
    assert created.is_secured
    assert created.body is not None
    inside = created.body.schema["properties"]["input"]
    assert inside["properties"]["title"] == {"type": "string", "maxLength": 9}
    assert inside["required"] == ["title", "authorId", "genre"]
    updated = BY_ID["mutation bookUpdate"].body
    assert updated is not None
    assert "id" not in updated.schema["properties"]["input"]["properties"]
    assert not BY_ID["mutation addAuthor"].is_secured


def sent(call: Call) -> Any:
    assert call.document is not None
    found = document.asked(call, call.document)
    assert (found.method, found.path) == ("POST", "/graphql")
    return json.loads(found.body)["variables"]


def test_a_planner_makes_what_a_request_refers_to() -> None:
    asked: list[Any] = []

    async def send(call: Call) -> Exchange:
        asked.append((call.operation, sent(call)))
        shown = {"id": "7", "name": "x"} if call.operation == "mutation addAuthor" else {"book": {"id": "9"}}
        body = json.dumps({"data": {"any": shown}})
        return Exchange(
            operation=call.operation,
            method=call.method,
            path=call.path,
            outcome=Outcome.OK,
            status=200,
            body=body,
            identity=call.identity,
        )

    async def all_of_it() -> None:
        contract = Contract(operations=tuple(BY_ID.values()))
        planner = Planner(contract, send=send, note=print, seed=1, today=date(2029, 1, 1))
        assert {each.id for each in planner.creators()} == {"mutation createBook", "mutation addAuthor"}
        created = await planner.prepare(BY_ID["mutation createBook"], "owner")
        assert created is not None
        given = sent(created)
        assert given["input"]["authorId"] == "7"
        assert given["input"]["genre"] == "DRAMA"
        assert created.marker in given["input"]["title"] or len(created.marker) > 9
        assert given["clientMutationId"] == created.key
        found = await send(created)
        read = await planner.prepare_read(found, "peer")
        assert read is not None
        assert sent(read) == {"id": "9"}
        changed = await planner.prepare_on(BY_ID["mutation bookUpdate"], found, "peer")
        assert changed is not None
        assert sent(changed)["input"]["id"] == "9"
        listed = await planner.prepare(BY_ID["query books"], "owner")
        assert listed is not None
        assert sent(listed) == {}

    asyncio.run(all_of_it())


def test_what_is_no_object_is_sent_as_it_is() -> None:
    plan = BY_ID["mutation createBook"].document
    assert plan is not None
    for body in (b'{"broken":', b"[1]", b"7", b"[" * 5_000, b"\xff"):
        call = Call(operation="x", method="POST", path="/graphql/books", body=body, document=plan)
        assert document.asked(call, plan).body.endswith(b'"variables":' + body + b"}")


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, {"data": {"book": {"id": "1"}}}, 200),
        (200, {"data": {"books": []}}, 200),
        (200, {"data": {"book": None}}, 404),
        (200, {"data": {"book": None}, "errors": [{"message": "x", "extensions": {"code": "FORBIDDEN"}}]}, 403),
        (200, {"data": None, "errors": [{"message": "x", "extensions": {"status": 409}}]}, 409),
        (200, {"data": None, "errors": [{"message": "x", "extensions": {"http": {"status": 429}}}]}, 429),
        (200, {"data": None, "errors": [{"message": "User is not authenticated"}]}, 401),
        (200, {"errors": [{"message": "Cannot query field nines"}]}, 422),
        (400, {"errors": [{"message": "Cannot query field nines"}]}, 422),
        (500, {"errors": []}, 500),
        (200, {"data": {"a": 1}, "errors": [{"message": "x", "path": ["a", "b"]}]}, 200),
        (
            200,
            {"data": {"a": {"b": None}}, "errors": [{"message": "x", "extensions": {"code": "internal-error"}}]},
            500,
        ),
        (200, {"data": {"a": None}, "errors": [{"message": "'NoneType' object has no attribute", "path": ["a"]}]}, 500),
        (200, {"data": {"a": {"ok": False, "message": "not found"}}}, 404),
        (200, {"data": {"a": {"book": None, "errors": [{"message": "x", "code": "PERMISSION_DENIED"}]}}}, 403),
        (200, {"data": {"a": {"__typename": "BookError", "message": "Taken."}}}, 422),
        (200, {"data": {"a": {"title": "Errors and how they were made", "errors": []}}}, 200),
        (200, "nines", 200),
    ],
)
def test_an_answer_is_as_it_says_itself(status: int, answer: Any, expected: int) -> None:
    assert meaning.status_of(status, json.dumps(answer).encode()) == expected


def test_a_version_is_an_entity_tag() -> None:
    assert meaning.tag_of(b'{"data":{"book":{"id":"1","version":3}}}') == '"3"'
    assert meaning.tag_of(b'{"data":{"books":[]}}') == meaning.tag_of(b"nines") == ""
    published = BY_ID["mutation publishBook"].document
    assert published is not None
    path, headers = "/graphql/books/5/publish-book", (("If-Match", '"3"'),)
    call = Call(operation="x", method="POST", path=path, headers=headers, document=published)
    assert sent(call) == {"bookId": "5", "version": 3}
    assert sent(Call(operation="x", method="POST", path=path, headers=(("If-Match", "*"),), document=published)) == {
        "bookId": "5"
    }


def test_a_list_looks_as_far_as_it_may() -> None:
    refused: list[str] = []

    async def attempt(operation: Operation) -> int:
        assert operation.document is not None
        is_wide = "author {" in operation.document.text
        refused.extend([operation.id] * is_wide)
        return 422 if is_wide else 200

    graph = FoundGraph(endpoint="/graphql", schema=SCHEMA, source="x")
    found = asyncio.run(joined(KNOWN, graph, attempt))
    assert refused == ["query books", "query books"]
    listed = found.operation("query books")
    assert listed is not None
    assert listed.document is not None
    assert "author {" not in listed.document.text
    assert found.operation("create_book") == TWIN


def test_hostile_documents_are_small() -> None:
    found = documents(SCHEMA, "/graphql", "owner")
    assert len(found) > 40
    assert len({each.variant for each in found}) == len(found)
    assert max(len(each.call.body) for each in found) < 200_000
    assert any("and back" in each.variant for each in found)


def test_somebody_becomes_somebody_through_a_graph() -> None:
    text = """
    type Query { me: User }
    type Mutation {
      signUp(input: Registration!): User
      login(email: String!, password: String!): Session
      resetPassword(email: String!): Boolean
    }
    input Registration { email: String!, password: String!, displayName: String! }
    type User { id: ID! }
    type Session { user: User tokens: Tokens }
    type Tokens { refreshToken: String accessToken: String }
    """
    graph = FoundGraph(endpoint="/api/graphql", schema=read_text(text.encode(), "x"), source="x")
    found = with_doors(Settings(), graph)
    assert (found.login.path, found.login.token) == ("/api/graphql", "data.login.tokens.accessToken")
    assert found.login.json["variables"] == {"email": "{email}", "password": "{password}"}
    assert found.login.json["query"].startswith("mutation nines(")
    given = found.register.json["variables"]["input"]
    assert given["password"] == "{password}"
    assert given["displayName"]
    told = Settings(login=LoginSettings(path="/sign-in"))
    assert with_doors(told, graph) == told
    assert with_doors(Settings(), FoundGraph(endpoint="/graphql", schema=SCHEMA)).login.token == "data.login.token"


def test_names_are_taken_apart() -> None:
    assert [naming.verb(name) for name in ("createBook", "bookCreate", "removeBook", "shipBook")] == [
        "POST",
        "POST",
        "DELETE",
        "",
    ]
    assert naming.noun("BookType") == naming.noun("Book") == ("book",)
    assert [naming.plural((each,)) for each in ("city", "box", "day", "class")] == [
        "cities",
        "boxes",
        "days",
        "classes",
    ]
    assert values.scalar("UUID") == {"type": "string", "format": "uuid"}
    assert values.scalar("Whatever") == {"type": "string"}
