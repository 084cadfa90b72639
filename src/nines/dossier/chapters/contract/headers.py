"""The headers of answers, described once."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from nines.dossier.chapters.contract import security
from nines.model import words
from nines.model.blueprint import Action, Limit
from nines.model.blueprint.operation import Deprecation
from nines.model.design import Design, PlannedAnswer, PlannedEndpoint

_TEXT: dict[str, Any] = {"type": "string"}
_SECONDS: dict[str, Any] = {"type": "integer", "minimum": 0}
_DESCRIBED: dict[str, tuple[str, dict[str, Any], Any]] = {
    "Accept-Patch": ("What a PATCH may carry (RFC 5789).", _TEXT, "application/merge-patch+json"),
    "Cache-Control": ("How long and by whom it may be kept (RFC 9111).", _TEXT, "private, no-cache"),
    "Deprecation": ("Since when it is discouraged, as a Unix time (RFC 9745).", _TEXT, "@1893456000"),
    "ETag": ("The version that was read; goes into If-Match (RFC 9110, 8.8.3).", _TEXT, '"3"'),
    "Idempotency-Replayed": ("`true`: the stored answer to an earlier request with this key.", _TEXT, "true"),
    "Link": (
        "Where to read about its end, and what to use instead (RFC 8288).",
        _TEXT,
        '</v2>; rel="successor-version"',
    ),
    "Location": ("Where it is found from now on.", {"type": "string", "format": "uri-reference"}, "/v1"),
    "RateLimit": ("What is left of the quota, and how many seconds until there is more.", _TEXT, '"default";r=99;t=60'),
    "RateLimit-Policy": ("The quota: `q` requests in `w` seconds.", _TEXT, '"default";q=100;w=60'),
    "Retry-After": ("Seconds to wait before asking again; add some chance to it.", _SECONDS, 2),
    "Set-Cookie": (
        "The session's cookie, which no script reads (RFC 6265).",
        _TEXT,
        "__Host-session=ses_hVJ0x2n3p8QmT5sK7wYc1R4dLzB6eGfU9aXoNiPqAEk; Path=/; HttpOnly; Secure; SameSite=Lax",
    ),
    "Sunset": ("When it may be gone (RFC 8594).", _TEXT, "Tue, 01 Jan 2030 00:00:00 GMT"),
    "WWW-Authenticate": ("How to show who you are (RFC 9110, 11.6.1).", _TEXT, 'Bearer error="invalid_token"'),
    "X-Request-Id": (
        "Your own, or one that was made; it is in our logs.",
        _TEXT,
        "req_01b8e0949b2e7c41a5d3f8096e2b7c14",
    ),
}


def described(name: str) -> dict[str, Any]:
    """A header object of OpenAPI."""
    says, schema, example = _DESCRIBED.get(name, ("", _TEXT, None))
    found: dict[str, Any] = {"description": says} if says else {}
    found["schema"] = dict(schema)
    return found | ({"example": example} if example is not None else {})


def value(name: str, endpoint: PlannedEndpoint, answer: PlannedAnswer, design: Design, location: str = "") -> str:
    """What this endpoint would send, for an example; "" for a header that it has no value for."""
    if name == "Idempotency-Replayed":
        return ""
    made = {
        "Cache-Control": endpoint.cache_control,
        "ETag": _version(endpoint),
        "Location": location,
        "Retry-After": "2",
        "WWW-Authenticate": security.challenge(design),
    }
    if endpoint.limit is not None:
        made |= _of_limit(endpoint.limit, is_used_up=answer.status == 429)
    if endpoint.deprecation is not None:
        made |= _of_ending(endpoint.deprecation, design)
    return made.get(name) or (str(_DESCRIBED[name][2]) if name in _DESCRIBED else "")


def _version(endpoint: PlannedEndpoint) -> str:
    """A new object is in its first version; a change gives the one after that which was read."""
    if endpoint.action is Action.CREATE:
        return '"1"'
    return '"3"' if endpoint.is_safe else '"4"'


def _of_limit(limit: Limit, *, is_used_up: bool) -> dict[str, str]:
    found = {"RateLimit-Policy": policy(limit), "RateLimit": remaining(limit, is_used_up=is_used_up)}
    return found | ({"Retry-After": _wait(limit)} if is_used_up else {})


def _of_ending(deprecation: Deprecation, design: Design) -> dict[str, str]:
    found = {"Deprecation": f"@{int(_day(deprecation.since).timestamp())}"}
    successor = design.endpoint(deprecation.successor)
    if successor is not None:
        found["Link"] = f'<{successor.path}>; rel="successor-version"'
    return found | ({"Sunset": format_datetime(_day(deprecation.sunset), usegmt=True)} if deprecation.sunset else {})


def policy(limit: Limit) -> str:
    """ "createPayment";q=20;w=60."""
    return f'"{limit.operation or "default"}";q={limit.count};w={_seconds(limit)}'


def remaining(limit: Limit, *, is_used_up: bool) -> str:
    left = 0 if is_used_up else max(0, limit.count - 1)
    return f'"{limit.operation or "default"}";r={left};t={_wait(limit)}'


def says(limit: Limit) -> str:
    """ "at most 20 requests in 1 min for each subject"."""
    whose = "in all" if limit.per == "all" else f"for each {limit.per}"
    return f"at most {limit.count:,} requests in {words.duration(limit.period_s)} {whose}"


def ending(deprecation: Deprecation) -> str:
    until = f", and may be gone from {deprecation.sunset}" if deprecation.sunset else ""
    instead = f" Use {deprecation.successor} instead." if deprecation.successor else ""
    return f"Deprecated since {deprecation.since}{until}.{instead}"


def _seconds(limit: Limit) -> str:
    return f"{max(1.0, limit.period_s):.0f}"


def _wait(limit: Limit) -> str:
    return f"{max(1.0, limit.period_s / 2):.0f}"


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def used(design: Design) -> tuple[str, ...]:
    """The headers that any answer of the design has."""
    return tuple(sorted({name for each in design.endpoints for answer in each.answers for name in answer.headers}))
