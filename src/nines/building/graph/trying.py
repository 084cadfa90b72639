"""`tests/contract/test_graph.py`: what the schema promises, tried on the service as it runs."""

from __future__ import annotations

from nines.building.names import package
from nines.model.design import Design


def text(design: Design) -> str:
    return _TEXT.replace("<package>", package(design))


_TEXT = '''"""What schema.graphql promises: the same operations behind the same guards, and bounded documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

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

from tests.contract.running import ROOT, Answer, Service

SCHEMA = build_schema((ROOT / "src/<package>/_generated/schema.graphql").read_text(encoding="utf-8"))
CONTRACT = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
OPERATIONS = {
    each["operationId"]: each
    for item in CONTRACT["paths"].values()
    for each in item.values()
    if isinstance(each, dict) and "operationId" in each
}
QUERIES = SCHEMA.query_type.fields if SCHEMA.query_type else {}
CHANGES = SCHEMA.mutation_type.fields if SCHEMA.mutation_type else {}
PAGES = [name for name, field in QUERIES.items() if "items" in getattr(get_named_type(field.type), "fields", {})]
FIELDS_MAX = 200


def ask(service: Service, query: str, *, headers: dict[str, str] | None = None, **variables: Any) -> Answer:
    return service.ask("POST", "/graphql", body={"query": query, "variables": variables}, headers=headers or {})


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


def selected(kind: Any, depth: int = 4) -> str:
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


def test_the_schema_is_told_on_a_laptop(service: Service) -> None:
    told = ask(service, "{ __schema { queryType { fields { name } } } }").body["data"]["__schema"]
    assert {each["name"] for each in told["queryType"]["fields"]} == set(QUERIES)


@pytest.mark.parametrize("name", [name for name in {**QUERIES, **CHANGES} if name in OPERATIONS])
def test_strangers_come_no_further_than_elsewhere(service: Service, name: str) -> None:
    field = {**QUERIES, **CHANGES}[name]
    call = called(name, field)
    if not call or not OPERATIONS[name].get("security", CONTRACT.get("security")):
        pytest.skip("it takes a body, or is everybody's")
    kind = "query" if name in QUERIES else "mutation"
    answer = ask(service, f"{kind} {{ {call} {selected(get_named_type(field.type), 1)} }}")
    assert codes(answer) == ["unauthorized"]
    assert answer.body["data"] == {name: None}


def test_a_credential_that_does_not_hold_opens_nothing(service: Service) -> None:
    headers = {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}
    answer = ask(service, "{ __typename }", headers=headers)
    assert answer.status == (401 if CONTRACT.get("security") else 200)


@pytest.mark.parametrize("name", PAGES)
def test_pages_hold_what_they_hold_elsewhere_and_lead_on(
    service: Service, credential: dict[str, str], name: str
) -> None:
    query = f"{{ {name}(pageSize: 5) {selected(get_named_type(QUERIES[name].type))} }}"
    answer = ask(service, query, headers=credential)
    assert answer.status == 200
    assert "errors" not in answer.body, answer.content
    path = next(path for path, item in CONTRACT["paths"].items() if item.get("get", {}).get("operationId") == name)
    same = service.ask("GET", f"{path}?page_size=5", headers=credential)
    shown = answer.body["data"][name]["items"]
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
def test_what_is_too_much_or_wrong_is_refused(service: Service, query: str) -> None:
    headers = {"accept": "application/graphql-response+json"}
    answer = ask(service, query, headers=headers)
    assert answer.status in (400, 422)
    assert answer.headers["content-type"].startswith("application/graphql-response+json")
    assert codes(answer)[0] in ("invalid-request", "malformed-request")
    assert "data" not in answer.body


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_is_too_long_costs_too_much(service: Service, credential: dict[str, str], name: str) -> None:
    answer = ask(service, f"{{ {name}(pageSize: 100000) {{ items {{ __typename }} }} }}", headers=credential)
    assert codes(answer) == ["invalid-request"]


def test_only_one_document_comes_at_a_time_and_only_by_post(service: Service) -> None:
    assert service.ask("GET", "/graphql").status == 405
    assert service.ask("POST", "/graphql", body=[{"query": "{ __typename }"}]).problem == "malformed-request"
    assert service.ask("POST", "/graphql", body=b"{}", headers={"content-type": "text/plain"}).status == 415
'''
