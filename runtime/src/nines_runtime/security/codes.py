"""One-time codes and links: short-lived, few attempts, and kept as keyed digests."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from uuid import UUID

DIGITS = 6
DIGITS_MIN, DIGITS_MAX = 6, 8
ATTEMPTS_MAX = 5
"""Five guesses at six digits find one code of 200,000."""
KEY_BYTES_MIN = 32
_LENGTH_MAX = 255


class Code:
    """`text` goes to its owner, `digest` is kept; printed without either."""

    __slots__ = ("digest", "text")

    def __init__(self, text: str, digest: bytes) -> None:
        self.text = text
        self.digest = digest

    def __repr__(self) -> str:
        return "Code([redacted])"


class Codes:
    """Digests are keyed (CODE_KEY), for a million codes are tried in a second; and bound to the row that keeps them."""

    def __init__(self, key: bytes, *, digits: int = DIGITS) -> None:
        if len(key) < KEY_BYTES_MIN:
            raise ValueError(f"CODE_KEY has at least {KEY_BYTES_MIN} bytes")
        if not DIGITS_MIN <= digits <= DIGITS_MAX:
            raise ValueError(f"a code has {DIGITS_MIN} to {DIGITS_MAX} digits")
        self._key = key
        self._digits = digits

    def new(self, id: UUID) -> Code:
        """For the row with this id."""
        return self._code(id, str(secrets.randbelow(10**self._digits)).zfill(self._digits))

    def new_link(self, id: UUID) -> Code:
        """As long as a secret in a link must be."""
        return self._code(id, secrets.token_urlsafe(32))

    def digest(self, id: UUID, text: str) -> bytes:
        """32 bytes; blanks and hyphens between the digits do not count."""
        plain = text[:_LENGTH_MAX].strip()
        if plain.replace(" ", "").replace("-", "").isdecimal():
            plain = plain.replace(" ", "").replace("-", "")
        return hmac.digest(self._key, b"code\0" + id.bytes + plain.encode("utf-8", "surrogatepass"), sha256)

    def matches(self, id: UUID, text: str, kept: bytes) -> bool:
        """In constant time."""
        return hmac.compare_digest(self.digest(id, text), kept)

    def _code(self, id: UUID, text: str) -> Code:
        return Code(text, self.digest(id, text))
