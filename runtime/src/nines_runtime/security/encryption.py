"""Fields that only the service can read, whoever has a copy of the database."""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Mapping
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nines_runtime.security import encoding

KEY_BYTES = 32
NUMBER_BYTES = 2
NONCE_BYTES = 12
TAG_BYTES = 16
OVERHEAD_BYTES = NUMBER_BYTES + NONCE_BYTES + TAG_BYTES


class Undecipherable(ValueError):  # noqa: N818 -- what it is
    """A ciphertext that was changed, belongs to another row or column, or whose key is gone."""


class Cipher:
    """AES-256-GCM: the number of the key, a random nonce, the ciphertext with its tag.

    Each value is bound to its place (`table.column`) and its row, so that it opens nowhere else. The first key
    encrypts, all of them decrypt; one key encrypts at most 2^32 values, then the next takes over."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        if not keys:
            raise ValueError("a cipher needs a key")
        for number, key in keys.items():
            if not 0 <= number < 256**NUMBER_BYTES or len(key) != KEY_BYTES:
                raise ValueError(f"a key has a number from 0 to {256**NUMBER_BYTES - 1} and {KEY_BYTES} bytes")
        self.number = next(iter(keys))
        self._first = self.number.to_bytes(NUMBER_BYTES)
        self._keys = {number: AESGCM(key) for number, key in keys.items()}

    def __repr__(self) -> str:
        return f"Cipher(numbers={list(self._keys)})"

    @classmethod
    def parse(cls, text: str) -> Cipher:
        """FIELD_KEYS: `2:<base64>,1:<base64>`, the one that encrypts first.

        64 hexadecimal digits are a key as well, and a key without a number has number 1."""
        keys: dict[int, bytes] = {}
        for part in filter(None, (each.strip() for each in text.replace("\n", ",").split(","))):
            number, _, key = part.rpartition(":")
            try:
                decoded = encoding.of_hexadecimal(key) or base64.b64decode(
                    key.translate(_URLSAFE) + "=" * (-len(key) % 4), validate=True
                )
                if int(number or "1") in keys:
                    raise ValueError
                keys[int(number or "1")] = decoded
            except ValueError:
                raise ValueError(
                    "field keys are written as number:base64 with commas between, each number once"
                ) from None
        return cls(keys)

    def encrypt(self, value: str | bytes, place: str, row: UUID | str | int) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        data = value.encode() if isinstance(value, str) else value
        return self._first + nonce + self._keys[self.number].encrypt(nonce, data, _bound(self._first, place, row))

    def decrypt(self, sealed: bytes, place: str, row: UUID | str | int) -> str:
        """Raises Undecipherable."""
        return self.decrypt_bytes(sealed, place, row).decode()

    def decrypt_bytes(self, sealed: bytes, place: str, row: UUID | str | int) -> bytes:
        head, nonce = sealed[:NUMBER_BYTES], sealed[NUMBER_BYTES : NUMBER_BYTES + NONCE_BYTES]
        key = self._keys.get(int.from_bytes(head))
        if key is None or len(sealed) < OVERHEAD_BYTES:
            raise Undecipherable(f"{place}: its key is not among those that are known")
        try:
            return key.decrypt(nonce, bytes(sealed[NUMBER_BYTES + NONCE_BYTES :]), _bound(bytes(head), place, row))
        except InvalidTag:
            raise Undecipherable(f"{place}: it was changed, or belongs to another row") from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether the key that encrypts today made it; others are written anew before their key goes."""
        return sealed[:NUMBER_BYTES] == self._first


class Lookup:
    """Finds encrypted values by equality: a keyed digest of the value, bound to its place."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES:
            raise ValueError(f"LOOKUP_KEY has at least {KEY_BYTES} bytes")
        self._key = key

    def digest(self, value: str, place: str) -> bytes:
        """32 bytes; whoever writes and whoever looks up must bring the value into the same form first."""
        return hmac.digest(self._key, _joined(place.encode(), value.encode()), sha256)


def _bound(number: bytes, place: str, row: UUID | str | int) -> bytes:
    return _joined(number, place.encode(), str(row).encode())


def _joined(*parts: bytes) -> bytes:
    """With lengths, so that no two lists of parts are written the same."""
    return b"".join(len(part).to_bytes(4) + part for part in parts)


_URLSAFE = str.maketrans("-_", "+/")
