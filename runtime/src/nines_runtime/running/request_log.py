"""One line for each request, at its end."""

from __future__ import annotations

from typing import Any

from nines_runtime.running.logs import Log
from nines_runtime.web.exchange import Exchange

_ANSWERED, _GONE = "answered", "the caller hung up"


class RequestLog:
    """`tenant` is what the field of the tenant is called, such as merchant_id."""

    def __init__(self, log: Log, *, tenant: str = "tenant") -> None:
        self._log = log
        self._tenant = tenant
        self._is_told = log.is_told("info")

    def ended(self, exchange: Exchange) -> None:
        status = exchange.status
        if status >= 500:
            level = "warning" if status == 503 else "error"
        elif self._is_told:
            level = "info"
        else:
            return
        trace = exchange.trace_parent
        fields: dict[str, Any] = {
            "request_id": exchange.request_id,
            "trace_id": trace[3:35],
            "span_id": trace[36:52],
            "operation": exchange.operation,
            "method": exchange.method if len(exchange.method) <= 16 else exchange.method[:16],
            "status": status,
            "duration_ms": round(exchange.duration_s * 1_000, 3),
        }
        caller = exchange.caller
        if caller.subject:
            fields["subject"] = self._log.subject(caller.subject)
        if caller.tenant:
            fields[self._tenant] = caller.tenant
        if exchange.problem:
            fields["problem"] = exchange.problem
        if exchange.is_replayed:
            fields["replayed"] = True
        if exchange.error is not None:
            fields.update(self._log.error_fields(exchange.error))
        self._log.write(level, _ANSWERED if status else _GONE, "requests", fields)

    def shed(self, reason: str) -> None:
        """The request's own line tells it."""
