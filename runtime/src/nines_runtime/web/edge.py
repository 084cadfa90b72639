"""The edge: one plain ASGI application between the socket and the operations.

The order of its checks is a promise: is there room, who asks (401), may they (403), how often (429), what the headers
must say (400, 428), and only then is the body read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Generic

from nines_runtime.calls import tracing
from nines_runtime.calls.deadline import DEADLINE_HEADER, Deadline
from nines_runtime.web import limits
from nines_runtime.web.answer import REPLAYED, Answer
from nines_runtime.web.asgi import App, Message, Receive, Scope, Send
from nines_runtime.web.call import Call
from nines_runtime.web.caller import Authenticator
from nines_runtime.web.exchange import UNMATCHED, Exchange, Nobody, Observer
from nines_runtime.web.gate import Gate
from nines_runtime.web.incoming import (
    Gone,
    address_of,
    check_media_type,
    check_size,
    read_body,
    read_headers,
    request_id_of,
    trace_parent_of,
)
from nines_runtime.web.inside import Inside
from nines_runtime.web.operations import Operation, Operations, Service
from nines_runtime.web.problem import CHALLENGE, Problem
from nines_runtime.web.reading import pairs
from nines_runtime.web.route import Route
from nines_runtime.web.router import Missed, Router
from nines_runtime.web.sending import CLOSE, DIRECT, SECURITY_HEADERS, Direct, send_answer

LATE = "It took longer than a request may."


class Edge(Generic[Service]):
    """Answers operations; what is none of them goes to `fallback`, or is answered with 404 or 405."""

    def __init__(
        self,
        operations: Operations[Service],
        *,
        fallback: App | None = None,
        is_claimed: Callable[[Scope], bool] = lambda _scope: False,
        observer: Observer | None = None,
        gate: Gate | None = None,
        proxies_trusted: int = 0,
        trusts_deadlines: bool = False,
        headers: tuple[tuple[bytes, bytes], ...] = SECURITY_HEADERS,
        is_sampled: Callable[[str], bool] | None = None,
        limit_factor: float = 1.0,
        challenge: bytes = CHALLENGE,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`trusts_deadlines`: callers may shorten the deadline, which suits services of one's own. `limit_factor`
        multiplies every limit: one caller of a laboratory does the work of many. `is_claimed` tells whether the
        fallback has a method of its own on a path that is one of ours. `challenge` is what 401 asks for."""
        self._fallback = fallback
        self._is_claimed = is_claimed
        self.observer: Observer = observer or Nobody()
        self._gate = gate or Gate(clock=clock, shed=self.observer.shed)
        self._proxies_trusted = proxies_trusted
        self._trusts_deadlines = trusts_deadlines
        self._headers = headers
        self._is_sampled = is_sampled
        self.clock = clock
        self.challenge = challenge
        self._service: Service | None = None
        self._authenticator: Authenticator | None = None
        self._limiter: limits.Limiter = limits.LocalLimiter(clock=clock)
        self._local: limits.LocalLimiter | None = None
        """The limiter, where it need not be waited for."""
        self._router: Router[Route] = Router()
        self._routes = {operation.id: Route(operation, limit_factor=limit_factor) for operation in operations}
        for route in self._routes.values():
            self._router.add(route.operation.method, route.operation.path, route)

    @property
    def gate(self) -> Gate:
        return self._gate

    @property
    def limiter(self) -> limits.Limiter:
        return self._limiter

    @property
    def service(self) -> Service:
        """Raises Problem("unavailable") before `open`."""
        if self._service is None:
            raise Problem("unavailable", "The service is starting.")
        return self._service

    @property
    def operations(self) -> list[Operation]:
        return [route.operation for route in self._routes.values()]

    def route(self, id: str) -> Route:
        return self._routes[id]

    def is_crowded(self) -> bool:
        return self._gate.is_crowded

    def drain(self) -> None:
        """From now on every answer tells its caller to connect anew, elsewhere."""
        if CLOSE not in self._headers:
            self._headers = (*self._headers, CLOSE)

    def open(
        self,
        service: Service,
        *,
        authenticator: Authenticator | None = None,
        limiter: limits.Limiter | None = None,
    ) -> None:
        """Called once everything that operations need is there."""
        closed = [route.operation.id for route in self._routes.values() if not route.operation.is_public]
        if authenticator is None and closed:
            raise ValueError(f"{closed[0]} asks who its caller is, and there is no authenticator that could tell.")
        self._service = service
        self._authenticator = authenticator
        if limiter is not None:
            self._limiter = limiter
        self._local = self._limiter if isinstance(self._limiter, limits.LocalLimiter) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if self._fallback is not None:
                await self._fallback(scope, receive, send)
            return
        path: str = scope["path"]
        root = scope.get("root_path")
        if root and path.startswith(root):
            path = path[len(root) :]
        try:
            route, parameters = self._router.find(scope["method"], path)
        except Missed as missed:
            # Whoever stands behind may have a method that this path has not here.
            if self._fallback is not None and (not missed.allow or self._is_claimed(scope)):
                await self._fallback(scope, receive, send)
            else:
                await self.missed(scope, send, missed.allow)
            return
        exchange = self._exchange(scope, route.operation.id, path, parameters)
        await self._serve(route, exchange, scope, receive, send)

    async def ask(
        self, exchange: Exchange, read: Callable[[], tuple[Mapping[str, str], str, bytes]], send: Send
    ) -> None:
        """Carries out the operation of an exchange that came over something else than HTTP, with the same guards in the
        same order; `read` tells the parameters of its path, the query and the body, or raises Problem."""
        route = self._routes[exchange.operation]
        exchange.trace_parent = trace_parent_of(exchange.headers, self._is_sampled)
        try:
            exchange.parameters, query, body = read()
        except Problem as problem:
            self._told(exchange, await send_answer(send, self._refused(problem, exchange), exchange, common=()))
            return
        parts = exchange.path.split("/")
        exchange.path = "/".join(exchange.parameters[each[1:-1]] if each[:1] == "{" else each for each in parts)

        async def receive() -> Message:
            return {"type": "http.request", "body": body}

        try:
            await self._serve(route, exchange, {"query_string": query.encode("ascii")}, receive, send)
        except asyncio.CancelledError:
            self._told(exchange, 0)
            raise

    def _exchange(self, scope: Scope, operation: str, path: str, parameters: Mapping[str, str]) -> Exchange:
        headers = read_headers(scope["headers"])
        # Taken out of the scope, so that nothing refers to itself and the collector has nothing to do.
        direct: Direct | None = scope.pop(DIRECT, None)
        began_s = self.clock() if direct is None else direct.arrived_s
        exchange = Exchange(operation, scope["method"], path, headers, parameters, began_s, began_s, direct=direct)
        exchange.request_id = request_id_of(headers)
        exchange.trace_parent = trace_parent_of(headers, self._is_sampled)
        exchange.address = address_of(scope, headers, self._proxies_trusted)
        return exchange

    async def _serve(self, route: Route, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        exchange.at_s += self._limit_s(route, exchange)
        exchange.quotas += route.operation.headers
        ticket = None
        try:
            direct = exchange.direct
            ticket = self._gate.enter(
                exchange.at_s,
                sheds_first=route.operation.sheds_first,
                waited_s=self.clock() - exchange.began_s,
                task=None if direct is None else direct.task,
            )
            answer = await self._carry_out(route, exchange, scope, receive)
        except Problem as problem:
            answer = self._refused(problem, exchange)
        except Gone:
            self._told(exchange, 0)
            return
        except asyncio.CancelledError as error:
            if ticket is None or not ticket.is_late:
                raise
            # Where it was waiting when its time was over.
            exchange.error = error if exchange.is_whole else None
            answer = self._refused(_late(exchange), exchange)
        except TimeoutError as error:
            exchange.error = error
            answer = self._refused(_late(exchange), exchange)
        except Exception as error:
            # Whatever it was, it stays inside.
            exchange.error = error
            answer = self._refused(Problem("internal-error"), exchange)
        finally:
            if ticket is not None:
                self._gate.leave(ticket)
                if ticket.is_late and ticket.task is not None:
                    ticket.task.uncancel()
        exchange.is_replayed = route.operation.key is not None and REPLAYED in answer.headers
        self._told(exchange, await send_answer(send, answer, exchange, common=self._headers))

    async def _carry_out(self, route: Route, exchange: Exchange, scope: Scope, receive: Receive) -> Answer:
        operation, headers = route.operation, exchange.headers
        if not operation.is_public:
            await self._admit(route, exchange)
        elif operation.is_compound and self._authenticator is not None:
            exchange.caller = await self._authenticator.authenticate(exchange.headers, address=exchange.address)
        caller = exchange.caller
        for policy in route.policies:
            counted = policy.counted(caller, exchange.address)
            if self._local is None:
                await policy.check(self._limiter, counted, exchange.quotas)
            else:
                policy.told(self._local.take_now(counted, policy.limit), exchange.quotas)
        route.check_headers(headers)
        body = b""
        if route.media_type:
            check_media_type(headers, route.media_type)
            whole = None if exchange.direct is None else exchange.direct.body()
            if whole is None:
                body = await read_body(receive, headers, operation.body_bytes_max)
            else:
                body = check_size(whole, operation.body_bytes_max)
        exchange.is_whole = True
        text: bytes = scope["query_string"]
        given = _query(text) if text else {}
        taken = route.take(body, given)
        for policy in route.account_policies:
            await policy.check(self._limiter, policy.account(taken), exchange.quotas)
        tracing.trace_parent.set(exchange.trace_parent)
        tracing.request_id.set(exchange.request_id)
        call = Call(
            operation=operation.id,
            method=exchange.method,
            path=exchange.path,
            parameters=exchange.parameters,
            query={name: values[-1] for name, values in given.items()} if given else {},
            headers=headers,
            body=body,
            caller=caller,
            address=exchange.address,
            request_id=exchange.request_id,
            trace_parent=exchange.trace_parent,
            deadline=Deadline(exchange.at_s, clock=self.clock),
            key=operation.key,
        )
        if route.is_taking:
            return await operation.handler(self._service, call, taken)
        if operation.is_compound:
            return await operation.handler(Inside[Service](self, exchange), call)
        return await operation.handler(self._service, call)

    async def _admit(self, route: Route, exchange: Exchange) -> None:
        if self._authenticator is None:
            raise Problem("unavailable", "The service is starting.")
        caller = await self._authenticator.authenticate(exchange.headers, address=exchange.address)
        exchange.caller = caller
        route.admit(caller, self.challenge)

    def _limit_s(self, route: Route, exchange: Exchange) -> float:
        limit_s = route.operation.deadline_s
        if self._trusts_deadlines:
            told = exchange.headers.get(DEADLINE_HEADER, "")
            if told.isascii() and told.isdigit() and len(told) < 10:
                return min(limit_s, int(told) / 1_000)
        return limit_s

    async def missed(self, scope: Scope, send: Send, allow: bytes = b"") -> None:
        """404, or 405 where the path has other methods."""
        exchange = self._exchange(scope, UNMATCHED, scope["path"], {})
        if allow and exchange.method == "OPTIONS":
            answer = Answer(status=204, media_type="", headers=((b"allow", allow), (b"cache-control", b"no-store")))
        elif allow:
            answer = self._refused(Problem("method-not-allowed", headers=((b"allow", allow),)), exchange)
        else:
            answer = self._refused(Problem("not-found", "There is no such path."), exchange)
        self._told(exchange, await send_answer(send, answer, exchange, common=self._headers))

    def _refused(self, problem: Problem, exchange: Exchange) -> Answer:
        exchange.problem = problem.kind.code
        return problem.answer(instance=exchange.path, request_id=exchange.request_id, challenge=self.challenge)

    def _told(self, exchange: Exchange, status: int) -> None:
        exchange.status = status
        exchange.duration_s = self.clock() - exchange.began_s
        self.observer.ended(exchange)


def _query(text: bytes) -> dict[str, list[str]]:
    try:
        return pairs(text.decode("ascii"))
    except ValueError:
        raise Problem("invalid-parameter", "The query string cannot be read.") from None


def _late(exchange: Exchange) -> Problem:
    """A request that came too slowly is its caller's matter; one that was worked on for too long is ours."""
    if exchange.is_whole:
        return Problem("unavailable", LATE)
    return Problem("request-timeout", headers=(CLOSE,))
