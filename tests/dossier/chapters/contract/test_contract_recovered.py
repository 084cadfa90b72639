"""What is told of a service that was read: what is known, and that the rest is not."""

from __future__ import annotations

from openapi_spec_validator import validate

from nines.dossier.chapters import contract
from nines.dossier.chapters.contract import openapi
from nines.model.blueprint import Card
from nines.model.design import Design, PlannedAnswer, PlannedEndpoint, PlannedParameter, Shape, Source
from tests import tools


def endpoint(method: str, path: str, **more: object) -> PlannedEndpoint:
    return PlannedEndpoint(id=f"{method} {path}", method=method, path=path, **more)  # type: ignore[arg-type]


FOUND = Design(
    card=Card(name="shop", api=""),
    source=Source.CODE,
    where="shop",
    endpoints=(
        endpoint("GET", "/items/{item_id:int}", guards_known=False),
        endpoint("POST", "items", request="ItemIn", is_public=True),
        endpoint(
            "GET",
            "/items",
            parameters=(
                PlannedParameter(name="q", location="query", schema={"type": "string"}),
                PlannedParameter(name="upload", location="file", schema={}),
            ),
            answers=(PlannedAnswer(status=200, says="", shape="Item"),),
        ),
        endpoint("GET", "/items/{id}", summary="The same, registered twice."),
        endpoint("ANY", "/proxy"),
        endpoint("PUT", "/items-{item_id}"),
        endpoint("PUT", "/items/{item_id}"),
    ),
    shapes=(
        Shape(name="Item", schema={"type": "object", "properties": {"id": {"type": "integer"}}}),
        Shape(name="ItemIn", schema={"type": "object"}),
        Shape(name="Unused", schema={}),
    ),
)


def test_the_document_holds_what_is_known_and_marks_what_is_not() -> None:
    document = openapi.document(FOUND)
    validate(document)
    rules = {each["rule"] for each in tools.lint_openapi(document)}
    assert rules <= {"info-contact", "operation-success-response"}
    operations = {
        (method, path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }
    assert set(operations) == {
        ("get", "/items/{item_id}"),
        ("post", "/items"),
        ("get", "/items"),
        ("put", "/items-{item_id}"),
        ("put", "/items/{item_id}"),
    }
    assert operations["get", "/items/{item_id}"]["x-nines-unknown"] == ["callers", "answers"]
    assert operations["post", "/items"]["x-nines-unknown"] == ["answers"]
    assert "x-nines-unknown" not in operations["get", "/items"]
    assert list(document["components"]["schemas"]) == ["Item", "ItemIn"]
    assert operations["get", "/items"]["parameters"] == [{"name": "q", "in": "query", "schema": {"type": "string"}}]


def test_the_page_lists_every_operation_and_promises_nothing() -> None:
    documents = {each.path: each.text for each in contract.write(FOUND)}
    page = documents["contract/README.md"]
    for each in FOUND.endpoints:
        assert f"`{each.method} {each.path}`" in page
    assert "2 operations cannot be told in openapi.yaml." in page
    assert "of 1 the answers are known" in page
    assert "What holds for every operation" not in page
    assert not any(path.endswith(("problems.md", "asyncapi.yaml", "changes.md")) for path in documents)


def test_a_service_without_operations_has_a_page() -> None:
    empty = Design(card=Card(name="worker"), source=Source.CODE)
    documents = {each.path: each.text for each in contract.write(empty)}
    validate(openapi.document(empty))
    assert "There is none." in documents["contract/README.md"]
