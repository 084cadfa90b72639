"""Calls to the payment provider: a deadline, few retries, a breaker and a bulkhead around each.

Every call carries the intent's id as its Idempotency-Key, so that repeating it is safe. A call never raises
for what the provider does: its outcome is approved, declined, or unknown, and unknown is left to the sweep.
Never call it inside a database transaction.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from enum import StrEnum

import httpx

from payments.edge import telemetry
from payments.edge.context import current
from payments.gateway.breaker import Breaker
from payments.gateway.retry import RetryBudget
from payments.settings import Settings

ANSWER_BYTES_MAX = 65_536
BACKOFF_S = 0.05
KEEPALIVE_MAX = 8

log = logging.getLogger("payments.gateway")


class Outcome(StrEnum):
    APPROVED = "approved"
    DECLINED = "declined"
    UNKNOWN = "unknown"
    """It may or may not have happened."""


class _Transient(Exception):  # noqa: N818 -- it is a reason to try again, not an error.
    """The attempt failed in a way that another one may not."""


_PATHS = {"authorize": "/v1/authorizations", "capture": "/v1/captures", "refund": "/v1/refunds"}


class Gateway:
    """The provider as the rest of the service sees it."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._breaker = Breaker(open_s=settings.gateway_breaker_open_s)
        self._budget = RetryBudget()
        self._in_use = 0
        self._client = httpx.AsyncClient(
            base_url=settings.gateway_url,
            timeout=httpx.Timeout(settings.gateway_attempt_s),
            limits=httpx.Limits(
                max_connections=settings.gateway_concurrency_max,
                # Every idle connection is looked at for each call, so that many of them cost more than they save.
                max_keepalive_connections=KEEPALIVE_MAX,
                keepalive_expiry=15.0,
            ),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def call(self, kind: str, *, key: str, reference: str, amount_minor: int, currency: str) -> Outcome:
        """Authorizes, captures or refunds."""
        started = time.monotonic()
        if self._in_use >= self._settings.gateway_concurrency_max or not self._breaker.admits(started):
            telemetry.GATEWAY_SECONDS.labels(kind, "refused").observe(0.0)
            return Outcome.UNKNOWN
        self._in_use += 1
        self._budget.earn()
        body = {"reference": reference, "amount_minor": amount_minor, "currency": currency}
        try:
            async with asyncio.timeout(self._settings.gateway_deadline_s):
                outcome = await self._attempts(kind, key, body)
        except (TimeoutError, _Transient) as error:
            log.warning("gateway call without outcome", extra={"kind": kind, "error": str(error) or "deadline"})
            outcome = Outcome.UNKNOWN
        finally:
            self._in_use -= 1
        self._record(kind, outcome, started)
        return outcome

    def _record(self, kind: str, outcome: Outcome, started_s: float) -> None:
        now = time.monotonic()
        self._breaker.record(outcome is not Outcome.UNKNOWN, now)
        telemetry.BREAKER_OPEN.set(1 if self._breaker.is_open else 0)
        telemetry.GATEWAY_SECONDS.labels(kind, outcome.value).observe(now - started_s)

    async def _attempts(self, kind: str, key: str, body: dict[str, object]) -> Outcome:
        attempt = 1
        while True:
            try:
                return await self._attempt(kind, key, body)
            except _Transient:
                if attempt >= self._settings.gateway_attempts_max or not self._budget.spend():
                    raise
            # Full jitter, so that callers that failed together do not come back together.
            await asyncio.sleep(random.uniform(0, BACKOFF_S * 2**attempt))  # noqa: S311 -- no secret
            attempt += 1

    async def _attempt(self, kind: str, key: str, body: dict[str, object]) -> Outcome:
        telemetry.GATEWAY_ATTEMPTS.labels(kind).inc()
        headers = {"idempotency-key": key, "x-request-id": current().request_id}
        try:
            async with (
                asyncio.timeout(self._settings.gateway_attempt_s),
                self._client.stream("POST", _PATHS[kind], json=body, headers=headers) as response,
            ):
                content = b""
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > ANSWER_BYTES_MAX:
                        raise _Transient("answer too large")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError) as error:
            raise _Transient(type(error).__name__) from error
        return _outcome(response.status_code, content)


def _outcome(status: int, content: bytes) -> Outcome:
    """Judges an answer; whatever is not clearly one or the other stays unknown."""
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise _Transient(f"status {status}")
    if status == httpx.codes.PAYMENT_REQUIRED:
        return Outcome.DECLINED
    try:
        document = json.loads(content)
        told = document.get("status") if isinstance(document, dict) else None
    except (ValueError, RecursionError):
        told = None
    if httpx.codes.is_success(status) and told == "approved":
        return Outcome.APPROVED
    if told == "declined":
        return Outcome.DECLINED
    log.error("gateway answer not understood", extra={"status": status})
    return Outcome.UNKNOWN
