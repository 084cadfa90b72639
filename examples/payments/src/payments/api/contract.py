"""The OpenAPI 3.1 document: every answer described, errors included, with examples and links."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, TypeAlias

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from payments.api.examples import EXAMPLES
from payments.problems import MEDIA_TYPE, TYPE_BASE

Responses: TypeAlias = dict[int | str, dict[str, Any]]

_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_CODES: dict[int, tuple[str, str]] = {
    400: ("malformed-request", "The body is not JSON, or a required header or the cursor is wrong."),
    401: ("unauthorized", "The access token is missing or not valid."),
    403: ("forbidden", "Your role does not allow this operation."),
    404: ("not-found", "There is no such object, or it is not yours."),
    409: ("conflict", "The state of things does not allow it."),
    412: ("precondition-failed", "The object has changed since it was read."),
    413: ("body-too-large", "The body is too large."),
    415: ("unsupported-media-type", "The body must be application/json."),
    422: ("invalid-request", "The request is not valid."),
    428: ("precondition-required", "If-Match is required."),
    429: ("rate-limited", "Too many requests; see Retry-After."),
    500: ("internal-error", "Something went wrong on our side."),
    503: ("unavailable", "Something that the service needs is not available; see Retry-After."),
}
_HEADER_TEXTS = {
    "ETag": "The version, for If-Match.",
    "Location": "Where the new object is.",
    "RateLimit": "What is left: `r` requests for `t` seconds.",
    "RateLimit-Policy": "The quota: `q` requests in `w` seconds.",
    "Retry-After": "Seconds to wait.",
    "WWW-Authenticate": "The scheme to use.",
    "Idempotency-Replayed": "`true` when this is the stored answer to an earlier request.",
}


def headers(*names: str) -> dict[str, Any]:
    """Header objects by their names."""
    return {name: {"description": _HEADER_TEXTS[name], "schema": {"type": "string"}} for name in names}


def errors(*statuses: int) -> Responses:
    """These problems, besides those that every operation can answer with."""
    return {status: _error(status) for status in sorted({*statuses, 429, 500, 503})}


def _error(status: int) -> dict[str, Any]:
    code, detail = _CODES[status]
    example = {
        "type": TYPE_BASE + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": "/v1/payments",
        "request_id": "req_0190c6c5f2a87c1e8f6b0d3a5e7f9b1c",
    }
    described: dict[str, Any] = {
        "description": detail,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }
    extra = {401: ("WWW-Authenticate",), 429: ("Retry-After", "RateLimit", "RateLimit-Policy"), 503: ("Retry-After",)}
    if status in extra:
        described["headers"] = headers(*extra[status])
    return described


def link(target: str, parameter: str, pointer: str = "/id") -> dict[str, Any]:
    """From an answer to the operation that goes on from there."""
    return {"operationId": target, "parameters": {parameter: f"$response.body#{pointer}"}}


def _finish(operation: dict[str, Any]) -> None:
    """Takes away the framework's own 422, and says which headers are required although the code gives defaults."""
    if "application/json" in operation["responses"].get("422", {}).get("content", {}):
        del operation["responses"]["422"]
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in ("Idempotency-Key", "If-Match"):
            parameter["required"] = True
            parameter["schema"] = {"type": "string", "minLength": 1, "maxLength": 255}


def install(app: FastAPI) -> None:
    """Makes the application serve the finished document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                openapi_version="3.1.0",
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
                servers=[{"url": "/", "description": "Here"}],
            )
            schemas = made.setdefault("components", {}).setdefault("schemas", {})
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            schemas["Problem"] = _PROBLEM
            for name, example in EXAMPLES.items():
                schemas[name]["examples"] = [example]
            for operation in (one for path in made["paths"].values() for one in path.values()):
                _finish(operation)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
