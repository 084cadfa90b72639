"""Who asks, by the client certificate that the balancer has verified and passes on (RFC 9440)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256

import msgspec
from cryptography import x509

from nines_runtime.web.caller import ANONYMOUS, Caller, Headers
from nines_runtime.web.problem import Problem

HEADER = "client-cert"
LENGTH_MAX = 16_384


class ShownCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """What a certificate says; only what the balancer has verified of it is true."""

    digest: bytes
    """SHA-256 of the whole certificate: names this one and no other."""
    names: tuple[str, ...]
    """Its alternative names: URIs (spiffe://…) and host names."""
    expires_at_s: float


FindCaller = Callable[[ShownCertificate], Awaitable[Caller | None]]
"""Whose certificate it is; None for one that nobody here knows."""


class CertificateAuthenticator:
    """Believes the header Client-Cert, so it may only stand behind a balancer that asks for certificates, verifies them
    against one authority, and takes this header out of every request that it did not write it into."""

    def __init__(
        self, find: FindCaller, *, header: str = HEADER, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._find = find
        self._header = header.lower()
        self._now = now

    async def authenticate(self, headers: Headers, *, address: str) -> Caller:  # noqa: ARG002 -- of the protocol
        written = headers.get(self._header)
        if written is None:
            return ANONYMOUS
        shown = self._read(written)
        caller = await self._find(shown) if shown is not None else None
        if caller is None or shown is None:
            raise Problem("unauthorized")
        return msgspec.structs.replace(caller, expires_at_s=caller.expires_at_s or shown.expires_at_s)

    def _read(self, written: str) -> ShownCertificate | None:
        """A byte sequence between colons (RFC 8941, 3.3.5); None where it is none, or not valid now."""
        if len(written) > LENGTH_MAX or len(written) < 2 or written[0] != ":" or written[-1] != ":":
            return None
        try:
            encoded = base64.b64decode(written[1:-1], validate=True)
            certificate = x509.load_der_x509_certificate(encoded)
            names = _names(certificate)
        except (binascii.Error, ValueError):
            return None
        if not certificate.not_valid_before_utc <= self._now() < certificate.not_valid_after_utc:
            return None
        return ShownCertificate(
            digest=sha256(encoded).digest(), names=names, expires_at_s=certificate.not_valid_after_utc.timestamp()
        )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    uris = found.get_values_for_type(x509.UniformResourceIdentifier)
    return (*uris, *found.get_values_for_type(x509.DNSName))
