"""Identifiers: a prefix that says what it names, and a UUIDv7, so that they sort by time of creation."""

from __future__ import annotations

import secrets
import time

HEX = "[0-9a-f]{32}"


def new_id(prefix: str) -> str:
    """Such as "pay_0190c6c5f2a87c1e8f6b0d3a5e7f9b1c" (RFC 9562, 5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    value = (
        (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    )
    return f"{prefix}_{value:032x}"
