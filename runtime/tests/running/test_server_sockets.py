"""A served application on a real socket: its end, its limits, and callers who behave badly."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from . import serving
from .serving import Process, drained, served

AUTH = b"authorization: Bearer x\r\ncontent-type: application/json\r\n"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with served(tmp_path_factory.mktemp("served")) as found:
        yield found


_SMUGGLED = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"


def get(
    process: Process, path: str, method: str = "GET", more: bytes = b"", body: bytes = b""
) -> tuple[int, bytes, bytes]:
    head = f"{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n".encode() + more
    if body:
        head += b"content-length: %d\r\n" % len(body)
    told, _, answer = process.exchange(head + b"\r\n" + body).partition(b"\r\n\r\n")
    return int(told.split(b" ")[1]), told.lower(), answer


def test_health_contract_and_metrics(process: Process) -> None:
    for path in ("/health/startup", "/health/ready", "/health/live"):
        status, head, body = get(process, path)
        assert (status, body) == (200, b'{"status":"ok"}')
        assert b"cache-control: no-store" in head
    status, head, body = get(process, "/openapi.json")
    assert (status, body) == (200, b'{"openapi":"3.1.1"}')
    etag = next(line for line in head.split(b"\r\n") if line.startswith(b"etag: "))[6:]
    assert get(process, "/openapi.json", more=b"if-none-match: " + etag + b"\r\n")[0] == 304
    status, head, body = get(process, "/metrics")
    assert (status, b"text/plain" in head) == (200, True)
    assert (
        b'http_request_duration_seconds_bucket{operation="createNote",method="POST",status="500",le="0.005"} 0' in body
    )
    assert get(process, "/metrics", more=b"accept: application/openmetrics-text\r\n")[2].endswith(b"# EOF\n")
    assert get(process, "/health/live", "POST")[0] == 405
    assert b"allow: get, head, options" in get(process, "/health/live", "OPTIONS")[1]


@pytest.mark.parametrize(
    ("method", "path", "more", "body", "status", "code"),
    [
        ("GET", "/reports/1", b"", b"", 401, "unauthorized"),
        ("GET", "/reports/x", AUTH, b"", 404, "not-found"),
        ("GET", "/nothing", b"", b"", 404, "not-found"),
        ("PATCH", "/reports/1", b"", b"", 405, "method-not-allowed"),
        ("DELETE", "/v1/notes", b"", b"", 405, "method-not-allowed"),
        ("POST", "/reports", AUTH, b'{"a":"x"}', 422, "invalid-request"),
        ("POST", "/reports", AUTH, b"{", 400, "malformed-request"),
        ("GET", "/broken", b"", b"", 500, "internal-error"),
        ("POST", "/v1/notes", AUTH, b'{"text":7}', 422, "invalid-request"),
        ("POST", "/v1/notes", AUTH, b'{"text":"' + b"x" * 200_000 + b'"}', 413, "body-too-large"),
    ],
)
def test_every_failure_is_a_problem(
    process: Process, method: str, path: str, more: bytes, body: bytes, status: int, code: str
) -> None:
    answered, head, text = get(process, path, method, more, body)
    told = msgspec.json.decode(text)
    assert (answered, told["type"], told["status"]) == (status, f"/problems/{code}", status)
    assert b"content-type: application/problem+json" in head
    assert f"x-request-id: {told['request_id']}".encode() in head
    assert b"x-content-type-options: nosniff" in head
    assert head.count(b"\r\nconnection: ") == 1
    assert b"hunter2" not in text


def test_what_the_owner_adds_is_served_behind(process: Process) -> None:
    assert get(process, "/reports/7", more=AUTH)[2] == b'{"number":7,"service":"the service","subject":"s"}'
    assert get(process, "/v1/notes", "PUT")[2] == b'"the owner\'s"'
    status, head, body = get(process, "/v1/notes", "POST", AUTH, b'{"text":"a"}')
    assert (status, body) == (201, b'{"text":"a"}')
    assert b"date: " in head


def test_requests_on_one_connection_and_in_one_packet(process: Process) -> None:
    one = b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n"
    note = b"POST /v1/notes HTTP/1.1\r\nhost: a\r\n" + AUTH + b'content-length: 12\r\n\r\n{"text":"a"}'
    last = b"GET /v1/slow/0 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    answered = process.exchange(one + note + note + one + last)
    assert answered.count(b"HTTP/1.1 200 ") == 3
    assert answered.count(b"HTTP/1.1 201 ") == 2


def test_a_body_in_chunks_and_one_that_is_announced(process: Process) -> None:
    head = b"POST /v1/notes HTTP/1.1\r\nhost: a\r\nconnection: close\r\n" + AUTH
    chunked = head + b'transfer-encoding: chunked\r\n\r\n5\r\n{"tex\r\n7\r\nt":"a"}\r\n0\r\n\r\n'
    assert b"HTTP/1.1 201 " in process.exchange(chunked)
    with process.connect() as link:
        link.sendall(head + b"expect: 100-continue\r\ncontent-length: 12\r\n\r\n")
        assert link.recv(1_000).startswith(b"HTTP/1.1 100 Continue\r\n")
        link.sendall(b'{"text":"a"}')
        assert b"HTTP/1.1 201 " in drained(link)


def test_a_body_that_does_not_come_is_cut(process: Process) -> None:
    with process.connect() as link:
        link.sendall(b"POST /v1/notes HTTP/1.1\r\nhost: a\r\ncontent-length: 12\r\n" + AUTH + b"\r\n{")
        answered = drained(link)
    assert answered.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answered


def test_a_caller_who_hangs_up_leaves_nothing_behind(process: Process) -> None:
    for _ in range(5):
        with process.connect() as link:
            link.sendall(b"POST /v1/notes HTTP/1.1\r\nhost: a\r\ncontent-length: 12\r\n" + AUTH + b"\r\n{")
    for _ in range(100):
        if b"\nhttp_requests_in_flight 0" in get(process, "/metrics")[2]:
            return
        time.sleep(0.05)
    raise AssertionError("Requests of callers who have gone are still in flight.")


def test_a_caller_who_has_said_all_still_gets_the_answer(process: Process) -> None:
    asked = b"GET /v1/slow/3 HTTP/1.1\r\nhost: a\r\n\r\n"
    answered = process.exchange(asked, is_half_closed=True)
    assert answered.startswith(b"HTTP/1.1 200 ")
    assert b'"the service"' in answered
    assert process.exchange(asked[:20], is_half_closed=True) == b""


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health/live HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 40_000 + b"\r\n\r\n",
        b"GET /health/live?" + b"a" * 40_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\n" + b"".join(b"x-%d: a\r\n" % at for at in range(150)) + b"\r\n",
        b"GET /health/live HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 2_000_000,
    ],
)
def test_a_head_that_is_too_large_is_refused(process: Process, head: bytes) -> None:
    answered = process.exchange(head)
    # Who still sends while the answer comes may meet a reset instead of it; in no case is the head taken.
    assert answered.startswith(b"HTTP/1.1 431 ") or answered == b""
    if answered:
        assert b'"/problems/head-too-large"' in answered
    assert get(process, "/health/live")[0] == 200


@pytest.mark.parametrize(
    "sent",
    [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", b"GET \xff HTTP/1.1\r\n\r\n", _SMUGGLED],
)
def test_what_is_no_http_is_told_so(process: Process, sent: bytes) -> None:
    answered = process.exchange(sent)
    assert answered.startswith(b"HTTP/1.1 400 ")
    assert b'"/problems/malformed-head"' in answered


def test_a_large_body_after_a_small_head_is_no_large_head(process: Process) -> None:
    body = b'{"text":"' + b"x" * 90_000 + b'"}'
    status, _, _ = get(process, "/v1/notes", "POST", AUTH, body)
    assert status == 201


def test_lines_of_the_log_are_whole_and_tell_nothing(process: Process) -> None:
    get(process, "/broken")
    time.sleep(0.5)
    lines = process.log()
    failed = [line for line in lines if line.get("problem") == "internal-error"]
    assert failed[-1]["error"].startswith("RuntimeError at running/serving.py:")
    assert {"request_id", "trace_id", "duration_ms", "operation"} <= failed[-1].keys()
    assert "hunter2" not in str(lines) + process.errors()
    assert len([line for line in lines if line.get("request_id") == failed[-1]["request_id"]]) == 1


def test_the_end_refuses_readiness_first_and_finishes_what_is_in_flight(tmp_path: Path) -> None:
    with served(tmp_path, DRAIN_S="10") as process:
        answers: list[bytes] = []
        asked = threading.Thread(
            target=lambda: answers.append(process.exchange(b"GET /v1/slow/20 HTTP/1.1\r\nhost: a\r\n\r\n"))
        )
        asked.start()
        process.wait_for("slow begun")
        kept = process.connect()
        kept.sendall(b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n")
        assert b"200 OK" in kept.recv(4_096)
        process.popen.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        # The socket is still open, and whoever asks is told to go elsewhere.
        assert get(process, "/health/ready")[0] == 503
        status, head, _ = get(process, "/v1/slow/0")
        assert (status, b"connection: close" in head) == (200, True)
        assert process.popen.wait(30) == 0
        asked.join(10)
        assert b"200 OK" in answers[0]
        assert b'"the service"' in answers[0]
        kept.close()
    assert "closed in order" in process.errors()
    assert [line["message"] for line in process.log() if line["logger"] == "process"] == [
        "Started.",
        "Draining.",
        "Stopped.",
    ]


def test_the_end_does_not_wait_for_ever(tmp_path: Path) -> None:
    with served(tmp_path, DRAIN_S="2") as process:
        with process.connect() as link:
            link.sendall(b"GET /v1/slow/190 HTTP/1.1\r\nhost: a\r\n\r\n")
            process.wait_for("slow begun")
            begun = time.monotonic()
            process.popen.send_signal(signal.SIGTERM)
            answered = drained(link)
        assert process.popen.wait(30) == 0
        assert time.monotonic() - begun < 15
    assert answered.startswith(b"HTTP/1.1 503 ")
    assert "closed in order" in process.errors()


def test_ctrl_c_twice_ends_at_once(tmp_path: Path) -> None:
    with served(tmp_path, DRAIN_S="25") as process, process.connect() as link:
        link.sendall(b"GET /v1/slow/190 HTTP/1.1\r\nhost: a\r\n\r\n")
        process.wait_for("slow begun")
        process.popen.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.popen.send_signal(signal.SIGINT)
        process.popen.wait(15)


def test_readiness_asks_and_liveness_does_not(tmp_path: Path) -> None:
    with served(tmp_path, NOT_READY="1") as process:
        status, _, body = get(process, "/health/ready")
        assert (status, b"database" in body, b'"db"' in body) == (503, False, False)
        assert get(process, "/health/live")[0] == 200
        assert process.stop() == 0
    assert any(line.get("failing") == ["db"] for line in process.log())


def test_a_service_that_cannot_start_says_so_and_ends(tmp_path: Path) -> None:
    process = Process(folder=tmp_path, FAILS="1")
    assert process.popen.wait(30) not in (0, None)
    (line,) = [line for line in process.log() if line["level"] == "error" and line["logger"] == "process"]
    assert line["error"].startswith("RuntimeError at running/serving.py:")
    assert "hunter2" not in str(process.log()) + process.errors()


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        found = subprocess.run([sys.executable, serving.__file__, port], capture_output=True, timeout=30, check=False)
    assert found.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in found.stderr.decode()


def test_workers_share_the_socket_and_are_replaced(tmp_path: Path) -> None:
    with served(tmp_path, "2", DRAIN_S="2") as process:

        def numbers(count: int) -> set[int]:
            return {msgspec.json.decode(get(process, "/v1/slow/1")[2])["process"] for _ in range(count)}

        def counted() -> int:
            line = b'http_request_duration_seconds_count{operation="slow",method="GET",status="200"} '
            found = [each for each in get(process, "/metrics")[2].splitlines() if each.startswith(line)]
            return int(found[0].split()[-1]) if found else 0

        before = numbers(8)
        time.sleep(2.5)
        # Whichever worker is asked tells of both.
        assert {counted() for _ in range(8)} == {8}
        assert process.popen.pid not in before
        process.exchange(b"GET /v1/die HTTP/1.1\r\nhost: a\r\n\r\n")
        assert numbers(3)
        time.sleep(2.5)
        # What the dead worker had counted is at most a second short.
        assert counted() == 11
        assert process.stop() == 0
    assert process.errors().count("closed in order") == 2
