"""How an answer leaves: with the headers that every answer has, and without a body where the caller has it already."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Any, Protocol

from nines_runtime.web.answer import Answer
from nines_runtime.web.asgi import Send
from nines_runtime.web.exchange import Exchange

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
CLOSE = (b"connection", b"close")
DIRECT = "nines.direct"
"""Where in the scope our own server leaves a `Direct`."""
_NOT_IN_304 = (b"location", b"retry-after")


class Direct(Protocol):
    """What our own server does beside the messages of ASGI."""

    arrived_s: float
    """When the head of the request was whole, by the monotonic clock."""
    task: asyncio.Task[Any] | None
    """The one that carries it out."""

    def body(self) -> bytes | None:
        """The whole body; None: it must be received."""

    def respond(self, status: int, head: bytes, body: bytes, is_last: bool) -> bool:
        """Takes a whole answer, `head` as lines; False: it must be sent."""


@lru_cache(maxsize=64)
def _content_type(media_type: str) -> tuple[bytes, bytes]:
    return b"content-type", media_type.encode("latin-1")


_WITHOUT_LENGTH = frozenset({204, 304})
"""What never has a body (RFC 9110, 8.6)."""


@lru_cache(maxsize=8)
def _lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    return b"".join(b"%s: %s\r\n" % header for header in headers if header != CLOSE)


async def send_answer(
    send: Send, answer: Answer, exchange: Exchange, *, common: tuple[tuple[bytes, bytes], ...] = SECURITY_HEADERS
) -> int:
    """Sends it and returns the status, which is 304 where If-None-Match names the answer's ETag."""
    status, body, method = answer.status, answer.body, exchange.method
    known = exchange.headers.get("if-none-match")
    if known is not None and status == 200 and method in ("GET", "HEAD") and _is_known(answer, known):
        status, body = 304, b""
        headers = [header for header in answer.headers if header[0] not in _NOT_IN_304]
    elif answer.media_type:
        headers = [_content_type(answer.media_type), (b"content-length", b"%d" % len(body)), *answer.headers]
    else:
        headers = list(answer.headers)
        if status not in _WITHOUT_LENGTH:
            # Without it a client of a connection that stays open would wait for the end of nothing.
            headers.append((b"content-length", b"0"))
    headers.append((b"x-request-id", exchange.request_id.encode("ascii")))
    if exchange.quotas:
        headers += exchange.quotas
    if method == "HEAD":
        body = b""
    is_last = CLOSE in common or CLOSE in answer.headers
    if is_last:
        headers = [header for header in headers if header != CLOSE]
    if exchange.direct is not None:
        lines = b"\r\n".join([b": ".join(header) for header in headers]) + b"\r\n"
        # A value with a line break in it would be a header of its own; whoever checks every header refuses it below.
        is_plain = lines.count(b"\n") == len(headers) and lines.count(b"\r") == len(headers)
        if is_plain and exchange.direct.respond(status, lines + _lines(common), body, is_last):
            return status
    headers += [header for header in common if header != CLOSE]
    if is_last:
        headers.append(CLOSE)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
    return status


def _is_known(answer: Answer, known: str) -> bool:
    etag = answer.header(b"etag")
    if etag is None:
        return False
    if known.strip() == "*":
        return True
    wanted = etag.decode("latin-1").removeprefix("W/")
    return any(each.strip().removeprefix("W/") == wanted for each in known.split(","))
