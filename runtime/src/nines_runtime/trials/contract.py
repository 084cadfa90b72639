"""What a contract promises of every operation alike, and each creation with its own example."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from nines_runtime.trials.running import Answer, Running

Operation = dict[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete")
_LARGE = b" " * 2_000_000


class Promises:
    """A contract (OpenAPI 3.1), and how its examples hang together."""

    def __init__(
        self,
        path: Path,
        *,
        makes: Mapping[str, str] | None = None,
        refers: Mapping[str, Mapping[str, str]] | None = None,
        decided: Collection[str] = (),
        signing_in: Collection[str] = (),
    ) -> None:
        """`makes`: which resource a creation makes. `refers`: which members of its body name which other resource.
        `decided`: operations about which functions of the owner or other services decide too; they may refuse.
        `signing_in`: operations whose examples hold nobody's name, password or code."""
        self.contract: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.makes, self.refers = dict(makes or {}), dict(refers or {})
        self.decided, self.signing_in = frozenset(decided), frozenset(signing_in)

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(
            {**operation, "path": path, "method": method.upper()}
            for path, item in self.contract["paths"].items()
            for method, operation in item.items()
            if method in _METHODS
        )

    def kinds(self) -> dict[str, list[Operation]]:
        """The operations of which a test is about each, by the argument that it takes."""
        return {
            "secured": [each for each in self.operations if each.get("security", self.contract.get("security"))],
            "with_body": [each for each in self.operations if "requestBody" in each],
            "needing_key": [each for each in self.operations if self.requires(each, "idempotency-key")],
            "needing_version": [each for each in self.operations if self.requires(each, "if-match")],
        }

    def creations(self) -> list[Operation]:
        """Each after those that make what it refers to."""
        waiting = [
            each
            for each in self.operations
            if "requestBody" in each
            and each["method"] == "POST"
            and "{" not in each["path"]
            and named(each) not in self.signing_in
        ]
        found: list[Operation] = []
        while waiting:
            to_be_made = {self.makes.get(named(each), "") for each in waiting}
            ready = [
                each for each in waiting if not to_be_made & (self._needs(each) - {self.makes.get(named(each), "")})
            ]
            found += ready or waiting
            waiting = [each for each in waiting if each not in found]
        return found

    def _needs(self, operation: Operation) -> set[str]:
        return set(self.refers.get(named(operation), {}).values())

    def resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        """What a reference leads to."""
        found: Any = part
        while "$ref" in found:
            keys = found["$ref"].removeprefix("#/").split("/")
            found = self.contract
            for key in keys:
                found = found[key]
        return dict(found)

    def requires(self, operation: Operation, header: str) -> bool:
        return any(each.get("required") for each in self._parameters(operation, header))

    def keyed(self, operation: Operation) -> dict[str, str]:
        """A new key, where the operation takes one."""
        is_taken = any(self._parameters(operation, "idempotency-key"))
        return {"idempotency-key": uuid.uuid4().hex} if is_taken else {}

    def _parameters(self, operation: Operation, name: str) -> Iterator[dict[str, Any]]:
        found = (self.resolved(each) for each in operation.get("parameters", ()))
        return (each for each in found if each.get("name", "").lower() == name)

    def check(self, operation: Operation, answer: Answer) -> None:
        """Status, media type and members are those of the contract."""
        assert str(answer.status) in operation["responses"], answer.content
        promised = self.resolved(operation["responses"][str(answer.status)])
        content = promised.get("content", {})
        if not content:
            assert not answer.content
            return
        media_type = answer.headers["content-type"].partition(";")[0]
        assert media_type in content
        schema = self.resolved(content[media_type]["schema"])
        assert not set(schema.get("required", ())) - set(answer.body), answer.content

    def referring(self, operation: Operation, example: dict[str, Any], made: dict[str, Any]) -> dict[str, Any] | None:
        """The example with identifiers of what was made; None where something is lacking that it cannot do without."""
        body = dict(example)
        content = next(iter(operation["requestBody"]["content"].values()))
        required = self.resolved(content["schema"]).get("required", ())
        named_so: dict[str, Any] = {}
        for member, resource in self.refers.get(named(operation), {}).items():
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


class Contract:
    """Tests for a class of yours with `promises`. They take the fixtures `service` (a Running) and `credential` (the
    headers of somebody who may do everything)."""

    promises: ClassVar[Promises]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        for argument, operations in self.promises.kinds().items():
            if argument in metafunc.fixturenames:
                metafunc.parametrize(argument, operations, ids=named)

    def test_the_contract_is_served_as_it_is_written(self, service: Running) -> None:
        answer = service.ask("GET", "/openapi.json")
        assert answer.status == 200
        assert answer.body == self.promises.contract

    @pytest.mark.parametrize("path", ["/health/startup", "/health/ready", "/health/live", "/metrics"])
    def test_whoever_runs_it_is_told_how_it_is(self, service: Running, path: str) -> None:
        assert service.ask("GET", path).status == 200

    @pytest.mark.parametrize(
        "shown", [{}, {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}], ids=["nothing", "none"]
    )
    def test_nobody_comes_in_without_a_credential_that_holds(
        self, service: Running, secured: Operation, shown: dict[str, str]
    ) -> None:
        body: Any = {} if "requestBody" in secured else None
        answer = service.ask(secured["method"], path_of(secured), body=body, headers=shown)
        assert (answer.status, answer.problem) == (401, "unauthorized")
        assert "www-authenticate" in answer.headers

    def test_what_is_not_there_is_a_problem_like_any_other(self, service: Running) -> None:
        assert service.ask("GET", "/nothing/here").problem == "not-found"
        answer = service.ask("TRACE", self.promises.operations[0]["path"].partition("{")[0])
        assert answer.status in (404, 405)
        assert answer.problem

    def test_a_body_of_another_kind_or_size_is_refused(
        self, service: Running, with_body: Operation, credential: dict[str, str]
    ) -> None:
        headers = {**credential, **self.promises.keyed(with_body), "if-match": '"1"'}
        media_type, _ = example_of(with_body)
        sent = ((b"x", "text/plain"), (_LARGE, media_type), (b"{", media_type))
        other, large, broken = (
            service.ask(
                with_body["method"], path_of(with_body), body=body, headers={**headers, "content-type": content_type}
            )
            for body, content_type in sent
        )
        assert (other.status, large.status, broken.status) == (415, 413, 400)
        assert all(each.problem for each in (other, large, broken))

    def test_a_key_that_is_required_is_missed(
        self, service: Running, needing_key: Operation, credential: dict[str, str]
    ) -> None:
        body = example_of(needing_key)[1] if "requestBody" in needing_key else None
        headers = {**credential, "if-match": '"1"'}
        answer = service.ask(needing_key["method"], path_of(needing_key), body=body, headers=headers)
        assert answer.status == 400
        assert answer.problem

    def test_a_change_of_what_was_not_read_is_refused(
        self, service: Running, needing_version: Operation, credential: dict[str, str]
    ) -> None:
        media_type, body = example_of(needing_version) if "requestBody" in needing_version else ("", None)
        typed = {"content-type": media_type} if media_type else {}
        headers = {**credential, **self.promises.keyed(needing_version), **typed}
        answer = service.ask(needing_version["method"], path_of(needing_version), body=body, headers=headers)
        assert answer.status == 428
        assert answer.problem

    def test_examples_are_answered_as_the_contract_says_and_repeated_under_their_key(
        self, service: Running, credential: dict[str, str]
    ) -> None:
        made: dict[str, Any] = {}
        for operation in self.promises.creations():
            media_type, example = example_of(operation)
            body = self.promises.referring(operation, example, made)
            if body is None:
                continue
            headers = {**credential, **self.promises.keyed(operation), "content-type": media_type}
            answer = service.ask("POST", operation["path"], body=body, headers=headers)
            self.promises.check(operation, answer)
            if named(operation) in self.promises.decided and answer.status >= 400:
                continue
            assert answer.status < 300, answer.content
            if named(operation) in self.promises.makes and "id" in (answer.body or {}):
                made[self.promises.makes[named(operation)]] = answer.body["id"]
            if "idempotency-key" in headers:
                again = service.ask("POST", operation["path"], body=body, headers=headers)
                assert (again.status, again.content) == (answer.status, answer.content)
                other = service.ask("POST", operation["path"], body={**body, "unknown": 1}, headers=headers)
                assert other.status == 422
            if "location" in answer.headers:
                read = service.ask("GET", answer.headers["location"], headers=credential)
                assert read.status == 200, read.content
                assert read.body["id"] == answer.body["id"]


def named(operation: Operation) -> str:
    return str(operation["operationId"])


def path_of(operation: Operation) -> str:
    """With identifiers that nothing has."""
    return re.sub(r"\{[^}]+\}", "x", operation["path"])


def example_of(operation: Operation) -> tuple[str, Any]:
    """The media type of the body, and the contract's own example."""
    media_type, content = next(iter(operation["requestBody"]["content"].items()))
    examples = content.get("examples", {})
    return media_type, next((each["value"] for each in examples.values()), {})
