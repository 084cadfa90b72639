"""Stub upstreams: configured answers, answers from a contract, an echo, and what they remember."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from nines.lab.launch import stubs
from nines.lab.launch.examples import example, successful
from nines.lab.launch.stubs import Stub
from nines.model.contract import Answer, Contract, Operation
from nines.model.settings import StubAnswer

ANSWERS = (
    StubAnswer(method="POST", path="/charges", status=201, body='{"id": "{id}", "amount": {request.amount}}'),
    StubAnswer(method="GET", path="/slow/*", delay_s=0.05, body="{}"),
    StubAnswer(path="/nested", body='{"who": "{request.user.name}", "none": {request.user.age}}'),
)
MONEY = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "amount": {"type": "integer"}, "state": {"enum": ["open", "done"]}},
}
CONTRACT = Contract(
    operations=(
        Operation(
            id="charge",
            method="POST",
            path="/v1/charges/{charge}",
            answers=(Answer(status="201", schema=MONEY), Answer(status="400")),
        ),
        Operation(id="forget", method="DELETE", path="/v1/charges/{charge}", answers=(Answer(status="204"),)),
    )
)


def ask(stub: Stub, method: str, path: str, body: object = None, key: str = "") -> tuple[int, Any]:
    headers = {"idempotency-key": key} if key else {}
    reply = stub.answer(method, path, headers, json.dumps(body).encode() if body is not None else b"")
    return reply.status, json.loads(reply.body) if reply.body else None


def test_a_configured_answer_repeats_fields_and_makes_fresh_ids() -> None:
    stub = Stub("pay", ANSWERS)
    first = ask(stub, "POST", "/charges", {"amount": 7})
    second = ask(stub, "POST", "/charges?x=1", {"amount": 8})
    assert (first[0], first[1]["amount"], second[1]["amount"]) == (201, 7, 8)
    assert first[1]["id"] != second[1]["id"]
    assert ask(stub, "PUT", "/nested", {"user": {"name": 'a "quoted" name'}})[1] == {
        "who": 'a "quoted" name',
        "none": None,
    }


def test_an_idempotency_key_gets_its_first_answer_again() -> None:
    stub = Stub("pay", ANSWERS)
    first = ask(stub, "POST", "/charges", {"amount": 7}, key="k1")
    assert ask(stub, "POST", "/charges", {"amount": 7}, key="k1") == first
    assert ask(stub, "POST", "/charges", {"amount": 7}, key="k2") != first
    assert (stub.count(), stub.count(key="k1"), stub.count(method="GET")) == (3, 2, 0)


def test_a_contract_is_answered_by_its_schemas() -> None:
    stub = Stub("pay", contract=CONTRACT)
    status, made = ask(stub, "POST", "/v1/charges/9", {"amount": 12, "id": "mine"})
    assert (status, made["amount"], made["state"]) == (201, 12, "open")
    assert made["id"] != "mine"
    assert ask(stub, "DELETE", "/v1/charges/9") == (204, None)


def test_without_anything_it_echoes_and_finds_what_was_made() -> None:
    stub = Stub("any")
    status, made = ask(stub, "POST", "/things", {"name": "x"})
    assert (status, made["name"]) == (200, "x")
    assert ask(stub, "GET", f"/things/{made['id']}")[1] == made
    assert ask(stub, "GET", "/other/5") == (200, {"id": "5"})
    assert ask(stub, "DELETE", "/things/5") == (204, None)
    assert stub.answer("POST", "/form", {}, b"a=1&b=2").body.startswith(b'{"a": "1", "b": "2"')
    assert stub.answer("POST", "/list", {}, b"[1]").status == 200


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stubs, "REMEMBERED_MAX", 50)
    stub = Stub("any")
    for number in range(200):
        ask(stub, "POST", "/things", {"n": number}, key=str(number))
    assert len(stub.requests) <= 50
    assert stub.requests[-1].key == "199"


def over_the_wire(
    answers: tuple[StubAnswer, ...], talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> Stub:
    async def scenario() -> Stub:
        stub = Stub("pay", answers)
        await stub.open()
        reader, writer = await asyncio.open_connection(stub.host, stub.port)
        try:
            async with asyncio.timeout(10):
                await talk(reader, writer)
        finally:
            writer.close()
            await stub.close()
        return stub

    return asyncio.run(scenario())


def test_pipelined_requests_are_answered_in_order_even_when_one_is_slow() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET /slow/1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n")
        writer.write(b'{"a":1}HEAD /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        text = (await reader.read(-1)).decode()
        assert text.count("HTTP/1.1 200 OK") == 3
        assert text.index("content-length: 2") < text.index('"a": 1')

    assert over_the_wire(ANSWERS, talk).count() == 3


def test_garbage_closes_the_connection() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        assert await reader.read(-1) == b""

    assert over_the_wire((), talk).count() == 0


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"example": 3}, 3),
        ({"const": "a"}, "a"),
        ({"examples": ["x", "y"]}, "x"),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "number", "exclusiveMinimum": 5}, 6),
        ({"type": ["null", "string"], "format": "date"}, "2030-01-01"),
        ({"type": "string", "minLength": 6}, "textxx"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "array", "items": {"type": "boolean"}}, [True]),
        ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, True),
        ({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]}, {"a": 1, "b": 2}),
        ({"x-nines-recursive": True, "type": "object"}, None),
        ({"type": "string", "format": "uuid"}, "fresh"),
        ({}, None),
    ],
)
def test_examples_follow_their_schema(schema: dict[str, Any], value: object) -> None:
    assert example(schema, lambda: "fresh") == value


def test_a_schema_without_an_end_is_cut() -> None:
    endless: dict[str, Any] = {"type": "object", "properties": {}}
    endless["properties"]["child"] = endless
    assert isinstance(example(endless, lambda: "x"), dict)


def test_the_lowest_success_is_answered() -> None:
    both = Operation(id="a", method="PUT", path="/", answers=(Answer(status="202"), Answer(status="200")))
    assert successful(both)[0] == 200
    assert successful(Operation(id="a", method="POST", path="/"))[0] == 201
    assert successful(Operation(id="a", method="GET", path="/", answers=(Answer(status="2XX"),)))[0] == 200
