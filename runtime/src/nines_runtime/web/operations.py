"""Operations: functions with a route, their guards and limits, dispatched as plain ASGI without a framework between.

    operations: Operations[Service] = Operations()

    @operations.post("/v1/payments", id="createPayment", roles=("customer",), limit=Limit(20, window_s=60), key=Key())
    async def create_payment(service: Service, call: Call, body: PaymentCreate) -> Answer: ...

A third parameter named `body` is decoded from JSON, one named `form` from a form, one named `query` from the query
string, each strictly, into its annotated msgspec Struct."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Generic, TypedDict, TypeVar, Unpack, get_type_hints

import msgspec

from nines_runtime.web.answer import Answer
from nines_runtime.web.router import Router

Service = TypeVar("Service")
Handler = Callable[..., Awaitable[Answer]]
_Handler = TypeVar("_Handler", bound=Handler)
BODY_BYTES_MAX = 65_536
SOURCES = ("body", "form", "query")
PERS = ("subject", "tenant", "address", "account", "all")


class Limit(msgspec.Struct, frozen=True):
    """At most so many requests in any window, for each subject, tenant, address or account, or in all."""

    requests: int
    window_s: float = 60.0
    per: str = "subject"
    """subject, tenant, address, account, all. An account is counted by the member `field` of the body; a caller
    without a name or a tenant is counted by its address."""
    field: str = ""
    name: str = ""
    """Of the policy, such as "default"; operations with the same name draw on one quota. Empty: the operation's id."""

    def __post_init__(self) -> None:
        if self.requests < 1 or self.window_s <= 0:
            raise ValueError("A limit allows at least one request in a window that is longer than 0 s.")
        if self.per not in PERS or (self.per == "account") != bool(self.field):
            raise ValueError(f"A limit counts per {', '.join(PERS)}; per account it names the member `field`.")


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
    limit: Limit | tuple[Limit, ...] | None = None
    """Several hold at once: by account and by address."""
    key: Key | None = None
    needs_if_match: bool = False
    body: Any = None
    """The Struct of its body, form or query; None: there is none."""
    source: str = ""
    """body, form, query."""
    media_type: str = ""
    """Of its body; empty: application/json, application/merge-patch+json for PATCH, and that of a form."""
    body_bytes_max: int = BODY_BYTES_MAX
    deadline_s: float = 5.0
    """A request that takes longer is answered with 503."""
    sheds_first: bool = False
    """Not critical: refused first where too much is in flight."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Of every answer, failures included, such as Deprecation and Sunset; names in lower case."""
    is_compound: bool = False
    """Carries out other operations, each behind its own guards: its handler takes an `Inside` in the place of the
    service. It is public itself, and whoever shows who they are is recognised."""


class Guards(TypedDict, total=False):
    """What a decorator takes; each is said at Operation."""

    is_public: bool
    roles: tuple[str, ...]
    limit: Limit | tuple[Limit, ...] | None
    key: Key | None
    needs_if_match: bool
    media_type: str
    body_bytes_max: int
    deadline_s: float
    sheds_first: bool
    headers: tuple[tuple[bytes, bytes], ...]


class Operations(Generic[Service]):
    """A collection; the whole service is one of them, or several that are joined."""

    def __init__(self, *parts: Operations[Service]) -> None:
        self._router: Router[Operation] = Router()
        self._all: dict[str, Operation] = {}
        for part in parts:
            for operation in part:
                self.add(operation)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._all.values())

    def __len__(self) -> int:
        return len(self._all)

    @property
    def router(self) -> Router[Operation]:
        return self._router

    def add(self, operation: Operation) -> None:
        """Refuses a second operation with the same id, or with the same method on the same path."""
        if operation.id in self._all:
            raise ValueError(f"There are two operations {operation.id}.")
        self._router.add(operation.method, operation.path, operation)
        self._all[operation.id] = operation

    def get(self, path: str, *, id: str, **guards: Unpack[Guards]) -> Callable[[_Handler], _Handler]:
        return self._decorator("GET", path, id, guards)

    def post(self, path: str, *, id: str, **guards: Unpack[Guards]) -> Callable[[_Handler], _Handler]:
        return self._decorator("POST", path, id, guards)

    def put(self, path: str, *, id: str, **guards: Unpack[Guards]) -> Callable[[_Handler], _Handler]:
        return self._decorator("PUT", path, id, guards)

    def patch(self, path: str, *, id: str, **guards: Unpack[Guards]) -> Callable[[_Handler], _Handler]:
        return self._decorator("PATCH", path, id, guards)

    def delete(self, path: str, *, id: str, **guards: Unpack[Guards]) -> Callable[[_Handler], _Handler]:
        return self._decorator("DELETE", path, id, guards)

    def _decorator(self, method: str, path: str, id: str, guards: Guards) -> Callable[[_Handler], _Handler]:
        def decorate(handler: _Handler) -> _Handler:
            source, body = taken(handler)
            self.add(Operation(id=id, method=method, path=path, handler=handler, source=source, body=body, **guards))
            return handler

        return decorate


def taken(handler: Handler) -> tuple[str, Any]:
    """The name and the type of what a handler takes beside the service and the call."""
    names = list(inspect.signature(handler).parameters)
    if len(names) == 2:
        return "", None
    if len(names) != 3 or names[2] not in SOURCES:
        raise TypeError(f"{handler.__qualname__} takes (service, call), and at most one more of {', '.join(SOURCES)}.")
    annotation = get_type_hints(handler).get(names[2])
    if not (isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)):
        raise TypeError(f"{names[2]} of {handler.__qualname__} must be annotated with a msgspec Struct.")
    return names[2], annotation
