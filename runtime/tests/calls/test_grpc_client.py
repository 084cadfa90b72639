"""A dependency over gRPC that behaves as badly as a test wants, over real sockets."""

from __future__ import annotations

import asyncio
import datetime
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nines_runtime import (
    Breaker,
    Bulkhead,
    Credential,
    Deadline,
    Declined,
    Retry,
    RetryBudget,
    Unanswered,
    Why,
)
from nines_runtime.calls import tracing
from nines_runtime.calls.grpc_status import DETAILS, Trouble, details
from nines_runtime.grpc import GrpcClient, Messages

MESSAGES = Messages(
    """
    syntax = "proto3";
    package prices.v1;
    message Asked { string sku = 1; }
    message Price { int64 amount_minor = 1; optional string note = 2; }
    service Prices { rpc Get(Asked) returns (Price); rpc Book(Asked) returns (Price); }
    """
)
Behave = Callable[[bytes, Any], Awaitable[bytes]]


class Price(msgspec.Struct):
    amount_minor: int
    note: str | None = None


class Peer:
    def __init__(self, behave: Behave) -> None:
        self.behave = behave
        self.asked: list[tuple[str, dict[str, str], float | None]] = []
        self.port = 0


@asynccontextmanager
async def serving(
    behave: Behave, *, port: int = 0, host: str = "127.0.0.1", credentials: Any = None
) -> AsyncIterator[Peer]:
    peer = Peer(behave)

    class Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
        def service(self, handler_call_details: Any) -> Any:
            async def answer(content: bytes, context: Any) -> bytes:
                metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
                peer.asked.append((handler_call_details.method, metadata, context.time_remaining()))
                return await peer.behave(content, context)

            return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    server.add_generic_rpc_handlers((Handlers(),))
    address = f"{host}:{port}"
    peer.port = (
        server.add_secure_port(address, credentials) if credentials is not None else server.add_insecure_port(address)
    )
    await server.start()
    try:
        yield peer
    finally:
        await server.stop(None)


def soon(most: int, budget: RetryBudget | None = None) -> Retry:
    return Retry(max=most, budget=budget, base_s=0.01, ceiling_s=0.02)


async def price(content: bytes, context: Any) -> bytes:
    del context
    return MESSAGES.write("Price", {"amount_minor": len(MESSAGES.read("Asked", content)["sku"])})


def says(code: grpc.StatusCode, *, text: str = "", trouble: Trouble | None = None) -> Behave:
    async def behave(content: bytes, context: Any) -> bytes:
        shown = ((DETAILS, details(code, text, trouble, domain="prices")),) if trouble is not None else ()
        await context.abort(code, text, shown)
        return b""

    return behave


def client(port: int, **options: Any) -> GrpcClient:
    return GrpcClient("prices", f"grpc://127.0.0.1:{port}", MESSAGES, **options)


def run(case: Awaitable[None]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(30):
            await case

    asyncio.run(whole())


def test_what_is_asked_carries_who_asks_and_how_long_one_waits() -> None:
    async def case() -> None:
        tracing.request_id.set("req_1")
        tracing.trace_parent.set("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        async with serving(price) as peer, client(peer.port, timeout_s=1.5, credential="token") as prices:
            reply = await prices.ask(Deadline.after(10.0), "Book", {"sku": "abc"}, key="k-1", version=7)
            assert reply.decode(Price) == Price(amount_minor=3)
            await prices.ask(Deadline.after(0.8), "Get", {"sku": "abc"}, is_safe=True)
        (method, metadata, left), (_, _, less) = peer.asked
        assert method == "/prices.v1.Prices/Book"
        assert metadata["authorization"] == "Bearer token"
        assert (metadata["idempotency-key"], metadata["if-match"]) == ("k-1", '"7"')
        assert metadata["x-request-id"] == "req_1"
        assert metadata["traceparent"][:36] == "00-0af7651916cd43dd8448eb211c80319c-"
        assert left is not None
        assert less is not None
        assert 0.5 < left <= 1.5
        # Something is left for whoever asked.
        assert less <= 0.65

    run(case())


def test_only_what_may_happen_twice_is_repeated() -> None:
    async def case() -> None:
        failing = says(grpc.StatusCode.UNAVAILABLE)
        async with serving(failing) as peer, client(peer.port, retry=soon(2)) as prices:
            for given, attempts in (({}, 1), ({"key": "k"}, 3), ({"is_safe": True}, 3)):
                peer.asked.clear()
                with pytest.raises(Unanswered) as caught:
                    await prices.ask(Deadline.after(10.0), "Book", {"sku": "a"}, **given)
                assert len(peer.asked) == attempts
                assert caught.value.may_have_happened is ("is_safe" not in given)

    run(case())


def test_what_comes_back_is_answered_in_the_end() -> None:
    async def case() -> None:
        failures = iter((says(grpc.StatusCode.UNAVAILABLE), says(grpc.StatusCode.INTERNAL)))

        async def behave(content: bytes, context: Any) -> bytes:
            return await next(failures, price)(content, context)

        async with serving(behave) as peer, client(peer.port, retry=soon(2)) as prices:
            reply = await prices.ask(Deadline.after(10.0), "Get", {"sku": "ab"}, is_safe=True)
            assert reply.members == {"amount_minor": 2}
            assert len(peer.asked) == 3

    run(case())


def test_repetitions_keep_to_their_budget() -> None:
    async def case() -> None:
        retry = soon(3, RetryBudget(share=0.1, saved_max=2.0))
        async with serving(says(grpc.StatusCode.UNAVAILABLE)) as peer, client(peer.port, retry=retry) as prices:
            for _ in range(30):
                with pytest.raises(Unanswered):
                    await prices.ask(Deadline.after(10.0), "Get", {}, is_safe=True)
            assert 30 < len(peer.asked) <= 30 + 2 + 3

    run(case())


def test_whoever_asks_for_patience_gets_it() -> None:
    async def case() -> None:
        patience = says(
            grpc.StatusCode.RESOURCE_EXHAUSTED, trouble=Trouble(reason="rate-limited", status=429, retry_after_s=0.3)
        )
        waits = iter((patience,))

        async def behave(content: bytes, context: Any) -> bytes:
            return await next(waits, price)(content, context)

        async with serving(behave) as peer, client(peer.port, retry=soon(1)) as prices:
            began_s = asyncio.get_running_loop().time()
            await prices.ask(Deadline.after(10.0), "Get", {}, is_safe=True)
            assert asyncio.get_running_loop().time() - began_s >= 0.3
            peer.behave = says(
                grpc.StatusCode.RESOURCE_EXHAUSTED, trouble=Trouble(reason="rate-limited", status=429, retry_after_s=60)
            )
            with pytest.raises(Unanswered) as caught:
                await prices.ask(Deadline.after(2.0), "Get", {}, is_safe=True)
            assert (caught.value.why, caught.value.retry_after_s) == (Why.THROTTLED, 60.0)
            assert not caught.value.may_have_happened

    run(case())


def wrong(reason: str, status: int) -> Trouble:
    return Trouble(reason=reason, status=status)


def test_refusals_are_told_apart() -> None:
    async def case() -> None:
        async with serving(price) as peer, client(peer.port) as prices:
            for code, trouble, wanted in (
                (grpc.StatusCode.NOT_FOUND, None, (404, "not_found")),
                (
                    grpc.StatusCode.INVALID_ARGUMENT,
                    Trouble(reason="invalid-request", status=422),
                    (422, "invalid-request"),
                ),
                (
                    grpc.StatusCode.ABORTED,
                    Trouble(reason="precondition-failed", status=412),
                    (412, "precondition-failed"),
                ),
                (grpc.StatusCode.FAILED_PRECONDITION, None, (422, "failed_precondition")),
            ):
                peer.behave = says(code, text="somebody@example.com may not", trouble=trouble)
                with pytest.raises(Declined) as declined:
                    await prices.ask(Deadline.after(5.0), "Book", {}, key="k")
                assert (declined.value.status, declined.value.reason_code) == wanted
                assert declined.value.reason == "[redacted] may not"
            for code, why in (
                (grpc.StatusCode.UNAUTHENTICATED, Why.CREDENTIAL),
                (grpc.StatusCode.PERMISSION_DENIED, Why.CREDENTIAL),
                (grpc.StatusCode.UNIMPLEMENTED, Why.NOT_UNDERSTOOD),
                (grpc.StatusCode.DATA_LOSS, Why.FAILED),
                (grpc.StatusCode.DEADLINE_EXCEEDED, Why.TIMEOUT),
            ):
                peer.behave = says(code)
                with pytest.raises(Unanswered) as caught:
                    await prices.ask(Deadline.after(5.0), "Book", {}, key="k")
                assert caught.value.why is why

    run(case())


def test_a_credential_that_is_refused_is_made_anew() -> None:
    class Takes:
        def __init__(self) -> None:
            self.given = 0

        async def __call__(self) -> Credential:
            self.given += 1
            return Credential(f"number-{self.given}")

        def refused(self) -> None:
            self.given = 100

    async def case() -> None:
        takes = Takes()
        async with (
            serving(says(grpc.StatusCode.UNAUTHENTICATED)) as peer,
            client(peer.port, credential=takes) as prices,
        ):
            with pytest.raises(Unanswered):
                await prices.ask(Deadline.after(5.0), "Get", {}, is_safe=True)
            assert takes.given == 100

    run(case())


def test_whoever_is_slow_is_not_waited_for() -> None:
    async def slow(content: bytes, context: Any) -> bytes:
        await asyncio.sleep(5.0)
        return await price(content, context)

    async def case() -> None:
        async with serving(slow) as peer, client(peer.port, timeout_s=0.2) as prices:
            with pytest.raises(Unanswered) as caught:
                await prices.ask(Deadline.after(5.0), "Book", {})
            assert (caught.value.why, caught.value.may_have_happened) == (Why.TIMEOUT, True)

    run(case())


def test_a_bulkhead_keeps_the_rest_out() -> None:
    async def case() -> None:
        entered = asyncio.Event()
        leave = asyncio.Event()

        async def held(content: bytes, context: Any) -> bytes:
            entered.set()
            await leave.wait()
            return await price(content, context)

        bulkhead = Bulkhead(1, wait_s=0.05)
        async with serving(held) as peer, client(peer.port, timeout_s=5.0, bulkhead=bulkhead) as prices:
            first = asyncio.create_task(prices.ask(Deadline.after(10.0), "Get", {}, is_safe=True))
            await entered.wait()
            with pytest.raises(Unanswered) as caught:
                await prices.ask(Deadline.after(10.0), "Get", {}, is_safe=True)
            assert (caught.value.why, caught.value.may_have_happened) == (Why.BULKHEAD_FULL, False)
            leave.set()
            await first

    run(case())


def test_a_breaker_opens_when_the_server_dies_and_closes_when_it_is_back() -> None:
    async def case() -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        breaker = Breaker(error_share=0.5, of=4, open_s=0.3)
        async with client(port, breaker=breaker, timeout_s=1.0) as prices:
            async with serving(price, port=port):
                await prices.ask(Deadline.after(5.0), "Get", {}, is_safe=True)
            for _ in range(4):
                with pytest.raises(Unanswered) as caught:
                    await prices.ask(Deadline.after(5.0), "Get", {}, is_safe=True)
            assert breaker.is_open
            with pytest.raises(Unanswered) as caught:
                await prices.ask(Deadline.after(5.0), "Get", {}, is_safe=True)
            assert caught.value.why is Why.BREAKER_OPEN
            async with serving(price, port=port) as peer:
                while breaker.is_open:
                    await asyncio.sleep(0.1)
                    try:
                        await prices.ask(Deadline.after(5.0), "Get", {}, is_safe=True)
                    except Unanswered:
                        continue
                assert peer.asked

    run(case())


def test_what_nobody_took_may_be_repeated_whatever_it_is() -> None:
    async def case() -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        async with client(port, timeout_s=1.0, retry=soon(2)) as prices:
            with pytest.raises(Unanswered) as caught:
                await prices.ask(Deadline.after(5.0), "Book", {})
            assert (caught.value.why, caught.value.may_have_happened) == (Why.CONNECTION, False)

    run(case())


def test_what_is_no_answer_is_not_taken_for_one() -> None:
    async def nonsense(content: bytes, context: Any) -> bytes:
        return b"\xff\xff"

    async def large(content: bytes, context: Any) -> bytes:
        return MESSAGES.write("Price", {"note": "x" * 4_096})

    async def case() -> None:
        async with serving(nonsense) as peer, client(peer.port, answer_bytes_max=1_024) as prices:
            for behave in (nonsense, large):
                peer.behave = behave
                with pytest.raises(Unanswered) as caught:
                    await prices.ask(Deadline.after(5.0), "Book", {}, key="k")
                assert (caught.value.why, caught.value.may_have_happened) == (Why.NOT_UNDERSTOOD, True)

    run(case())


def test_calls_go_to_every_copy_in_turn() -> None:
    class Two:
        async def resolve(self, host: str, port: int, family: Any) -> list[dict[str, Any]]:
            return [{"host": each, "family": socket.AF_INET} for each in ("127.0.0.1", "127.0.0.2")]

    async def case() -> None:
        async with (
            serving(price) as one,
            serving(price, port=one.port, host="127.0.0.2") as other,
            client(one.port) as prices,
        ):
            prices._asking._wire._resolver = Two()  # type: ignore[attr-defined]
            async with asyncio.timeout(10.0):
                while not (one.asked and other.asked):
                    await prices.ask(Deadline.after(5.0), "Get", {}, is_safe=True)

    run(case())


def test_where_it_was_is_known_while_nobody_can_say_where_it_is() -> None:
    class Names:
        def __init__(self) -> None:
            self.asked = 0
            self.found: list[str] | OSError = ["127.0.0.1"]

        async def resolve(self, host: str, port: int, family: Any) -> list[dict[str, Any]]:
            self.asked += 1
            if isinstance(self.found, OSError):
                raise self.found
            return [{"host": each, "family": socket.AF_INET} for each in self.found]

    async def case() -> None:
        names = Names()
        async with (
            serving(price) as one,
            serving(price, port=one.port, host="127.0.0.2") as other,
            client(one.port) as prices,
        ):
            wire: Any = prices._asking._wire
            wire._resolver = names
            for found in (["127.0.0.1"], OSError("no name server"), ["127.0.0.2"]):
                names.found = found
                wire._resolved_at_s = float("-inf")
                for _ in range(3):
                    await prices.ask(Deadline.after(5.0), "Get", {}, is_safe=True)
                    await asyncio.sleep(0)
            assert names.asked == 3
            async with asyncio.timeout(10.0):
                while not other.asked:
                    await prices.ask(Deadline.after(5.0), "Get", {}, is_safe=True)
            assert one.asked

    run(case())


def test_a_name_that_leads_inside_is_not_called_unless_that_is_meant() -> None:
    class Inside:
        async def resolve(self, host: str, port: int, family: Any) -> list[dict[str, Any]]:
            return [{"host": "10.0.0.1", "family": socket.AF_INET}]

    async def case() -> None:
        async with GrpcClient("prices", "grpc://prices.example", MESSAGES) as prices:
            prices._asking._wire._resolver._inner = Inside()  # type: ignore[attr-defined]
            with pytest.raises(Unanswered) as caught:
                await prices.ask(Deadline.after(5.0), "Get", {}, is_safe=True)
            assert (caught.value.why, caught.value.may_have_happened) == (Why.EGRESS, False)

    run(case())


def test_with_tls_the_name_must_be_that_of_the_certificate(tmp_path: Path) -> None:
    def certificate(name: str) -> tuple[bytes, bytes]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return private, made.public_bytes(pem)

    async def case() -> None:
        for name in ("localhost", "elsewhere.example"):
            private, public = certificate(name)
            (tmp_path / "trusted.pem").write_bytes(public)
            credentials = grpc.ssl_server_credentials([(private, public)])
            async with serving(price, credentials=credentials) as peer:
                prices = GrpcClient(
                    "prices", f"grpcs://localhost:{peer.port}", MESSAGES, authorities=tmp_path / "trusted.pem"
                )
                async with prices:
                    if name == "localhost":
                        await prices.ask(Deadline.after(5.0), "Get", {}, is_safe=True)
                    else:
                        with pytest.raises(Unanswered) as caught:
                            await prices.ask(Deadline.after(5.0), "Get", {}, is_safe=True)
                        assert caught.value.why is Why.CONNECTION
                        assert not peer.asked

    run(case())


@pytest.mark.parametrize(
    "url", ["http://prices", "grpc://", "grpc://user:word@prices", "grpc://prices/path", "grpc://prices?x=1"]
)
def test_an_address_that_is_none_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="the address of prices"):
        GrpcClient("prices", url, MESSAGES)
