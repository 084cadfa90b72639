"""Tests of a built service: what the contract promises of every operation, tried on the service as it runs."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building.file import File
from nines.building.names import package
from nines.building.project import settings
from nines.model.blueprint import OF_ACCOUNTS, Action
from nines.model.design import Design


def write(design: Design) -> Iterator[File]:
    yield File(path="tests/__init__.py", text="", is_owned=True)
    yield File(path="tests/unit/__init__.py", text="", is_owned=True)
    yield File(path="tests/unit/test_settings.py", text=_unit(design), is_owned=True)
    yield File(path="tests/contract/__init__.py", text="")
    yield File(path="tests/contract/running.py", text=_running(design))
    yield File(path="tests/contract/conftest.py", text=_CONFTEST)
    yield File(path="tests/contract/test_contract.py", text=_contract(design))


def _contract(design: Design) -> str:
    """The names, passwords and codes of examples are nobody's: signing in is left to tests of its own."""
    left = [each.id for each in design.endpoints if each.action in OF_ACCOUNTS and each.action is not Action.REGISTER]
    if not left:
        return _CONTRACT
    told = "".join(f'    "{each}",\n' for each in left)
    names = f'SIGNING_IN = {{\n{told}}}\n"""Examples hold nobody\'s name, password or code."""\n'
    plain = 'CREATIONS = [each for each in WITH_BODY if each["method"] == "POST" and "{" not in each["path"]]\n'
    chosen = plain.replace(" for each in WITH_BODY", " for each in SENT")
    sent = 'SENT = [each for each in WITH_BODY if each["operationId"] not in SIGNING_IN]\n'
    return _CONTRACT.replace(plain, f"{names}{sent}{chosen}")


def _unit(design: Design) -> str:
    name = package(design)
    required = [each.name for each in settings.settings(design) if not each.default]
    missing = "\n".join(f'    assert "{each}" in str(caught.value)' for each in required) or "    assert caught.value"
    return f'''"""Yours: tests of your own code, without a server and without a database."""

from __future__ import annotations

import pytest
from nines_runtime import SettingsError, read_settings

from {name}.settings import Settings


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(Settings, {{}})
{missing}
'''


def _running(design: Design) -> str:
    name = package(design)
    return f'''"""The service as it runs on a laptop, and somebody who asks it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
START_S_MAX = 120.0
STOP_S_MAX = 30.0
ANSWER_S_MAX = 30.0


class Answer:
    def __init__(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status, self.headers, self.content = status, headers, content

    @property
    def body(self) -> Any:
        return json.loads(self.content) if self.content else None

    @property
    def problem(self) -> str:
        """The last part of the problem's type; empty for what is none."""
        is_problem = self.headers.get("content-type", "").startswith("application/problem+json")
        return str(self.body["type"]).rpartition("/")[2] if is_problem else ""


class Service:
    """A process with a database of its own in a folder that is gone afterwards."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = (folder / "log").open("wb")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        inherited = {{key: value for key, value in os.environ.items() if not key.endswith(("_URL", "_FILE"))}}
        self._environment = inherited | {{
            "ENVIRONMENT": "local",
            "LIMIT_FACTOR": "100000",
            "PYTHONPATH": str(ROOT / "src"),
        }}
        command = [sys.executable, "-m", "{name}", "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, cwd=folder, env=self._environment, stdout=self._log, stderr=subprocess.STDOUT
        )

    def wait(self) -> None:
        """Until it is ready; fails with what it wrote."""
        until_s = time.monotonic() + START_S_MAX
        while time.monotonic() < until_s and self._process.poll() is None:
            try:
                if self.ask("GET", "/health/ready").status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError((self._folder / "log").read_text()[-4_000:])

    def stop(self) -> int:
        """The exit code after SIGTERM."""
        self._process.terminate()
        try:
            return self._process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        finally:
            self._log.close()

    def ask(self, method: str, path: str, *, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """A body that is no bytes is sent as JSON."""
        given = dict(headers or {{}})
        content = body
        if body is not None and not isinstance(body, bytes):
            content = json.dumps(body).encode()
            given.setdefault("content-type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S_MAX)
        try:
            # What is refused before it was read whole is answered all the same.
            with contextlib.suppress(BrokenPipeError):
                connection.request(method, path, content, given)
            answer = connection.getresponse()
            found = {{key.lower(): value for key, value in answer.getheaders()}}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()
{_credential(design)}'''


def _can_mint(design: Design) -> bool:
    return settings.is_issued_elsewhere(design)


def _credential(design: Design) -> str:
    """A method that gives somebody's credentials, where the laboratory can make some."""
    if settings.has_console(design):
        return _of_console(design)
    if not _can_mint(design):
        return '''
    def credential(self) -> dict[str, str] | None:
        """Of somebody who may do everything; None: people sign in here, which your own tests may do."""
        return None
'''
    words = ['"--subject"', '"somebody"']
    words += ['"--tenant"', '"first"'] if design.tenancy else []
    words += ['"--role"', f'"{",".join(role.name for role in design.roles)}"'] if design.roles else []
    words += ['"--factors"', '"2"'] if any(role.needs_second_factor for role in design.roles) else []
    lines = f'        command = [sys.executable, "-m", "{package(design)}.tokens", {", ".join(words)}]'
    if len(lines) > 120:
        lines = "\n".join(
            ["        command = [", *(f"            {each}," for each in ["sys.executable", '"-m"',
             f'"{package(design)}.tokens"', *words]), "        ]"]
        )  # fmt: skip
    return f'''
    def credential(self) -> dict[str, str] | None:
        """Of somebody who may do everything."""
{lines}
        found = subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=True
        )
        return {{"authorization": f"Bearer {{found.stdout.strip()}}"}}
'''


def _of_console(design: Design) -> str:
    """Somebody whom an operator makes, with every role that there is."""
    granted = "".join(
        f'        self._people("grant", "somebody@example.com", "{role.name}")\n' for role in design.roles
    )
    return f'''
    def credential(self) -> dict[str, str] | None:
        """Of somebody who may do everything, made at the operator's console."""
        self._people("add", "somebody@example.com")
{granted}        return {{"authorization": f"Bearer {{self._people('token', 'somebody@example.com')}}"}}

    def _people(self, *words: str) -> str:
        found = subprocess.run(
            [sys.executable, "-m", "{package(design)}.people", *words],
            cwd=self._folder,
            env=self._environment | {{"NEW_PASSWORD": "correct horse battery staple"}},
            capture_output=True,
            text=True,
            check=True,
        )
        return found.stdout.strip()
'''


_CONFTEST = '''"""One service for all tests of the contract."""

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

_CONTRACT = '''"""What openapi.yaml promises of every operation alike, and each creation with its own example."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.contract.running import ROOT, Answer, Service

CONTRACT = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
ID = re.compile(r"([a-z0-9]+)_[0-9a-f]{32}")
Operation = dict[str, Any]


def operations() -> Iterator[Operation]:
    for path, item in CONTRACT["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield {**operation, "path": path, "method": method.upper()}


OPERATIONS = tuple(operations())
SECURED = [each for each in OPERATIONS if each.get("security", CONTRACT.get("security"))]
WITH_BODY = [each for each in OPERATIONS if "requestBody" in each]
CREATIONS = [each for each in WITH_BODY if each["method"] == "POST" and "{" not in each["path"]]


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
    """In the order in which one creation refers to another."""
    made: dict[str, str] = {}
    waiting = list(CREATIONS)
    for operation in [*waiting, *waiting]:
        if operation not in waiting:
            continue
        media_type, example = example_of(operation)
        body, lacking = _referring(example, made)
        if lacking:
            continue
        waiting.remove(operation)
        headers = {**credential, **keyed(operation), "content-type": media_type}
        answer = service.ask("POST", operation["path"], body=body, headers=headers)
        check(operation, answer)
        assert answer.status < 300, answer.content
        _remember(answer.body, made)
        if "idempotency-key" in headers:
            again = service.ask("POST", operation["path"], body=body, headers=headers)
            assert (again.status, again.content) == (answer.status, answer.content)
            other = service.ask("POST", operation["path"], body={**body, "unknown": 1}, headers=headers)
            assert other.status == 422
        if "location" in answer.headers:
            read = service.ask("GET", answer.headers["location"], headers=credential)
            assert read.status == 200, read.content
            assert read.body["id"] == answer.body["id"]


def _referring(example: Any, made: dict[str, str]) -> tuple[Any, set[str]]:
    """The example with identifiers of what was made, and the prefixes of those that are lacking."""
    lacking: set[str] = set()

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: replaced(each) for key, each in value.items()}
        if isinstance(value, list):
            return [replaced(each) for each in value]
        found = ID.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return value
        if found[1] not in made:
            lacking.add(found[1])
        return made.get(found[1], value)

    return replaced(example), lacking


def _remember(body: Any, made: dict[str, str]) -> None:
    found = ID.fullmatch(str(body.get("id", ""))) if isinstance(body, dict) else None
    if found is not None:
        made[found[1]] = found[0]
'''
