"""Every way in which a request can fail, as problem details (RFC 9457); nothing of the inside is ever in them."""

from __future__ import annotations

from typing import Any

from nines.model.contract import Schema
from nines.model.design import Shape
from nines.model.record import Record
from nines.planning.interface.examples import REQUEST_ID
from nines.planning.interface.naming import own
from nines.planning.interface.schemas import opened

MEDIA_TYPE = "application/problem+json"
NAME = own("Problem")
TYPE_ROOT = "/problems/"
"""A path and no host: RFC 9457, 3.1.1 allows it, and a type must not change when a service moves."""


class Kind(Record):
    """One problem type; its title is the same whenever it occurs."""

    code: str
    status: int
    title: str
    detail: str
    headers: tuple[str, ...] = ()


_KINDS = (
    Kind(code="malformed-request", status=400, title="Malformed request", detail="The body is not a JSON document."),
    Kind(code="invalid-parameter", status=400, title="Invalid parameter", detail="A parameter cannot be used."),
    Kind(
        code="invalid-cursor",
        status=400,
        title="Invalid cursor",
        detail="The cursor belongs to another list or to other filters; begin again without it.",
    ),
    Kind(
        code="idempotency-key-missing",
        status=400,
        title="Idempotency key missing",
        detail="This operation needs an Idempotency-Key, so that it can be repeated safely.",
    ),
    Kind(
        code="unauthorized",
        status=401,
        title="Authentication needed",
        detail="The access token is missing, has expired or does not hold.",
        headers=("WWW-Authenticate",),
    ),
    Kind(
        code="credentials-rejected",
        status=401,
        title="Credentials rejected",
        detail="The name and the password do not belong together.",
        headers=("WWW-Authenticate",),
    ),
    Kind(
        code="second-factor-required",
        status=401,
        title="Second factor required",
        detail="This account signs in with a second factor; repeat the request with its code.",
        headers=("WWW-Authenticate",),
    ),
    Kind(
        code="token-rejected",
        status=401,
        title="Refresh token rejected",
        detail="The refresh token has expired, was revoked or was used before; sign in again.",
        headers=("WWW-Authenticate",),
    ),
    Kind(code="forbidden", status=403, title="Forbidden", detail="Your role does not allow this operation."),
    Kind(code="not-found", status=404, title="Not found", detail="There is no such object."),
    Kind(code="already-exists", status=409, title="Already exists", detail="One like it exists already."),
    Kind(code="state-conflict", status=409, title="State conflict", detail="Its state does not allow it."),
    Kind(code="refused", status=409, title="Refused", detail="Its own rules do not allow it now."),
    Kind(
        code="operation-pending",
        status=409,
        title="Operation pending",
        detail="Another operation on it is still being carried out.",
        headers=("Retry-After",),
    ),
    Kind(code="in-use", status=409, title="In use", detail="Others refer to it."),
    Kind(
        code="idempotency-key-in-use",
        status=409,
        title="Idempotency key in use",
        detail="The first request with this Idempotency-Key is still being carried out.",
        headers=("Retry-After",),
    ),
    Kind(
        code="precondition-failed",
        status=412,
        title="Precondition failed",
        detail="It has changed since you read it; read it again and decide anew.",
    ),
    Kind(code="body-too-large", status=413, title="Body too large", detail="The body is larger than is allowed."),
    Kind(
        code="unsupported-media-type",
        status=415,
        title="Unsupported media type",
        detail="The body has another media type than this operation reads.",
    ),
    Kind(code="invalid-request", status=422, title="Invalid request", detail="The request breaks its schema."),
    Kind(
        code="idempotency-key-reused",
        status=422,
        title="Idempotency key reused",
        detail="This Idempotency-Key belongs to a request with another body.",
    ),
    Kind(
        code="declined",
        status=422,
        title="Declined",
        detail="Whoever decides about it refused for good; asking again changes nothing.",
    ),
    Kind(
        code="invariant-broken",
        status=422,
        title="Invariant broken",
        detail="The values contradict one another.",
    ),
    Kind(
        code="code-rejected",
        status=422,
        title="Code rejected",
        detail="The code is wrong or has expired.",
    ),
    Kind(
        code="precondition-required",
        status=428,
        title="Precondition required",
        detail="This operation needs If-Match with the ETag that you read (RFC 6585, 3).",
    ),
    Kind(
        code="rate-limited",
        status=429,
        title="Too many requests",
        detail="The quota is used up.",
        headers=("RateLimit", "RateLimit-Policy", "Retry-After"),
    ),
    Kind(
        code="internal-error",
        status=500,
        title="Internal error",
        detail="Something went wrong here; tell us the request_id.",
    ),
    Kind(
        code="unavailable",
        status=503,
        title="Unavailable",
        detail="Something that this operation needs cannot be reached now.",
        headers=("Retry-After",),
    ),
)
BY_CODE = {kind.code: kind for kind in _KINDS}


def example(code: str, instance: str, detail: str = "", errors: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """One occurrence; `errors` are JSON pointers, or names of parameters, with what is wrong there."""
    kind = BY_CODE[code]
    document: dict[str, Any] = {
        "type": TYPE_ROOT + code,
        "title": kind.title,
        "status": kind.status,
        "detail": detail or kind.detail,
        "instance": instance,
        "request_id": REQUEST_ID,
    }
    if errors:
        document["errors"] = [{"pointer": pointer, "detail": said} for pointer, said in errors]
    return document


def shape() -> Shape:
    error: Schema = opened(
        {
            "pointer": {"type": "string", "description": "A JSON pointer into the body, or a parameter's name."},
            "detail": {"type": "string"},
        },
        ("pointer", "detail"),
    )
    members: dict[str, Schema] = {
        "type": {"type": "string", "format": "uri-reference", "description": "What kind of problem it is."},
        "title": {"type": "string", "description": "The same for every problem of this type."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What is wrong this time, for people; never parse it."},
        "instance": {"type": "string", "format": "uri-reference", "description": "The path that was asked for."},
        "request_id": {"type": "string", "description": "Find this request in the logs."},
        "errors": {"type": "array", "items": error},
    }
    required = ("type", "title", "status", "detail", "instance", "request_id")
    return Shape(
        name=NAME,
        schema=opened(members, required) | {"description": "Problem details (RFC 9457)."},
        example=example("not-found", "/"),
    )
