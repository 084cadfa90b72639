"""A stub over gRPC, called by a client that somebody else wrote."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest

from nines.lab.launch.grpc_stub import GrpcStub


def run(delay_s: float, calls: int, size: int) -> tuple[list[bytes], int, float]:
    async def whole() -> tuple[list[bytes], int, float]:
        stub = GrpcStub("prices", delay_s)
        await stub.open()
        try:
            async with grpc.aio.insecure_channel(f"{stub.host}:{stub.port}") as channel, asyncio.timeout(30):
                ask = channel.unary_unary("/any.v1.Service/Method")
                began_s = asyncio.get_running_loop().time()
                found = await asyncio.gather(*(ask(b"x" * size) for _ in range(calls)))
                return list(found), stub.calls, asyncio.get_running_loop().time() - began_s
        finally:
            await stub.close()

    return asyncio.run(whole())


def test_every_call_is_answered_with_a_message_that_holds_nothing() -> None:
    assert run(0.0, 200, 10)[:2] == ([b""] * 200, 200)


def test_messages_that_are_larger_than_a_window_are_read_to_their_end() -> None:
    assert run(0.0, 5, 300_000)[:2] == ([b""] * 5, 5)


def test_it_takes_its_time() -> None:
    assert run(0.2, 1, 1)[2] >= 0.2


def test_whoever_speaks_something_else_is_left() -> None:
    async def whole() -> bytes:
        stub = GrpcStub("prices")
        await stub.open()
        reader, writer = await asyncio.open_connection(stub.host, stub.port)
        writer.write(b"GET / HTTP/1.1\r\nhost: prices\r\n\r\n")
        async with asyncio.timeout(10):
            read = await reader.read()
        writer.close()
        await stub.close()
        return read

    # Its first frame, and then the end.
    assert len(asyncio.run(whole())) == 9


@pytest.mark.parametrize("caller", ["cancels", "is late"])
def test_whoever_hangs_up_is_not_answered(caller: str) -> None:
    async def whole() -> None:
        stub = GrpcStub("prices", 0.2)
        await stub.open()
        async with grpc.aio.insecure_channel(f"{stub.host}:{stub.port}") as channel:
            ask = channel.unary_unary("/any.v1.Service/Method")
            call = ask(b"", timeout=0.05 if caller == "is late" else 10)
            if caller == "cancels":
                asyncio.get_running_loop().call_later(0.05, call.cancel)
            with pytest.raises((grpc.aio.AioRpcError, asyncio.CancelledError)):
                await call
            assert await ask(b"", timeout=10) == b""
        await stub.close()

    asyncio.run(whole())
