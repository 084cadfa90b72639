"""A whole service as one ASGI application: operations, health, metrics, contract, and whatever the owner adds behind.

@asynccontextmanager
async def lifespan() -> AsyncIterator[Started[Service]]:
    async with opened(settings) as database:
        yield Started(Service(database), authenticator=authenticator, checks={"db": database.ping})

application = Application("payments", operations, lifespan, openapi=CONTRACT, fallback=app)"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import Any, Generic

from starlette.applications import Starlette

from nines_runtime.running.health import Check, Health
from nines_runtime.running.lifespan import lifespan_of
from nines_runtime.running.logs import Log
from nines_runtime.running.metrics import OPEN_METRICS, TEXT, Metrics
from nines_runtime.running.observing import Observers, RequestMetrics
from nines_runtime.running.request_log import RequestLog
from nines_runtime.running.traces import Tracer
from nines_runtime.web import frameworks
from nines_runtime.web.answer import Answer
from nines_runtime.web.asgi import App, Receive, Scope, Send
from nines_runtime.web.caller import Authenticator
from nines_runtime.web.edge import Edge
from nines_runtime.web.exchange import Exchange
from nines_runtime.web.gate import IN_FLIGHT_MAX, Gate
from nines_runtime.web.limits import Limiter
from nines_runtime.web.middleware import RequestContext, begin
from nines_runtime.web.operations import Operations, Service
from nines_runtime.web.problem import CHALLENGE, Problem
from nines_runtime.web.sending import send_answer
from nines_runtime.web.trusting import OnlyFrom

DRAIN_S = 10.0
CLOSE_S_MAX = 10.0
"""How long what was opened may take to close."""
_NO_STORE = ((b"cache-control", b"no-store"),)
_WELL = Answer(body=b'{"status":"ok"}', headers=_NO_STORE)
_OWN_METHODS = b"GET, HEAD, OPTIONS"


class Started(Generic[Service]):
    """What a lifespan makes: the service that operations get, who tells callers apart, and what readiness asks."""

    def __init__(
        self,
        service: Service,
        *,
        authenticator: Authenticator | None = None,
        limiter: Limiter | None = None,
        checks: Mapping[str, Check] | None = None,
    ) -> None:
        self.service = service
        self.authenticator = authenticator
        self.limiter = limiter
        self.checks: Mapping[str, Check] = checks or {}


class Listener:
    """Something beside HTTP that asks the same operations, such as gRPC."""

    shares_port = False
    """Several processes listen on its port."""

    async def open(self, application: Application[Any]) -> None:
        """Called once operations can be carried out; a failure keeps the service from starting."""

    def drain(self, limit_s: float) -> None:
        """Health is refused from now on; in so many seconds everything must have ended."""

    async def close(self) -> None:
        """Before anything that operations need is closed."""


Lifespan = Callable[[], AbstractAsyncContextManager[Started[Service]]]


class Application(Generic[Service]):
    """What stands beside the operations costs them nothing: all other paths are looked up after theirs."""

    def __init__(
        self,
        name: str,
        operations: Operations[Service],
        lifespan: Lifespan[Service],
        *,
        version: str = "",
        openapi: bytes = b"",
        fallback: App | None = None,
        metrics: Metrics | None = None,
        log: Log | None = None,
        tracer: Tracer | None = None,
        tenant: str = "tenant",
        thresholds_s: Sequence[float] = (),
        drain_s: float = DRAIN_S,
        in_flight_max: int = IN_FLIGHT_MAX,
        proxies_trusted: int = 0,
        trusts_deadlines: bool = False,
        limit_factor: float = 1.0,
        fallback_deadline_s: float = 30.0,
        challenge: bytes = CHALLENGE,
        listeners: Sequence[Listener] = (),
        believed: tuple[str, Sequence[str]] | None = None,
    ) -> None:
        """`openapi` is the contract as JSON; `tenant` what a log line calls the tenant; `thresholds_s` those of the
        objectives, which become edges of the histogram's buckets; `challenge` what WWW-Authenticate says with 401;
        `believed` a header and the networks from which alone it is taken."""
        self.name, self.version, self.drain_s = name, version, drain_s
        self.metrics = metrics or Metrics()
        self.log = log or Log(name, version=version)
        self.tracer = tracer or Tracer(name, version=version)
        self.health = Health()
        self.listeners = tuple(listeners)
        self._lifespan = lifespan
        requests = RequestMetrics(
            self.metrics,
            [(each.id, each.method) for each in operations],
            keyed=[each.id for each in operations if each.key is not None],
            thresholds_s=thresholds_s,
        )
        observer = Observers(requests, RequestLog(self.log, tenant=tenant), self.tracer)
        self.gate = Gate(in_flight_max=in_flight_max, shed=observer.shed)
        requests.watch(self.gate)
        self._inner = fallback
        self._outer: App | None = None
        if fallback is not None:
            if isinstance(fallback, Starlette):
                frameworks.problems(fallback)
            self._outer = RequestContext(
                fallback,
                observer=observer,
                gate=self.gate,
                deadline_s=fallback_deadline_s,
                proxies_trusted=proxies_trusted,
                is_sampled=self.tracer.is_sampled if self.tracer.is_sampling else None,
            )
        self.edge: Edge[Service] = Edge(
            operations,
            fallback=self._elsewhere,
            is_claimed=partial(frameworks.claims, fallback),
            observer=observer,
            gate=self.gate,
            proxies_trusted=proxies_trusted,
            trusts_deadlines=trusts_deadlines,
            is_sampled=self.tracer.is_sampled if self.tracer.is_sampling else None,
            limit_factor=limit_factor,
            challenge=challenge,
        )
        self.believed = OnlyFrom(self.edge, *believed) if believed else None
        self._entry: App = self.believed or self.edge
        self._state: dict[str, Any] = {}
        self._contract = _contract(openapi)
        self._own: dict[str, Callable[[Exchange], Awaitable[Answer]]] = {
            "/health/startup": self._started,
            "/health/ready": self._ready,
            "/health/live": self._live,
            "/metrics": self._metrics,
            **({"/openapi.json": self._openapi} if openapi else {}),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live_through(receive, send)
        else:
            await self._entry(scope, receive, send)

    def drain(self) -> None:
        """Begins the end: readiness is refused, callers are told to connect elsewhere, and requests are still taken."""
        if not self.health.is_draining:
            self.health.is_draining = True
            self.edge.drain()
            for each in self.listeners:
                each.drain(self.drain_s)
            self.log.info("Draining.", logger="process", in_flight=self.gate.in_flight)

    async def _live_through(self, receive: Receive, send: Send) -> None:
        await receive()
        stack = AsyncExitStack()
        try:
            await self._start(stack)
        except Exception as error:
            self.log.failed("The service could not start.", error, logger="process")
            await self._stop(stack)
            await send({"type": "lifespan.startup.failed", "message": "Its log tells why."})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.drain()
        if not await self.gate.drained(self.drain_s):
            self.gate.cut()
        await self._stop(stack)
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self, stack: AsyncExitStack) -> None:
        started = await stack.enter_async_context(self._lifespan())
        self.edge.open(started.service, authenticator=started.authenticator, limiter=started.limiter)
        self.health.checks = started.checks
        if self._inner is not None:
            self._state = await stack.enter_async_context(lifespan_of(self._inner))
        self._state = self._state | {
            frameworks.SERVICE: started.service,
            frameworks.AUTHENTICATOR: started.authenticator,
        }
        self.tracer.start()
        for each in self.listeners:
            stack.push_async_callback(each.close)
            await each.open(self)
        self.health.has_started = True
        self.log.info("Started.", logger="process")

    async def _stop(self, stack: AsyncExitStack) -> None:
        try:
            async with asyncio.timeout(CLOSE_S_MAX):
                await stack.aclose()
                await self.tracer.stop()
        except Exception as error:
            self.log.failed("Something did not close in order.", error, logger="process")
        self.log.info("Stopped.", logger="process", lines_dropped=self.log.dropped)
        self.log.close()

    async def _elsewhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = self._own.get(scope["path"]) if scope["type"] == "http" else None
        if own is not None:
            exchange = begin(scope, 0.0, 0, None)
            if exchange.method in ("GET", "HEAD"):
                answer = await own(exchange)
            elif exchange.method == "OPTIONS":
                answer = Answer(status=204, media_type="", headers=((b"allow", _OWN_METHODS), *_NO_STORE))
            else:
                answer = _refused(Problem("method-not-allowed", headers=((b"allow", _OWN_METHODS),)), exchange)
            await send_answer(send, answer, exchange)
        elif self._outer is not None:
            scope["state"] = {**scope.get("state", {}), **self._state}
            await self._outer(scope, receive, send)
        elif scope["type"] == "http":
            await self.edge.missed(scope, send)

    async def _started(self, exchange: Exchange) -> Answer:
        return _WELL if self.health.has_started else _refused(Problem("unavailable", "It is starting."), exchange)

    async def _live(self, exchange: Exchange) -> Answer:  # noqa: ARG002 -- asked like the others
        return _WELL

    async def _ready(self, exchange: Exchange) -> Answer:
        before = self.health.failing
        if await self.health.is_ready():
            return _WELL
        if self.health.failing != before and self.health.failing:
            self.log.warning("Not ready.", logger="health", failing=list(self.health.failing))
        said = "It is stopping." if self.health.is_draining else "It cannot take requests now."
        return _refused(Problem("unavailable", said), exchange)

    async def _metrics(self, exchange: Exchange) -> Answer:
        is_open = "application/openmetrics-text" in exchange.headers.get("accept", "")
        text = self.metrics.text(is_open=is_open)
        return Answer(body=text, media_type=OPEN_METRICS if is_open else TEXT, headers=_NO_STORE)

    async def _openapi(self, exchange: Exchange) -> Answer:  # noqa: ARG002 -- asked like the others
        return self._contract


def _refused(problem: Problem, exchange: Exchange) -> Answer:
    return problem.answer(instance=exchange.path, request_id=exchange.request_id)


def _contract(openapi: bytes) -> Answer:
    etag = b'"%s"' % hashlib.sha256(openapi).hexdigest()[:32].encode("ascii")
    return Answer(body=openapi, headers=((b"etag", etag), (b"cache-control", b"no-cache")))
