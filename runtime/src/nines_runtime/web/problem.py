"""Failures as problem details (RFC 9457); nothing of the inside is ever in one."""

from __future__ import annotations

from typing import Any

import msgspec

from nines_runtime.web.answer import Answer, ceil_s

MEDIA_TYPE = "application/problem+json"
TYPE_ROOT = "/problems/"
"""A path and no host: a type must not change when a service moves."""
CHALLENGE = b'Bearer error="invalid_token"'
RETRY_AFTER_S = 2.0
"""Where a problem passes by itself and nobody knows when."""


class Kind(msgspec.Struct, frozen=True):
    """One problem type; its title is the same whenever it occurs."""

    code: str
    status: int
    title: str
    detail: str
    passes: bool = False
    """It goes by itself, so Retry-After is told."""


_KINDS = (
    Kind("malformed-request", 400, "Malformed request", "The body is not a JSON document."),
    Kind("malformed-head", 400, "Malformed request", "This is no HTTP/1.1 request."),
    Kind("invalid-parameter", 400, "Invalid parameter", "A parameter cannot be used."),
    Kind(
        "invalid-cursor",
        400,
        "Invalid cursor",
        "The cursor belongs to another list or to other filters; begin again without it.",
    ),
    Kind(
        "idempotency-key-missing",
        400,
        "Idempotency key missing",
        "This operation needs an Idempotency-Key, so that it can be repeated safely.",
    ),
    Kind(
        "unauthorized",
        401,
        "Authentication needed",
        "The access token is missing, has expired or does not hold.",
    ),
    Kind(
        "credentials-rejected",
        401,
        "Credentials rejected",
        "The name and the password do not belong together.",
    ),
    Kind(
        "second-factor-required",
        401,
        "Second factor required",
        "This account signs in with a second factor; repeat the request with its code.",
    ),
    Kind(
        "token-rejected",
        401,
        "Refresh token rejected",
        "The refresh token has expired, was revoked or was used before; sign in again.",
    ),
    Kind("forbidden", 403, "Forbidden", "Your role does not allow this operation."),
    Kind("not-found", 404, "Not found", "There is no such object."),
    Kind("method-not-allowed", 405, "Method not allowed", "This path does not have this method."),
    Kind("request-timeout", 408, "Request timeout", "The request did not arrive in time."),
    Kind("already-exists", 409, "Already exists", "One like it exists already."),
    Kind("state-conflict", 409, "State conflict", "Its state does not allow it."),
    Kind("refused", 409, "Refused", "Its own rules do not allow it now."),
    Kind("operation-pending", 409, "Operation pending", "Another operation on it is still being carried out.", True),
    Kind("in-use", 409, "In use", "Others refer to it."),
    Kind(
        "idempotency-key-in-use",
        409,
        "Idempotency key in use",
        "The first request with this Idempotency-Key is still being carried out.",
        True,
    ),
    Kind(
        "precondition-failed",
        412,
        "Precondition failed",
        "It has changed since you read it; read it again and decide anew.",
    ),
    Kind("body-too-large", 413, "Body too large", "The body is larger than is allowed."),
    Kind(
        "unsupported-media-type",
        415,
        "Unsupported media type",
        "The body has another media type than this operation reads.",
    ),
    Kind("invalid-request", 422, "Invalid request", "The request breaks its schema."),
    Kind(
        "idempotency-key-reused",
        422,
        "Idempotency key reused",
        "This Idempotency-Key belongs to a request with another body.",
    ),
    Kind("declined", 422, "Declined", "Whoever decides about it refused for good; asking again changes nothing."),
    Kind("invariant-broken", 422, "Invariant broken", "The values contradict one another."),
    Kind("code-rejected", 422, "Code rejected", "The code is wrong or has expired."),
    Kind(
        "precondition-required",
        428,
        "Precondition required",
        "This operation needs If-Match with the ETag that you read (RFC 6585, 3).",
    ),
    Kind("head-too-large", 431, "Request head too large", "The headers are larger than is allowed."),
    Kind("rate-limited", 429, "Too many requests", "The quota is used up.", True),
    Kind("internal-error", 500, "Internal error", "Something went wrong here; tell us the request_id."),
    Kind(
        "unavailable",
        503,
        "Unavailable",
        "Something that this operation needs cannot be reached now.",
        True,
    ),
)
KINDS = {kind.code: kind for kind in _KINDS}


class _Error(msgspec.Struct, frozen=True):
    pointer: str
    detail: str


class _Document(msgspec.Struct, frozen=True, omit_defaults=True):
    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: tuple[_Error, ...] = ()


_encode = msgspec.json.Encoder().encode


class Problem(Exception):  # noqa: N818 -- the word of RFC 9457
    """Raised anywhere below an operation; the edge turns it into application/problem+json.

    The code is the last part of the problem's type and must be one of KINDS, which gives status, title and the usual
    detail. `errors` are JSON pointers into the body, or names of parameters, with what is wrong there."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: tuple[tuple[str, str], ...] = (),
        retry_after_s: float | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s
        self.headers = headers

    @property
    def kind(self) -> Kind:
        return KINDS.get(self.code, KINDS["internal-error"])

    def answer(self, *, instance: str, request_id: str, challenge: bytes = CHALLENGE) -> Answer:
        """`challenge` is what WWW-Authenticate says with 401 (RFC 9110, 11.6.1)."""
        kind = self.kind
        document = _Document(
            type=TYPE_ROOT + kind.code,
            title=kind.title,
            status=kind.status,
            detail=self.detail or kind.detail,
            instance=instance,
            request_id=request_id,
            errors=tuple(_Error(pointer, detail) for pointer, detail in self.errors),
        )
        return Answer(
            status=kind.status,
            body=_encode(document),
            media_type=MEDIA_TYPE,
            headers=tuple(self._headers(kind, challenge)),
        )

    def _headers(self, kind: Kind, challenge: bytes) -> list[tuple[bytes, bytes]]:
        found: list[tuple[bytes, bytes]] = [(b"cache-control", b"no-store"), *self.headers]
        if kind.status == 401 and not any(name == b"www-authenticate" for name, _ in self.headers):
            found.append((b"www-authenticate", challenge))
        after_s = self.retry_after_s if self.retry_after_s is not None else RETRY_AFTER_S if kind.passes else None
        if after_s is not None:
            found.append((b"retry-after", ceil_s(after_s)))
        return found


def checked(code: str) -> Any:
    """The code, where it is one of the catalogue; generated code asks once, at import."""
    if code not in KINDS:
        raise LookupError(f"There is no problem {code!r}; the catalogue has {', '.join(KINDS)}.")
    return code
