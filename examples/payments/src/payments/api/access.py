"""Who may ask, how often, and with which key: what operations depend on."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Coroutine
from typing import Annotated, TypeAlias, cast

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from payments.edge.context import current
from payments.edge.rate_limit import RateLimiter
from payments.problems import FieldError, Problem, forbidden, unauthorized
from payments.security import Principal, Role
from payments.services import Services

_bearer = HTTPBearer(auto_error=False, scheme_name="bearer", bearerFormat="JWT", description="From createToken.")


async def services(request: Request) -> Services:
    """What the application was assembled from."""
    return cast("Services", request.app.state.services)


ServicesDep: TypeAlias = Annotated[Services, Depends(services)]


async def signed_in(
    services: ServicesDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """Anyone with a valid token, within their rate limit."""
    if credentials is None:
        raise unauthorized("An access token is needed.")
    principal = services.tokens.read(credentials.credentials)
    current().subject = principal.id
    enforce(services.limits.default, principal.id)
    return principal


SignedIn: TypeAlias = Annotated[Principal, Depends(signed_in)]


def role(*allowed: Role) -> Callable[[Principal], Coroutine[None, None, Principal]]:
    """A dependency that lets only these roles in."""

    async def check(principal: SignedIn) -> Principal:
        if principal.role not in allowed:
            raise forbidden()
        return principal

    return check


Customer: TypeAlias = Annotated[Principal, Depends(role("customer"))]
Collector: TypeAlias = Annotated[Principal, Depends(role("merchant", "support", "admin"))]
"""Whoever may capture and refund: the merchant of the payment, or support for them."""
Support: TypeAlias = Annotated[Principal, Depends(role("support", "admin"))]


def enforce(limiter: RateLimiter, subject: str) -> None:
    """Counts this request; the headers go out with whatever answer there will be. Raises a 429 problem."""
    standing = limiter.ask(subject, time.monotonic())
    context = current()
    context.headers[:] = [header for header in context.headers if not header[0].startswith(b"ratelimit")]
    context.headers += standing.headers()
    if not standing.is_allowed:
        raise Problem(
            429, "rate-limited", "Too many requests; see Retry-After.", headers={"retry-after": str(standing.reset_s)}
        )


def address(request: Request) -> str:
    """The caller's address; behind a proxy set FORWARDED_ALLOW_IPS, so that the server knows it."""
    return request.client.host if request.client else "unknown"


async def money_limit(services: ServicesDep, principal: SignedIn) -> None:
    """The stricter limit of operations that move money."""
    enforce(services.limits.payments, principal.id)


async def idempotency_key(
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="Chosen by the caller, one for each operation, the same for each retry. Kept for ever.",
            examples=["7f1c2a34-0d8e-4a53-9d11-6b1f5a8c2e90"],
            json_schema_extra={"minLength": 1, "maxLength": 255},
        ),
    ] = None,
) -> str:
    """Raises a 400 problem when it is missing or not printable ASCII of at most 255 characters."""
    if not key or len(key) > 255 or not key.isascii() or not key.isprintable():
        error = FieldError("Idempotency-Key", "1 to 255 printable ASCII characters are required.")
        raise Problem(400, "idempotency-key-required", "This operation needs an Idempotency-Key.", errors=[error])
    return key


IdempotencyKey: TypeAlias = Annotated[str, Depends(idempotency_key)]


def fingerprint(operation: str, path: str, body: BaseModel | None) -> bytes:
    """The same for the same request, whatever its spacing and order of fields."""
    text = "\n".join([operation, path, body.model_dump_json() if body else ""])
    return hashlib.sha256(text.encode()).digest()
