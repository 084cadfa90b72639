"""Identifiers: UUID version 7 inside, "<prefix>_<32 hex>" outside."""

from __future__ import annotations

import os
import struct
import threading
import time
from datetime import timedelta
from uuid import UUID

_VERSION, _VARIANT = 0x7 << 76, 0b10 << 62
_COUNTER_BITS, _CHANCE_BITS = 12, 62
_COUNTER_MAX = (1 << _COUNTER_BITS) - 1
_HEX_DIGITS = frozenset("0123456789abcdef")
_LENGTH = 32
_MANY = "256Q"


class _Chance:
    """Numbers of 64 bits from the system's generator, which is asked once for many: asking costs more than the rest of
    an identifier. What was asked for and not used is forgotten in a child, so that no two processes share any."""

    def __init__(self) -> None:
        self._left: list[int] = []
        os.register_at_fork(after_in_child=self._left.clear)

    def take(self) -> int:
        """Safe between threads."""
        while True:
            try:
                return self._left.pop()
            except IndexError:
                self._left.extend(struct.unpack(_MANY, os.urandom(struct.calcsize(_MANY))))


class Identifiers:
    """Makes identifiers that only ever grow, whatever the clock does; safe between threads.

    The first 48 bits are the time in milliseconds, the next 12 count within one of them (RFC 9562, 6.2, method 1),
    the other 62 are chance. A thousandth that is used up, or a clock that goes back, borrows from the next one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._chance = _Chance()
        self._at_ms = 0
        self._count = 0

    def new(self) -> UUID:
        now_ms = time.time_ns() // 1_000_000
        chance = self._chance.take() >> (64 - _CHANCE_BITS)
        with self._lock:
            if now_ms > self._at_ms:
                # Half of the counter is left free, so that a burst seldom has to borrow.
                self._at_ms, self._count = now_ms, chance & (_COUNTER_MAX >> 1)
            elif self._count < _COUNTER_MAX:
                self._count += 1
            else:
                self._at_ms, self._count = self._at_ms + 1, 0
            at_ms, count = self._at_ms, self._count
        return UUID(int=at_ms << 80 | _VERSION | count << 64 | _VARIANT | chance)


new_id = Identifiers().new
"""A new identifier, larger than every one that this process made before."""


def first_identifier(age: timedelta) -> UUID:
    """The smallest identifier that a row of this age can have: what is older is smaller."""
    at_ms = max(0, time.time_ns() // 1_000_000 - int(age.total_seconds() * 1_000))
    return UUID(int=at_ms << 80 | _VERSION | _VARIANT)


def identifier_text(id: UUID, prefix: str = "") -> str:
    """As callers see it: "pay_01b8e0949b2e786fa1b1c875d24a343b"."""
    return f"{prefix}_{id.hex}" if prefix else id.hex


def identifier_of(text: str, prefix: str = "") -> UUID | None:
    """The other way; None for whatever this service would not have written itself."""
    start = f"{prefix}_" if prefix else ""
    digits = text[len(start) :]
    if not text.startswith(start) or len(digits) != _LENGTH or not _HEX_DIGITS.issuperset(digits):
        return None
    return UUID(hex=digits)


def as_identifier(text: str, prefix: str = "") -> UUID:
    """The same for a text that was checked before; ValueError for any other."""
    found = identifier_of(text, prefix)
    if found is None:
        raise ValueError("This is no identifier.")
    return found
