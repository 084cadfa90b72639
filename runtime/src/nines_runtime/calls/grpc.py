"""One dependency that is reached over gRPC, with everything that keeps its trouble from becoming ours (extra `grpc`).

MESSAGES = Messages.of(Path("prices.proto"))
prices = GrpcClient("prices", "grpc://prices:50051", MESSAGES, retry=Retry(max=2), breaker=Breaker())
reply = await prices.ask(deadline, "GetPrice", {"sku": "a-1"}, is_safe=True)"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc
import msgspec
from yarl import URL

from nines_runtime.calls.asking import LEAVES_S, Asking, check_key
from nines_runtime.calls.attempt import Message
from nines_runtime.calls.breaker import Breaker
from nines_runtime.calls.bulkhead import Bulkhead
from nines_runtime.calls.client import ANSWER_BYTES_MAX
from nines_runtime.calls.credential import Credential, TakesCredential
from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.egress import Egress
from nines_runtime.calls.grpc_wire import GrpcWire
from nines_runtime.calls.messages import MessageError, Messages
from nines_runtime.calls.observer import CallObserver
from nines_runtime.calls.outcome import Unanswered, Why
from nines_runtime.calls.pace import Pace
from nines_runtime.calls.protofile import Rpc
from nines_runtime.calls.retry import Retry
from nines_runtime.calls.tracing import child_of, request_id, trace_parent

Shape = TypeVar("Shape")
PORT = 50_051
TLS_PORT = 443


class GrpcReply:
    """What was answered, by the names of its message."""

    __slots__ = ("dependency", "members", "metadata", "verb")

    def __init__(self, dependency: str, verb: str, members: dict[str, Any], metadata: dict[str, str]) -> None:
        self.dependency = dependency
        self.verb = verb
        self.members = members
        self.metadata = metadata
        """What was told beside it, such as etag."""

    def decode(self, kind: type[Shape]) -> Shape:
        """As a msgspec Struct; raises Unanswered where it is something else."""
        try:
            return msgspec.convert(self.members, kind)
        except msgspec.ValidationError:
            raise Unanswered(
                self.dependency, self.verb, why=Why.NOT_UNDERSTOOD, may_have_happened=True, status=200
            ) from None


class GrpcClient:
    """Asks one dependency; every wait is bounded by the caller's deadline, which goes along.

    `timeout_s` is for one attempt. Only what is safe or carries a `key` is repeated. Make one for the life of the
    process and close it at its end."""

    def __init__(
        self,
        name: str,
        url: str,
        messages: Messages,
        *,
        timeout_s: float = 2.0,
        retry: Retry | None = None,
        breaker: Breaker | None = None,
        bulkhead: Bulkhead | None = None,
        pace: Pace | None = None,
        credential: str | Credential | TakesCredential | None = None,
        hosts: Iterable[str] = (),
        allows_private: bool = False,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
        leaves_s: float = LEAVES_S,
        authorities: Path | None = None,
        observer: CallObserver | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`url` is grpc://host:port, or grpcs:// with TLS; `authorities` is a PEM file of those who may have signed its
        certificate, instead of those that everybody knows."""
        base = urlsplit(url)
        if base.scheme not in ("grpc", "grpcs") or not base.hostname:
            raise ValueError(f"the address of {name} must begin with grpc:// or grpcs:// and name a host")
        if base.username or base.password or base.path.strip("/") or base.query or base.fragment:
            raise ValueError(f"the address of {name} holds a host and a port, and no credential or path")
        self.name = name
        self.breaker = breaker
        self.bulkhead = bulkhead
        self._shown = f"{base.scheme}://{base.netloc}"
        self._messages = messages
        is_sealed = base.scheme == "grpcs"
        trusted = authorities.read_bytes() if authorities is not None else None
        self._asking = Asking(
            name,
            GrpcWire(
                base.hostname,
                base.port or (TLS_PORT if is_sealed else PORT),
                Egress((base.hostname, *hosts), allows_private=allows_private),
                answer_bytes_max=answer_bytes_max,
                credentials=grpc.ssl_channel_credentials(trusted) if is_sealed else None,
            ),
            timeout_s=timeout_s,
            retry=retry,
            breaker=breaker,
            bulkhead=bulkhead,
            pace=pace,
            credential=credential,
            leaves_s=leaves_s,
            observer=observer,
            clock=clock,
        )

    def __repr__(self) -> str:
        return f"GrpcClient({self.name!r}, {self._shown!r})"

    async def close(self) -> None:
        await self._asking.close()

    async def __aenter__(self) -> GrpcClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ask(
        self,
        deadline: Deadline,
        rpc: str,
        request: Any = None,
        *,
        verb: str = "",
        key: str = "",
        version: int | None = None,
        is_safe: bool = False,
    ) -> GrpcReply:
        """Raises Declined or Unanswered. `request` is a mapping or a msgspec Struct by the names of the message; `key`
        goes out as idempotency-key, `version` as if-match; what `is_safe` changes nothing there."""
        verb = verb or rpc
        check_key(key)
        method: Rpc = self._messages.rpcs[rpc]
        content = self._messages.write(method.request, {} if request is None else request)
        metadata: dict[str, str] = {}
        if key:
            metadata["idempotency-key"] = key
        if version is not None:
            metadata["if-match"] = f'"{version}"'
        if trace := child_of(trace_parent.get()):
            metadata["traceparent"] = trace
        if named := request_id.get():
            metadata["x-request-id"] = named
        message = Message("GET" if is_safe else "POST", URL(method.path), metadata, content)
        attempt = await self._asking.ask(deadline, verb, message, is_idempotent=is_safe or bool(key))
        try:
            members = self._messages.read(method.reply, attempt.body)
        except MessageError:
            raise Unanswered(self.name, verb, why=Why.NOT_UNDERSTOOD, may_have_happened=not is_safe) from None
        return GrpcReply(self.name, verb, members, dict(attempt.headers))
