"""OpenAPI documents become contracts; what is wrong in them is told, what is hostile does no harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nines.model.contract import Link
from nines.model.errors import SourceError
from nines.readers.openapi import find, read
from nines.readers.openapi.schemas import RECURSIVE

ITEM = {"type": "object", "properties": {"id": {"type": "integer"}, "parent": {"$ref": "#/components/schemas/Item"}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Shop", "version": "2"},
    "servers": [
        {"url": "https://{host}/api/{version}/", "variables": {"host": {"default": "x"}, "version": {"default": "v1"}}}
    ],
    "security": [{"bearer": []}],
    "paths": {
        "/items/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                {"name": "page", "in": "query", "schema": {"type": "integer", "example": 3}},
            ],
            "get": {
                "operationId": "getItem",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {
                    "200": {
                        "description": "ok",
                        "headers": {"ETag": {"schema": {"type": "string"}}},
                        "content": {
                            "text/html": {},
                            "application/json": {"schema": {"$ref": "#/components/schemas/Item"}},
                        },
                    },
                    "4XX": {"description": "no"},
                },
            },
            "delete": {"security": [], "responses": {"204": {"description": "gone"}}},
        },
        "/items": {
            "post": {
                "operationId": "createItem",
                "deprecated": True,
                "security": [{"bearer": ["write"]}, {"key": []}, {}],
                "requestBody": {
                    "content": {
                        "multipart/form-data": {"schema": {"type": "object"}},
                        "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
                        "application/vnd.shop+json": {
                            "schema": {
                                "allOf": [
                                    {
                                        "type": "object",
                                        "required": ["a"],
                                        "properties": {"a": {"type": "string", "nullable": True}},
                                    },
                                    {
                                        "required": ["b"],
                                        "properties": {
                                            "b": {"type": "integer", "minimum": 0, "exclusiveMinimum": True}
                                        },
                                    },
                                ]
                            },
                            "example": {"a": None, "b": 1},
                        },
                    }
                },
                "responses": {
                    "201": {
                        "description": "made",
                        "links": {
                            "byId": {"operationId": "getItem", "parameters": {"id": "$response.body#/id"}},
                            "byRef": {
                                "operationRef": "#/paths/~1items~1{id}/delete",
                                "parameters": {"path.id": "$response.body#/data/id"},
                            },
                        },
                    }
                },
            }
        },
    },
    "components": {
        "schemas": {"Item": ITEM},
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "Bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        },
    },
}


def _read(document: Any) -> Any:
    return read(json.dumps(document).encode(), "test")


def test_operations_with_everything_resolved() -> None:
    contract = _read(DOCUMENT)
    assert contract.problems == ()
    assert [(o.id, o.method, o.path) for o in contract.operations] == [
        ("getItem", "GET", "/api/v1/items/{id}"),
        ("DELETE /api/v1/items/{id}", "DELETE", "/api/v1/items/{id}"),
        ("createItem", "POST", "/api/v1/items"),
    ]
    get, delete, create = contract.operations
    assert [(p.name, p.schema["type"], p.example) for p in get.parameters] == [
        ("id", "integer", None),
        ("page", "integer", 3),
    ]
    assert (get.security, delete.security) == ((("bearer",),), ())
    assert create.security == (("bearer",), ("key",), ())
    assert not create.is_secured
    assert create.is_deprecated
    assert get.answer(200).media_type == "application/json"
    assert get.answer(200).headers == ("ETag",)
    assert get.answer(404).status == "4XX"
    assert get.answer(200).schema["properties"]["parent"] == {RECURSIVE: "#/components/schemas/Item"}
    assert [(s.name, s.kind, s.scheme, s.parameter) for s in contract.security_schemes] == [
        ("bearer", "http", "bearer", ""),
        ("key", "apiKey", "", "X-Key"),
    ]


def test_bodies_prefer_json_and_are_brought_to_one_style() -> None:
    body = _read(DOCUMENT).operation("createItem").body
    assert body.media_type == "application/vnd.shop+json"
    assert body.is_required is False
    assert body.examples == ({"a": None, "b": 1},)
    assert body.schema == {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"type": ["string", "null"]}, "b": {"type": "integer", "exclusiveMinimum": 0}},
    }


def test_links_lead_by_id_and_by_reference() -> None:
    assert _read(DOCUMENT).operation("createItem").links == (
        Link(target="getItem", parameter="id", pointer="/id"),
        Link(target="DELETE /api/v1/items/{id}", parameter="id", pointer="/data/id"),
    )


def test_yaml_says_the_same_and_dates_stay_text() -> None:
    text = yaml.safe_dump(DOCUMENT, sort_keys=False).encode()
    assert read(text, "test").operations == _read(DOCUMENT).operations
    dated = (
        b"openapi: 3.1.0\ninfo: {title: t, version: 2024-01-01}\n"
        b"paths: {/a: {get: {responses: {200: {description: x}}}}}\n"
    )
    contract = read(dated, "test")
    assert contract.version == "2024-01-01"
    assert contract.operations[0].answers[0].status == "200"


def test_swagger_2() -> None:
    contract = _read(
        {
            "swagger": "2.0",
            "info": {"title": "t", "version": "1"},
            "basePath": "/v2",
            "consumes": ["application/json"],
            "securityDefinitions": {"basic": {"type": "basic"}},
            "security": [{"basic": []}],
            "definitions": {"Pet": {"type": "object", "properties": {"name": {"type": "string"}}}},
            "paths": {
                "/pets": {
                    "post": {
                        "operationId": "add",
                        "parameters": [
                            {"in": "body", "name": "pet", "required": True, "schema": {"$ref": "#/definitions/Pet"}},
                            {"in": "query", "name": "dry", "type": "boolean"},
                        ],
                        "responses": {"200": {"description": "ok", "schema": {"$ref": "#/definitions/Pet"}}},
                    },
                    "put": {
                        "parameters": [{"in": "formData", "name": "photo", "type": "file", "required": True}],
                        "responses": {"200": {"description": "ok"}},
                    },
                }
            },
        }
    )
    put, add = contract.operations
    assert add.path == "/v2/pets"
    assert add.body.schema == {"type": "object", "properties": {"name": {"type": "string"}}}
    assert [parameter.name for parameter in add.parameters] == ["dry"]
    assert put.body.media_type == "multipart/form-data"
    assert contract.security_schemes[0].scheme == "basic"


def test_what_is_wrong_is_told_and_the_rest_is_read() -> None:
    contract = _read(
        {
            "openapi": "3.1.0",
            "info": {},
            "paths": {
                "/a": {"get": {"operationId": "same", "responses": {"200": {"$ref": "#/components/responses/none"}}}},
                "/b": {"get": {"operationId": "same", "parameters": [7, {"name": "x"}], "responses": []}},
                "/c": 3,
            },
        }
    )
    assert [operation.id for operation in contract.operations] == ["GET /a", "GET /b"]
    assert contract.problems
    assert any("#/components/responses/none leads nowhere" in problem for problem in contract.problems)


@pytest.mark.parametrize("reference", ["file:///etc/passwd", "http://127.0.0.1:9/x.json", "other.yaml#/a"])
def test_references_out_of_the_document_are_not_followed(reference: str) -> None:
    document = json.loads(json.dumps(DOCUMENT))
    document["paths"]["/items"]["post"]["requestBody"] = {"$ref": reference}
    contract = _read(document)
    assert contract.operation("createItem").body is None
    assert any("leads out" in problem for problem in contract.problems)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b"just: yaml",
        b"a: [",
        b"\xff\xfe",
        b'{"openapi": "3.0.0", "paths": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b"openapi: 3.0.0\npaths: &a {x: *a}\n",
        b"openapi: !!python/object/apply:os.system ['true']\n",
        b"openapi: 3.0.0\n"
        + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9) if n else b"1") for n in range(12)),
    ],
    ids=["empty", "list", "null", "nothing", "yaml", "broken", "binary", "deep", "circle", "tag", "bomb"],
)
def test_what_is_no_openapi_is_one_clear_error(document: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        read(document, "x.yaml")
    assert caught.value.where.startswith("x.yaml")
    assert caught.value.hint


def test_schemas_that_grow_without_end_are_cut() -> None:
    schemas: dict[str, Any] = {
        f"S{n}": {
            "type": "object",
            "properties": {f"p{i}": {"$ref": f"#/components/schemas/S{n + 1}"} for i in range(9)},
        }
        for n in range(20)
    }
    schemas["S20"] = {"type": "string"}
    operation = {
        "responses": {
            "200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}}
        }
    }
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": operation}}}
    contract = _read(document | {"components": {"schemas": schemas}})
    assert "x-nines-truncated" in json.dumps(contract.operations[0].answers[0].schema)


def test_a_pattern_that_never_ends_is_not_tried() -> None:
    schema = {"type": "string", "pattern": "^(a+)+$", "default": "a" * 40 + "!"}
    operation = {
        "parameters": [{"name": "q", "in": "query", "schema": schema}],
        "responses": {"200": {"description": ""}},
    }
    contract = _read({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": operation}}})
    assert contract.operations[0].parameters[0].schema["default"] == schema["default"]


_KEYS = st.sampled_from(
    [
        *("$ref", "get", "post", "/a", "parameters", "schema", "content", "responses", "200", "allOf", "properties"),
        *("in", "name", "type", "nullable", "enum", "servers", "url", "security", "links", "requestBody", "required"),
    ]
)
_LEAVES = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    st.sampled_from(["#/paths/~1a", "3.0.0", "path"]),
)
_VALUES = st.recursive(
    _LEAVES,
    lambda children: st.one_of(st.lists(children, max_size=3), st.dictionaries(_KEYS, children, max_size=5)),
    max_leaves=25,
)


@given(
    paths=_VALUES, components=_VALUES, servers=_VALUES, security=_VALUES, version=st.sampled_from(["3.0.0", "3.1.0"])
)
@settings(max_examples=100, deadline=None)
def test_malformed_documents_are_read_as_far_as_possible(
    paths: Any, components: Any, servers: Any, security: Any, version: str
) -> None:
    document = {
        "openapi": version,
        "paths": {"/a": {"get": paths, "parameters": paths}},
        "components": {"schemas": components, "securitySchemes": components},
        "servers": servers,
        "security": security,
    }
    contract = _read(document)
    assert len(contract.operations) == (1 if isinstance(paths, dict) else 0)
    assert len(contract.problems) <= 20


def test_the_usual_places_are_searched(tmp_path: Path) -> None:
    assert find(tmp_path) is None
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "openapi.yml").write_text("openapi: 3.1.0")
    assert find(tmp_path) == tmp_path / "docs" / "openapi.yml"
    (tmp_path / "openapi.json").write_text("{}")
    assert find(tmp_path) == tmp_path / "openapi.json"
