"""Structured logs with redaction, and the metrics that alerts look at."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

from prometheus_client import Counter, Gauge, Histogram

from payments.edge.context import current

REQUEST_SECONDS = Histogram(
    "http_request_duration_seconds",
    "From the first byte of the request to the last of the answer.",
    ["operation", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2),
)
IN_FLIGHT = Gauge("http_requests_in_flight", "Requests being worked on.")
SHED = Counter("http_requests_shed_total", "Requests refused because too many were in flight.")
DATABASE_UNAVAILABLE = Counter("database_unavailable_total", "Transactions given up: away, slow or no connection free.")
GATEWAY_SECONDS = Histogram(
    "gateway_call_duration_seconds",
    "One call to the provider, retries included.",
    ["kind", "outcome"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 3.0),
)
GATEWAY_ATTEMPTS = Counter("gateway_attempts_total", "Requests that left for the provider.", ["kind"])
BREAKER_OPEN = Gauge("gateway_breaker_open", "1 while calls to the provider are refused.")
SWEPT = Counter("sweep_intents_total", "Intents that the recovery sweep took up.", ["outcome"])
INTENTS_WAITING = Gauge("intents_waiting", "Intents whose outcome at the provider is not known yet.")
INTENT_AGE = Gauge("intents_oldest_seconds", "The age of the oldest of them; page when it exceeds ten minutes.")

_SECRET_NAME = re.compile(r"password|secret|token|authorization|cookie|api.?key", re.IGNORECASE)
_SECRET_TEXT = re.compile(r"(?i)bearer\s+[\w.~+/=-]+|eyJ[\w-]+\.[\w-]+\.[\w-]*|://[^/\s:@]+:[^/\s@]+@")
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line; what looks like a secret is masked."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
            "request_id": current().request_id,
        }
        for name, value in vars(record).items():
            if name not in _USUAL:
                line[name] = "[redacted]" if _SECRET_NAME.search(name) else value
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, default=str)


def redact(text: str) -> str:
    """Masks tokens and the credentials in URLs."""
    return _SECRET_TEXT.sub("[redacted]", text)


def configure_logging(level: str) -> None:
    """Sends everything, uvicorn's own lines included, to standard output as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # The HTTP client logs every URL that it fetches; the gateway's own metrics say more.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
