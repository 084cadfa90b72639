"""What experiments share: signs of a leak, signs of belonging, and the choice of operations."""

from __future__ import annotations

import json

import pytest

from nines.experiments.belonging import Belonging, is_evidence, names_owner, sharing
from nines.experiments.choosing import harms_identity, is_door, is_gate, is_named, is_plumbing
from nines.experiments.database.n_plus_one import rows_shown, size_parameter, sized
from nines.experiments.leaks import leak_in
from nines.model.contract import Body, ContractParameter, Operation
from nines.model.history import Exchange, Outcome


def answer(body: str, *, path: str = "/x", status: int = 400, sent: str = "") -> Exchange:
    outcome = Outcome.OK if status < 400 else Outcome.FAILED
    return Exchange(
        operation="x", method="GET", path=path, outcome=outcome, status=status, body=body, request_body=sent
    )


@pytest.mark.parametrize(
    "body",
    [
        'Traceback (most recent call last):\n  File "/app/main.py", line 3',
        "at com.example.Users.find(Users.java:42)",
        "Error: x\n    at Object.<anonymous> (/srv/app/index.js:10:5)",
        "goroutine 17 [running]:",
        '(psycopg.errors.UniqueViolation) duplicate key value violates unique constraint "users_email_key"',
        "sqlalchemy.exc.DataError",
        "[SQL: SELECT users.id FROM users WHERE users.id = %s]",
        'relation "users" does not exist',
        "/usr/lib/python3.11/site-packages/flask/app.py",
        "could not connect to postgresql://app:hunter2@db:5432/app",
        "-----BEGIN RSA PRIVATE KEY-----",
        "AKIAABCDEFGHIJKLMNOP",
    ],
)
def test_the_inside_is_recognised(body: str) -> None:
    assert leak_in(answer(body))
    assert leak_in(answer(json.dumps({"detail": body})))


@pytest.mark.parametrize(
    "body",
    [
        '{"detail": [{"loc": ["body", "name"], "msg": "field required", "type": "missing"}]}',
        '{"type": "https://example.com/problems/conflict", "title": "An account with this name exists already"}',
        "Select a plan from the list, please",
        "See /docs/errors for help",
        '{"detail": "Not Found", "path": "/api/v1/users/me"}',
        "Update the item or set another name",
    ],
)
def test_polite_answers_are_no_leak(body: str) -> None:
    assert leak_in(answer(body)) == ""


def test_what_the_caller_sent_itself_is_no_leak() -> None:
    text = "SELECT 1 FROM users"
    assert leak_in(answer(f"bad value: {text}", sent=f'{{"name": "{text}"}}')) == ""
    assert leak_in(answer(f"bad value: {text}")) == "an SQL statement"


def test_a_marker_in_the_path_proves_nothing() -> None:
    own = answer('{"slug": "n9abc", "body": "secret"}', path="/a/n9abc", status=200)
    echo = answer('{"detail": "n9abc is fine"}', path="/a/n9abc", status=200)
    same = answer(own.body, path="/a/n9abc", status=200)
    assert not is_evidence(own, echo, "n9abc")
    assert is_evidence(own, same, "n9abc")


def test_a_status_alone_proves_nothing() -> None:
    own = answer('{"id": 7, "name": "n9abc"}', path="/a/7", status=200)
    assert is_evidence(own, answer('{"name": "n9abc"}', path="/a/7", status=200), "n9abc")
    assert not is_evidence(own, answer('{"name": "another"}', path="/a/7", status=200), "n9abc")
    assert not is_evidence(own, answer('{"name": "n9abc"}', path="/a/7", status=404), "n9abc")


def test_lists_tell_whose_an_object_is() -> None:
    mine = answer('[{"id": 7, "name": "n9abc"}]', status=200)
    others = answer('{"items": [{"id": 8, "total": 7}]}', status=200)
    bare = answer('[{"id": 7}]', status=200)
    assert sharing("n9abc", "7", mine, others) is Belonging.SEPARATED
    assert sharing("n9abc", "7", mine, mine) is Belonging.SHARED
    assert sharing("n9abc", "7", bare, others) is Belonging.SEPARATED
    assert sharing("n9abc", "7", others, mine) is Belonging.UNCLEAR
    assert sharing("n9abc", "7", None, mine) is Belonging.UNCLEAR


@pytest.mark.parametrize("name", ["owner_id", "userId", "author", "createdBy", "customer_email"])
def test_an_object_may_name_its_owner(name: str) -> None:
    assert names_owner(answer(json.dumps({"item": {"id": 1, name: "x"}}), status=200))
    assert not names_owner(answer('{"id": 1, "title": "x", "used": 3}', status=200))


def op(method: str, path: str, *fields: str, security: bool = True) -> Operation:
    schema = {"type": "object", "properties": {field: {"type": "string"} for field in fields}}
    return Operation(
        id=f"{method} {path}",
        method=method,
        path=path,
        body=Body(media_type="application/json", schema=schema) if fields else None,
        security=(("bearer",),) if security else (),
    )


def test_operations_that_open_and_lock_doors() -> None:
    assert is_door(op("POST", "/api/login"))
    assert is_door(op("POST", "/users", "email", "password"))
    assert not is_door(op("POST", "/orders", "sku"))
    assert is_gate(op("POST", "/auth/login", "email", "password"))
    assert not is_gate(op("POST", "/users", "email", "password"))
    assert harms_identity(op("DELETE", "/users/me"))
    assert harms_identity(op("PUT", "/api/user", "email"))
    assert harms_identity(op("POST", "/logout"))
    assert not harms_identity(op("POST", "/users", "email", "password", security=False))
    assert not harms_identity(op("PUT", "/orders/{id}", "sku"))
    assert not harms_identity(op("GET", "/users/me"))
    assert is_plumbing(op("GET", "/health/ready"))
    assert not is_plumbing(op("GET", "/orders"))


def test_the_owner_names_operations_by_id_and_by_path() -> None:
    operation = op("GET", "/orders/{id}")
    assert is_named(operation, ("GET /orders/{id}",))
    assert is_named(operation, ("/orders/*",))
    assert not is_named(operation, ("/orders",))


def test_rows_and_page_sizes() -> None:
    assert rows_shown('{"items": [1, 2, 3], "links": [1]}') == 3
    assert rows_shown("[]") == 0
    assert rows_shown('{"count": 3}') is None
    assert rows_shown('[{"a": 1}, ') is None
    size = ContractParameter(name="pageSize", location="query")
    assert size_parameter(Operation(id="x", method="GET", path="/x", parameters=(size,))) == "pageSize"
    assert sized("/x?a=1&pageSize=9", "pageSize", 3) == "/x?a=1&pageSize=3"
