"""The same schema from its text and from what a graph tells of itself; and texts that are none."""

from __future__ import annotations

import contextlib
import json

import graphql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines.model.errors import SourceError
from nines.model.graph import GraphKind, GraphRef, GraphSchema
from nines.readers.graphql import QUERY, read_answer, read_text

TEXT = '''
schema { query: Root mutation: Changes subscription: News }
"""
A "quoted" description { with: brackets }
"""
directive @cost(weight: Int! = 1, by: [String!] = ["a", "b"]) repeatable on FIELD_DEFINITION | OBJECT | UNION
scalar DateTime @specifiedBy(url: "https://example.com/{x}")
interface Node { id: ID! }
interface Named implements Node { id: ID! name: String! }
# A comment: type Nothing { a: Int }
type Root {
  "One of them."
  book(id: ID!, tags: [String!]! = ["x"], when: Span = {from: "a", to: [1, 2]}): Book @cost(weight: 2)
  books(first: Int = 10, after: String): [[Book!]!]! @deprecated(reason: "no")
  anything: Anything
}
type Changes { add(input: BookInput!): Book }
type News { told: Book }
type Book implements Node & Named @cost { id: ID! name: String! at: DateTime genre: Genre }
extend type Book { pages: Int! }
type Film implements Node { id: ID! }
union Anything @cost = | Book | Film
enum Genre { DRAMA "Old." FARCE @deprecated }
input BookInput { name: String! = "x", genre: Genre, within: BookInput }
input Span { from: String to: [Int] }
'''


def told() -> bytes:
    """What the reference implementation tells of the same text."""
    found = graphql.graphql_sync(graphql.build_schema(TEXT), QUERY)
    assert not found.errors
    return json.dumps({"data": found.data}).encode()


def plain(schema: GraphSchema) -> dict[str, object]:
    """Without what only one of the two tells: where members stand, and built-in types that nothing uses."""
    return {
        name: (
            each.kind,
            sorted(
                (f.name, f.type.text, [(a.name, a.type.text, a.has_default) for a in f.arguments], f.is_deprecated)
                for f in each.fields
            ),
            sorted((a.name, a.type.text, a.is_needed) for a in each.inputs),
            sorted(each.values),
            sorted(each.members),
        )
        for name, each in schema.types.items()
        if name != "Float"
    }


def test_text_and_answer_say_the_same() -> None:
    text, answer = read_text(TEXT.encode(), "schema.graphql"), read_answer(told())
    assert plain(text) == plain(answer)
    assert (text.query, text.mutation) == (answer.query, answer.mutation) == ("Root", "Changes")
    assert [field.name for field in text.queries] == ["book", "books", "anything"]
    book = text.queries[0]
    assert book.says == "One of them."
    assert [argument.is_needed for argument in book.arguments] == [True, False, False]
    assert text.types["Genre"].kind is GraphKind.ENUM


def test_wrapped_types_are_written_as_they_were_read() -> None:
    for text in ("Int", "Int!", "[Int]", "[Int!]!", "[[Int!]]!"):
        found = read_text(f"type Query {{ a: {text} }}".encode(), "x").queries[0].type
        assert found.text == text
        assert found.is_required == text.endswith("!")
        assert found.is_list == text.startswith("[")
    assert GraphRef(name="Int", wraps="![!").item.text == "Int!"


NO_SCHEMAS = (
    "",
    "type Query",
    "type Query { a }",
    "type Query { a: [Int }",
    "{ a }",
    "type Query { a(b: Int",
    "[" * 9_000,
    "type Query { a: " + "[" * 500 + "Int" + "]" * 500 + " }",
)


@pytest.mark.parametrize("text", NO_SCHEMAS)
def test_what_is_no_schema_is_one_clear_error(text: str) -> None:
    with pytest.raises(SourceError):
        read_text(text.encode(), "schema.graphql")


@given(st.one_of(st.text(), st.text(alphabet='{}[]()!:=|&@" type Query a')))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(SourceError):
        assert read_text(text.encode("utf-8", "replace"), "schema.graphql").types


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"data":null}', b'{"data":{"__schema":{"types":[{}]}}}'])
def test_what_is_no_answer_is_one_clear_error(body: bytes) -> None:
    with pytest.raises(SourceError):
        read_answer(body)
