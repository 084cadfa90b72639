"""Operations: functions with a route, their guards and limits, dispatched as plain ASGI without a framework between.

    operations: Operations[Service] = Operations()

    @operations.post("/v1/payments", id="createPayment", roles=("customer",), limit=Limit(20, window_s=60), key=Key())
    async def create_payment(service: Service, call: Call, body: PaymentCreate) -> Answer: ...

A third parameter named `body` is decoded from JSON, one named `form` from a form, one named `query` from the query
string, each strictly, into its annotated msgspec Struct."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import msgspec

from nines_runtime.web.answer import Answer

Service = TypeVar("Service")
Handler = Callable[..., Awaitable[Answer]]
BODY_BYTES_MAX = 65_536


class Limit(msgspec.Struct, frozen=True):
    """At most so many requests in a window, for each subject, tenant, address or account."""

    requests: int
    window_s: float = 60.0
    per: str = "subject"
    """subject, tenant, address, account; an account is counted by the member `field` of the body."""
    field: str = ""


class Key(msgspec.Struct, frozen=True):
    """How an operation takes Idempotency-Key."""

    is_required: bool = True
    ttl_s: float = 86_400.0


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    method: str
    path: str
    handler: Handler
    is_public: bool = False
    roles: tuple[str, ...] = ()
    """Empty: everybody who showed who they are."""
    limit: Limit | None = None
    key: Key | None = None
    needs_if_match: bool = False
    body: Any = None
    """The Struct of its body, form or query; None: there is none."""
    source: str = ""
    """body, form, query."""
    body_bytes_max: int = BODY_BYTES_MAX
    deadline_s: float = 10.0
    """A request that takes longer is answered with 503."""
    sheds_first: bool = False
    """Not critical: refused first where too much is in flight."""


class Operations(Generic[Service]):
    """A collection; the whole service is one of them, or several that are joined."""

    def __init__(self, *parts: Operations[Service]) -> None:
        raise NotImplementedError

    def get(self, path: str, *, id: str, **guards: Any) -> Callable[[Handler], Handler]:
        raise NotImplementedError

    # post, put, patch and delete likewise; every guard is a keyword of Operation with its own type.
