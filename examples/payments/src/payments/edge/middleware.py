"""Three thin layers of plain ASGI around the application, outermost first: Observe, Secure, Guard."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from payments.edge import telemetry
from payments.edge.context import RequestContext, current, enter
from payments.ids import new_id
from payments.problems import MEDIA_TYPE, Problem, unavailable

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("payments.access")
BODY_WAIT_S = 10.0
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_TRACEPARENT = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_UNLOGGED = frozenset({"/health/live", "/health/ready", "/health/startup", "/metrics"})


async def answer(send: Send, problem: Problem) -> None:
    """Sends a problem without the framework's help."""
    body = problem.body()
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    headers += [(name.encode(), value.encode()) for name, value in problem.headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Observe:
    """Request id, log line, metrics; turns what nobody caught into a 500 that tells nothing."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        context = _context_of(scope)
        enter(context)
        status = 0

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *context.headers]
            await send(message)

        telemetry.IN_FLIGHT.inc()
        try:
            await self.app(scope, receive, observed)
        except Exception:
            logging.getLogger("payments").exception("unhandled error")
            if status == 0:
                await answer(observed, Problem(500, "internal-error", "Something went wrong on our side."))
        finally:
            telemetry.IN_FLIGHT.dec()
            _record(scope, context, status, time.perf_counter() - started)


def _context_of(scope: Scope) -> RequestContext:
    """Takes over the caller's request id and traceparent when they are well formed."""
    given = dict(scope["headers"])
    request_id = given.get(b"x-request-id", b"")
    if not _REQUEST_ID.fullmatch(request_id):
        request_id = new_id("req").encode()
    context = RequestContext(request_id=request_id.decode(), path=scope["path"])
    context.headers.append((b"x-request-id", request_id))
    traceparent = given.get(b"traceparent", b"")
    if _TRACEPARENT.fullmatch(traceparent):
        context.headers.append((b"traceparent", traceparent))
    return context


def _record(scope: Scope, context: RequestContext, status: int, duration_s: float) -> None:
    route = scope.get("route")
    # The path itself would give the metrics as many labels as there are identifiers.
    operation = getattr(route, "operation_id", None) or getattr(route, "path", None) or "none"
    telemetry.REQUEST_SECONDS.labels(operation, scope["method"], status).observe(duration_s)
    if context.is_logged and scope["path"] not in _UNLOGGED:
        log.info(
            "request",
            extra={
                "method": scope["method"],
                "path": scope["path"],
                "operation": operation,
                "status": status,
                "duration_ms": round(duration_s * 1000, 2),
                "subject": context.subject,
            },
        )


_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Secure:
    """The security headers, and no caching unless an operation says otherwise."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *_SECURITY_HEADERS]
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, secured if scope["type"] == "http" else send)


class Drain:
    """Whether the service is on its way out."""

    def __init__(self) -> None:
        self.is_draining = False


class Guard:
    """Refuses bodies that are too large, and requests when too many are in flight."""

    def __init__(self, app: App, *, requests_max: int, body_bytes_max: int, drain: Drain) -> None:
        self.app = app
        self.requests_max = requests_max
        self.body_bytes_max = body_bytes_max
        self.drain = drain
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.drain.is_draining:
            # Callers that keep connections open move to another replica before this one closes them.
            current().headers.append((b"connection", b"close"))
        if scope["path"] in _UNLOGGED:
            await self.app(scope, receive, send)
            return
        if self.in_flight >= self.requests_max:
            telemetry.SHED.inc()
            # Counted, and not logged: refusing must stay cheap when there is too much to do.
            current().is_logged = False
            await answer(send, unavailable("Too many requests are in flight."))
            return
        self.in_flight += 1
        try:
            body = await self._read(scope, receive)
            await self.app(scope, _replay(body, receive), send)
        except Problem as problem:
            await answer(send, problem)
        finally:
            self.in_flight -= 1

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """Reads the body before any work begins, so that a slow sender holds nothing but its own connection."""
        too_large = Problem(413, "body-too-large", f"The body may have {self.body_bytes_max} bytes.")
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self.body_bytes_max:
            raise too_large
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_WAIT_S):
                while True:
                    message = await receive()
                    body += message.get("body", b"")
                    if len(body) > self.body_bytes_max:
                        raise too_large
                    if message["type"] == "http.disconnect" or not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise Problem(408, "body-too-slow", f"The body did not arrive within {BODY_WAIT_S:.0f} seconds.") from None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hands the body over once, then waits for the caller to go away."""
    is_read = False

    async def replayed() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
