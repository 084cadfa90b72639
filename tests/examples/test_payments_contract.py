"""The reference service: pages, problem details, hostile input and the published contract."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from tests.examples.conftest import Caller, Stage, payment

pytestmark = pytest.mark.lab


def assert_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert {"type", "title", "detail", "instance", "request_id"} <= document.keys()
    assert document["request_id"] == answer.headers["x-request-id"]
    for inside in ("Traceback", "asyncpg", "pydantic", "SELECT", ".py"):
        assert inside not in answer.text


def test_pages_show_everything_once_and_cursors_are_bound(owner: Caller, peer: Caller, account: str) -> None:
    mine = owner.open_account()
    made = {owner.pay(mine).json()["id"] for _ in range(5)}
    filters = {"account_id": mine, "page_size": 2}
    seen: list[str] = []
    cursor: str | None = None
    sizes = []
    while True:
        page = owner.get("/v1/payments", params=filters | ({"cursor": cursor} if cursor else {})).json()
        seen += [one["id"] for one in page["items"]]
        sizes.append(len(page["items"]))
        bound, cursor = cursor or page["next_cursor"], page["next_cursor"]
        if cursor is None:
            break
    assert sizes == [2, 2, 1]
    assert seen == sorted(made, reverse=True)
    for params in ({"account_id": account}, {"account_id": mine, "status": "failed"}, {}):
        assert_problem(owner.get("/v1/payments", params=params | {"cursor": bound}), 400)
    assert_problem(peer.get("/v1/payments", params={"account_id": mine, "cursor": bound}), 400)
    for wrong in ("x", "é", bound[:-1] + ("A" if bound[-1] != "A" else "B"), ""):
        assert_problem(owner.get("/v1/payments", params=filters | {"cursor": wrong}), 400)


@pytest.mark.parametrize("size", ["0", "201", "-1", "x", "9" * 400])
def test_the_size_of_a_page_is_capped(owner: Caller, size: str) -> None:
    assert_problem(owner.get("/v1/accounts", params={"page_size": size}), 422)


def test_statements_do_not_grow_with_the_rows_shown(stage: Stage, owner: Caller) -> None:
    account = owner.open_account()
    for _ in range(6):
        owner.pay(account)
    small = owner.get("/v1/payments", params={"account_id": account, "page_size": 1})
    large = owner.get("/v1/payments", params={"account_id": account, "page_size": 200})
    assert len(small.json()["items"]) == 1
    assert len(large.json()["items"]) == 6


def test_errors_of_the_framework_are_problems_too(stage: Stage, owner: Caller) -> None:
    client = stage.client
    assert_problem(client.get("/nothing"), 404)
    wrong_method = client.delete("/v1/payments")
    assert_problem(wrong_method, 405)
    assert "GET" in wrong_method.headers["allow"]
    assert_problem(owner.get("/v1/payments/1' OR 1=1"), 404)
    assert_problem(owner.get("/v1/payments/pay_%00"), 404)
    assert_problem(owner.get("/v1/payments", params={"statsu": "failed"}), 422)


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b"{}", "application/json; charset=latin-1", 415),
        (b"{", "application/json", 400),
        (b"\xff\xfe{}", "application/json", 400),
        (b'{"name": "\xff"}', "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"a":' * 9_000 + b"1" + b"}" * 9_000, "application/json", 400),
        (b"1" * 5_000, "application/json", 400),
        (b"", "application/json", 422),
        (b"null", "application/json", 422),
        (b"[]", "application/json", 422),
        (b'{"name": "\\u0000", "currency": "EUR"}', "application/json", 422),
        (b'{"name": "\\ud800", "currency": "EUR"}', "application/json", 422),
        (b'{"name": "x", "currency": "EUR", "\\ud800": 1}', "application/json", 422),
        (b'{"name": "x", "currency": "EUR", "owner_id": "me"}', "application/json", 422),
        (b'{"name": "x", "currency": NaN}', "application/json", 422),
        (b"x" * 70_000, "application/json", 413),
    ],
    ids=range(18),
)
def test_hostile_bodies_are_refused(owner: Caller, content: bytes, content_type: str, status: int) -> None:
    headers = owner.headers | {"content-type": content_type}
    answer = owner.client.post("/v1/accounts", content=content, headers=headers)
    if status == 400 and answer.status_code == 422:
        # How deep nesting may go before it counts as malformed is the parser's own business.
        assert len(content) > 4_000
        status = 422
    assert_problem(answer, status)


def test_a_body_without_length_is_capped_too(owner: Caller) -> None:
    headers = owner.headers | {"content-type": "application/json"}
    chunks = (b"x" * 10_000 for _ in range(10))
    assert_problem(owner.client.post("/v1/accounts", content=chunks, headers=headers), 413)


@pytest.mark.parametrize("amount", [0, -1, 10**13, 10**40, 1.5, "1", None, True, [], {}])
def test_only_sensible_amounts_are_taken(owner: Caller, account: str, amount: Any) -> None:
    body = payment(account)
    body["amount"]["amount_minor"] = amount
    answer = owner.post("/v1/payments", body)
    assert_problem(answer, 422)
    assert answer.json()["errors"][0]["pointer"] == "/amount/amount_minor"


def test_every_answer_carries_the_usual_headers(stage: Stage, owner: Caller) -> None:
    for answer in (stage.client.get("/nothing"), owner.get("/v1/accounts"), stage.client.get("/health/live")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
    limited = owner.get("/v1/accounts")
    assert limited.headers["ratelimit-policy"] == '"default";q=60000;w=60'


def test_the_contract_is_valid_and_describes_every_error(stage: Stage) -> None:
    document = stage.client.get("/openapi.json").json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for operation in operations.values():
            answers = operation["responses"]
            if path.startswith("/v1"):
                assert {"429", "500", "503"} <= answers.keys()
            if operation.get("security"):
                assert "401" in answers
            for status, answer in answers.items():
                if status >= "400":
                    assert answer["content"].keys() == {"application/problem+json"}, (path, status)
    links = document["paths"]["/v1/payments"]["post"]["responses"]["201"]["links"]
    assert links["getPayment"]["operationId"] == "getPayment"
    assert "HTTPValidationError" not in json.dumps(document)


def test_metrics_and_log_tell_what_happened_without_secrets(stage: Stage, owner: Caller) -> None:
    owner.get("/v1/accounts")
    metrics = stage.client.get("/metrics").text
    assert 'operation="listAccounts"' in metrics
    lines = [json.loads(line) for line in stage.service.log.read_text().splitlines()]
    assert any(line.get("operation") == "listAccounts" and line["status"] == 200 for line in lines)
    assert owner.token not in stage.service.log.read_text()
    assert "a good long password" not in stage.service.log.read_text()
