"""However a server ends, nothing is left behind; and its output is the protocol's alone."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import pytest

from nines.mcp.wire import LINE_BYTES_MAX
from tests.mcp.conversation import Server


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    try:
        yield found
    finally:
        found.close()


@pytest.mark.lab
@pytest.mark.parametrize("how", ["closed pipe", "Ctrl-C", "killed"])
def test_an_experiment_under_way_ends_with_the_server(server: Server, how: str) -> None:
    server.prove()
    server.until_ready()
    server.look()
    assert len(server.started) > 3
    if how == "closed pipe":
        assert server.process.stdin is not None
        server.process.stdin.close()
        assert server.process.wait(60) == 0
    else:
        server.process.send_signal(signal.SIGINT if how == "Ctrl-C" else signal.SIGKILL)
        assert server.process.wait(60) == (130 if how == "Ctrl-C" else -signal.SIGKILL)
    assert server.left() == []


@pytest.mark.lab
def test_a_cancelled_call_is_stopped_and_the_next_one_answered(server: Server) -> None:
    number = server.prove()
    server.until_ready()
    server.send({"method": "notifications/cancelled", "params": {"requestId": number, "reason": "enough"}})
    assert server.left() == []
    wanted = server.ask("tools/call", {"name": "explain", "arguments": {"what": "outbox"}})
    while server.answer()["id"] != wanted:
        pass


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (None, 0)])
def test_an_idle_server_ends_at_once(server: Server, number: signal.Signals | None, code: int) -> None:
    if number is None:
        assert server.process.stdin is not None
        server.process.stdin.close()
    else:
        server.process.send_signal(number)
    assert server.process.wait(30) == code
    assert server.process.stderr is not None
    assert b"Traceback" not in server.process.stderr.read()


def test_what_is_no_message_does_not_end_the_conversation(server: Server) -> None:
    assert server.process.stdin is not None
    server.process.stdin.write(b"this is no JSON\n\n[]\n{}\n\xff\xfe\n")
    server.process.stdin.flush()
    wanted = server.ask("ping", {})
    while server.answer().get("id") != wanted:
        pass


def test_a_message_without_an_end_ends_it(server: Server) -> None:
    assert server.process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        server.process.stdin.write(b"x" * (LINE_BYTES_MAX + 1024 * 1024))
        server.process.stdin.flush()
    assert server.process.wait(30) == 0
