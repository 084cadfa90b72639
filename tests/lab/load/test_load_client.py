from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
import uvloop

from nines.lab.load.answer import Answer
from nines.lab.load.client import TOGETHER_MAX, Client
from nines.lab.load.connection import Address, address_of
from nines.lab.load.ending import exchange_of_answer
from nines.lab.load.request import Request
from nines.model.errors import LabError
from nines.model.history import Outcome
from tests.lab.load.servers import OK, Script, answering, closed_port, read_request, request, resetting, serving

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return uvloop.run(asyncio.wait_for(work, 30))


def asked(
    script: Script, sent: Request | None = None, *, timeout_s: float = 10.0, body_bytes_max: int = 2**24
) -> Answer:
    async def work() -> Answer:
        async with serving(script) as address, Client(address, body_bytes_max=body_bytes_max) as client:
            return await client.send(sent or request(), timeout_s)

    return run(work())


def test_a_whole_answer() -> None:
    answer = asked(
        answering(b"HTTP/1.1 201 Created\r\nLocation: /x/1\r\nX-A: 1\r\nx-a: 2\r\ncontent-length: 2\r\n\r\nhi")
    )
    assert (answer.status, answer.text, answer.error) == (201, "hi", "")
    assert answer.header("location") == "/x/1"
    assert answer.headers[1:3] == (("x-a", "1"), ("x-a", "2"))
    assert answer.outcome is Outcome.OK
    assert answer.intended_s <= answer.sent_s <= answer.ended_s


def test_redirects_are_not_followed() -> None:
    answer = asked(answering(b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n"))
    assert (answer.status, answer.outcome) == (302, Outcome.OK)


def test_refused_before_a_byte_was_sent_failed() -> None:
    async def work() -> Answer:
        async with Client(Address(host="127.0.0.1", port=closed_port())) as client:
            return await client.send(request())

    answer = run(work())
    assert (answer.status, answer.error, answer.was_sent, answer.outcome) == (None, "refused", False, Outcome.FAILED)


@pytest.mark.parametrize(
    "cut", [b"", b"HTTP/1.1 200", OK[:-1], b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab"]
)
def test_a_reset_after_bytes_were_sent_is_indefinite(cut: bytes) -> None:
    answer = asked(resetting(cut))
    assert (answer.error, answer.was_sent, answer.outcome) == ("reset", True, Outcome.INDEFINITE)
    exchange = exchange_of_answer(request(), answer, url="http://h")
    assert (exchange.status, exchange.error) == (None, "reset")


def test_an_answer_that_ends_early_without_a_reset_is_not_whole() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK[:-1])

    answer = asked(script)
    assert (answer.status, answer.error, answer.outcome) == (200, "reset", Outcome.INDEFINITE)


def test_silence_is_a_timeout() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    answer = asked(script, timeout_s=0.2)
    assert (answer.status, answer.error, answer.outcome) == (None, "timeout", Outcome.INDEFINITE)
    assert answer.ended_s - answer.intended_s >= 0.19


def test_a_slow_drip_is_a_timeout_too() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await asyncio.sleep(0.01)

    answer = asked(script, timeout_s=0.3)
    assert (answer.status, answer.error) == (200, "timeout")
    assert answer.body.startswith(b"x")


def test_a_drip_in_time_is_an_answer() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for byte in OK:
            writer.write(bytes([byte]))
            await asyncio.sleep(0)

    assert asked(script).body == b"hi"


@pytest.mark.parametrize(
    "garbage", [b"\x15\x03\x01\x00\x02\x02", b"hello\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", OK.replace(b"2\r\n", b"-2\r\n")]
)
def test_garbage_is_a_protocol_error(garbage: bytes) -> None:
    answer = asked(answering(garbage))
    assert (answer.error, answer.outcome) == ("protocol", Outcome.INDEFINITE)
    assert answer.detail


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n"),
    ],
)
def test_answers_without_a_body_end_with_their_headers_and_keep_the_connection(method: str, answer: bytes) -> None:
    connections = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await answering(answer)(reader, writer)

    async def work() -> list[Answer]:
        async with serving(script) as address, Client(address) as client:
            return [await client.send(request(method), 5.0) for _ in range(3)]

    assert [(got.error, got.body) for got in run(work())] == [("", b"")] * 3
    assert connections == 1


def test_a_body_until_the_close() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nall of it")

    assert asked(script).body == b"all of it"


def test_huge_headers_are_read_and_endless_ones_are_an_error() -> None:
    huge = b"HTTP/1.1 200 OK\r\n" + b"x-a: " + b"y" * 60_000 + b"\r\ncontent-length: 0\r\n\r\n"
    assert len(asked(answering(huge)).header("x-a")) == 60_000

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x-a: " + b"y" * 60_000 + b"\r\n")
            await writer.drain()

    assert asked(endless).error == "protocol"


def test_a_large_body_is_truncated_in_memory_and_read_to_its_end() -> None:
    size = 10 * 1024 * 1024
    answer = asked(
        answering(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"z" * size), body_bytes_max=1000
    )
    assert (answer.body, answer.body_bytes, answer.is_truncated, answer.error) == (b"z" * 1000, size, True, "")


def test_a_connection_closed_between_requests_costs_nothing() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)

    async def work() -> list[Answer]:
        answers = []
        async with serving(once) as address, Client(address) as client:
            for index in range(6):
                answers.append(await client.send(request("POST", body=b"x")))
                await asyncio.sleep(0.02 * index)
        return answers

    assert [answer.error for answer in run(work())] == [""] * 6


def test_an_early_answer_to_a_large_body_is_an_answer() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.3)

    answer = asked(script, request("POST", body=b"x" * 8_000_000))
    assert (answer.status, answer.outcome) == (413, Outcome.FAILED)


def test_another_local_address_is_another_client() -> None:
    peers = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername")[0])
        await answering(OK)(reader, writer)

    async def work() -> None:
        async with serving(script) as address:
            for local_host in ("127.0.0.7", "127.0.0.9"):
                async with Client(address_of(address.url, local_host=local_host)) as client:
                    assert (await client.send(request())).status == 200

    run(work())
    assert peers == ["127.0.0.7", "127.0.0.9"]


def test_together_releases_every_last_byte_after_all_connections_are_open() -> None:
    first_parts: list[float] = []
    completed: list[float] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        first_parts.append(time.monotonic())
        got = await read_request(reader)
        completed.append(time.monotonic())
        body = got[-2:]
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n" + body)
        await writer.drain()

    async def work() -> tuple[Answer, ...]:
        async with serving(script) as address, Client(address) as client:
            return await client.together([request("POST", body=b"%02d" % index) for index in range(20)])

    answers = run(work())
    assert [answer.text for answer in answers] == [f"{index:02}" for index in range(20)]
    assert max(first_parts) <= min(completed)
    assert len({answer.intended_s for answer in answers}) == 1


def test_together_with_nobody_there_and_beyond_its_limit() -> None:
    async def work() -> tuple[Answer, ...]:
        async with Client(Address(host="127.0.0.1", port=closed_port())) as client:
            with pytest.raises(LabError):
                await client.together([request()] * (TOGETHER_MAX + 1))
            return await client.together([request()] * 3)

    assert [answer.outcome for answer in run(work())] == [Outcome.FAILED] * 3


def test_an_exchange_has_everything_for_a_report() -> None:
    sent = request("POST", "/p?x=1", body=b'{"a": 1}', operation="create", key="k")
    answer = asked(
        answering(b"HTTP/1.1 200 OK\r\ncontent-type: Application/JSON; charset=utf-8\r\ncontent-length: 2\r\n\r\n{}"),
        sent,
    )
    exchange = exchange_of_answer(sent, answer, url="http://127.0.0.1:1", origin_s=answer.intended_s)
    assert (exchange.operation, exchange.key, exchange.request_body, exchange.body) == ("create", "k", '{"a": 1}', "{}")
    assert exchange.media_type == "application/json"
    assert exchange.intended_s == 0.0
    assert exchange.curl.startswith("curl -i -X POST")


@pytest.mark.parametrize(
    ("url", "host_header"),
    [("http://127.0.0.1:8000/v1/", "127.0.0.1:8000"), ("https://a.example", "a.example"), ("http://[::1]:80", "[::1]")],
)
def test_addresses(url: str, host_header: str) -> None:
    assert address_of(url).host_header == host_header


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://x", "http://x:99999", "http://"])
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(LabError):
        address_of(url)
