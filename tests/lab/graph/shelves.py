"""A small service that has nothing but a graph and one method over gRPC; a file beside it names how it is careless.

It is copied beside a test and started as a service of its own, hence without imports of the project's."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import grpc.aio
from graphql import GraphQLError, GraphQLSchema, build_schema, graphql, parse, validate

SCHEMA = """
type Query {
  me: User!
  "One book."
  book(id: ID!): Book
  books(limit: Int = 50): [Book!]!
  author(id: ID!): Author
}
type Mutation {
  createAuthor(input: AuthorInput!): Author!
  createBook(title: String!, authorId: ID!): CreateBookPayload!
  renameBook(id: ID!, title: String!): Book
}
type User { id: ID! }
type Book { id: ID! title: String! ownerId: ID! author: Author! }
type Author { id: ID! name: String! books: [Book!]! }
type CreateBookPayload { book: Book ok: Boolean! }
input AuthorInput { name: String! born: Int }
"""
TABLES = """
CREATE TABLE authors (id serial PRIMARY KEY, name text NOT NULL, owner text NOT NULL);
CREATE TABLE books (id serial PRIMARY KEY, title text NOT NULL, author int NOT NULL, owner text NOT NULL);
"""
SWITCHES = Path(__file__).with_name("faults")
TOKENS = {"Bearer token-of-owner": "owner", "Bearer token-of-peer": "peer"}
pool: asyncpg.Pool | None = None
schema: GraphQLSchema = build_schema(SCHEMA)


def faults() -> str:
    return SWITCHES.read_text() if SWITCHES.exists() else ""


class Batch:
    """Books and authors of one request, read together."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.authors: dict[int, dict[str, Any]] = {}


async def rows(text: str, *given: Any) -> list[dict[str, Any]]:
    assert pool is not None
    return [dict(row) for row in await pool.fetch(text, *given)]


def refused(code: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code})


def number(text: str) -> int:
    if "raises" in faults():
        return int(text)
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise refused("NOT_FOUND", "There is no such thing.")
    return int(text)


def clean(text: str) -> str:
    if "\0" in text or re.search("[\ud800-\udfff]", text) or len(text) > 1_000:
        raise refused("BAD_USER_INPUT", "This is no title.")
    return text


async def book(_root: Any, info: Any, id: str) -> dict[str, Any] | None:
    own = "" if "foreign" in faults() else " AND owner = $2"
    found = await rows(f"SELECT * FROM books WHERE id = $1{own}", number(id), *([info.context.user] if own else []))
    return found[0] if found else None


async def books(_root: Any, info: Any, limit: int = 50) -> list[dict[str, Any]]:
    if not 1 <= limit <= 100:
        raise refused("BAD_USER_INPUT", "The limit is 100.")
    found = await rows("SELECT * FROM books WHERE owner = $1 ORDER BY id LIMIT $2", info.context.user, limit)
    wanted = sorted({each["author"] for each in found})
    for each in await rows("SELECT * FROM authors WHERE id = ANY($1)", wanted):
        info.context.authors[each["id"]] = each
    return found


async def author_of(source: dict[str, Any], info: Any) -> dict[str, Any]:
    known = info.context.authors.get(source["author"])
    if known is not None and "n-plus-one" not in faults():
        return dict(known)
    return (await rows("SELECT * FROM authors WHERE id = $1", source["author"]))[0]


async def author(_root: Any, info: Any, id: str) -> dict[str, Any] | None:
    found = await rows("SELECT * FROM authors WHERE id = $1 AND owner = $2", number(id), info.context.user)
    return found[0] if found else None


async def books_of(source: dict[str, Any], info: Any) -> list[dict[str, Any]]:
    return await rows("SELECT * FROM books WHERE author = $1 LIMIT 50", source["id"])


async def create_author(_root: Any, info: Any, input: dict[str, Any]) -> dict[str, Any]:
    found = await rows(
        "INSERT INTO authors (name, owner) VALUES ($1, $2) RETURNING *", clean(input["name"]), info.context.user
    )
    return found[0]


async def create_book(_root: Any, info: Any, title: str, **given: str) -> dict[str, Any]:
    author = number(given["authorId"])
    if not await rows("SELECT 1 FROM authors WHERE id = $1", author):
        raise refused("NOT_FOUND", "There is no such author.")
    text = "INSERT INTO books (title, author, owner) VALUES ($1, $2, $3) RETURNING *"
    found = await rows(text, clean(title), author, info.context.user)
    return {"book": found[0], "ok": True}


async def rename_book(_root: Any, info: Any, id: str, title: str) -> dict[str, Any] | None:
    own = "" if "foreign" in faults() else " AND owner = $3"
    given = [number(id), clean(title), *([info.context.user] if own else [])]
    found = await rows(f"UPDATE books SET title = $2 WHERE id = $1{own} RETURNING *", *given)
    return found[0] if found else None


def bind() -> None:
    query, mutation = schema.query_type, schema.mutation_type
    assert query is not None
    assert mutation is not None
    query.fields["me"].resolve = lambda _root, info: {"id": info.context.user}
    query.fields["author"].resolve = author
    query.fields["book"].resolve, query.fields["books"].resolve = book, books
    mutation.fields["createAuthor"].resolve = create_author
    mutation.fields["createBook"].resolve = create_book
    mutation.fields["renameBook"].resolve = rename_book
    types: dict[str, Any] = dict(schema.type_map)
    types["Book"].fields["author"].resolve = author_of
    types["Book"].fields["ownerId"].resolve = lambda source, _info: source["owner"]
    types["Author"].fields["books"].resolve = books_of


bind()


def too_much(text: str) -> str:
    """Why a document is not even read; a careless service looks at its length alone."""
    if len(text) > 20_000 or text.count("...") > 20 or text.count("@") > 20:
        return "The document is too long."
    depth = most = 0
    for each in text:
        depth += (each in "{[(") - (each in ")]}")
        most = max(most, depth)
    if most > 30 or ("unbounded" not in faults() and len(re.findall(r"\ba\d+:", text)) > 20):
        return "The document is too deep, or too wide."
    return ""


async def answered(body: bytes, user: str) -> tuple[int, dict[str, Any]]:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return 400, {"errors": [{"message": "This is no JSON."}]}
    text = asked.get("query") if isinstance(asked, dict) else None
    variables = asked.get("variables") if isinstance(asked, dict) else None
    if not isinstance(text, str) or not isinstance(variables, dict | None):
        return 400, {"errors": [{"message": "There is no document."}]}
    reason = too_much(text)
    if reason:
        return 400, {"errors": [{"message": reason}]}
    try:
        wrong = validate(schema, parse(text), max_errors=3)
    except (GraphQLError, RecursionError) as error:
        return 400, {"errors": [{"message": str(error)[:200]}]}
    if wrong:
        return 400, {"errors": [{"message": each.message[:200]} for each in wrong]}
    if not user and "__schema" not in text and text != "query nines { __typename }":
        return 200, {"data": None, "errors": [{"message": "Sign in.", "extensions": {"code": "UNAUTHENTICATED"}}]}
    name = asked.get("operationName")
    if name is not None and not isinstance(name, str):
        return 400, {"errors": [{"message": "This is no name."}]}
    found = await graphql(schema, text, context_value=Batch(user), variable_values=variables, operation_name=name)
    return 200, dict(found.formatted)


class Calls(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    def service(self, details: Any) -> Any:
        is_known = details.method == "/shelves.v1.Shelves/CountBooks"
        return grpc.unary_unary_rpc_method_handler(count_books) if is_known else None


async def count_books(content: bytes, context: Any) -> bytes:
    token = dict(context.invocation_metadata()).get("authorization", "")
    if token not in TOKENS and not (token and "forged" in faults()):
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, "Sign in.")
    if "raises" in faults():
        return content.decode().encode()[:0]
    if content:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "There is nothing to say.")
    return b""


async def listening() -> Any:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Calls(),))
    server.add_insecure_port(f"127.0.0.1:{os.environ['GRPC_PORT']}")
    await server.start()
    return server


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    global pool  # noqa: PLW0603 -- one for the process
    if scope["type"] == "lifespan":
        await receive()
        pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=2, max_size=4)
        calls = await listening()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await calls.stop(None)
        await pool.close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body, more = b"", True
    while more:
        part = await receive()
        body, more = body + part.get("body", b""), part.get("more_body", False)
    headers = dict(scope["headers"])
    token = headers.get(b"authorization", b"").decode("latin-1")
    user = TOKENS.get(token, "owner" if token and "forged" in faults() else "")
    told: dict[str, Any]
    if scope["path"] == "/health":
        status, told = 200, {"ok": True}
    elif scope["path"] == "/graphql" and scope["method"] == "POST":
        status, told = await answered(body, user)
    else:
        status, told = 404, {"detail": "nothing"}
    sent = json.dumps(told).encode()
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": sent})
