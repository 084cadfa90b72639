"""How a call over gRPC did not end well: its code, and the details of google.rpc.Status (extra `grpc`)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from grpc import StatusCode

from nines_runtime.calls.messages import MessageError, Messages

DETAILS = "grpc-status-details-bin"
"""The metadata that carries them."""
VIOLATIONS_MAX = 20
_ROOT = "type.googleapis.com/google.rpc."
# Any, Duration and a map have the same bytes as these.
_TEXT = """
syntax = "proto3";
package google.rpc;
message Any { string type_url = 1; bytes value = 2; }
message Duration { int64 seconds = 1; int32 nanos = 2; }
message Entry { string key = 1; string value = 2; }
message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
message ErrorInfo { string reason = 1; string domain = 2; repeated Entry metadata = 3; }
message RetryInfo { Duration retry_delay = 1; }
message FieldViolation { string field = 1; string description = 2; }
message BadRequest { repeated FieldViolation field_violations = 1; }
"""
_OF_CODE: Mapping[str, StatusCode] = {
    "unauthorized": StatusCode.UNAUTHENTICATED,
    "already-exists": StatusCode.ALREADY_EXISTS,
    "operation-pending": StatusCode.ABORTED,
    "idempotency-key-in-use": StatusCode.ABORTED,
    "precondition-failed": StatusCode.ABORTED,
    "declined": StatusCode.FAILED_PRECONDITION,
    "invariant-broken": StatusCode.FAILED_PRECONDITION,
    "precondition-required": StatusCode.FAILED_PRECONDITION,
}
_OF_STATUS: Mapping[int, StatusCode] = {
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    405: StatusCode.UNIMPLEMENTED,
    408: StatusCode.CANCELLED,
    409: StatusCode.FAILED_PRECONDITION,
    412: StatusCode.ABORTED,
    413: StatusCode.RESOURCE_EXHAUSTED,
    428: StatusCode.FAILED_PRECONDITION,
    429: StatusCode.RESOURCE_EXHAUSTED,
    503: StatusCode.UNAVAILABLE,
}
STATUS_OF: Mapping[StatusCode, int] = {
    StatusCode.OK: 200,
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.OUT_OF_RANGE: 400,
    StatusCode.UNAUTHENTICATED: 401,
    StatusCode.PERMISSION_DENIED: 403,
    StatusCode.NOT_FOUND: 404,
    StatusCode.ALREADY_EXISTS: 409,
    StatusCode.ABORTED: 409,
    StatusCode.FAILED_PRECONDITION: 422,
    StatusCode.RESOURCE_EXHAUSTED: 429,
    StatusCode.UNIMPLEMENTED: 405,
    StatusCode.UNAVAILABLE: 503,
}
"""What HTTP calls it; everything else is 500."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What the details tell; empty where there are none."""

    reason: str = ""
    """The problem's code, such as "idempotency-key-reused"."""
    status: int = 0
    """What HTTP calls it; 0: not told."""
    request_id: str = ""
    retry_after_s: float | None = None
    errors: tuple[tuple[str, str], ...] = ()


def code_of(status: int, code: str) -> StatusCode:
    """Of a problem; what is wrong with the request itself is INVALID_ARGUMENT, and with us INTERNAL."""
    found = _OF_CODE.get(code) or _OF_STATUS.get(status)
    return found or (StatusCode.INVALID_ARGUMENT if status < 500 else StatusCode.INTERNAL)


@cache
def _messages() -> Messages:
    return Messages(_TEXT)


def details(code: StatusCode, says: str, trouble: Trouble, *, domain: str) -> bytes:
    """google.rpc.Status with ErrorInfo, and RetryInfo and BadRequest where there is something to tell."""
    told = {"request_id": trouble.request_id, "http_status": str(trouble.status)}
    found = [
        _any(
            "ErrorInfo",
            {
                "reason": trouble.reason.upper().replace("-", "_"),
                "domain": domain,
                "metadata": [{"key": key, "value": value} for key, value in told.items()],
            },
        )
    ]
    if trouble.retry_after_s is not None:
        seconds, part = divmod(trouble.retry_after_s, 1.0)
        delay = {"seconds": int(seconds), "nanos": int(part * 1_000_000_000)}
        found.append(_any("RetryInfo", {"retry_delay": delay}))
    if trouble.errors:
        wrong = [{"field": field, "description": says} for field, says in trouble.errors[:VIOLATIONS_MAX]]
        found.append(_any("BadRequest", {"field_violations": wrong}))
    return _messages().write("Status", {"code": code.value[0], "message": says, "details": found})


def _any(name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"type_url": _ROOT + name, "value": _messages().write(name, value)}


def trouble_of(content: bytes) -> Trouble:
    """What somebody's details tell; nothing where they cannot be read."""
    found: dict[str, Any] = {}
    try:
        for each in _messages().read("Status", content)["details"]:
            kind = each["type_url"].rpartition("google.rpc.")[2]
            if kind in ("ErrorInfo", "RetryInfo", "BadRequest"):
                found[kind] = _messages().read(kind, b64decode(each["value"]))
    except MessageError:
        return Trouble()
    info = found.get("ErrorInfo", {})
    told = {each["key"]: each["value"] for each in info.get("metadata", [])}
    delay = found.get("RetryInfo", {}).get("retry_delay")
    status = told.get("http_status", "")
    return Trouble(
        reason=info.get("reason", "").lower().replace("_", "-"),
        status=int(status) if len(status) == 3 and status.isdecimal() and status.isascii() else 0,
        request_id=told.get("request_id", ""),
        retry_after_s=None if delay is None else max(0.0, delay["seconds"] + delay["nanos"] / 1_000_000_000),
        errors=tuple(
            (each["field"], each["description"]) for each in found.get("BadRequest", {}).get("field_violations", [])
        ),
    )
