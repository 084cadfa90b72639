"""Keys of tokens: each has one kind, and a token may be signed with the algorithms of that kind only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from nines_runtime.security import encoding

Public = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
Private = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
RSA_BITS_MIN, RSA_BITS_MAX = 2_048, 8_192
KID_LENGTH_MAX = 128
SEED_BYTES_MIN = 16
_HALF = 32
"""Bytes of one half of an ES256 signature."""
_PEM = re.compile(r"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----", re.DOTALL)


class PublicKey:
    """Verifies; `algorithms` are the names in a token's header that fit it."""

    __slots__ = ("_key", "algorithms", "kid", "members")

    def __init__(self, key: Public, *, kid: str = "") -> None:
        self._key = key
        self.algorithms = _algorithms(key)
        self.members = _members(key)
        self.kid = kid or thumbprint(self.members)

    def verifies(self, signature: bytes, signed: bytes) -> bool:
        try:
            if isinstance(self._key, ed25519.Ed25519PublicKey):
                self._key.verify(signature, signed)
            elif isinstance(self._key, ec.EllipticCurvePublicKey):
                if len(signature) != 2 * _HALF:
                    return False
                halves = int.from_bytes(signature[:_HALF]), int.from_bytes(signature[_HALF:])
                self._key.verify(encode_dss_signature(*halves), signed, ec.ECDSA(hashes.SHA256()))
            else:
                self._key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    def jwk(self) -> dict[str, str]:
        """As it is published (RFC 7517)."""
        return {**self.members, "kid": self.kid, "use": "sig", "alg": self.algorithms[0]}


class SigningKey:
    """Signs; printed without its secret."""

    __slots__ = ("_key", "algorithm", "public")

    def __init__(self, key: Private, *, kid: str = "") -> None:
        self._key = key
        self.public = PublicKey(key.public_key(), kid=kid)
        self.algorithm = self.public.algorithms[0]

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r}, algorithm={self.algorithm!r})"

    @classmethod
    def generate(cls, *, kid: str = "") -> SigningKey:
        """An Ed25519 key."""
        return cls(ed25519.Ed25519PrivateKey.generate(), kid=kid)

    @classmethod
    def derived(cls, seed: str, purpose: str) -> SigningKey:
        """The Ed25519 key of a seed: the same in every process that has it."""
        if len(seed.encode()) < SEED_BYTES_MIN:
            raise ValueError(f"a seed of at least {SEED_BYTES_MIN} bytes is needed")
        hkdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode())
        return cls(ed25519.Ed25519PrivateKey.from_private_bytes(hkdf.derive(seed.encode())))

    @property
    def kid(self) -> str:
        return self.public.kid

    def sign(self, data: bytes) -> bytes:
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(data)
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            first, second = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
            return first.to_bytes(_HALF) + second.to_bytes(_HALF)
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())


class SigningKeys:
    """The keys of an issuer: the first signs, all are published; a next key stands behind until everybody knows it."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        if not keys:
            raise ValueError("an issuer needs a key")
        self._keys = tuple(keys)
        self.published = {key.kid: key.public for key in keys}
        if len(self.published) != len(self._keys):
            raise ValueError("two keys have the same id")

    @classmethod
    def parse(cls, text: str) -> SigningKeys:
        """Private keys as PEM blocks, one after the other; or Ed25519 seeds (base64url of 32 bytes), with commas."""
        blocks = _PEM.findall(text)
        if blocks:
            return cls([_of_pem(block) for block in blocks])
        try:
            parts = [part.strip().rstrip("=") for part in text.split(",") if part.strip()]
            seeds = [encoding.of_hexadecimal(part) or encoding.decode(part) for part in parts]
            return cls([SigningKey(ed25519.Ed25519PrivateKey.from_private_bytes(seed)) for seed in seeds])
        except ValueError:
            raise ValueError("a signing key is a PEM block, or 32 bytes as base64url or hexadecimal digits") from None

    @property
    def first(self) -> SigningKey:
        return self._keys[0]

    def jwks(self) -> bytes:
        return msgspec.json.encode({"keys": [key.jwk() for key in self.published.values()]})


def public_key_of(jwk: Mapping[str, Any], *, algorithms: Sequence[str]) -> PublicKey | None:
    """A published key; None for one that is not for signatures of these algorithms, or does not hold."""
    kid, use, operations, named = (jwk.get(name) for name in ("kid", "use", "key_ops", "alg"))
    if not isinstance(kid, str) or not 0 < len(kid) <= KID_LENGTH_MAX or use not in (None, "sig"):
        return None
    if operations is not None and (not isinstance(operations, list) or "verify" not in operations):
        return None
    try:
        key = PublicKey(_public_of(jwk), kid=kid)
    except (ValueError, TypeError, KeyError):
        return None
    fitting = tuple(name for name in key.algorithms if name in algorithms and named in (None, name))
    if not fitting:
        return None
    key.algorithms = fitting
    return key


def thumbprint(members: Mapping[str, str]) -> str:
    """RFC 7638."""
    return encoding.encode(sha256(msgspec.json.encode(members, order="sorted")).digest())


def _algorithms(key: Public) -> tuple[str, ...]:
    if isinstance(key, ed25519.Ed25519PublicKey):
        return ("EdDSA", "Ed25519")
    if isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("of the elliptic curves with a point P-256 is used, for ES256")
        return ("ES256",)
    if not RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX:
        raise ValueError(f"an RSA key has {RSA_BITS_MIN} to {RSA_BITS_MAX} bits")
    return ("RS256",)


def _members(key: Public) -> dict[str, str]:
    """What a thumbprint is taken of."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"crv": "Ed25519", "kty": "OKP", "x": encoding.encode(raw)}
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        return {
            "crv": "P-256",
            "kty": "EC",
            "x": encoding.encode(point.x.to_bytes(_HALF)),
            "y": encoding.encode(point.y.to_bytes(_HALF)),
        }
    numbers = key.public_numbers()
    return {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}


def _number(value: int) -> str:
    return encoding.encode(value.to_bytes((value.bit_length() + 7) // 8))


def _public_of(jwk: Mapping[str, Any]) -> Public:
    kty = jwk["kty"]
    if kty == "OKP" and jwk["crv"] == "Ed25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(encoding.decode(jwk["x"]))
    if kty == "EC" and jwk["crv"] == "P-256":
        x, y = (int.from_bytes(encoding.decode(jwk[name])) for name in ("x", "y"))
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    if kty == "RSA":
        modulus = encoding.decode(jwk["n"])
        if len(modulus) * 8 > RSA_BITS_MAX + 8:
            raise ValueError("too large")
        return rsa.RSAPublicNumbers(int.from_bytes(encoding.decode(jwk["e"])), int.from_bytes(modulus)).public_key()
    raise ValueError("not a key of a kind that is used here")


def _of_pem(block: str) -> SigningKey:
    key = serialization.load_pem_private_key(block.encode(), password=None)
    if not isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise TypeError("a signing key is Ed25519, P-256 or RSA")
    return SigningKey(key)
