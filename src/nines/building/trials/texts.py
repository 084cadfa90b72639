"""The text of the tests that every built service brings along; what differs among them is told in `examples.py`."""

from __future__ import annotations

CONFTEST = '''"""One service for all tests of the contract."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.running import Service


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    # Not below pytest's own folder, which the database's user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="contract-"))
    running = Service(folder)
    try:
        running.wait()
        yield running
        assert running.stop() == 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def credential(service: Service) -> dict[str, str]:
    found = service.credential()
    if found is None:
        pytest.skip("nobody can be signed in without signing in")
    return found
'''

CONTRACT = '''"""What openapi.yaml promises of every operation alike, and each creation with its own example."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.contract.examples import DECIDED, MAKES, REFERS, SIGNING_IN
from tests.contract.running import ROOT, Answer, Service

CONTRACT = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
Operation = dict[str, Any]


def operations() -> Iterator[Operation]:
    for path, item in CONTRACT["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield {**operation, "path": path, "method": method.upper()}


OPERATIONS = tuple(operations())
SECURED = [each for each in OPERATIONS if each.get("security", CONTRACT.get("security"))]
WITH_BODY = [each for each in OPERATIONS if "requestBody" in each]
CREATIONS = [
    each
    for each in WITH_BODY
    if each["method"] == "POST" and "{" not in each["path"] and each["operationId"] not in SIGNING_IN
]


def named(operation: Operation) -> str:
    return str(operation["operationId"])


def takes(operation: Operation, header: str) -> bool:
    """Whether the header is required."""
    return any(
        _resolved(each).get("name", "").lower() == header and _resolved(each).get("required")
        for each in operation.get("parameters", ())
    )


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    found: Any = part
    while "$ref" in found:
        keys = found["$ref"].removeprefix("#/").split("/")
        found = CONTRACT
        for key in keys:
            found = found[key]
    return dict(found)


def path_of(operation: Operation) -> str:
    """With identifiers that nothing has."""
    return re.sub(r"\\{[^}]+\\}", "x", operation["path"])


def example_of(operation: Operation) -> tuple[str, Any]:
    """The media type of the body, and the contract's own example."""
    media_type, content = next(iter(operation["requestBody"]["content"].items()))
    examples = content.get("examples", {})
    return media_type, next((each["value"] for each in examples.values()), {})


def keyed(operation: Operation) -> dict[str, str]:
    names = {_resolved(each).get("name", "").lower() for each in operation.get("parameters", ())}
    return {"idempotency-key": uuid.uuid4().hex} if "idempotency-key" in names else {}


def check(operation: Operation, answer: Answer) -> None:
    """Status, media type and members are those of the contract."""
    assert str(answer.status) in operation["responses"], answer.content
    promised = _resolved(operation["responses"][str(answer.status)])
    content = promised.get("content", {})
    if not content:
        assert not answer.content
        return
    media_type = answer.headers["content-type"].partition(";")[0]
    assert media_type in content
    schema = _resolved(content[media_type]["schema"])
    assert not set(schema.get("required", ())) - set(answer.body), answer.content


def test_the_contract_is_served_as_it_is_written(service: Service) -> None:
    answer = service.ask("GET", "/openapi.json")
    assert answer.status == 200
    assert answer.body == CONTRACT


@pytest.mark.parametrize("path", ["/health/startup", "/health/ready", "/health/live", "/metrics"])
def test_whoever_runs_it_is_told_how_it_is(service: Service, path: str) -> None:
    assert service.ask("GET", path).status == 200


@pytest.mark.parametrize("operation", SECURED, ids=named)
@pytest.mark.parametrize("shown", [{}, {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}], ids=["nothing", "none"])
def test_nobody_comes_in_without_a_credential_that_holds(
    service: Service, operation: Operation, shown: dict[str, str]
) -> None:
    body: Any = {} if "requestBody" in operation else None
    answer = service.ask(operation["method"], path_of(operation), body=body, headers=shown)
    assert (answer.status, answer.problem) == (401, "unauthorized")
    assert "www-authenticate" in answer.headers


def test_what_is_not_there_is_a_problem_like_any_other(service: Service) -> None:
    assert service.ask("GET", "/nothing/here").problem == "not-found"
    answer = service.ask("TRACE", OPERATIONS[0]["path"].partition("{")[0])
    assert answer.status in (404, 405)
    assert answer.problem


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
def test_a_body_of_another_kind_or_size_is_refused(
    service: Service, operation: Operation, credential: dict[str, str]
) -> None:
    headers = {**credential, **keyed(operation), "if-match": '"1"'}
    media_type, _ = example_of(operation)
    other = service.ask(
        operation["method"], path_of(operation), body=b"x", headers={**headers, "content-type": "text/plain"}
    )
    large = service.ask(
        operation["method"], path_of(operation), body=b" " * 2_000_000, headers={**headers, "content-type": media_type}
    )
    broken = service.ask(
        operation["method"], path_of(operation), body=b"{", headers={**headers, "content-type": media_type}
    )
    assert (other.status, large.status) == (415, 413)
    assert broken.status == 400
    assert all(each.problem for each in (other, large, broken))


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if takes(each, "idempotency-key")], ids=named)
def test_a_key_that_is_required_is_missed(service: Service, operation: Operation, credential: dict[str, str]) -> None:
    body = example_of(operation)[1] if "requestBody" in operation else None
    answer = service.ask(operation["method"], path_of(operation), body=body, headers={**credential, "if-match": '"1"'})
    assert answer.status == 400
    assert answer.problem


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if takes(each, "if-match")], ids=named)
def test_a_change_of_what_was_not_read_is_refused(
    service: Service, operation: Operation, credential: dict[str, str]
) -> None:
    media_type, body = example_of(operation) if "requestBody" in operation else ("", None)
    headers = {**credential, **keyed(operation), **({"content-type": media_type} if media_type else {})}
    answer = service.ask(operation["method"], path_of(operation), body=body, headers=headers)
    assert answer.status == 428
    assert answer.problem


def test_examples_are_answered_as_the_contract_says_and_repeated_under_their_key(
    service: Service, credential: dict[str, str]
) -> None:
    made: dict[str, Any] = {}
    for operation in _in_order():
        media_type, example = example_of(operation)
        body = _referring(operation, example, made)
        if body is None:
            continue
        headers = {**credential, **keyed(operation), "content-type": media_type}
        answer = service.ask("POST", operation["path"], body=body, headers=headers)
        check(operation, answer)
        if named(operation) in DECIDED and answer.status >= 400:
            continue
        assert answer.status < 300, answer.content
        if named(operation) in MAKES and "id" in (answer.body or {}):
            made[MAKES[named(operation)]] = answer.body["id"]
        if "idempotency-key" in headers:
            again = service.ask("POST", operation["path"], body=body, headers=headers)
            assert (again.status, again.content) == (answer.status, answer.content)
            other = service.ask("POST", operation["path"], body={**body, "unknown": 1}, headers=headers)
            assert other.status == 422
        if "location" in answer.headers:
            read = service.ask("GET", answer.headers["location"], headers=credential)
            assert read.status == 200, read.content
            assert read.body["id"] == answer.body["id"]


def _in_order() -> list[Operation]:
    """Each creation after those that make what it refers to."""
    found: list[Operation] = []
    waiting = list(CREATIONS)
    while waiting:
        to_be_made = {MAKES.get(named(each), "") for each in waiting}
        ready = [each for each in waiting if not to_be_made & (_needs(each) - {MAKES.get(named(each), "")})]
        found += ready or waiting
        waiting = [each for each in waiting if each not in found]
    return found


def _needs(operation: Operation) -> set[str]:
    return set(REFERS.get(named(operation), {}).values())


def _referring(operation: Operation, example: dict[str, Any], made: dict[str, Any]) -> dict[str, Any] | None:
    """The example with identifiers of what was made; None where something is lacking that it cannot do without."""
    body = dict(example)
    content = next(iter(operation["requestBody"]["content"].values()))
    required = _resolved(content["schema"]).get("required", ())
    named_so: dict[str, Any] = {}
    for member, resource in REFERS.get(named(operation), {}).items():
        shown = body.get(member)
        # Only one of each was made, and some bodies name two that differ.
        is_made = resource in made and named_so.setdefault(resource, shown) in (shown, [shown])
        if is_made:
            body[member] = [made[resource]] if isinstance(shown, list) else made[resource]
        elif member in required:
            return None
        else:
            body.pop(member, None)
    return body
'''
