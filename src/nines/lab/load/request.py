"""Requests as the bytes that go on the wire, with the model's call beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from urllib.parse import quote

import msgspec

from nines.lab.load import document
from nines.model.errors import LabError
from nines.model.experiment import Call

USER_AGENT = "nines"
REQUEST_BYTES_MAX = 64 * 1024 * 1024
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_NOT_IN_TARGET = re.compile(r"[^\x21-\x7e]+")
_WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})


class Request(msgspec.Struct, frozen=True, gc=False):
    """A call that is ready to leave: `wire` is what is sent, `headers` what it was made from, credentials included."""

    call: Call
    wire: bytes
    headers: tuple[tuple[str, str], ...] = ()
    asked: Call | None = None
    """To a graph: the call that is really sent, where `call` says what it does."""

    @property
    def sent(self) -> Call:
        """As it goes on the wire."""
        return self.asked or self.call


def request_of(call: Call, *, host: str, credentials: Iterable[tuple[str, str]] = ()) -> Request:
    """Encodes a call for `host` ("127.0.0.1:8000"); credentials replace headers of the same name.

    Host, Accept, User-Agent and Content-Length are added where the call does not set them itself. A character that
    must not stand in a request target is percent-encoded; a header that would break out of its line is a LabError."""
    asked = document.asked(call, call.document) if call.document is not None else None
    sent = asked or call
    headers = sent.headers
    extra = tuple(credentials)
    if extra:
        replaced = [_lowered(name) for name, _ in extra]
        headers = (*[pair for pair in headers if _lowered(pair[0]) not in replaced], *extra)
    return Request(call, encode(sent.method, sent.path, headers, sent.body, host), headers, asked)


def encode(method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes, host: str) -> bytes:
    """The bytes of one HTTP/1.1 request."""
    if len(body) > REQUEST_BYTES_MAX:
        raise _unsendable(method, path, f"the body is larger than {REQUEST_BYTES_MAX} bytes")
    names, values = zip(*headers, strict=True) if headers else ((), ())
    head = _head(method, names, host, bool(body))
    if head.flaw:
        raise _unsendable(method, path, head.flaw)
    length = (str(len(body)),) if head.has_length else ()
    text = head.template % (target_of(path), *values, *length)
    if "\0" in text or not text.count("\r") == text.count("\n") == head.breaks:
        raise _unsendable(method, path, "a header holds a line break or a zero byte")
    # Names and tokens are ASCII; a value beyond Latin-1 travels as UTF-8, which is what servers make of it anyway.
    try:
        return text.encode("latin-1") + body
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass") + body


class _Head(msgspec.Struct, frozen=True):
    """Everything of a request's head that its values do not change."""

    template: str = ""
    """For the target, the headers' values, and the length if there is one."""
    breaks: int = 0
    has_length: bool = False
    flaw: str = ""


@lru_cache(maxsize=1024)
def _head(method: str, names: tuple[str, ...], host: str, has_body: bool) -> _Head:
    """A load sends the same few heads over and over with other values, hence the cache."""
    if not _lowered(method):
        return _Head(flaw="the method is not a token")
    wrong = next((name for name in names if not _lowered(name)), None)
    if wrong is not None:
        return _Head(flaw=f"{wrong!r} cannot be the name of a header")
    present = {_lowered(name) for name in names}
    lines = [f"{method.replace('%', '%%')} %s HTTP/1.1", *(f"{name.replace('%', '%%')}: %s" for name in names)]
    for name, value in (("host", host.replace("%", "%%")), ("accept", "*/*"), ("user-agent", USER_AGENT)):
        if name not in present:
            lines.append(f"{name}: {value}")
    has_length = (has_body or method in _WITH_LENGTH) and present.isdisjoint({"content-length", "transfer-encoding"})
    if has_length:
        lines.append("content-length: %s")
    return _Head(template="\r\n".join(lines) + "\r\n\r\n", breaks=len(lines) + 1, has_length=has_length)


def target_of(path: str) -> str:
    """The path and query, percent-encoded where a request line demands it; what is encoded already stays."""
    if not path.startswith("/") and path != "*":
        path = "/" + path
    if _NOT_IN_TARGET.search(path) is None:
        return path
    return _NOT_IN_TARGET.sub(lambda found: quote(found.group().encode("utf-8", "surrogatepass"), safe=""), path)


@lru_cache(maxsize=1024)
def _lowered(name: str) -> str:
    """A token in lower case; "" for what is no token. A load uses the same few over and over."""
    return name.lower() if _TOKEN.match(name) else ""


def _unsendable(method: str, path: str, why: str) -> LabError:
    return LabError(
        f"this request cannot be sent: {why}",
        where=f"{method[:20]!r} {path[:200]!r}",
        hint="Change the value in [tool.nines.values], or in the identity's headers, that it was made from.",
    )
