"""Requests as the bytes that go on the wire, with the model's call beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

import msgspec

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


def request_of(call: Call, *, host: str, credentials: Iterable[tuple[str, str]] = ()) -> Request:
    """Encodes a call for `host` ("127.0.0.1:8000"); credentials replace headers of the same name.

    Host, Accept, User-Agent and Content-Length are added where the call does not set them itself. A character that
    must not stand in a request target is percent-encoded; a header that would break out of its line is a LabError."""
    extra = tuple(credentials)
    headers = call.headers
    if extra:
        replaced = {name.lower() for name, _ in extra}
        headers = (*(pair for pair in headers if pair[0].lower() not in replaced), *extra)
    return Request(call, encode(call.method, call.path, headers, call.body, host), headers)


def encode(method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes, host: str) -> bytes:
    """The bytes of one HTTP/1.1 request."""
    if not _lowered(method):
        raise _unsendable(method, path, "the method is not a token")
    if len(body) > REQUEST_BYTES_MAX:
        raise _unsendable(method, path, f"the body is larger than {REQUEST_BYTES_MAX} bytes")
    lines = [f"{method} {target_of(path)} HTTP/1.1"]
    present = set()
    for name, value in headers:
        lowered = _lowered(name)
        if not lowered:
            raise _unsendable(method, path, f"{name!r} cannot be the name of a header")
        present.add(lowered)
        lines.append(f"{name}: {value}")
    if "host" not in present:
        lines.append(f"host: {host}")
    if "accept" not in present:
        lines.append("accept: */*")
    if "user-agent" not in present:
        lines.append(f"user-agent: {USER_AGENT}")
    if (body or method in _WITH_LENGTH) and "content-length" not in present and "transfer-encoding" not in present:
        lines.append(f"content-length: {len(body)}")
    text = "\r\n".join(lines)
    if "\0" in text or not text.count("\r") == text.count("\n") == len(lines) - 1:
        raise _unsendable(method, path, "a header holds a line break or a zero byte")
    # Names and tokens are ASCII; a value beyond Latin-1 travels as UTF-8, which is what servers make of it anyway.
    try:
        head = text.encode("latin-1")
    except UnicodeEncodeError:
        head = text.encode("utf-8", "surrogateescape")
    return head + b"\r\n\r\n" + body


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
