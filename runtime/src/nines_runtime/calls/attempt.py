"""One attempt over aiohttp: what is sent, how long it may take, and what became of it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import time

import aiohttp
import msgspec
from aiohttp.client import ClientTimeout
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from nines_runtime.calls.egress import Egress, EgressRefused, GuardedResolver
from nines_runtime.calls.observer import FAILED, OK, REFUSED, TIMEOUT
from nines_runtime.calls.outcome import Why

CONNECT_S = 1.0
KEEPALIVE_S = 15.0
RETRY_AFTER_MAX_S = 3_600.0
DNS_CACHE_S = 30
_TRANSIENT = frozenset({408, 425, 429})
_CREDENTIAL = frozenset({401, 403, 407})
_PROTOCOL = frozenset({405, 406, 411, 414, 415, 417, 421, 426, 431})
"""We do not speak as it expects: nothing was decided about what it was asked for."""


class Message(msgspec.Struct, frozen=True):
    """What is sent, the same in every attempt but for the headers that tell the time left and the credential."""

    method: str
    url: URL
    headers: dict[str, str]
    body: bytes | None = None


class Attempt:
    """What is known about one attempt, also while it runs."""

    __slots__ = ("body", "headers", "is_repeatable", "outcome", "reached", "retry_after_s", "status", "why")

    def __init__(self) -> None:
        self.reached = False
        """Whether there was a connection: from then on it may have been read."""
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.body = b""
        self.why: Why | None = None
        """None: it was answered, with less than 400 or with a refusal."""
        self.outcome = OK
        self.is_repeatable = False
        """Another attempt could end better."""
        self.retry_after_s: float | None = None

    @property
    def counts_against_it(self) -> bool:
        """Whether a breaker counts it as a failure of whoever was asked."""
        return self.outcome in (FAILED, TIMEOUT) and self.why is not Why.EGRESS


_current: ContextVar[Attempt] = ContextVar("attempt")


class _Connector(aiohttp.TCPConnector):
    """Tells the attempt that it has a connection."""

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:  # noqa: ASYNC109
        connection = await super().connect(req, traces, timeout)
        _current.get().reached = True
        return connection


class Wire:
    """Connections to the hosts of an egress list, kept alive and bounded; opened with the first attempt."""

    def __init__(
        self, egress: Egress, *, connections_max: int, answer_bytes_max: int, tls: ssl.SSLContext | None = None
    ) -> None:
        self._egress = egress
        self._connections_max = connections_max
        self._answer_bytes_max = answer_bytes_max
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def attempt(self, message: Message, *, limit_s: float) -> Attempt:
        """Never raises for what the network or the other side does; only cancellation passes."""
        attempt = Attempt()
        token = _current.set(attempt)
        try:
            await self._carry_out(attempt, message, limit_s)
        except TimeoutError:
            _failed(attempt, Why.TIMEOUT, TIMEOUT)
        except (aiohttp.ClientError, OSError, ValueError, UnicodeError) as error:
            _failed(attempt, Why.EGRESS if _is_egress(error) else Why.CONNECTION, FAILED)
        finally:
            _current.reset(token)
        return attempt

    async def _carry_out(self, attempt: Attempt, message: Message, limit_s: float) -> None:
        host = message.url.host or ""
        # An address on the list was meant; where a name leads is judged when it is resolved.
        if not self._egress.allows(host):
            raise EgressRefused(f"{host} is not on the list of hosts to call")
        session = self._session or self._open()
        async with session.request(
            message.method,
            message.url,
            headers=message.headers,
            data=message.body,
            allow_redirects=False,
            proxy=self._egress.proxy,
            timeout=_limits(limit_s),
        ) as response:
            attempt.status = response.status
            attempt.headers = response.headers
            received = await self._read(response)
        if received is None or not _is_plain(response.headers):
            _judge(attempt)
            if attempt.why is None:
                attempt.why, attempt.outcome = Why.NOT_UNDERSTOOD, FAILED
            return
        attempt.body = received
        _judge(attempt)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes | None:
        """None: it is larger than allowed, and the connection is closed."""
        length = response.content_length
        if length is None or length > self._answer_bytes_max:
            received = bytearray()
            if length is None:
                async for chunk in response.content.iter_any():
                    received += chunk
                    if len(received) > self._answer_bytes_max:
                        break
                else:
                    return bytes(received)
            response.close()
            return None
        return await response.read()

    def _open(self) -> aiohttp.ClientSession:
        connector = _Connector(
            limit=self._connections_max,
            limit_per_host=self._connections_max,
            keepalive_timeout=KEEPALIVE_S,
            resolver=GuardedResolver(self._egress),
            ttl_dns_cache=DNS_CACHE_S,
            ssl=self._tls if self._tls is not None else True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
        )
        # aiohttp repeats what it takes for idempotent by itself; only one layer may.
        self._session._retry_connection = False
        return self._session


@lru_cache(maxsize=64)
def _limits(limit_s: float) -> ClientTimeout:
    """Most calls have the whole time of their dependency, so that few of them are made."""
    connect_s = min(CONNECT_S, limit_s)
    return ClientTimeout(total=limit_s, connect=connect_s, sock_connect=connect_s, ceil_threshold=86_400)


def _is_egress(error: BaseException | None) -> bool:
    return error is not None and (isinstance(error, EgressRefused) or _is_egress(error.__cause__ or error.__context__))


def _failed(attempt: Attempt, why: Why, outcome: str) -> None:
    attempt.why, attempt.outcome, attempt.is_repeatable = why, outcome, why is not Why.EGRESS


def _is_plain(headers: Mapping[str, str]) -> bool:
    """No encoding was asked for, and none is undone: a small answer could become a large one."""
    return headers.get("Content-Encoding", "identity").lower() in ("identity", "")


def _judge(attempt: Attempt) -> None:
    status = attempt.status
    if 200 <= status < 300 or status == 304:
        return
    attempt.retry_after_s = retry_after_s(attempt.headers.get("Retry-After", ""), now_s=time())
    if status >= 500:
        attempt.why, attempt.outcome, attempt.is_repeatable = Why.FAILED, FAILED, status != 501
    elif status in _TRANSIENT:
        attempt.why, attempt.outcome, attempt.is_repeatable = Why.THROTTLED, REFUSED, True
    elif status in _CREDENTIAL:
        attempt.why, attempt.outcome = Why.CREDENTIAL, REFUSED
    elif status in _PROTOCOL:
        attempt.why, attempt.outcome = Why.NOT_UNDERSTOOD, REFUSED
    elif status >= 400:
        attempt.outcome = REFUSED
    else:
        attempt.why, attempt.outcome = Why.NOT_UNDERSTOOD, FAILED


def retry_after_s(told: str, *, now_s: float) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3), in either form; None for one that does not hold."""
    told = told.strip()
    if told.isascii() and told.isdigit():
        return min(float(told[:9]), RETRY_AFTER_MAX_S)
    if not told:
        return None
    try:
        at = parsedate_to_datetime(told).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, at - now_s), RETRY_AFTER_MAX_S)
