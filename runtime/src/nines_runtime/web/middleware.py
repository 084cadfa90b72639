"""The pieces of the edge as pure ASGI middleware, for services that have their routes from FastAPI or Starlette.

    app.add_middleware(BodyLimit, bytes_max=65_536)
    app.add_middleware(RateLimit, limit=Limit(100, window_s=60, per="address"))
    app.add_middleware(RequestContext, observers=...)     # added last: it is the outermost

None of them touches what streams through it."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from time import monotonic
from typing import Any

from nines_runtime.calls import tracing
from nines_runtime.web import limits
from nines_runtime.web.answer import Answer
from nines_runtime.web.asgi import App, Message, Receive, Scope, Send
from nines_runtime.web.caller import Headers
from nines_runtime.web.exchange import UNMATCHED, Exchange, Nobody, Observer
from nines_runtime.web.gate import Gate
from nines_runtime.web.incoming import address_of, network_of, read_headers, request_id_of, trace_parent_of
from nines_runtime.web.operations import Limit
from nines_runtime.web.problem import Problem
from nines_runtime.web.route import Policy
from nines_runtime.web.sending import DIRECT, SECURITY_HEADERS, send_answer

EXCHANGE = "nines.exchange"
"""Where in the scope the inner pieces find the request that the outermost one began."""
_logger = logging.getLogger("nines_runtime.requests")


class RequestContext:
    """Request id and traceparent in and out, headers of every answer, room and deadline, one observation at the end;
    what nobody caught is answered with 500 and told to the observer alone, or without one to Python's own logging.

    The deadline ends with the first byte of the answer: what streams may take as long as it likes."""

    def __init__(
        self,
        app: App,
        *,
        observer: Observer | None = None,
        gate: Gate | None = None,
        deadline_s: float = 30.0,
        proxies_trusted: int = 0,
        headers: tuple[tuple[bytes, bytes], ...] = SECURITY_HEADERS,
        is_sampled: Callable[[str], bool] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._app = app
        self._observer: Observer = observer or _Told()
        self._gate = gate or Gate(clock=clock, shed=self._observer.shed)
        self._deadline_s = deadline_s
        self._proxies_trusted = proxies_trusted
        self._headers = headers
        self._is_sampled = is_sampled
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        direct = scope.get(DIRECT)
        began_s = self._clock() if direct is None else direct.arrived_s
        exchange = begin(scope, began_s, self._proxies_trusted, self._is_sampled)
        exchange.at_s += self._deadline_s
        scope[EXCHANGE] = exchange
        tracing.trace_parent.set(exchange.trace_parent)
        tracing.request_id.set(exchange.request_id)
        failed: Problem | None = None
        ticket = None
        sending = _Sending(send, exchange, self._headers)
        try:
            waited_s = self._clock() - exchange.began_s
            ticket = sending.ticket = self._gate.enter(exchange.at_s, waited_s=waited_s)
            await self._app(scope, receive, sending)
        except Problem as problem:
            failed = problem
        except asyncio.CancelledError as error:
            if ticket is None or not ticket.is_late:
                raise
            exchange.error = error
            failed = Problem("unavailable", "It took longer than a request may.")
        except Exception as error:
            exchange.error = error
            failed = Problem("internal-error")
        finally:
            if ticket is not None:
                self._gate.leave(ticket)
                if ticket.is_late and ticket.task is not None:
                    ticket.task.uncancel()
        exchange.operation = _operation(scope)
        if failed is not None and not exchange.status:
            exchange.problem = failed.kind.code
            answer = failed.answer(instance=exchange.path, request_id=exchange.request_id)
            exchange.status = await send_answer(send, answer, exchange, common=self._headers)
        exchange.duration_s = self._clock() - exchange.began_s
        self._observer.ended(exchange)


class _Told(Nobody):
    """Without an observer, what nobody expected goes where Python's own logging leads: its answer tells nothing."""

    def ended(self, exchange: Exchange) -> None:
        if exchange.error is not None:
            told = {"request_id": exchange.request_id, "operation": exchange.operation}
            _logger.error("a request failed", exc_info=exchange.error, extra=told)


class _Sending:
    """Adds what every answer has, and notes its status."""

    __slots__ = ("_exchange", "_headers", "_send", "ticket")

    def __init__(self, send: Send, exchange: Exchange, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        self._send = send
        self._exchange = exchange
        self._headers = headers
        self.ticket: Any = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._exchange.status = message["status"]
            if self.ticket is not None:
                self.ticket.at_s = math.inf
            own = (
                (b"x-request-id", self._exchange.request_id.encode("ascii")),
                *self._headers,
                *self._exchange.quotas,
            )
            given = list(message.get("headers", ()))
            known = {name.lower() for name, _ in given}
            if any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in given):
                # A page has scripts and styles, of which its owner knows and the policy for JSON does not.
                known.add(b"content-security-policy")
            message = {**message, "headers": [*given, *(header for header in own if header[0] not in known)]}
        await self._send(message)


class RateLimit:
    """`counted` says under which name a request is counted, beside the limit's own; without it the address is."""

    def __init__(
        self,
        app: App,
        *,
        limit: Limit,
        limiter: limits.Limiter | None = None,
        counted: Callable[[Scope, Headers], str] | None = None,
        proxies_trusted: int = 0,
    ) -> None:
        self._app = app
        self._limiter = limiter or limits.LocalLimiter()
        self._policy = Policy(limit, "default")
        self._counted = counted or (lambda scope, headers: network_of(address_of(scope, headers, proxies_trusted)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = of(scope)
        try:
            name = f"{self._policy.name}|{self._counted(scope, exchange.headers)}"
            await self._policy.check(self._limiter, name, exchange.quotas)
        except Problem as problem:
            await refuse(problem, exchange, scope, send)
            return
        if EXCHANGE in scope:
            await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, _Sending(send, exchange, ()))


class BodyLimit:
    """A body that is larger is refused before it is read, or cut where its length was not told."""

    def __init__(self, app: App, *, bytes_max: int) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = Problem(
            "body-too-large",
            f"The body is larger than {self._bytes_max:,} bytes.",
            headers=((b"connection", b"close"),),
        )
        told = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        if told.isdigit() and int(told) > self._bytes_max:
            await refuse(problem, of(scope), scope, send)
            return
        read, has_begun = 0, False

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._bytes_max:
                raise problem
            return message

        async def noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, bounded, noted)
        except Problem as raised:
            if raised is not problem or has_begun:
                raise
            await refuse(problem, of(scope), scope, send)


def begin(scope: Scope, began_s: float, proxies_trusted: int, is_sampled: Callable[[str], bool] | None) -> Exchange:
    headers = read_headers(scope["headers"])
    exchange = Exchange(UNMATCHED, scope["method"], scope["path"], headers, {}, began_s, began_s)
    exchange.direct = scope.pop(DIRECT, None)
    exchange.request_id = request_id_of(headers)
    exchange.trace_parent = trace_parent_of(headers, is_sampled)
    exchange.address = address_of(scope, headers, proxies_trusted)
    return exchange


def of(scope: Scope) -> Exchange:
    """The request that RequestContext began, or one of its own."""
    known = scope.get(EXCHANGE)
    return known if isinstance(known, Exchange) else begin(scope, 0.0, 0, None)


async def refuse(problem: Problem, exchange: Exchange, scope: Scope, send: Send) -> None:
    """Answers with a problem from within: the outer piece adds what every answer has."""
    exchange.problem = problem.kind.code
    answer: Answer = problem.answer(instance=exchange.path, request_id=exchange.request_id)
    if EXCHANGE in scope:
        headers = [(b"content-type", answer.media_type.encode("ascii")), *answer.headers]
        headers.append((b"content-length", b"%d" % len(answer.body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if exchange.method == "HEAD" else answer.body})
    else:
        await send_answer(send, answer, exchange)


def _operation(scope: Scope) -> str:
    """What a framework noted about the route that it took; few values, never the path."""
    route = scope.get("route")
    name = getattr(route, "operation_id", None) or getattr(route, "name", None)
    if not name:
        name = getattr(scope.get("endpoint"), "__name__", None)
    return str(name)[:100] if name else UNMATCHED
