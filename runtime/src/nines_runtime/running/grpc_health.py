"""grpc.health.v1 (extra `grpc`): whether the process takes calls, as its readiness says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from nines_runtime.calls.messages import MessageError, Messages
from nines_runtime.running.health import Health

SERVICE = "grpc.health.v1.Health"
WATCHERS_MAX = 64
WATCH_EVERY_S = 1.0
_MESSAGES = Messages(
    """
    syntax = "proto3";
    package grpc.health.v1;
    message HealthCheckRequest { string service = 1; }
    message HealthCheckResponse { int32 status = 1; }
    """
)
_SERVING, _NOT_SERVING, _UNKNOWN = 1, 2, 3


def _status(status: int) -> bytes:
    return _MESSAGES.write("HealthCheckResponse", {"status": status})


def health_handlers(health: Health, services: set[str]) -> dict[str, Any]:
    """Check and Watch, for the whole ("") and for each of the services; asked without a credential, like probes."""
    known = {"", SERVICE, *services}
    watchers = 0

    def asked(content: bytes) -> str:
        try:
            name: str = _MESSAGES.read("HealthCheckRequest", content)["service"]
        except MessageError:
            return "?"
        return name

    async def now() -> int:
        return _SERVING if await health.is_ready() else _NOT_SERVING

    async def check(content: bytes, context: Any) -> bytes:
        if asked(content) not in known:
            await context.abort(grpc.StatusCode.NOT_FOUND, "There is no such service.")
        return _status(await now())

    async def watch(content: bytes, context: Any) -> AsyncIterator[bytes]:
        nonlocal watchers
        if watchers >= WATCHERS_MAX:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many watch already.")
        is_known, last = asked(content) in known, 0
        watchers += 1
        try:
            while True:
                status = await now() if is_known else _UNKNOWN
                if status != last:
                    last = status
                    yield _status(status)
                if health.is_draining:
                    return
                await asyncio.sleep(WATCH_EVERY_S)
        finally:
            watchers -= 1

    return {
        f"/{SERVICE}/Check": grpc.unary_unary_rpc_method_handler(check),
        f"/{SERVICE}/Watch": grpc.unary_stream_rpc_method_handler(watch),
    }
