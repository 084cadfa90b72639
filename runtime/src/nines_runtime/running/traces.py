"""Traces: spans of what is sampled and nothing of what is not, sent to a collector by OTLP over HTTP as JSON.

    tracer = Tracer("payments", share=0.1, endpoint="http://collector:4318/v1/traces")
    with tracer.span("db.insert_payment", "client"):
        ...

Nothing waits for the collector: spans that it does not take in time are dropped and counted."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Mapping
from random import getrandbits
from time import time_ns
from typing import Any

import aiohttp
import msgspec

from nines_runtime.calls import tracing
from nines_runtime.web.exchange import Exchange

SPANS_MAX = 4_096
"""Waiting to be sent."""
BATCH_MAX = 256
SEND_EVERY_S = 1.0
SEND_S_MAX = 5.0
_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_encode = msgspec.json.Encoder().encode


class Tracer:
    """`share` of the traces is sampled here, by the trace's own identifier, so that every service chooses alike."""

    def __init__(self, service: str, *, version: str = "", share: float = 0.0, endpoint: str = "") -> None:
        self.dropped = 0
        self._bound = int(share * 2**64) if endpoint else 0
        self._endpoint = endpoint
        self._resource = _attributes({"service.name": service, "service.version": version})
        self._spans: deque[dict[str, Any]] = deque()
        self._sending: asyncio.Task[None] | None = None

    @property
    def is_sampling(self) -> bool:
        """Whether any trace is."""
        return self._bound > 0

    def is_sampled(self, trace_id: str) -> bool:
        return int(trace_id[16:], 16) < self._bound

    @contextlib.contextmanager
    def span(self, name: str, kind: str = "internal", attributes: Mapping[str, Any] | None = None) -> Iterator[None]:
        """Of what is done within it, as a child of what is being worked on. No value of an argument is an attribute."""
        parent = tracing.trace_parent.get()
        if not parent.endswith("1"):
            yield
            return
        own = f"00-{parent[3:35]}-{getrandbits(64) or 1:016x}-01"
        before = tracing.trace_parent.set(own)
        begun_ns = time_ns()
        failed = ""
        try:
            yield
        except BaseException as error:
            failed = type(error).__name__
            raise
        finally:
            # A generator that was left to the collector ends in another context, where there is nothing to set back.
            with contextlib.suppress(ValueError):
                tracing.trace_parent.reset(before)
            self._add(own, name, _KINDS[kind], begun_ns, attributes or {}, parent=parent[36:52], failed=failed)

    def ended(self, exchange: Exchange) -> None:
        """The span of a request."""
        if not exchange.trace_parent.endswith("1"):
            return
        attributes = {
            "http.request.method": exchange.method,
            "http.response.status_code": exchange.status,
            "http.route": exchange.operation,
        }
        begun_ns = time_ns() - int(exchange.duration_s * 1e9)
        failed = exchange.problem if exchange.status >= 500 else ""
        name = f"{exchange.method} {exchange.operation}"
        self._add(exchange.trace_parent, name, _KINDS["server"], begun_ns, attributes, failed=failed)

    def shed(self, reason: str) -> None:
        """Not a matter of traces."""

    def start(self) -> None:
        if self._endpoint:
            tracing.record(self.span, self.is_sampled)
            self._sending = asyncio.get_running_loop().create_task(self._send_all())

    async def stop(self) -> None:
        """What waits is sent once more, within a limit."""
        if self._sending is None:
            return
        tracing.record(None)
        self._sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._sending
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with aiohttp.ClientSession() as session:
                await self._send(session)

    def _add(
        self,
        own: str,
        name: str,
        kind: int,
        begun_ns: int,
        attributes: Mapping[str, Any],
        *,
        parent: str = "",
        failed: str = "",
    ) -> None:
        if len(self._spans) >= SPANS_MAX:
            self.dropped += 1
            return
        span: dict[str, Any] = {
            "traceId": own[3:35],
            "spanId": own[36:52],
            "name": name,
            "kind": kind,
            "startTimeUnixNano": str(begun_ns),
            "endTimeUnixNano": str(time_ns()),
            "attributes": _attributes(attributes),
            "status": {"code": 2, "message": failed} if failed else {},
        }
        if parent and parent != tracing.NO_SPAN:
            span["parentSpanId"] = parent
        self._spans.append(span)

    async def _send_all(self) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                await asyncio.sleep(SEND_EVERY_S)
                while len(self._spans) > 0:
                    if not await self._send(session):
                        break

    async def _send(self, session: aiohttp.ClientSession) -> bool:
        batch = [self._spans.popleft() for _ in range(min(BATCH_MAX, len(self._spans)))]
        if not batch:
            return True
        scoped = {"scope": {"name": "nines-runtime"}, "spans": batch}
        document = {"resourceSpans": [{"resource": {"attributes": self._resource}, "scopeSpans": [scoped]}]}
        try:
            async with session.post(
                self._endpoint,
                data=_encode(document),
                headers={"content-type": "application/json"},
                timeout=aiohttp.ClientTimeout(total=SEND_S_MAX),
                allow_redirects=False,
            ) as answer:
                is_taken = answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError):
            is_taken = False
        if not is_taken:
            self.dropped += len(batch)
        return is_taken


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": str(value)}
