"""Spans: of what is sampled, as children of what they belong to, and dropped rather than waited for."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.calls import tracing
from nines_runtime.running import traces
from nines_runtime.running.traces import Tracer
from nines_runtime.web.exchange import Exchange

TRACE = "0af7651916cd43dd8448eb211c80319c"


@given(st.floats(0, 1))
def test_a_share_of_the_traces_is_sampled(share: float) -> None:
    tracer = Tracer("a", share=share, endpoint="http://127.0.0.1:1/v1/traces")
    ids = [f"{at * 2**54:032x}" for at in range(1_024)]
    assert sum(map(tracer.is_sampled, ids)) == pytest.approx(1_024 * share, abs=2)
    assert not any(map(Tracer("a", share=share).is_sampled, ids))


def exchange(flags: str = "01") -> Exchange:
    made = Exchange("getThing", "GET", "/", {}, {}, 0.0, 0.0)
    made.trace_parent, made.status, made.duration_s = f"00-{TRACE}-b7ad6b7169203331-{flags}", 500, 0.25
    made.problem = "internal-error"
    return made


def test_spans_reach_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "SEND_EVERY_S", 0.01)
    taken: list[Any] = []

    async def collect(request: web.Request) -> web.Response:
        taken.append(msgspec.json.decode(await request.read()))
        return web.Response()

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/v1/traces", collect)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        tracer = Tracer("payments", version="1", share=1, endpoint=f"http://127.0.0.1:{port}/v1/traces")
        tracer.start()
        tracing.trace_parent.set(exchange().trace_parent)
        with tracer.span("db.transaction"), pytest.raises(ValueError, match="no"), tracer.span("db.insert", "client"):
            raise ValueError("no")
        assert tracing.trace_parent.get() == exchange().trace_parent
        tracer.ended(exchange())
        tracer.ended(exchange("00"))
        async with asyncio.timeout(20):
            while not taken:  # noqa: ASYNC110 -- the collector is under test
                await asyncio.sleep(0.01)
        with tracing.span("gateway.capture", "client"):
            pass
        with tracing.begun("relayOutbox"), tracing.span("subscribers.publish", "client"):
            assert TRACE not in tracing.trace_parent.get()
        tracing.trace_parent.set(exchange("00").trace_parent)
        with tracer.span("db.select"), tracing.span("gateway.find", "client"):
            pass
        await tracer.stop()
        await runner.cleanup()
        tracing.trace_parent.set(exchange().trace_parent)
        with tracing.span("nobody keeps it"):
            assert tracing.trace_parent.get() == exchange().trace_parent

    asyncio.run(run())
    spans = {each["name"]: each for one in taken for each in one["resourceSpans"][0]["scopeSpans"][0]["spans"]}
    assert set(spans) == {
        "db.transaction", "db.insert", "GET getThing", "gateway.capture", "relayOutbox", "subscribers.publish",
    }  # fmt: skip
    outside = [spans.pop(name) for name in ("relayOutbox", "subscribers.publish")]
    assert outside[0]["traceId"] == outside[1]["traceId"]
    assert ("parentSpanId" in outside[0], outside[1]["parentSpanId"]) == (False, outside[0]["spanId"])
    assert {each["traceId"] for each in spans.values()} == {TRACE}
    assert spans["db.insert"]["parentSpanId"] == spans["db.transaction"]["spanId"]
    assert spans["db.transaction"]["parentSpanId"] == spans["GET getThing"]["spanId"] == "b7ad6b7169203331"
    assert spans["db.insert"]["status"] == {"code": 2, "message": "ValueError"}
    assert spans["GET getThing"]["status"]["message"] == "internal-error"
    took = int(spans["GET getThing"]["endTimeUnixNano"]) - int(spans["GET getThing"]["startTimeUnixNano"])
    assert took >= 250_000_000
    resource = taken[0]["resourceSpans"][0]["resource"]["attributes"]
    assert {"key": "service.name", "value": {"stringValue": "payments"}} in resource


def test_a_collector_that_is_away_costs_spans_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "SPANS_MAX", 10)

    async def run() -> None:
        tracer = Tracer("a", share=1, endpoint="http://127.0.0.1:1/v1/traces")
        tracer.start()
        for _ in range(15):
            tracer.ended(exchange())
        assert tracer.dropped == 5
        await tracer.stop()
        assert tracer.dropped == 15

    asyncio.run(run())
