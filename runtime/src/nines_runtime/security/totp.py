"""A second factor that needs no network: time-based one-time passwords (RFC 6238, SHA-1, 30 s, six digits)."""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import Callable
from urllib.parse import quote, urlencode

SECRET_BYTES = 20
STEP_S = 30
DIGITS = 6
SKEW_STEPS = 1
"""A clock may be off by so many steps, either way."""


class Totp:
    """Keep the secret encrypted and the last step that was accepted beside it: a code works once."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    @staticmethod
    def new_secret() -> bytes:
        return secrets.token_bytes(SECRET_BYTES)

    @staticmethod
    def uri(secret: bytes, *, issuer: str, account: str) -> str:
        """What an authenticator's app reads from a picture."""
        label = quote(f"{issuer}:{account}", safe="")
        key = base64.b32encode(secret).decode().rstrip("=")
        return f"otpauth://totp/{label}?{urlencode({'secret': key, 'issuer': issuer}, quote_via=quote)}"

    def accepted(self, secret: bytes, code: str, *, last_step: int = -1) -> int | None:
        """The step of a code that holds, to be kept as the last one; None for a code that is wrong or was used."""
        plain = code.replace(" ", "")
        if len(plain) != DIGITS or not (plain.isascii() and plain.isdigit()):
            return None
        now = int(self._clock()) // STEP_S
        found = None
        # Each step is compared, so that the time tells nothing.
        for step in range(now - SKEW_STEPS, now + SKEW_STEPS + 1):
            if hmac.compare_digest(code_at(secret, step), plain) and step > last_step and found is None:
                found = step
        return found


def code_at(secret: bytes, step: int) -> str:
    """RFC 4226, 5.3."""
    mac = hmac.digest(secret, step.to_bytes(8), "sha1")
    at = mac[-1] & 0x0F
    return str((int.from_bytes(mac[at : at + 4]) & 0x7FFFFFFF) % 10**DIGITS).zfill(DIGITS)
