"""Keys as they are kept and as they are published."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from nines_runtime.security import encoding
from nines_runtime.security.keys import Private, PublicKey, SigningKey, SigningKeys, public_key_of

KEYS: dict[str, Private] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "RS256": rsa.generate_private_key(public_exponent=65_537, key_size=2_048),
}


def test_private_keys_are_read_in_both_forms() -> None:
    blocks = [
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        for key in KEYS.values()
    ]
    keys = SigningKeys.parse("\n".join(blocks))
    assert keys.first.algorithm == "EdDSA"
    assert {key.algorithms[0] for key in keys.published.values()} == set(KEYS)
    seeds = SigningKeys.parse(f"{encoding.encode(b'a' * 32)}, {encoding.encode(b'b' * 32)}=")
    assert len(seeds.published) == 2
    assert "PRIVATE" not in repr(keys.first)
    for wrong in ("", "abc", encoding.encode(b"a" * 31)):
        with pytest.raises(ValueError, match="key"):
            SigningKeys.parse(wrong)


def _jwk(**changes: Any) -> dict[str, Any]:
    return {**SigningKey.generate(kid="k").public.jwk(), **changes}


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "k", "alg": "HS256"},
        _jwk(kid=""),
        _jwk(kid=7),
        _jwk(use="enc"),
        _jwk(key_ops=["sign"]),
        _jwk(alg="RS256"),
        _jwk(crv="X25519"),
        _jwk(x="AA"),
        _jwk(x=5),
        _jwk(kty=[]),
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "k"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "k"},
        {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "kid": "k"},
        {"kty": "RSA", "n": "A" * 8_000, "e": "AQAB", "kid": "k"},
    ],
)
def test_published_keys_that_are_not_used(jwk: dict[str, Any]) -> None:
    assert public_key_of(jwk, algorithms=("EdDSA", "ES256", "RS256", "HS256")) is None


def test_a_thumbprint_is_that_of_rfc_8037() -> None:
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "k"}
    key = public_key_of(jwk, algorithms=("EdDSA",))
    assert key is not None
    assert PublicKey(key._key).kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("bits", [1_024])
def test_keys_that_are_too_weak_are_not_used(bits: int) -> None:
    weak = rsa.generate_private_key(public_exponent=65_537, key_size=bits)
    with pytest.raises(ValueError, match="bits"):
        SigningKey(weak)
    with pytest.raises(ValueError, match="P-256"):
        SigningKey(ec.generate_private_key(ec.SECP384R1()))
    key = SigningKey.generate(kid="k")
    with pytest.raises(ValueError, match="same id"):
        SigningKeys([key, SigningKey.generate(kid="k")])
    with pytest.raises(ValueError, match="needs a key"):
        SigningKeys([])
