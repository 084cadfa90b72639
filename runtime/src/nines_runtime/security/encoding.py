"""Base64 for URLs, without padding and in one form only (RFC 7515, 2; RFC 4648, 3.5)."""

from __future__ import annotations

import base64
import binascii


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Raises ValueError for what `encode` never writes: padding, other letters, bits left over."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64url") from None
    if encode(data) != text:
        raise ValueError("not base64url in its one form")
    return data


def of_hexadecimal(text: str) -> bytes | None:
    """32 bytes that were written as 64 digits, as `openssl rand -hex 32` does; None for anything else."""
    if len(text) != 64 or not all(each in "0123456789abcdefABCDEF" for each in text):
        return None
    return bytes.fromhex(text)
