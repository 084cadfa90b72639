"""One line for each request, at its end."""

from __future__ import annotations

from typing import Any

import msgspec

from nines_runtime.running.logs import Log
from nines_runtime.web.exchange import Exchange

_ANSWERED, _GONE = "answered", "the caller hung up"
_METHOD_LENGTH_MAX = 16
_LOGGER = "requests"
_encode = msgspec.json.Encoder().encode


class RequestLog:
    """`tenant` is what the field of the tenant is called, such as merchant_id."""

    def __init__(self, log: Log, *, tenant: str = "tenant") -> None:
        self._log = log
        self._is_told = log.is_told("info")
        self._answered = log.head("info", _ANSWERED, _LOGGER)
        self._line: Any = msgspec.defstruct(
            "Line",
            [
                ("request_id", str),
                ("trace_id", str),
                ("span_id", str),
                ("operation", str),
                ("method", str),
                ("status", int),
                ("duration_ms", float),
                ("subject", str, ""),
                ("tenant", str, ""),
                ("problem", str, ""),
                ("replayed", bool, False),
            ],
            omit_defaults=True,
            rename={"tenant": tenant},
            gc=False,
        )

    def ended(self, exchange: Exchange) -> None:
        status = exchange.status
        level = "info" if status < 500 else "warning" if status == 503 else "error"
        if level == "info" and not self._is_told:
            return
        trace, method, caller = exchange.trace_parent, exchange.method, exchange.caller
        line = self._line(
            exchange.request_id,
            trace[3:35],
            trace[36:52],
            exchange.operation,
            method if len(method) <= _METHOD_LENGTH_MAX else method[:_METHOD_LENGTH_MAX],
            status,
            round(exchange.duration_s * 1_000, 3),
            self._log.subject(caller.subject) if caller.subject else "",
            caller.tenant,
            exchange.problem,
            exchange.is_replayed,
        )
        if exchange.error is None:
            head = self._answered if level == "info" and status else self._log.head(level, _said(status), _LOGGER)
            self._log.put(head, b"," + _encode(line)[1:-1])
        else:
            fields = {**msgspec.to_builtins(line), **self._log.error_fields(exchange.error)}
            self._log.write(level, _said(status), _LOGGER, fields)

    def shed(self, reason: str) -> None:
        """The request's own line tells it."""


def _said(status: int) -> str:
    return _ANSWERED if status else _GONE
