"""Lines: whole, one object each, never a secret, and never a reason to wait."""

from __future__ import annotations

import asyncio
import datetime
import os
import threading
import time
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime import Answer, Call, Edge, Operations
from nines_runtime.running import logs
from nines_runtime.running.logs import Log
from nines_runtime.running.redacting import REDACTED, Redactor, scrubbed
from nines_runtime.running.request_log import RequestLog
from nines_runtime.web.caller import Caller
from nines_runtime.web.exchange import Exchange


class Reading:
    """A pipe with a log at its other end."""

    def __init__(self, **options: Any) -> None:
        self._reader, self._writer = os.pipe()
        self.log = Log("payments", version="1.4.2", instance="i-1", descriptor=self._writer, **options)

    def lines(self) -> list[dict[str, Any]]:
        self.log.close()
        os.close(self._writer)
        with os.fdopen(self._reader, "rb") as opened:
            return [msgspec.json.decode(line) for line in opened.read().splitlines()]


def exchange(**changes: Any) -> Exchange:
    made = Exchange("createPayment", "POST", "/v1/payments", {"authorization": "Bearer hunter2"}, {}, 0.0, 0.0)
    made.request_id, made.status, made.duration_s = "req_1", 201, 0.0418
    made.trace_parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    made.caller = Caller(subject="248289761001", tenant="north")
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_a_request_is_one_line_as_the_dossier_promises() -> None:
    reading = Reading()
    RequestLog(reading.log, tenant="merchant_id").ended(exchange())
    (line,) = reading.lines()
    time_ = line.pop("time")
    assert datetime.datetime.fromisoformat(time_).tzinfo is not None
    assert len(time_) == len("2030-01-31T12:00:00.000Z")
    subject = line.pop("subject")
    assert subject.startswith("h:")
    assert line == {
        "level": "info", "logger": "requests", "message": "answered", "service": "payments", "version": "1.4.2",
        "instance": "i-1", "request_id": "req_1", "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "b7ad6b7169203331", "operation": "createPayment", "method": "POST", "status": 201,
        "duration_ms": 41.8, "merchant_id": "north",
    }  # fmt: skip


def test_the_same_caller_looks_the_same_and_cannot_be_told() -> None:
    one, other = (Reading(subject_key=key) for key in (b"a" * 32, b"b" * 32))
    assert one.log.subject("x") == one.log.subject("x") != one.log.subject("y")
    assert one.log.subject("x") != other.log.subject("x")
    for each in (one, other):
        each.lines()


def test_an_error_is_told_with_its_place_and_without_values() -> None:
    def inner() -> None:
        raise KeyError("bob@example.com")

    reading = Reading()
    try:
        try:
            inner()
        except KeyError as cause:
            raise ValueError("card 4111111111111111 of 'Bob' failed, postgresql://u:hunter2@db/x") from cause
    except ValueError as error:
        RequestLog(reading.log).ended(exchange(status=500, problem="internal-error", error=error, is_replayed=True))
    (line,) = reading.lines()
    assert line["level"] == "error"
    assert line["replayed"] is True
    assert line["problem"] == "internal-error"
    assert line["error"].startswith("ValueError at running/test_log_lines.py:")
    assert line["cause"].startswith("KeyError at running/test_log_lines.py:")
    assert line["cause"].endswith(" in inner")
    for value in ("bob@", "4111", "Bob", "hunter2"):
        assert value not in str(line)


def test_what_was_too_slow_tells_where_it_was_waiting() -> None:
    async def waiting_for_the_gateway() -> None:
        await asyncio.sleep(30)

    async def run() -> None:
        some: Operations[None] = Operations()

        @some.get("/", id="slow", is_public=True, deadline_s=0.05)
        async def slow(service: None, call: Call) -> Answer:
            await waiting_for_the_gateway()
            return Answer.nothing()

        edge: Edge[None] = Edge(some, observer=RequestLog(reading.log))
        edge.open(None)

        async def send(message: Any) -> None: ...

        async def receive() -> Any:
            return {"type": "http.request"}

        await edge({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}, receive, send)

    reading = Reading()
    asyncio.run(run())
    (line,) = reading.lines()
    assert (line["status"], line["problem"], line["level"]) == (503, "unavailable", "warning")
    assert any("in waiting_for_the_gateway" in frame for frame in line["stack"])


@pytest.mark.parametrize(("status", "level"), [(200, "info"), (404, "info"), (503, "warning"), (500, "error")])
def test_levels(status: int, level: str) -> None:
    reading = Reading()
    RequestLog(reading.log).ended(exchange(status=status))
    assert [line["level"] for line in reading.lines()] == [level]
    quiet = Reading(level="warning")
    RequestLog(quiet.log).ended(exchange(status=status))
    assert len(quiet.lines()) == (1 if status >= 500 else 0)


_NAMES = [
    "password",
    "Authorization",
    "access_token",
    "API_KEY",
    "set-cookie",
    "Idempotency-Key",
    "client_secret",
    "code",
    "note",
]
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | st.just("hunter2"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _plant(value: Any, name: str) -> Any:
    """The same with a secret under a telling name in every object."""
    if isinstance(value, dict):
        return {
            **{key: _plant(each, name) for key, each in value.items() if "hunter2" not in str(each)},
            name: "hunter2",
        }
    if isinstance(value, list):
        return [_plant(each, name) for each in value if "hunter2" not in str(each)]
    return "plain" if value == "hunter2" else value


@given(_values, st.sampled_from(_NAMES))
def test_what_is_named_like_a_secret_is_hidden_wherever_it_stands(value: Any, name: str) -> None:
    told = Redactor(("note",)).fields({"given": _plant(value, name), name: "hunter2"})
    assert "hunter2" not in str(told)
    assert told[name] == REDACTED
    msgspec.json.encode(told)


def test_values_that_are_no_json_are_told_or_hidden() -> None:
    found = Redactor().fields(
        {
            "id": UUID(int=1), "at": datetime.date(2030, 1, 1), "amount": Decimal("1.5"), "other": object(),
            "raw": b"hunter2", "names": {"a"}, "url": "http://user:hunter2@host/x", "long": "x" * 10_000,
        }
    )  # fmt: skip
    assert (found["id"], found["at"], found["amount"]) == (str(UUID(int=1)), "2030-01-01", "1.5")
    assert (found["other"], found["raw"], found["names"]) == (REDACTED, REDACTED, ["a"])
    assert found["url"] == "http://host/x"
    assert len(found["long"]) < 1_000
    nested: dict[str, Any] = {}
    nested["self"] = nested
    msgspec.json.encode(Redactor().fields(nested))


@given(
    st.text(max_size=100),
    st.from_regex(r"[a-z0-9]{4,8}@[a-z]{2,5}\.com|[0-9]{8,16}|[A-Za-z0-9]{30,40}", fullmatch=True),
)
def test_texts_lose_what_could_be_a_value(around: str, value: str) -> None:
    assert value not in scrubbed(f"{around} {value} and '{value}'")


def test_what_nobody_reads_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LINES_MAX", 500)
    reading = Reading()
    begun = time.monotonic()
    for at in range(20_000):
        reading.log.info("Something happened.", at=at, what="x" * 100)
    # A pipe holds 64 KiB; a writer that waited for its reader would never come here.
    assert time.monotonic() - begun < 30
    assert reading.log.dropped > 0
    told: list[dict[str, Any]] = []
    reader = threading.Thread(target=lambda: told.extend(reading.lines()))
    reader.start()
    reader.join(20)
    assert not reader.is_alive()


def test_a_log_that_was_closed_still_tells() -> None:
    reading = Reading()
    reading.log.info("Before.")
    reading.log.close()
    reading.log.info("After.")
    assert [line["message"] for line in reading.lines()] == ["Before.", "After."]


def test_lines_are_whole_and_in_order() -> None:
    reading = Reading()
    for at in range(300):
        reading.log.info("Something happened.", logger="jobs", at=at, text='a"\n\u2028')
    reading.log.warning("Something else.", password="hunter2")
    reading.log.debug("Too little to tell.")
    lines = reading.lines()
    assert [line["at"] for line in lines[:300]] == list(range(300))
    assert lines[300]["password"] == REDACTED
    assert len(lines) == 301
