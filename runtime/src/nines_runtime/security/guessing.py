"""Guessing, slowed down by account and by address; whom it concerns is kept as a keyed digest."""

from __future__ import annotations

import hmac
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from typing import Any

from nines_runtime.web.problem import Problem

FREE = 5
"""So many failures cost nothing; each further one doubles the wait."""
FREE_BY_ADDRESS = 50
"""Behind one address a whole office may sit."""
WAIT_MAX_S = 1_024.0
FAILURES_MAX = 50_000
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
        return hmac.digest(self._key, b"account\0" + name_of(name).encode("utf-8", "surrogatepass"), sha256)

    def address(self, address: str) -> bytes:
        """Of an IPv6 address the network counts: whoever has one has 2^64."""
        return hmac.digest(self._key, b"address\0" + network_of(address).encode(), sha256)


class Failures:
    """Failures counted in this process alone, for a service of one process without a table for them.

    Bounded: when it is full, what failed longest ago is forgotten."""

    def __init__(
        self,
        *,
        ttl_s: float = 86_400.0,
        size: int = FAILURES_MAX,
        free_by_address: int = FREE_BY_ADDRESS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ttl_s = ttl_s
        self._size = size
        self._free_by_address = free_by_address
        self._clock = clock
        self._counts: dict[tuple[str, str], tuple[int, float]] = {}
        """How often, and when last."""

    def refuse_blocked(self, account: str, address: str) -> None:
        """Raises Problem("rate-limited") while the account or the address has to wait."""
        left_s = max(self._left_s(key, free) for key, free in self._keys(account, address))
        if left_s > 0:
            raise Problem("rate-limited", retry_after_s=left_s)

    def failed(self, account: str, address: str) -> None:
        """Whether or not there is such an account."""
        for key, _ in self._keys(account, address):
            self._count(key)

    def _count(self, key: tuple[str, str]) -> None:
        failures, at_s = self._counts.pop(key, (0, 0.0))
        while len(self._counts) >= self._size:
            del self._counts[next(iter(self._counts))]
        is_fresh = self._clock() - at_s < self._ttl_s
        self._counts[key] = (failures + 1 if is_fresh else 1, self._clock())

    def refuse_blocked_address(self, address: str) -> None:
        """The same where no account is named: of an address alone."""
        left_s = self._left_s(("address", network_of(address)), self._free_by_address)
        if left_s > 0:
            raise Problem("rate-limited", retry_after_s=left_s)

    def failed_address(self, address: str) -> None:
        self._count(("address", network_of(address)))

    def succeeded(self, account: str) -> None:
        """The account's failures are forgotten; those of the address are not."""
        self._counts.pop(("account", name_of(account)), None)

    def _keys(self, account: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
        by_account, by_address = ("account", name_of(account)), ("address", network_of(address))
        return (by_account, FREE), (by_address, self._free_by_address)

    def _left_s(self, key: tuple[str, str], free: int) -> float:
        failures, at_s = self._counts.get(key, (0, 0.0))
        return at_s + wait_s(failures, free=free) - self._clock() if failures else 0.0


def name_of(account: str) -> str:
    """The same for each way to write it."""
    return unicodedata.normalize("NFKC", account.strip()).casefold()


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


def wait_s(failures: int, *, free: int = FREE) -> float:
    """How long somebody who failed so often waits: nothing at first, then twice as long each time."""
    return 0.0 if failures <= free else min(WAIT_MAX_S, 2.0 ** min(failures - free, 32))
