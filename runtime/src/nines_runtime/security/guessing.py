"""Guessing, slowed down by account and by address; whom it concerns is kept as a keyed digest."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from typing import Any

from nines_runtime.web.problem import Problem

FREE = 5
"""So many failures cost nothing; each further one doubles the wait."""
WAIT_MAX_S = 1_024.0
KEY_BYTES_MIN = 32
_PREFIX_BITS = 64


class Guesses:
    """Digests for the table of failures, the same whether or not the account exists."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES_MIN:
            raise ValueError(f"CODE_KEY has at least {KEY_BYTES_MIN} bytes")
        self._key = key

    def account(self, name: str) -> bytes:
        """However its name is written."""
        plain = unicodedata.normalize("NFKC", name.strip()).casefold()
        return hmac.digest(self._key, b"account\0" + plain.encode("utf-8", "surrogatepass"), sha256)

    def address(self, address: str) -> bytes:
        """Of an IPv6 address the network counts: whoever has one has 2^64."""
        return hmac.digest(self._key, b"address\0" + network_of(address).encode(), sha256)


def network_of(address: str) -> str:
    """What stands for one household or one server."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> _PREFIX_BITS << _PREFIX_BITS)}/{_PREFIX_BITS}"


def refuse_blocked(rows: Iterable[Mapping[str, Any]], *, now: datetime | None = None) -> None:
    """Raises Problem("rate-limited") where one of the rows has a `blocked_until` that is not over."""
    moment = now or datetime.now(UTC)
    left_s = max(((row["blocked_until"] - moment).total_seconds() for row in rows), default=0.0)
    if left_s > 0:
        raise Problem("rate-limited", retry_after_s=left_s)


def wait_s(failures: int) -> float:
    """How long somebody who failed so often waits: nothing at first, then twice as long each time."""
    return 0.0 if failures <= FREE else min(WAIT_MAX_S, 2.0 ** min(failures - FREE, 32))
