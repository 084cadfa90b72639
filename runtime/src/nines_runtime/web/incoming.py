"""What is read from a request before anybody works on it: headers, address, request id, trace, body."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import IPv6Address
from random import getrandbits
from time import time_ns
from typing import Any

from nines_runtime.web.asgi import Receive, Scope
from nines_runtime.web.problem import Problem

_REQUEST_ID = re.compile(r"[A-Za-z0-9_\-.]{1,64}\Z")
_TRACE_PARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\Z")
_LENGTH = re.compile(r"[0-9]{1,18}\Z")


class Gone(Exception):  # noqa: N818 -- an outcome, not an error of ours
    """The caller has hung up before its request was whole; nobody is left to be answered."""


def read_headers(raw: Any) -> dict[str, str]:
    """Names in lower case; what is given twice is joined as RFC 9110, 5.3 has it, so that no half is overlooked."""
    found = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
    if len(found) == len(raw):
        return found
    joined: dict[str, str] = {}
    for key, content in raw:
        name, value = key.decode("latin-1"), content.decode("latin-1")
        joiner = "; " if name == "cookie" else ", "
        joined[name] = f"{joined[name]}{joiner}{value}" if name in joined else value
    return joined


def request_id_of(headers: Mapping[str, str]) -> str:
    """That of the caller where it is a plain token of at most 64 characters, else a new one that sorts by time."""
    given = headers.get("x-request-id")
    if given is not None and _REQUEST_ID.match(given):
        return given
    return new_request_id()


def new_request_id() -> str:
    # A UUID of version 7: milliseconds, then chance. It tells requests apart and guards nothing.
    moment = time_ns() // 1_000_000 & 0xFFFF_FFFF_FFFF
    return f"req_{moment:012x}7{getrandbits(12):03x}{1 << 63 | getrandbits(62):016x}"


def trace_parent_of(headers: Mapping[str, str], is_sampled: Callable[[str], bool] | None) -> str:
    """The caller's trace with a span of our own, or a new one; whether it is sampled is not the caller's to decide."""
    given = headers.get("traceparent")
    matched = _TRACE_PARENT.match(given) if given is not None else None
    trace_id = matched[1] if matched else f"{getrandbits(128) or 1:032x}"
    flags = "01" if is_sampled is not None and is_sampled(trace_id) else "00"
    return f"00-{trace_id}-{getrandbits(64) or 1:016x}-{flags}"


def address_of(scope: Scope, headers: Mapping[str, str], proxies_trusted: int) -> str:
    """Of whoever connected; behind so many trusted proxies the one that the outermost of them tells."""
    client = scope.get("client")
    address = str(client[0]) if client else ""
    if proxies_trusted == 0:
        return address
    told = [each.strip() for each in headers.get("x-forwarded-for", "").split(",") if each.strip()]
    if not told:
        return address
    return told[-min(proxies_trusted, len(told))][:64]


@lru_cache(maxsize=16_384)
def network_of(address: str) -> str:
    """Under which name an address is counted: of IPv6 the network of 64 bits, for whoever has one address of it has
    them all."""
    if ":" not in address:
        return address
    try:
        found = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = found.ipv4_mapped
    return str(mapped) if mapped is not None else str(IPv6Address(int(found) >> 64 << 64)) + "/64"


def check_media_type(headers: Mapping[str, str], wanted: str) -> None:
    """Raises Problem("unsupported-media-type")."""
    given = headers.get("content-type", "")
    if (given != wanted and given.partition(";")[0].strip().lower() != wanted) or headers.get(
        "content-encoding", "identity"
    ).lower() != "identity":
        accept = ((b"accept-patch", wanted.encode("ascii")),) if "patch" in wanted else ()
        raise Problem("unsupported-media-type", f"The body must be {wanted}.", headers=accept)


async def read_body(receive: Receive, headers: Mapping[str, str], bytes_max: int) -> bytes:
    """Raises Problem("body-too-large") before more than that is read, and Gone."""
    told = headers.get("content-length")
    if told is not None and _LENGTH.match(told) and int(told) > bytes_max:
        raise _too_large(bytes_max)
    message = await receive()
    if message["type"] != "http.request":
        raise Gone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return check_size(body, bytes_max)
    pieces = bytearray(body)
    while True:
        if len(pieces) > bytes_max:
            raise _too_large(bytes_max)
        if not message.get("more_body", False):
            return bytes(pieces)
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        pieces += message.get("body", b"")


def check_size(body: bytes, bytes_max: int) -> bytes:
    """The same; raises Problem("body-too-large")."""
    if len(body) > bytes_max:
        raise _too_large(bytes_max)
    return body


def _too_large(bytes_max: int) -> Problem:
    # The rest is not read, so the connection cannot be used again.
    return Problem(
        "body-too-large", f"The body is larger than {bytes_max:,} bytes.", headers=((b"connection", b"close"),)
    )
