"""One request that carries out several operations: each behind its own guards, for one caller who was told once.

Whatever speaks another language than paths and methods (a graph) goes through here, so that nobody may do by it what
the operation itself would refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import getrandbits
from typing import Any, Generic, Protocol

import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.web import limits
from nines_runtime.web.answer import REPLAYED, Answer
from nines_runtime.web.call import Call
from nines_runtime.web.exchange import Exchange, Observer
from nines_runtime.web.operations import Service
from nines_runtime.web.problem import Problem
from nines_runtime.web.route import Route

_OF_REQUEST = ("idempotency-key", "if-match", "if-none-match", "content-type", "content-length")
"""Headers that belong to one operation: those of the request around it are not its own."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation is asked with."""

    parameters: Mapping[str, str] = {}
    """Of its path."""
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    """Its own, such as idempotency-key; names in lower case."""
    body: bytes = b""


class Around(Protocol):
    """What the edge lends."""

    @property
    def service(self) -> Any: ...
    @property
    def limiter(self) -> limits.Limiter: ...
    @property
    def observer(self) -> Observer: ...
    @property
    def challenge(self) -> bytes: ...
    @property
    def clock(self) -> Callable[[], float]: ...
    def route(self, id: str) -> Route: ...
    def is_crowded(self) -> bool: ...


class Inside(Generic[Service]):
    """Made by the edge for an operation that `is_compound`."""

    def __init__(self, around: Around, exchange: Exchange) -> None:
        self._around = around
        self._exchange = exchange
        self._headers = {name: value for name, value in exchange.headers.items() if name not in _OF_REQUEST}

    @property
    def service(self) -> Service:
        found: Service = self._around.service
        return found

    def failed(self, error: BaseException) -> None:
        """Something that nobody expected; it is told in the log alone."""
        if self._exchange.error is None:
            self._exchange.error = error

    def refused(self, code: str) -> None:
        """What the log says was wrong."""
        self._exchange.problem = self._exchange.problem or code

    async def carry_out(self, id: str, asked: Asked) -> Answer:
        """One operation, as though it had been asked for by its own path; raises Problem."""
        route = self._around.route(id)
        own = self._begun(route, asked)
        try:
            await self._guard(route)
            route.check_headers(own.headers)
            given = {name: [value] for name, value in asked.query.items()}
            taken = route.take(asked.body, given)
            for policy in route.account_policies:
                await policy.check(self._around.limiter, policy.account(taken), [])
            call = self._call(route, own, asked)
            handler = route.operation.handler
            answer = await (handler(self.service, call, taken) if route.is_taking else handler(self.service, call))
        except BaseException as error:
            self._told(own, error=error)
            raise
        own.is_replayed = route.operation.key is not None and REPLAYED in answer.headers
        self._told(own, status=answer.status)
        return answer

    async def read(self, id: str, send: Callable[[Call], Any]) -> Sequence[Any]:
        """What several objects are read by, behind the guards of the operation that reads one of them."""
        route = self._around.route(id)
        own = self._begun(route, Asked())
        try:
            await self._guard(route)
            found: Sequence[Any] = await send(self._call(route, own, Asked()))
        except BaseException as error:
            self._told(own, error=error)
            raise
        self._told(own, status=200)
        return found

    async def _guard(self, route: Route) -> None:
        caller = self._exchange.caller
        operation = route.operation
        if operation.sheds_first and self._around.is_crowded():
            raise Problem("unavailable", "Too much is asked for at once.")
        if not operation.is_public:
            route.admit(caller, self._around.challenge)
        for policy in route.policies:
            await policy.check(self._around.limiter, policy.counted(caller, self._exchange.address), [])

    def _begun(self, route: Route, asked: Asked) -> Exchange:
        outer, operation = self._exchange, route.operation
        began_s = self._around.clock()
        given = asked.parameters
        path = "/".join(given.get(part[1:-1], part) for part in operation.path.split("/")) if given else operation.path
        return Exchange(
            operation.id,
            operation.method,
            path,
            {**self._headers, **asked.headers},
            given,
            began_s,
            min(outer.at_s, began_s + operation.deadline_s),
            caller=outer.caller,
            address=outer.address,
            request_id=outer.request_id,
            trace_parent=_child(outer.trace_parent),
        )

    def _call(self, route: Route, own: Exchange, asked: Asked) -> Call:
        return Call(
            operation=own.operation,
            method=own.method,
            path=own.path,
            parameters=asked.parameters,
            query=asked.query,
            headers=own.headers,
            body=asked.body,
            caller=own.caller,
            address=own.address,
            request_id=own.request_id,
            trace_parent=own.trace_parent,
            deadline=Deadline(own.at_s, clock=self._around.clock),
            key=route.operation.key,
        )

    def _told(self, own: Exchange, *, status: int = 0, error: BaseException | None = None) -> None:
        """Logs and metrics get each operation as one that was asked for by itself."""
        if isinstance(error, Problem):
            own.problem, status = error.kind.code, error.kind.status
        elif error is not None:
            is_late = not isinstance(error, Exception) or isinstance(error, TimeoutError)
            own.problem, status = ("unavailable", 503) if is_late else ("internal-error", 500)
            own.error = error
        own.status = status
        own.duration_s = self._around.clock() - own.began_s
        self._around.observer.ended(own)


def _child(trace_parent: str) -> str:
    """The same trace with a span of its own."""
    return f"{trace_parent[:36]}{getrandbits(64) or 1:016x}{trace_parent[52:]}" if trace_parent else ""
