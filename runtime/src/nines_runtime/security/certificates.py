"""Who asks, by the client certificate that the balancer has verified and passes on.

Read as RFC 9440 has it, as a PEM text in percent encoding (ingress-nginx, AWS), or from the list that Envoy writes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from nines_runtime.web.caller import ANONYMOUS, Caller, Headers
from nines_runtime.web.problem import Problem

HEADER = "client-cert"
LENGTH_MAX = 16_384
CACHE_SIZE = 1_000
_PEM = "-----BEGIN CERTIFICATE-----"
_ELEMENTS = re.compile(r'(?:[^",]|"[^"]*")+')
_OF_LIST = re.compile(r'(?:^|;)Cert="([^"]*)"')
_LOCAL = "spiffe://local/"
_LOCAL_S = 3_600.0


class ShownCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """What a certificate says; only what the balancer has verified of it is true."""

    digest: bytes
    """SHA-256 of the whole certificate: names this one and no other."""
    names: tuple[str, ...]
    """Its alternative names: URIs (spiffe://…) and host names."""
    expires_at_s: float


FindCaller = Callable[[ShownCertificate], Awaitable[Caller | None]]
"""Whose certificate it is; None for one that nobody here knows."""
Signed = Callable[[x509.Certificate], bool]
"""Whether the authority that counts has signed it."""


class KnownClient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody with a certificate may do."""

    tenant: str = ""
    roles: frozenset[str] = frozenset()


class Clients:
    """Callers by a name that their certificate has: {"spiffe://example/shop": {"roles": ["agent"]}}.

    The name is the subject. Whoever is taken out is refused by the processes that start from then on."""

    def __init__(self, known: Mapping[str, KnownClient]) -> None:
        self._known = dict(known)

    @classmethod
    def parse(cls, text: str) -> Clients:
        """Raises ValueError for what is no such JSON."""
        try:
            return cls(msgspec.json.decode(text, type=dict[str, KnownClient]))
        except msgspec.MsgspecError as error:
            raise ValueError(f"CLIENTS is a JSON object of names of certificates: {error}") from None

    async def find(self, shown: ShownCertificate) -> Caller | None:
        for name in shown.names:
            found = self._known.get(name)
            if found is not None:
                return Caller(subject=name, tenant=found.tenant, roles=found.roles)
        return None


class CertificateAuthenticator:
    """Believes a header, so it may only stand behind a balancer that asks for certificates, verifies them against one
    authority, and takes this header out of every request that it did not write it into (see OnlyFrom).

    `signed` verifies once more, here."""

    def __init__(
        self,
        find: FindCaller,
        *,
        header: str = HEADER,
        signed: Signed | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._find = find
        self._header = header.lower()
        self._signed = signed
        self._now = now
        self._read_before: dict[str, tuple[ShownCertificate, float]] = {}

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
        """None where it is none, or not valid now; what was read is remembered, for reading it again costs more than
        most requests."""
        if len(written) > LENGTH_MAX:
            return None
        now = self._now()
        known = self._read_before.get(written)
        if known is None:
            certificate = _certificate(written)
            if certificate is None or (self._signed is not None and not self._signed(certificate)):
                return None
            known = _shown(certificate), certificate.not_valid_before_utc.timestamp()
            while len(self._read_before) >= CACHE_SIZE:
                del self._read_before[next(iter(self._read_before))]
            self._read_before[written] = known
        shown, begins_s = known
        return shown if begins_s <= now.timestamp() < shown.expires_at_s else None


def signed_by(authority: str) -> Signed:
    """Whether one of these authorities (PEM) has signed it itself, without others in between."""
    found = x509.load_pem_x509_certificates(authority.encode())

    def check(certificate: x509.Certificate) -> bool:
        return any(_is_issued_by(certificate, each) for each in found)

    return check


class LocalAuthority:
    """Stands in for the authority and the balancer where there is none: its key follows from LOCAL_ISSUER_SEED.

    The certificate itself tells what its owner may do. Whoever has the seed is everybody, so production refuses it."""

    def __init__(
        self,
        seed: str,
        audience: str,
        *,
        environment: str,
        header: str = HEADER,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if environment.strip().lower() in ("production", "prod", "live", ""):
            raise ValueError(
                "LOCAL_ISSUER_SEED is for laptops and laboratories: refused where ENVIRONMENT is production"
            )
        secret = sha256(f"local authority of {audience}\0{seed}".encode()).digest()
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self._header, self._now = header, now

    def mint(self, subject: str, *, tenant: str = "", roles: Iterable[str] = ()) -> str:
        """The header's value, as RFC 9440 has it."""
        told = urlencode([("tenant", tenant), *(("role", each) for each in sorted(roles))])
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local")])
        uri = x509.UniformResourceIdentifier(f"{_LOCAL}{quote(subject, safe='')}?{told}")
        now = self._now()
        made = (
            x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + timedelta(seconds=_LOCAL_S))
            .add_extension(x509.SubjectAlternativeName([uri]), critical=False)
            .sign(self._key, None)
        )
        return f":{base64.b64encode(made.public_bytes(Encoding.DER)).decode()}:"

    def authenticator(self) -> CertificateAuthenticator:
        return CertificateAuthenticator(_told, header=self._header, signed=self._is_own, now=self._now)

    def _is_own(self, certificate: x509.Certificate) -> bool:
        try:
            self._key.public_key().verify(certificate.signature, certificate.tbs_certificate_bytes)
        except InvalidSignature:
            return False
        return True


async def _told(shown: ShownCertificate) -> Caller | None:
    """What a certificate of the local authority says of its owner."""
    name = next((each for each in shown.names if each.startswith(_LOCAL)), "")
    if not name:
        return None
    parts = urlsplit(name)
    found = parse_qs(parts.query)
    tenant = found.get("tenant", [""])[0]
    return Caller(subject=unquote(parts.path[1:]), tenant=tenant, roles=frozenset(found.get("role", ())))


def _certificate(written: str) -> x509.Certificate | None:
    """A byte sequence between colons (RFC 8941, 3.3.5), or a PEM text in percent encoding."""
    try:
        if written[:1] == ":" and written[-1:] == ":" and len(written) > 1:
            return x509.load_der_x509_certificate(base64.b64decode(written[1:-1], validate=True))
        # Of several proxies the last one is the one that connected here.
        listed = _OF_LIST.search(_ELEMENTS.findall(written)[-1]) if written else None
        text = unquote(listed[1] if listed else written)
        return x509.load_pem_x509_certificate(text.encode("ascii")) if text.startswith(_PEM) else None
    except (binascii.Error, ValueError, IndexError):
        return None


def _shown(certificate: x509.Certificate) -> ShownCertificate:
    return ShownCertificate(
        digest=sha256(certificate.public_bytes(Encoding.DER)).digest(),
        names=_names(certificate),
        expires_at_s=certificate.not_valid_after_utc.timestamp(),
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    uris = found.get_values_for_type(x509.UniformResourceIdentifier)
    return (*uris, *found.get_values_for_type(x509.DNSName))


def _is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
