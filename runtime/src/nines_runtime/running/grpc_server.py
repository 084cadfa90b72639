"""The same operations over gRPC for other services: a port of its own, health, limits and drain (extra `grpc`).

    listener = GrpcListener(Messages.of(Path("bookings.proto")), METHODS, port=50051)
    application = Application("bookings", operations, lifespan, listeners=(listener,))

Metadata carries what headers do: authorization, idempotency-key, if-match, x-request-id, traceparent; the trailing
metadata of an answer has etag, location, retry-after and x-request-id."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio

from nines_runtime.calls.grpc_status import DETAILS, Trouble, details
from nines_runtime.calls.messages import Messages
from nines_runtime.running.application import Application, Listener
from nines_runtime.running.grpc_health import health_handlers
from nines_runtime.web.incoming import read_headers
from nines_runtime.web.rpc import Answered, Bound, Method, ask, trouble

MESSAGE_BYTES_MAX = 1_048_576
METADATA_BYTES_MAX = 16_384
STREAMS_MAX = 256
"""Calls on one connection at once."""
SPARE = 64
"""Beyond what operations may have in flight, so that those who are refused are told why."""
PING_EVERY_S_MIN = 10.0
"""A connection that pings more often is closed."""
PINGED_EVERY_S = 60.0
PING_S_MAX = 10.0
AGE_S = 300.0
"""Of a connection, more or less a tenth: callers connect anew, and so find copies that were added."""
AGE_GRACE_S = 30.0
LINGER_SHARE = 0.1
"""Of the drain: how long calls are still taken after health was refused."""
_BROWSERS = ("x-content-type-options", "content-security-policy")
_OMITTED = frozenset({"content-type", "content-length", "connection", "cache-control", *_BROWSERS})


class GrpcListener(Listener):
    """Serves methods of one .proto file on a port of its own; make one for each Application."""

    def __init__(
        self,
        messages: Messages,
        methods: Sequence[Method],
        *,
        port: int,
        host: str = "127.0.0.1",
        credentials: grpc.ServerCredentials | None = None,
        message_bytes_max: int = MESSAGE_BYTES_MAX,
        is_partial: bool = False,
    ) -> None:
        """Port 0 is any that is free, which `port` tells then; without `credentials` nothing is encrypted. Where it
        `is_partial`, methods whose operation this process does not have are left out, for another one has them."""
        self.port = port
        self._host = host
        self._messages = messages
        self._methods = tuple(methods)
        self._is_partial = is_partial
        self._credentials = credentials
        self._message_bytes_max = message_bytes_max
        self._server: grpc.aio.Server | None = None
        self._ending: asyncio.Task[None] | None = None

    async def open(self, application: Application[Any]) -> None:
        """Raises RuntimeError where somebody else has the port, and ValueError for a method that does not fit."""
        here = {each.id for each in application.edge.operations}
        methods = [each for each in self._methods if not self._is_partial or each.operation in here]
        bound = [Bound(each, application.edge.route(each.operation), self._messages) for each in methods]
        answering = _Answering(application)
        handlers = {
            each.path: grpc.unary_unary_rpc_method_handler(answering.handler(each)) for each in bound
        } | health_handlers(application.health, {each.path.split("/")[1] for each in bound})
        if not self.shares_port and self.port:
            _check_free(self._host, self.port)
        self._server = grpc.aio.server(
            options=self._options(),
            maximum_concurrent_rpcs=application.gate.in_flight_max + SPARE,
        )
        self._server.add_generic_rpc_handlers((_Handlers(handlers),))
        address = f"[{self._host}]:{self.port}" if ":" in self._host else f"{self._host}:{self.port}"
        try:
            if self._credentials is None:
                self.port = self._server.add_insecure_port(address)
            else:
                self.port = self._server.add_secure_port(address, self._credentials)
        except RuntimeError:
            raise RuntimeError(f"Cannot listen on {address} for gRPC.") from None
        await self._server.start()
        application.log.info("Listening for gRPC.", logger="process", port=self.port)

    def _options(self) -> tuple[tuple[str, int], ...]:
        return (
            ("grpc.so_reuseport", int(self.shares_port)),
            ("grpc.max_receive_message_length", self._message_bytes_max),
            ("grpc.max_metadata_size", METADATA_BYTES_MAX),
            ("grpc.absolute_max_metadata_size", METADATA_BYTES_MAX),
            ("grpc.max_concurrent_streams", STREAMS_MAX),
            ("grpc.keepalive_time_ms", int(PINGED_EVERY_S * 1_000)),
            ("grpc.keepalive_timeout_ms", int(PING_S_MAX * 1_000)),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", int(PING_EVERY_S_MIN * 1_000)),
            ("grpc.http2.max_ping_strikes", 2),
            ("grpc.max_connection_age_ms", int(AGE_S * 1_000)),
            ("grpc.max_connection_age_grace_ms", int(AGE_GRACE_S * 1_000)),
        )

    def drain(self, limit_s: float) -> None:
        """Calls are taken a little longer; then new ones are refused, and those under way may end."""
        if self._server is not None and self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._end(limit_s))

    async def _end(self, limit_s: float) -> None:
        linger_s = limit_s * LINGER_SHARE
        await asyncio.sleep(linger_s)
        if self._server is not None:
            await self._server.stop(limit_s - linger_s)

    async def close(self) -> None:
        """What is under way has ended by now, or is cut."""
        server, self._server = self._server, None
        if self._ending is not None:
            self._ending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ending
        if server is not None:
            await server.stop(None)


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    def __init__(self, handlers: dict[str, Any]) -> None:
        self._handlers = handlers

    def service(self, handler_call_details: Any) -> Any:
        """None: there is no such method, which gRPC says by itself."""
        return self._handlers.get(handler_call_details.method)


class _Answering:
    def __init__(self, application: Application[Any]) -> None:
        self._application = application
        self._domain = application.name

    def handler(self, bound: Bound) -> Callable[[bytes, Any], Awaitable[bytes]]:
        edge, log, believed = self._application.edge, self._application.log, self._application.believed

        async def answer(content: bytes, context: Any) -> bytes:
            headers = read_headers(_plain(context.invocation_metadata()))
            address = _address(context.peer())
            if believed is not None:
                believed.heard(headers, address)
            try:
                left_s = context.time_remaining()
                answered = await ask(edge, bound, content, headers, address=address, left_s=left_s)
                if answered.status < 400:
                    reply = bound.answered(answered.body)
                    context.set_trailing_metadata(_metadata(answered))
                    return reply
                code, says, found = trouble(answered)
                trailing = _metadata(answered)
            except Exception as error:
                # Whatever it was, it stays inside: gRPC would tell its text.
                log.failed("A call could not be answered.", error, logger="requests", operation=bound.method.operation)
                code, says, trailing = grpc.StatusCode.INTERNAL, "Something went wrong here.", ()
                found = Trouble(reason="internal-error", status=500)
            shown = details(code, says, found, domain=self._domain)
            await context.abort(code, says, (*trailing, (DETAILS, shown)))
            raise AssertionError("an aborted call goes on")

        return answer


def _plain(metadata: Any) -> list[tuple[bytes, bytes]]:
    """Without what is binary."""
    return [(key.encode("ascii"), value.encode("latin-1")) for key, value in metadata if isinstance(value, str)]


def _metadata(answered: Answered) -> tuple[tuple[str, str | bytes], ...]:
    return tuple((name, value) for name, value in answered.headers.items() if name not in _OMITTED)


def _address(peer: str) -> str:
    """ "ipv4:127.0.0.1:5000", "ipv6:%5B::1%5D:5000": the address alone."""
    kind, _, rest = peer.partition(":")
    if kind == "ipv6":
        return rest.rpartition(":")[0].replace("%5B", "").replace("%5D", "").strip("[]")
    return rest.rpartition(":")[0] if kind == "ipv4" else ""


def _check_free(host: str, port: int) -> None:
    """gRPC would take what is left of a port that somebody else shares."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise RuntimeError(f"Cannot listen on {host}:{port} for gRPC: {error.strerror}.") from None
