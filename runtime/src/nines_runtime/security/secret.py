"""Secrets that are given out once and kept as digests: refresh tokens, API keys, links."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

SECRET_BYTES = 32
LENGTH_MAX = 255


class Secret:
    """`text` is for its owner alone, `digest` is what is kept; printed without either."""

    __slots__ = ("digest", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = digest_of(text)

    @classmethod
    def new(cls, prefix: str) -> Secret:
        """`<prefix>_<43 letters>`: 256 bits, so that its plain digest tells nothing and needs no salt."""
        return cls(f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}")

    def __repr__(self) -> str:
        return "Secret([redacted])"


def digest_of(text: str) -> bytes:
    """32 bytes: what is kept of a secret of 256 bits, and looked up when it is shown. Never of a password or a code."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def is_same(one: str | bytes, other: str | bytes) -> bool:
    """Compares in a time that tells nothing of where they differ."""
    first, second = (each.encode("utf-8", "surrogatepass") if isinstance(each, str) else each for each in (one, other))
    return hmac.compare_digest(first, second)
