"""One dependency that is reached over HTTP, with everything that keeps its trouble from becoming ours."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlencode

import msgspec
from yarl import URL

from nines_runtime.calls.asking import LEAVES_S, Asking, check_key
from nines_runtime.calls.attempt import Message, Wire
from nines_runtime.calls.breaker import Breaker
from nines_runtime.calls.bulkhead import Bulkhead
from nines_runtime.calls.credential import Credential, TakesCredential
from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.egress import Egress
from nines_runtime.calls.observer import CallObserver
from nines_runtime.calls.pace import Pace
from nines_runtime.calls.reply import Reply
from nines_runtime.calls.retry import Retry
from nines_runtime.calls.tracing import child_of, request_id, trace_parent

ANSWER_BYTES_MAX = 1_048_576
CONNECTIONS_MAX = 64
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_encode = msgspec.json.Encoder().encode


class Client:
    """Asks one dependency; every wait is bounded by the caller's deadline.

    `timeout_s` is for one attempt. Only what is idempotent by its method or carries a `key` is repeated. Make one for
    the life of the process and close it at its end."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        timeout_s: float = 2.0,
        retry: Retry | None = None,
        breaker: Breaker | None = None,
        bulkhead: Bulkhead | None = None,
        pace: Pace | None = None,
        credential: str | Credential | TakesCredential | None = None,
        hosts: Iterable[str] = (),
        allows_private: bool = False,
        connections_max: int = 0,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
        headers: Mapping[str, str] | None = None,
        leaves_s: float = LEAVES_S,
        tls: ssl.SSLContext | None = None,
        observer: CallObserver | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        base = URL(url)
        if base.scheme not in ("http", "https") or not base.host:
            raise ValueError(f"the address of {name} must begin with http:// or https:// and name a host")
        if base.user or base.password or base.fragment:
            raise ValueError(f"the address of {name} must hold no credential; set it apart")
        self.name = name
        self.breaker = breaker
        self.bulkhead = bulkhead
        self._base = base
        self._origin = base.origin()
        self._path = base.path.rstrip("/")
        self._headers = {"user-agent": "nines-runtime", "accept": "application/json", "accept-encoding": "identity"}
        self._headers |= {name.lower(): value for name, value in (headers or {}).items()}
        self._asking = Asking(
            name,
            Wire(
                Egress((base.host, *hosts), allows_private=allows_private),
                connections_max=connections_max or (bulkhead.limit if bulkhead else CONNECTIONS_MAX),
                answer_bytes_max=answer_bytes_max,
                tls=tls,
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
        return f"Client({self.name!r}, {str(self._origin)!r})"

    async def close(self) -> None:
        await self._asking.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def get(self, deadline: Deadline, path: str, *, verb: str = "", **what: Any) -> Reply:
        return await self.request(deadline, "GET", path, verb=verb, **what)

    async def post(self, deadline: Deadline, path: str, body: Any = None, *, verb: str = "", **what: Any) -> Reply:
        return await self.request(deadline, "POST", path, verb=verb, body=body, **what)

    async def request(
        self,
        deadline: Deadline,
        method: str,
        path: str,
        *,
        verb: str = "",
        body: Any = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        key: str = "",
        is_idempotent: bool | None = None,
    ) -> Reply:
        """Raises Declined or Unanswered. `path` is below the address of the dependency (empty: that address itself), or
        a whole URL of one of its `hosts`; `body` is bytes, or anything that msgspec writes as JSON; `key` goes out as
        Idempotency-Key."""
        verb = verb or method.lower()
        check_key(key)
        message = Message(method, self._url(path, query), *self._contents(body, form, headers, key))
        if is_idempotent is None:
            is_idempotent = method in _IDEMPOTENT or bool(key)
        attempt = await self._asking.ask(deadline, verb, message, is_idempotent=is_idempotent)
        return Reply(self.name, verb, attempt.status, attempt.headers, attempt.body)

    def _url(self, path: str, query: Mapping[str, str | int] | None) -> URL:
        if not path:
            url = self._base
        elif path.startswith("/") and not path.startswith("//"):
            url = self._origin.join(URL(self._path + path))
            if self._base.query_string:
                url = url.extend_query(self._base.query)
        elif path.startswith(("http://", "https://")):
            url = URL(path)
        else:
            raise ValueError("a path is empty, begins with one slash, or is a whole URL")
        if not {".", ".."}.isdisjoint(_segments(path)):
            raise ValueError("a path holds no dot segments")
        return url.extend_query(query) if query else url

    def _contents(
        self, body: Any, form: Mapping[str, str] | None, headers: Mapping[str, str] | None, key: str
    ) -> tuple[dict[str, str], bytes | None]:
        head = dict(self._headers)
        content: bytes | None = None
        if form is not None:
            content, head["content-type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif isinstance(body, bytes):
            content = body
            head.setdefault("content-type", "application/octet-stream")
        elif body is not None:
            content, head["content-type"] = _encode(body), "application/json"
        if key:
            head["idempotency-key"] = key
        if trace := child_of(trace_parent.get()):
            head["traceparent"] = trace
        if named := request_id.get():
            head["x-request-id"] = named
        if headers:
            head |= {name.lower(): value for name, value in headers.items()}
        return head, content


def _segments(path: str) -> list[str]:
    """Of a path as it was written: a value within it must not lead elsewhere."""
    return unquote(path.partition("?")[0]).replace("\\", "/").split("/")
