"""What a graph promises: the same operations behind the same guards, and bounded documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

from nines_runtime.trials.running import Answer, Running

FIELDS_MAX = 200
DEPTH_MAX = 4


class GraphPromises:
    """A schema, and the contract that promises the same operations over HTTP."""

    def __init__(self, schema: Path, contract: Path) -> None:
        self.schema = build_schema(schema.read_text(encoding="utf-8"))
        self.contract: dict[str, Any] = yaml.safe_load(contract.read_text(encoding="utf-8"))
        self.queries = self.schema.query_type.fields if self.schema.query_type else {}
        self.changes = self.schema.mutation_type.fields if self.schema.mutation_type else {}

    @cached_property
    def operations(self) -> dict[str, dict[str, Any]]:
        return {
            each["operationId"]: each
            for item in self.contract["paths"].values()
            for each in item.values()
            if isinstance(each, dict) and "operationId" in each
        }

    def kinds(self) -> dict[str, list[str]]:
        """The names of fields of which a test is about each, by the argument that it takes."""
        fields = {**self.queries, **self.changes}
        pages = [
            name for name, field in self.queries.items() if "items" in getattr(get_named_type(field.type), "fields", {})
        ]
        return {"field": [name for name in fields if name in self.operations], "page": pages}


class Graph:
    """Tests for a class of yours with `promises`. They take the fixtures that `Contract` takes."""

    promises: ClassVar[GraphPromises]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        for argument, names in self.promises.kinds().items():
            if argument in metafunc.fixturenames:
                metafunc.parametrize(argument, names)

    def test_the_schema_is_told_on_a_laptop(self, service: Running) -> None:
        told = ask(service, "{ __schema { queryType { fields { name } } } }").body["data"]["__schema"]
        assert {each["name"] for each in told["queryType"]["fields"]} == set(self.promises.queries)

    def test_strangers_come_no_further_than_elsewhere(self, service: Running, field: str) -> None:
        found = {**self.promises.queries, **self.promises.changes}[field]
        call = called(field, found)
        if not call or not self.promises.operations[field].get("security", self.promises.contract.get("security")):
            pytest.skip("it takes a body, or is everybody's")
        kind = "query" if field in self.promises.queries else "mutation"
        answer = ask(service, f"{kind} {{ {call} {selected(get_named_type(found.type), 1)} }}")
        assert codes(answer) == ["unauthorized"]
        assert answer.body["data"] == {field: None}

    def test_a_credential_that_does_not_hold_opens_nothing(self, service: Running) -> None:
        headers = {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}
        answer = ask(service, "{ __typename }", headers=headers)
        assert answer.status == (401 if self.promises.contract.get("security") else 200)

    def test_pages_hold_what_they_hold_elsewhere_and_lead_on(
        self, service: Running, credential: dict[str, str], page: str
    ) -> None:
        query = f"{{ {page}(pageSize: 5) {selected(get_named_type(self.promises.queries[page].type))} }}"
        answer = ask(service, query, headers=credential)
        assert answer.status == 200
        assert "errors" not in answer.body, answer.content
        paths = self.promises.contract["paths"]
        path = next(path for path, item in paths.items() if item.get("get", {}).get("operationId") == page)
        same = service.ask("GET", f"{path}?page_size=5", headers=credential)
        shown = answer.body["data"][page]["items"]
        assert [each.get("id") for each in shown] == [each.get("id") for each in same.body["items"]]

    @pytest.mark.parametrize(
        "query",
        [
            "{ " + "a { " * 50 + "b" + " }" * 51,
            "{ " + " ".join(f"a{number}: __typename" for number in range(100)) + " }",
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
            "{ __typename " + "@include(if: true) " * 100 + "}",
            "{ __typename } #" + "x" * 20_000,
            "query a { __typename } query b { __typename }",
            "{ nothing }",
            "{",
        ],
        ids=["deep", "aliases", "cycle", "directives", "long", "several", "unknown", "broken"],
    )
    def test_what_is_too_much_or_wrong_is_refused(self, service: Running, query: str) -> None:
        headers = {"accept": "application/graphql-response+json"}
        answer = ask(service, query, headers=headers)
        assert answer.status in (400, 422)
        assert answer.headers["content-type"].startswith("application/graphql-response+json")
        assert codes(answer)[0] in ("invalid-request", "malformed-request")
        assert "data" not in answer.body

    def test_a_page_that_is_too_long_costs_too_much(
        self, service: Running, credential: dict[str, str], page: str
    ) -> None:
        answer = ask(service, f"{{ {page}(pageSize: 100000) {{ items {{ __typename }} }} }}", headers=credential)
        assert codes(answer) == ["invalid-request"]

    def test_only_one_document_comes_at_a_time_and_only_by_post(self, service: Running) -> None:
        assert service.ask("GET", "/graphql").status == 405
        assert service.ask("POST", "/graphql", body=[{"query": "{ __typename }"}]).problem == "malformed-request"
        plain = {"content-type": "text/plain"}
        assert service.ask("POST", "/graphql", body=b"{}", headers=plain).status == 415


def ask(service: Running, query: str, *, headers: dict[str, str] | None = None) -> Answer:
    return service.ask("POST", "/graphql", body={"query": query, "variables": {}}, headers=headers or {})


def codes(answer: Answer) -> list[str]:
    return [each["extensions"]["code"] for each in answer.body.get("errors", ())]


def called(name: str, field: GraphQLField) -> str:
    """With identifiers that nothing has; empty: it wants more than that."""
    given = []
    for argument, what in field.args.items():
        if not isinstance(what.type, GraphQLNonNull):
            continue
        kind = get_named_type(what.type)
        if isinstance(kind, GraphQLInputObjectType):
            return ""
        given.append(f"{argument}: {1 if kind.name in ('Long', 'Int') else json.dumps('x')}")
    return f"{name}({', '.join(given)})" if given else name


def selected(kind: Any, depth: int = DEPTH_MAX) -> str:
    """Every member that is a value, and what the objects lead to, a few levels deep."""
    if is_leaf_type(kind):
        return ""
    found = list(_members(kind, depth))[:FIELDS_MAX]
    return f"{{ {' '.join(found)} }}"


def _members(kind: GraphQLObjectType, depth: int) -> Iterator[str]:
    yield "__typename"
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if is_leaf_type(inner):
            yield name
        elif depth > 1 and (name == "items" or not _is_list(field)):
            yield f"{name} {selected(inner, depth - 1)}"


def _is_list(field: GraphQLField) -> bool:
    return hasattr(get_nullable_type(field.type), "of_type")
