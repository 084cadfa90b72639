"""Over HTTP: on loopback, for whoever holds the token, and for no page that a browser was lured to."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client.streamable_http import streamable_http_client

from mcp import Client
from nines.cli.main import run
from nines.mcp.serving import Guarded

EXAMPLES = Path(__file__).parents[2] / "examples"
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
ACCEPT = "application/json, text/event-stream"


class Served:
    """A server with the token that it made up."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-m", "nines", "mcp", "--root", str(EXAMPLES), "--http", "0"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self.address = self.process.stderr.readline().split()[-1]
        self.token = self.process.stderr.readline().split()[-1]

    def status(self, **headers: str) -> int:
        with httpx2.Client(trust_env=False) as client:
            found = client.post(self.address, json=PING, headers={"accept": ACCEPT, **headers})
        status: int = found.status_code
        return status


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    found = Served()
    try:
        yield found
    finally:
        found.process.send_signal(signal.SIGINT)
        assert found.process.wait(30) == 130
        assert found.process.stderr is not None
        found.process.stderr.close()


def test_only_loopback_and_a_long_token(served: Served) -> None:
    assert served.address.startswith("http://127.0.0.1:")
    assert len(served.token) >= 40


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Basic {token}"}, 401),
        ({"authorization": "Bearer {token}x"}, 401),
        ({"authorization": "Bearer {token}", "host": "evil.example"}, 421),
        ({"authorization": "Bearer {token}", "host": "evil.example:80"}, 421),
        ({"authorization": "Bearer {token}", "origin": "http://evil.example"}, 403),
        ({"authorization": "Bearer {token}", "origin": "null"}, 403),
        ({"host": "evil.example"}, 421),
        ({"authorization": "Bearer {token}"}, 400),
    ],
)  # fmt: skip
def test_strangers_are_turned_away(served: Served, headers: dict[str, str], status: int) -> None:
    """The last has every right, and only lacks a session."""
    assert served.status(**{name: value.format(token=served.token) for name, value in headers.items()}) == status


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_session_over_http(served: Served, mode: str) -> None:
    async def main() -> None:
        headers = {"authorization": f"Bearer {served.token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http,
            Client(streamable_http_client(served.address, http_client=http), mode=mode) as client,
        ):
            found = await client.call_tool("review", {"path": "payments-careless", "limit": 2})
            assert not found.is_error
            assert len(found.structured_content["findings"]) == 2

    anyio.run(main)


def test_the_guard_answers_before_the_application_is_asked() -> None:
    asked: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope)

    async def main(headers: list[tuple[bytes, bytes]]) -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        guard = Guarded(application, token="t" * 20, hosts=("127.0.0.1:1",), origins=("http://127.0.0.1:1",))
        await guard({"type": "http", "headers": headers}, None, send)  # type: ignore[arg-type]
        await guard({"type": "websocket", "headers": headers}, None, send)  # type: ignore[arg-type]
        return sent

    good = [(b"host", b"127.0.0.1:1"), (b"authorization", b"bearer " + b"t" * 20)]
    for headers in (
        [],
        [*good, good[0]],
        [*good, good[1]],
        [good[0]],
        [good[0], (b"authorization", b"Bearer \xff\xfe")],
    ):
        sent = anyio.run(main, headers)
        assert sent[0]["status"] in (401, 421)
        assert asked == []
    assert anyio.run(main, good) == []
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--http", "70000"], "is no port"),
        (["--token-file", "/none"], "belongs to --http"),
        (["--http", "0", "--token-file", "/none"], "the token cannot be read"),
        (["--root", "/not/there"], "a root must be a folder"),
    ],
)
def test_what_cannot_be_served_is_said(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mcp", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_token_that_can_be_guessed_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NINES_MCP_TOKEN", "secret")
    assert run(["mcp", "--http", "0"]) == 2
    assert "at least 16" in capsys.readouterr().err
