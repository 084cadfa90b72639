"""What breaks callers is named, and what does not is not called so."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from nines.checkers.contracts import compare
from nines.model.change import Impact

Json = dict[str, Any]


def document() -> Json:
    """A small contract, complete enough that each thing in it can change."""
    money = {
        "type": "object",
        "required": ["amount_minor", "currency"],
        "properties": {
            "amount_minor": {"type": "integer", "exclusiveMinimum": 0, "maximum": 1000},
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        },
    }
    payment = {
        "type": "object",
        "required": ["id", "amount", "status", "note"],
        "properties": {
            "id": {"type": "string"},
            "amount": {"$ref": "#/components/schemas/Money"},
            "status": {"type": "string", "enum": ["pending", "captured"]},
            "note": {"type": ["string", "null"], "maxLength": 200},
        },
    }
    create = {
        "type": "object",
        "additionalProperties": False,
        "required": ["amount"],
        "properties": {
            "amount": {"$ref": "#/components/schemas/MoneyInput"},
            "method": {"type": "string", "enum": ["card", "debit"]},
        },
    }
    answer = {
        "description": "Created.",
        "headers": {"ETag": {"schema": {"type": "string"}}},
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Payment"}}},
    }
    return {
        "openapi": "3.1.1",
        "paths": {
            "/v1/payments": {
                "post": {
                    "operationId": "createPayment",
                    "parameters": [{"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PaymentCreate"}}},
                    },
                    "responses": {"201": answer, "409": {"description": "Conflict."}},
                },
                "get": {
                    "operationId": "listPayments",
                    "security": [],
                    "parameters": [
                        {"name": "page_size", "in": "query", "schema": {"type": "integer", "maximum": 200}},
                    ],
                    "responses": {"200": {"description": "A page."}},
                },
            },
            "/v1/payments/{payment_id}": {
                "get": {
                    "operationId": "getPayment",
                    "parameters": [
                        {"name": "payment_id", "in": "path", "required": True, "schema": {"type": "string"}},
                    ],
                    "responses": {"200": copy.deepcopy(answer)},
                }
            },
        },
        "security": [{"accessToken": []}],
        "components": {
            "schemas": {
                "Money": money,
                "MoneyInput": money | {"additionalProperties": False},
                "Payment": payment,
                "PaymentCreate": create,
            }
        },
    }


def schemas(doc: Json) -> Any:
    return doc["components"]["schemas"]


def operation(doc: Json, path: str = "/v1/payments", method: str = "post") -> Any:
    return doc["paths"][path][method]


def _remove_operation(doc: Json) -> None:
    del doc["paths"]["/v1/payments"]["get"]


def _require_member(doc: Json) -> None:
    schemas(doc)["PaymentCreate"]["required"].append("method")


def _new_required_member(doc: Json) -> None:
    schemas(doc)["PaymentCreate"]["properties"]["reason"] = {"type": "string"}
    schemas(doc)["PaymentCreate"]["required"].append("reason")


def _drop_request_member(doc: Json) -> None:
    del schemas(doc)["PaymentCreate"]["properties"]["method"]


def _drop_enum_value(doc: Json) -> None:
    schemas(doc)["PaymentCreate"]["properties"]["method"]["enum"] = ["card"]


def _tighten(doc: Json) -> None:
    schemas(doc)["MoneyInput"]["properties"] = copy.deepcopy(schemas(doc)["MoneyInput"]["properties"])
    schemas(doc)["MoneyInput"]["properties"]["amount_minor"]["maximum"] = 500


def _retype(doc: Json) -> None:
    schemas(doc)["PaymentCreate"]["properties"]["method"] = {"type": "integer"}


def _change_form(doc: Json) -> None:
    schemas(doc)["MoneyInput"]["properties"] = copy.deepcopy(schemas(doc)["MoneyInput"]["properties"])
    schemas(doc)["MoneyInput"]["properties"]["currency"]["pattern"] = "^[A-Z]{2}$"


def _change_status(doc: Json) -> None:
    responses = operation(doc)["responses"]
    responses["200"] = responses.pop("201")


def _drop_answer_member(doc: Json) -> None:
    del schemas(doc)["Payment"]["properties"]["note"]
    schemas(doc)["Payment"]["required"].remove("note")


def _optional_answer_member(doc: Json) -> None:
    schemas(doc)["Payment"]["required"].remove("note")


def _nullable_answer(doc: Json) -> None:
    schemas(doc)["Payment"]["properties"]["id"]["type"] = ["string", "null"]


def _drop_header(doc: Json) -> None:
    del operation(doc)["responses"]["201"]["headers"]


def _require_parameter(doc: Json) -> None:
    operation(doc)["parameters"][0]["required"] = True


def _new_required_parameter(doc: Json) -> None:
    operation(doc)["parameters"].append({"name": "x", "in": "query", "required": True, "schema": {}})


def _drop_parameter(doc: Json) -> None:
    operation(doc, method="get")["parameters"] = []


def _tighten_parameter(doc: Json) -> None:
    operation(doc, method="get")["parameters"][0]["schema"]["maximum"] = 100


def _secure(doc: Json) -> None:
    del operation(doc, method="get")["security"]


def _other_scheme(doc: Json) -> None:
    doc["security"] = [{"apiKey": []}]


def _other_media_type(doc: Json) -> None:
    body = operation(doc)["requestBody"]["content"]
    body["application/xml"] = body.pop("application/json")


def _other_answer_media_type(doc: Json) -> None:
    content = operation(doc)["responses"]["201"]["content"]
    content["application/xml"] = content.pop("application/json")


def _require_new_body(doc: Json) -> None:
    operation(doc, "/v1/payments/{payment_id}", "get")["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }


BREAKING = [
    (_remove_operation, "operation-removed", "GET /v1/payments"),
    (_require_member, "request-member-required", "POST /v1/payments"),
    (_new_required_member, "request-member-required", "POST /v1/payments"),
    (_drop_request_member, "request-member-removed", "POST /v1/payments"),
    (_drop_enum_value, "request-values-removed", "POST /v1/payments"),
    (_tighten, "request-bound-tightened", "POST /v1/payments"),
    (_retype, "request-type-narrowed", "POST /v1/payments"),
    (_change_form, "request-form-changed", "POST /v1/payments"),
    (_change_status, "answer-removed", "POST /v1/payments"),
    (_drop_answer_member, "answer-member-removed", "GET /v1/payments/{payment_id}"),
    (_optional_answer_member, "answer-member-optional", "GET /v1/payments/{payment_id}"),
    (_nullable_answer, "answer-type-widened", "GET /v1/payments/{payment_id}"),
    (_drop_header, "answer-header-removed", "POST /v1/payments"),
    (_require_parameter, "parameter-required", "POST /v1/payments"),
    (_new_required_parameter, "parameter-required", "POST /v1/payments"),
    (_drop_parameter, "parameter-removed", "GET /v1/payments"),
    (_tighten_parameter, "request-bound-tightened", "GET /v1/payments"),
    (_secure, "security-added", "GET /v1/payments"),
    (_other_scheme, "security-changed", "POST /v1/payments"),
    (_other_media_type, "body-type-removed", "POST /v1/payments"),
    (_other_answer_media_type, "answer-type-removed", "POST /v1/payments"),
    (_require_new_body, "body-required", "GET /v1/payments/{payment_id}"),
]


@pytest.mark.parametrize(("change", "rule", "where"), BREAKING, ids=[each[0].__name__[1:] for each in BREAKING])
def test_what_breaks_callers_is_named(change: Callable[[Json], None], rule: str, where: str) -> None:
    before, after = document(), document()
    change(after)
    broken = [each for each in compare(before, after) if each.is_breaking]
    assert (rule, where) in {(each.rule, each.operation) for each in broken}
    assert {each.rule for each in broken} == {rule}
    assert all(each.says and each.whom for each in broken)


def _add_operation(doc: Json) -> None:
    doc["paths"]["/v1/refunds"] = {"get": {"responses": {"200": {"description": "A page."}}}}


def _add_optional_member(doc: Json) -> None:
    schemas(doc)["PaymentCreate"]["properties"]["note"] = {"type": "string", "maxLength": 20}


def _add_answer_member(doc: Json) -> None:
    schemas(doc)["Payment"]["properties"]["captured_at"] = {"type": ["string", "null"]}
    schemas(doc)["Payment"]["required"].append("captured_at")


def _loosen(doc: Json) -> None:
    create = schemas(doc)["PaymentCreate"]
    create["required"] = []
    create["properties"]["method"]["enum"].append("wallet")
    operation(doc, method="get")["parameters"][0]["schema"] = {"type": ["integer", "string"]}


def _add_error(doc: Json) -> None:
    operation(doc)["responses"]["503"] = {"description": "Away."}


def _drop_error(doc: Json) -> None:
    del operation(doc)["responses"]["409"]


def _add_optional_parameter(doc: Json) -> None:
    operation(doc, method="get")["parameters"].append({"name": "status", "in": "query", "schema": {"type": "string"}})


def _tighten_answer(doc: Json) -> None:
    payment = schemas(doc)["Payment"]["properties"]
    payment["note"] = {"type": "string", "maxLength": 100}
    payment["status"]["enum"] = ["pending"]


def _open(doc: Json) -> None:
    operation(doc)["security"] = []


def _rename_path_parameter(doc: Json) -> None:
    item = doc["paths"].pop("/v1/payments/{payment_id}")
    item["get"]["parameters"][0]["name"] = "id"
    doc["paths"]["/v1/payments/{id}"] = item


def _deprecate(doc: Json) -> None:
    operation(doc)["deprecated"] = True


def _inline(doc: Json) -> None:
    content = operation(doc)["responses"]["201"]["content"]["application/json"]
    content["schema"] = copy.deepcopy(schemas(doc)["Payment"])


COMPATIBLE = [
    _add_operation,
    _add_optional_member,
    _add_answer_member,
    _loosen,
    _add_error,
    _drop_error,
    _add_optional_parameter,
    _tighten_answer,
    _open,
    _rename_path_parameter,
    _deprecate,
    _inline,
]


@pytest.mark.parametrize("change", COMPATIBLE, ids=[each.__name__[1:] for each in COMPATIBLE])
def test_what_does_not_break_callers_is_not_called_so(change: Callable[[Json], None]) -> None:
    before, after = document(), document()
    change(after)
    assert [each for each in compare(before, after) if each.impact is not Impact.COMPATIBLE] == []


def test_a_new_value_in_an_answer_is_a_risk() -> None:
    before, after = document(), document()
    schemas(after)["Payment"]["properties"]["status"]["enum"].append("refunded")
    found = compare(before, after)
    assert {(each.rule, each.impact) for each in found} == {("answer-values-added", Impact.RISKY)}
    assert "refunded" in found[0].says


def test_schemas_that_refer_to_themselves_end() -> None:
    tree = {
        "type": "object",
        "properties": {"value": {"type": "string"}, "next": {"$ref": "#/components/schemas/Tree"}},
    }
    before, after = document(), document()
    for doc in (before, after):
        schemas(doc)["Tree"] = copy.deepcopy(tree)
        schemas(doc)["PaymentCreate"]["properties"]["tree"] = {"$ref": "#/components/schemas/Tree"}
    assert compare(before, after) == ()
    schemas(after)["Tree"]["properties"]["value"]["maxLength"] = 5
    assert {each.rule for each in compare(before, after)} == {"request-bound-tightened"}


@pytest.mark.parametrize(
    "odd",
    [None, [], "x", {"paths": []}, {"paths": {"/a": {"get": 5}}}, {"paths": {"/a": {"$ref": "#/paths/~1a"}}}],
)
def test_odd_documents_are_compared_without_an_error(odd: Any) -> None:
    assert all(each.rule == "operation-removed" for each in compare(document(), odd))
    assert all(each.rule == "operation-added" for each in compare(odd, document()))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_tighten, "has maximum 500 instead of maximum 1000"),
        (_retype, "is integer instead of string"),
        (_drop_enum_value, "may no longer be debit"),
        (_change_form, "has pattern ^[A-Z]{2}$ instead of pattern ^[A-Z]{3}$"),
        (_nullable_answer, "is null or string instead of string"),
        (_optional_answer_member, "may be missing"),
        (_drop_answer_member, "is gone"),
        (_secure, "asks who calls"),
    ],
    ids=lambda each: each.__name__[1:] if callable(each) else "",
)
def test_a_change_says_what_is_and_what_was(change: Callable[[Json], None], says: str) -> None:
    after = document()
    change(after)
    assert says in {each.says for each in compare(document(), after) if each.is_breaking}
