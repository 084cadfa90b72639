"""A trial that cannot fail shows nothing: each of a contract is failed by a service that breaks it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from nines_runtime.trials import Answer, Contract, Promises, Running

CONTRACT = {
    "security": [{"token": []}],
    "paths": {
        "/v1/notes": {
            "post": {
                "operationId": "createNote",
                "parameters": [{"name": "Idempotency-Key", "in": "header", "required": True}],
                "requestBody": {
                    "content": {"application/json": {"schema": {}, "examples": {"one": {"value": {"text": "a"}}}}}
                },
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"required": ["id"]}}}},
                },
            }
        },
        "/v1/notes/{id}": {
            "patch": {
                "operationId": "updateNote",
                "parameters": [{"name": "If-Match", "in": "header", "required": True}],
                "responses": {},
            }
        },
    },
}
CREDENTIAL = {"authorization": "Bearer good"}
Handler = Callable[[str, str, Any, Mapping[str, str]], Answer]


def problem(status: int, code: str, **headers: str) -> Answer:
    body = json.dumps({"type": f"/problems/{code}"}).encode()
    return Answer(status, {"content-type": "application/problem+json", **headers}, body)


class Good:
    """Keeps all of it."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def ask(self, method: str, path: str, *, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        given = headers or {}
        if path == "/openapi.json":
            return Answer(200, {}, json.dumps(CONTRACT).encode())
        if path.startswith(("/health", "/metrics")):
            return Answer(200, {}, b"")
        if not path.startswith("/v1/notes") or method == "TRACE":
            return problem(404, "not-found")
        if given.get("authorization") != CREDENTIAL["authorization"]:
            return problem(401, "unauthorized", **{"www-authenticate": "Bearer"})
        return self.allowed(method, body, given)

    def allowed(self, method: str, body: Any, given: Mapping[str, str]) -> Answer:
        if isinstance(body, bytes):
            status = 415 if given["content-type"] == "text/plain" else 413 if len(body) > 1_000_000 else 400
            return problem(status, "wrong")
        if method == "PATCH":
            return problem(428, "precondition-required")
        if "idempotency-key" not in given:
            return problem(400, "key-required")
        key = given["idempotency-key"]
        if key in self.kept and b"unknown" not in json.dumps(body).encode():
            return Answer(201, {"content-type": "application/json"}, self.kept[key])
        if key in self.kept:
            return problem(422, "key-reused")
        self.kept[key] = json.dumps({"id": f"note_{len(self.kept)}"}).encode()
        return Answer(201, {"content-type": "application/json"}, self.kept[key])


class Careless(Good):
    """Keeps none of it, and never fails."""

    def ask(self, method: str, path: str, *, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        return Answer(204, {}, b"")


class Forgetful(Good):
    """Does it again for the same key."""

    def allowed(self, method: str, body: Any, given: Mapping[str, str]) -> Answer:
        return super().allowed(method, body, {**given, "idempotency-key": f"k{len(self.kept)}"})


def trials(tmp_path: Path) -> dict[str, Callable[[Running], None]]:
    path = tmp_path / "openapi.yaml"
    path.write_text(json.dumps(CONTRACT))
    kinds = (promises := Promises(path, makes={"createNote": "Note"})).kinds()
    assert {kind: len(operations) for kind, operations in kinds.items()} == {
        "secured": 2, "with_body": 1, "needing_key": 1, "needing_version": 1,
    }  # fmt: skip
    tried = type("Tried", (Contract,), {"promises": promises})()
    create, update = kinds["secured"]
    return {
        "served": tried.test_the_contract_is_served_as_it_is_written,
        "health": lambda it: tried.test_whoever_runs_it_is_told_how_it_is(it, "/health/live"),
        "nobody": lambda it: tried.test_nobody_comes_in_without_a_credential_that_holds(it, create, {}),
        "missing": tried.test_what_is_not_there_is_a_problem_like_any_other,
        "body": lambda it: tried.test_a_body_of_another_kind_or_size_is_refused(it, create, CREDENTIAL),
        "key": lambda it: tried.test_a_key_that_is_required_is_missed(it, create, CREDENTIAL),
        "version": lambda it: tried.test_a_change_of_what_was_not_read_is_refused(it, update, CREDENTIAL),
        "examples": lambda it: tried.test_examples_are_answered_as_the_contract_says_and_repeated_under_their_key(
            it, CREDENTIAL
        ),
    }


def test_a_service_that_keeps_its_contract_passes(tmp_path: Path) -> None:
    for trial in trials(tmp_path).values():
        trial(cast("Running", Good()))


def test_a_service_that_does_not_fails_each(tmp_path: Path) -> None:
    for trial in trials(tmp_path).values():
        with pytest.raises((AssertionError, KeyError)):
            trial(cast("Running", Careless()))


def test_whoever_does_it_again_for_the_same_key_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        trials(tmp_path)["examples"](cast("Running", Forgetful()))


def test_what_refers_to_something_is_made_after_it(tmp_path: Path) -> None:
    content = {"application/json": {"schema": {"required": ["note_id"]}}}
    paths = {
        f"/v1/{name}s": {"post": {"operationId": name, "requestBody": {"content": content}}}
        for name in ("reply", "note")
    }
    path = tmp_path / "openapi.yaml"
    path.write_text(json.dumps({"paths": paths}))
    promises = Promises(path, makes={"note": "Note", "reply": "Reply"}, refers={"reply": {"note_id": "Note"}})
    reply = promises.creations()[1]
    assert [each["operationId"] for each in promises.creations()] == ["note", "reply"]
    assert promises.referring(reply, {"note_id": "x"}, {"Note": "note_1"}) == {"note_id": "note_1"}
    assert promises.referring(reply, {"note_id": "x"}, {}) is None
