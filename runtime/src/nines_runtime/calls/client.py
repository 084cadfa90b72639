"""One dependency that is reached over HTTP, with everything that keeps its trouble from becoming ours."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlencode

import msgspec
from yarl import URL

from nines_runtime.calls.attempt import Attempt, Message, Wire
from nines_runtime.calls.breaker import Breaker, Pass
from nines_runtime.calls.bulkhead import Bulkhead, BulkheadFull
from nines_runtime.calls.credential import Credential, TakesCredential
from nines_runtime.calls.deadline import DEADLINE_HEADER, Deadline
from nines_runtime.calls.egress import Egress
from nines_runtime.calls.observer import FAILED, REFUSED, CallObserver, Nobody
from nines_runtime.calls.outcome import Declined, Unanswered, Why
from nines_runtime.calls.pace import Pace, TooFast
from nines_runtime.calls.reply import Reply, reason_of
from nines_runtime.calls.retry import Retry
from nines_runtime.calls.tracing import child_of, request_id, span, trace_parent

ANSWER_BYTES_MAX = 1_048_576
CONNECTIONS_MAX = 64
KEY_LENGTH_MAX = 255
LEAVES_S = 0.25
"""Of the deadline, for whoever asked: to write down what came of it."""
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_logger = logging.getLogger("nines_runtime.calls")
_NO_REPEAT = Retry(max=0)
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
        self._pace = pace
        self._base = base
        self._origin = base.origin()
        self._path = base.path.rstrip("/")
        self._timeout_s = timeout_s
        self._leaves_s = leaves_s
        self._retry = retry or _NO_REPEAT
        self._credential = Credential(credential) if isinstance(credential, str) and credential else credential or None
        self._credential_refused: Callable[[], None] | None = getattr(credential, "refused", None)
        self._observer: CallObserver = observer or Nobody()
        self._clock = clock
        self._headers = {"user-agent": "nines-runtime", "accept": "application/json", "accept-encoding": "identity"}
        self._headers |= {name.lower(): value for name, value in (headers or {}).items()}
        self._wire = Wire(
            Egress((base.host, *hosts), allows_private=allows_private),
            connections_max=connections_max or (bulkhead.limit if bulkhead else CONNECTIONS_MAX),
            answer_bytes_max=answer_bytes_max,
            tls=tls,
        )
        if breaker is not None:
            breaker.tell(self._breaker_changed)

    def __repr__(self) -> str:
        return f"Client({self.name!r}, {str(self._origin)!r})"

    async def close(self) -> None:
        await self._wire.close()

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
        if len(key) > KEY_LENGTH_MAX or not key.isascii() or not (key.isprintable() or not key):
            raise ValueError("an idempotency key has at most 255 printable ASCII characters")
        message = Message(method, self._url(path, query), *self._contents(body, form, headers, key))
        deadline = deadline.earlier(self._leaves_s)
        if is_idempotent is None:
            is_idempotent = method in _IDEMPOTENT or bool(key)
        if self.bulkhead is None:
            return await self._attempts(deadline, verb, message, is_idempotent=is_idempotent)
        try:
            await self.bulkhead.enter(deadline)
        except BulkheadFull:
            self._observer.refused(self.name, verb)
            raise self._unanswered(verb, Why.BULKHEAD_FULL, may_have_happened=False, retry_after_s=1.0) from None
        try:
            return await self._attempts(deadline, verb, message, is_idempotent=is_idempotent)
        finally:
            self.bulkhead.leave()

    async def _attempts(self, deadline: Deadline, verb: str, message: Message, *, is_idempotent: bool) -> Reply:
        retry = self._retry
        retry.budget.earn()
        can_repeat = is_idempotent or not retry.only_idempotent
        failures, may_have_happened = 0, False
        while True:
            attempt = await self._attempt(deadline, verb, message, may_have_happened)
            if attempt.status == 409 and may_have_happened and "idempotency-key" in message.headers:
                # The attempt before may still be under way there: 409 is what one answers to its key meanwhile.
                attempt.why, attempt.is_repeatable = Why.THROTTLED, True
            if attempt.why is None:
                return self._reply(attempt, verb)
            failures += 1
            _logger.warning(
                "A call did not end well.",
                extra={
                    "dependency": self.name,
                    "verb": verb,
                    "attempt": failures,
                    "outcome": attempt.outcome,
                    "why": str(attempt.why),
                    "status": attempt.status,
                    "request_id": request_id.get(),
                },
            )
            may_have_happened = may_have_happened or (_may_have_happened(attempt) and message.method not in _SAFE)
            wait = None
            if attempt.is_repeatable and (can_repeat or not attempt.reached):
                wait = retry.next_s(failures, deadline, retry_after_s=attempt.retry_after_s)
            if wait is None:
                raise self._unanswered(
                    verb,
                    attempt.why,
                    may_have_happened=may_have_happened,
                    retry_after_s=attempt.retry_after_s,
                    status=attempt.status,
                )
            await asyncio.sleep(wait)
            self._observer.retried(self.name)

    async def _attempt(self, deadline: Deadline, verb: str, message: Message, may_have_happened: bool) -> Attempt:
        if deadline.is_over:
            raise self._unanswered(verb, Why.TIMEOUT, may_have_happened=may_have_happened)
        if self._pace is not None:
            try:
                await self._pace.turn(deadline)
            except TooFast as held:
                self._observer.refused(self.name, verb)
                raise self._unanswered(
                    verb, Why.THROTTLED, may_have_happened=may_have_happened, retry_after_s=held.retry_after_s
                ) from None
        admitted = self._admit(verb, may_have_happened)
        started = self._clock()
        self._observer.began(self.name)
        outcome = FAILED
        try:
            if self._credential is not None:
                shown = self._credential if isinstance(self._credential, Credential) else await self._credential()
                message.headers[shown.header] = shown.shown()
            message.headers[DEADLINE_HEADER] = deadline.told(self._timeout_s)
            outer = trace_parent.get()
            with span(f"{self.name}.{verb}", "client"):
                if (own := trace_parent.get()) != outer:
                    # Somebody keeps this span, so whoever is asked is its child.
                    message.headers["traceparent"] = own
                attempt = await self._wire.attempt(message, limit_s=deadline.within(self._timeout_s))
            outcome = attempt.outcome
            if attempt.why is Why.CREDENTIAL and self._credential_refused is not None:
                self._credential_refused()
            if admitted is not None:
                _settle(admitted, attempt)
            return attempt
        finally:
            self._observer.ended(self.name, verb, outcome, self._clock() - started)
            if admitted is not None:
                admitted.abandoned()

    def _breaker_changed(self, is_open: bool) -> None:
        self._observer.breaker(self.name, is_open=is_open)
        if is_open:
            _logger.warning("A breaker has opened.", extra={"dependency": self.name})

    def _admit(self, verb: str, may_have_happened: bool) -> Pass | None:
        if self.breaker is None:
            return None
        admitted = self.breaker.admit()
        if admitted is None:
            self._observer.refused(self.name, verb)
            raise self._unanswered(
                verb,
                Why.BREAKER_OPEN,
                may_have_happened=may_have_happened,
                retry_after_s=self.breaker.retry_after_s,
            )
        return admitted

    def _reply(self, attempt: Attempt, verb: str) -> Reply:
        if attempt.status < 400:
            return Reply(self.name, verb, attempt.status, attempt.headers, attempt.body)
        secret = self._credential.reveal() if isinstance(self._credential, Credential) else ""
        reason, code = reason_of(attempt.body, secret=secret)
        raise Declined(self.name, verb, status=attempt.status, reason=reason, reason_code=code)

    def _unanswered(
        self, verb: str, why: Why, *, may_have_happened: bool, retry_after_s: float | None = None, status: int = 0
    ) -> Unanswered:
        return Unanswered(
            self.name, verb, why=why, may_have_happened=may_have_happened, retry_after_s=retry_after_s, status=status
        )

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


def _may_have_happened(attempt: Attempt) -> bool:
    """A refusal did nothing; whatever broke, came late or failed there may have done it."""
    return attempt.reached and attempt.outcome != REFUSED


def _settle(admitted: Pass, attempt: Attempt) -> None:
    if attempt.why is Why.EGRESS:
        admitted.abandoned()
    elif attempt.counts_against_it:
        admitted.failed()
    else:
        admitted.succeeded()
