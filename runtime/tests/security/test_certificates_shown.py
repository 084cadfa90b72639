from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.security.apikeys import ApiKey, ApiKeyAuthenticator, KeptKey
from nines_runtime.security.authenticator import FirstOf
from nines_runtime.security.certificates import CertificateAuthenticator, ShownCertificate
from nines_runtime.web.caller import ANONYMOUS, Caller
from nines_runtime.web.problem import Problem

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SHOP = "spiffe://example/shop"


def certificate(*, begins: datetime = NOW - timedelta(days=1), ends: datetime = NOW + timedelta(days=1)) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop")])
    names = [x509.UniformResourceIdentifier(SHOP), x509.DNSName("shop.internal")]
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=7)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    return f":{base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()}:"


async def find(shown: ShownCertificate) -> Caller | None:
    assert len(shown.digest) == 32
    return Caller(subject="shop", roles=frozenset({"shop"})) if SHOP in shown.names else None


AUTHENTICATOR = CertificateAuthenticator(find, now=lambda: NOW)


def test_a_service_is_known_by_its_certificate_until_that_ends() -> None:
    caller = asyncio.run(AUTHENTICATOR.authenticate({"client-cert": certificate()}, address=""))
    assert (caller.subject, caller.expires_at_s) == ("shop", (NOW + timedelta(days=1)).timestamp())
    assert asyncio.run(AUTHENTICATOR.authenticate({}, address="")) is ANONYMOUS


@pytest.mark.parametrize(
    "written",
    [
        certificate(ends=NOW),
        certificate(begins=NOW + timedelta(hours=1)),
        certificate()[1:],
        certificate()[:-1],
        ":" + certificate()[20:],
        "::",
        ":",
        "",
        ":AAAA:",
        ":" + "A" * 20_000 + ":",
    ],
    ids=["ended", "not yet", "no start", "no end", "cut", "empty", "colon", "nothing", "zeros", "long"],
)
def test_others_are_not(written: str) -> None:
    with pytest.raises(Problem) as caught:
        asyncio.run(AUTHENTICATOR.authenticate({"client-cert": written}, address=""))
    assert caught.value.code == "unauthorized"


@given(st.binary(max_size=200))
def test_nor_is_anything_else(data: bytes) -> None:
    with pytest.raises(Problem):
        asyncio.run(AUTHENTICATOR.authenticate({"client-cert": f":{base64.b64encode(data).decode()}:"}, address=""))


def test_the_first_credential_that_is_there_decides() -> None:
    key = ApiKey("sk")

    async def keys(id: str) -> KeptKey | None:
        return KeptKey(digest=key.digest, caller=Caller(subject="program"))

    both = FirstOf(AUTHENTICATOR, ApiKeyAuthenticator(keys))

    async def subject(**headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return (await both.authenticate(named, address="")).subject

    assert asyncio.run(subject(x_api_key=key.text)) == "program"
    assert asyncio.run(subject(client_cert=certificate(), x_api_key=key.text)) == "shop"
    assert asyncio.run(subject()) == ""
    with pytest.raises(Problem):
        asyncio.run(subject(client_cert=":x:", x_api_key=key.text))
