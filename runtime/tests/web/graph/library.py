"""A small service with a graph: books, their authors, and the countries of those."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from nines_runtime import ANONYMOUS, Answer, Call, Caller, Edge, Key, Limit, Operations, Problem
from nines_runtime.web.caller import Headers
from nines_runtime.web.exchange import Exchange
from nines_runtime.web.graph import Bounds, Children, Found, Graph, Link, Load

from ..asking import Answered, ask

SCHEMA = """
directive @cost(weight: Int! = 1, sizedBy: String, size: Int! = 1) on FIELD_DEFINITION
scalar Long
type Query {
  getBook(bookId: ID!): Book @cost(weight: 1)
  listBooks(pageSize: Int, cursor: String, isOld: Boolean, order: Order): BookPage @cost(sizedBy: "pageSize", size: 50)
  secret: Book @cost
  broken: Book @cost
}
type Mutation {
  createBook(idempotencyKey: String!, input: BookCreateInput!): Book @cost(weight: 10)
  renameBook(bookId: ID!, version: Long!, input: BookRenameInput!): Book @cost(weight: 10)
  removeBook(bookId: ID!): Boolean @cost(weight: 10)
}
type BookPage { items: [Book!]! nextCursor: String }
type Book {
  id: ID!
  title: String!
  line_1: String
  listPrice: Money!
  authorId: ID
  author: Author @cost(weight: 1)
  version: Long
}
enum Order { oldest newest }
type Money { amountMinor: Long! currency: String! }
type Author {
  id: ID!
  name: String!
  countryId: ID!
  country: Country @cost(weight: 1)
  books(first: Int = 5): [Book!]! @cost(weight: 1, sizedBy: "first", size: 5)
}
type Country { id: ID! name: String! }
input MoneyInput { amountMinor: Long! currency: String! }
input BookCreateInput { title: String! listPrice: MoneyInput! line_1: String }
input BookRenameInput { title: String! }
"""


class Money(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    amount_minor: Annotated[int, msgspec.Meta(ge=0)]
    currency: str


class Book(msgspec.Struct, kw_only=True):
    id: str
    title: str
    list_price: Money
    author_id: str | None = None
    line_1: str | None = None


class Author(msgspec.Struct, kw_only=True):
    id: str
    name: str
    country_id: str


class Country(msgspec.Struct, kw_only=True):
    id: str
    name: str


class BookCreate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    title: Annotated[str, msgspec.Meta(max_length=20)]
    list_price: Money
    line_1: str | None = None


class BookRename(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    title: str


class ListBooks(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    page_size: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str | None = None
    is_old: bool | None = None
    order: str | None = None
    fields: tuple[str, ...] = ()


class Library:
    def __init__(self) -> None:
        self.books = {f"b{n}": _book(n) for n in range(200)}
        self.versions = dict.fromkeys(self.books, 1)
        self.authors = {f"a{n}": Author(id=f"a{n}", name=f"Author {n}", country_id=f"c{n % 3}") for n in range(10)}
        self.countries = {f"c{n}": Country(id=f"c{n}", name=f"Country {n}") for n in range(3)}
        self.statements: list[tuple[str, int]] = []
        self.asked: list[Call] = []


def _book(n: int) -> Book:
    return Book(
        id=f"b{n}", title=f"Book {n}", list_price=Money(amount_minor=100, currency="EUR"), author_id=f"a{n % 10}"
    )


operations: Operations[Library] = Operations()


@operations.get("/v1/books/{book_id}", id="getBook", limit=Limit(30))
async def get_book(library: Library, call: Call) -> Answer:
    library.statements.append(("book", 1))
    book = library.books.get(call.parameters["book_id"])
    if book is None:
        raise Problem("not-found")
    return Answer.of(book, version=library.versions[book.id])


@operations.get("/v1/books", id="listBooks")
async def list_books(library: Library, call: Call, query: ListBooks) -> Answer:
    library.statements.append(("page", query.page_size))
    library.asked.append(call)
    return Answer.of({"items": list(library.books.values())[: query.page_size], "next_cursor": None})


@operations.get("/v1/secrets", id="secret", roles=("librarian",))
async def secret(library: Library, call: Call) -> Answer:
    del call
    return Answer.of(library.books["b1"])


@operations.get("/v1/broken", id="broken")
async def broken(library: Library, call: Call) -> Answer:
    del library, call
    raise RuntimeError("password=hunter2")


@operations.post("/v1/books", id="createBook", roles=("writer",), key=Key())
async def create_book(library: Library, call: Call, body: BookCreate) -> Answer:
    library.asked.append(call)
    book = Book(id=f"n{len(library.books)}", title=body.title, list_price=body.list_price, line_1=body.line_1)
    library.books[book.id] = book
    library.versions[book.id] = 1
    return Answer.of(book, status=201, version=1, location=f"/v1/books/{book.id}")


@operations.patch("/v1/books/{book_id}", id="renameBook", needs_if_match=True)
async def rename_book(library: Library, call: Call, body: BookRename) -> Answer:
    book_id = call.parameters["book_id"]
    if call.version != library.versions[book_id]:
        raise Problem("precondition-failed")
    library.books[book_id].title = body.title
    library.versions[book_id] += 1
    return Answer.of(library.books[book_id], version=library.versions[book_id])


@operations.delete("/v1/books/{book_id}", id="removeBook")
async def remove_book(library: Library, call: Call) -> Answer:
    library.books.pop(call.parameters["book_id"], None)
    return Answer.nothing()


@operations.get("/v1/authors/{author_id}", id="getAuthor")
async def get_author(library: Library, call: Call) -> Answer:
    return Answer.of(library.authors[call.parameters["author_id"]])


@operations.get("/v1/countries/{country_id}", id="getCountry", roles=("traveller",))
async def get_country(library: Library, call: Call) -> Answer:
    return Answer.of(library.countries[call.parameters["country_id"]])


async def books(library: Library, call: Call, ids: list[str]) -> list[Found]:
    del call
    library.statements.append(("books", len(ids)))
    return [Found(library.books[each], library.versions[each]) for each in ids if each in library.books]


async def authors(library: Library, call: Call, ids: list[str]) -> list[Found]:
    del call
    library.statements.append(("authors", len(ids)))
    # Of the ninth there is nothing to be seen.
    return [Found(library.authors[each]) for each in ids if each != "a9"]


async def countries(library: Library, call: Call, ids: list[str]) -> list[Found]:
    del call
    library.statements.append(("countries", len(ids)))
    return [Found(library.countries[each]) for each in ids]


async def books_of(library: Library, call: Call, parents: list[str], first: int) -> list[Found]:
    del call
    library.statements.append(("books of authors", len(parents)))
    found = []
    for parent in parents:
        mine = [each for each in library.books.values() if each.author_id == parent]
        found += [Found(each, library.versions[each.id]) for each in mine[:first]]
    return found


AUTHORS = Load(type="Author", operation="getAuthor", fetch=authors)
COUNTRIES = Load(type="Country", operation="getCountry", fetch=countries)
BOOKS = Load(type="Book", operation="getBook", fetch=books)
LINKS = (
    Link(type="Book", field="author", member="author_id", load=AUTHORS),
    Link(type="Author", field="country", member="country_id", load=COUNTRIES),
    Children(
        type="Author", field="books", member="author_id", operation="listBooks", fetch=books_of, first=5, first_max=50
    ),
)


class Known:
    """`Bearer ada writer traveller`: the name and the roles."""

    async def authenticate(self, headers: Headers, *, address: str) -> Caller:
        del address
        words = headers.get("authorization", "").split()[1:]
        if not words:
            return ANONYMOUS
        if words[0] == "wrong":
            raise Problem("unauthorized")
        return Caller(subject=words[0], roles=frozenset(words[1:]))


class Watching:
    def __init__(self) -> None:
        self.seen: list[Exchange] = []

    def ended(self, exchange: Exchange) -> None:
        self.seen.append(exchange)

    def shed(self, reason: str) -> None:
        del reason


class Shop:
    """The service behind its edge, and what it was asked."""

    def __init__(
        self, *, introspection: bool = False, bounds: Bounds | None = None, limit: Limit | None = None
    ) -> None:
        self.library = Library()
        self.watching = Watching()
        self.graph: Graph[Library] = Graph(
            SCHEMA, operations, links=LINKS, loads=(BOOKS,), introspection=introspection, bounds=bounds, limit=limit
        )
        together: Operations[Library] = Operations(operations, self.graph.operations)
        self.edge: Edge[Library] = Edge(together, observer=self.watching)
        self.edge.open(self.library, authenticator=Known())

    async def post(
        self, body: bytes, *, roles: str | None = "traveller writer", accept: str = "", **headers: str
    ) -> Answered:
        given = {"content-type": "application/json", **headers}
        if roles is not None:
            given["authorization"] = f"Bearer ada {roles}"
        if accept:
            given["accept"] = accept
        return await ask(self.edge, "POST", "/graphql", body, headers=given)

    async def ask(self, query: str, variables: Any = None, **more: Any) -> Answered:
        return await self.post(msgspec.json.encode({"query": query, "variables": variables}), **more)

    async def data(self, query: str, variables: Any = None, **more: Any) -> Any:
        answer = await self.ask(query, variables, **more)
        assert answer.status == 200, answer
        assert "errors" not in answer.json, answer.json
        return answer.json["data"]

    async def error(self, query: str, variables: Any = None, **more: Any) -> dict[str, Any]:
        """The only error."""
        answer = await self.ask(query, variables, **more)
        found = answer.json["errors"]
        assert len(found) == 1, found
        first: dict[str, Any] = found[0]
        return first
