"""Methods in .proto files, the messages that are sent to them, and what a call that failed is told as."""

from __future__ import annotations

import asyncio
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest

from nines.lab.typed.calling import TypedAnswer, TypedClient
from nines.lab.typed.finding import TypedMethod, find, methods_in, unasked
from nines.lab.typed.hostile import LARGE_BYTES, messages
from nines.lab.typed.telling import curl_of_typed, exchange_of_typed
from nines.model.history import Outcome

TEXT = """
syntax = "proto3"; package shop.v2;
/* service Hidden { rpc Not(A) returns (A); } */
service Orders {
  rpc Place(Order) returns (Order) { option (x) = { y: "service Z {" }; }
  rpc Watch(Order) returns (stream Order);
  rpc Send(stream Order) returns (Order);
  // rpc Old(Order) returns (Order);
  rpc Find (shop.v2.Query) returns (.shop.v2.Order);
}
message Order { string rpc = 1; }
service Stock { rpc Count(Order) returns (Order); }
"""


def test_methods_are_read_without_streams_and_comments() -> None:
    assert [method.path for method in methods_in(TEXT)] == [
        "/shop.v2.Orders/Place",
        "/shop.v2.Orders/Find",
        "/shop.v2.Stock/Count",
    ]
    assert list(methods_in("message A { int32 b = 1; }")) == []
    assert [method.path for method in methods_in("service A { rpc B(C) returns (D)")] == ["/A/B"]


def test_the_nearest_file_that_offers_something_is_believed(tmp_path: Path) -> None:
    assert find(tmp_path) is None
    for folder, text in (("gateways", TEXT), ("deep/er", "service Far { rpc A(B) returns (B); }"), ("protos", TEXT)):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "one.proto").write_text(text)
    (tmp_path / "types.proto").write_text("message A { int32 b = 1; }")
    found = find(tmp_path)
    assert found is not None
    assert found.source == "protos/one.proto"
    assert "{grpc.port}" in unasked(found, has_port=False).reason
    assert "pip install grpcio" in unasked(found, has_port=True).hint


def test_messages_are_many_and_bounded() -> None:
    method = TypedMethod(service="a.B", name="C")
    found = messages((method,), "owner")
    assert not found[0].is_invalid
    assert found[0].call.body == b""
    assert len({each.variant for each in found}) == len(found) > 30
    assert max(len(each.call.body) for each in found) < LARGE_BYTES + 100
    assert curl_of_typed(
        found[0].call, (("authorization", "Bearer x"),), "http://h:1", {"x": "OWNER_TOKEN"}
    ).startswith("printf ")


class Answering(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    def service(self, details: Any) -> Any:
        def answer(content: bytes, context: Any) -> bytes:
            if content == b"raise":
                raise ValueError("a secret")
            if content == b"wrong":
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no")
            return content

        return grpc.unary_unary_rpc_method_handler(answer) if details.method == "/a.B/C" else None


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/a.B/C", b"fine", 200, "OK"),
        ("/a.B/C", b"wrong", 400, "INVALID_ARGUMENT"),
        ("/a.B/C", b"raise", 500, "UNKNOWN"),
        ("/a.B/D", b"", 404, "UNIMPLEMENTED"),
        ("/a.B/C", b"n" * (LARGE_BYTES), 429, "RESOURCE_EXHAUSTED"),
    ],
)
def test_a_call_ends_with_a_status(path: str, body: bytes, status: int, code: str) -> None:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((Answering(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    async def called() -> TypedAnswer:
        client = TypedClient("127.0.0.1", port)
        try:
            return await client.call(path, body, (), 20.0)
        finally:
            await client.close()

    try:
        answer = asyncio.run(called())
    finally:
        server.stop(None).wait()
    assert (answer.status, answer.code) == (status, code)


def test_nobody_who_answers_has_no_status() -> None:
    async def called() -> TypedAnswer:
        client = TypedClient("127.0.0.1", 1)
        try:
            return await client.call("/a.B/C", b"", (), 20.0)
        finally:
            await client.close()

    answer = asyncio.run(called())
    assert (answer.status, answer.error) == (None, "refused")
    call = messages((TypedMethod(service="a.B", name="C"),), "")[0].call
    exchange = exchange_of_typed(call, answer, sent_s=1.0, ended_s=1.5, curl="curl")
    assert exchange.outcome is Outcome.INDEFINITE
    assert exchange.header("grpc-status") == "UNAVAILABLE"
