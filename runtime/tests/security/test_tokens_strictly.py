"""Tokens of others, tokens for others, and tokens that must not be believed."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.security import encoding
from nines_runtime.security.authenticator import TokenAuthenticator
from nines_runtime.security.issuing import LocalIssuer, TokenIssuer
from nines_runtime.security.keys import Private, PublicKey, SigningKey, SigningKeys
from nines_runtime.security.tokens import TokenRefused, TokenRules, Verifier, shows_second_factor
from nines_runtime.web.problem import Problem

NOW = 1_900_000_000.0
RULES = TokenRules(issuer="https://issuer.test", audience="payments", algorithms=("EdDSA", "ES256", "RS256"))
KEYS: dict[str, Private] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "RS256": rsa.generate_private_key(public_exponent=65_537, key_size=2_048),
}
CLAIMS: dict[str, Any] = {
    "iss": "https://issuer.test",
    "aud": "payments",
    "sub": "u1",
    "iat": int(NOW) - 10,
    "exp": int(NOW) + 600,
    "tenant": "m1",
    "roles": ["customer"],
    "sid": "s1",
}
HEAD = {"typ": "at+jwt", "kid": "EdDSA"}


def verifier(rules: TokenRules = RULES, **more: Any) -> Verifier:
    keys = {name: PublicKey(key.public_key(), kid=name) for name, key in KEYS.items()}
    return Verifier(rules, keys, clock=lambda: NOW, **more)


def signed(head: dict[str, Any] | str, claims: dict[str, Any] | str, algorithm: str = "EdDSA") -> str:
    """With our own signature over whatever is given."""
    parts = [each if isinstance(each, str) else json.dumps(each) for each in (head, claims)]
    text = ".".join(encoding.encode(part.encode()) for part in parts)
    return f"{text}.{encoding.encode(SigningKey(KEYS[algorithm]).sign(text.encode()))}"


@pytest.mark.parametrize("algorithm", list(KEYS))
def test_believes_what_pyjwt_signed(algorithm: str) -> None:
    token = jwt.encode(CLAIMS, KEYS[algorithm], algorithm, headers={"typ": "at+jwt", "kid": algorithm})
    caller = verifier().verify(token)
    assert (caller.subject, caller.tenant, caller.roles, caller.session) == (
        "u1", "m1", frozenset({"customer"}), "s1",
    )  # fmt: skip
    assert caller.expires_at_s == NOW + 600
    assert not caller.has_second_factor


@pytest.mark.parametrize("algorithm", list(KEYS))
def test_pyjwt_believes_what_we_sign(algorithm: str) -> None:
    key = SigningKey(KEYS[algorithm])
    issuer = TokenIssuer(SigningKeys([key]), RULES, ttl_s=300, clock=lambda: NOW)
    token = issuer.issue("u1", tenant="m1", roles=["b", "a"], session="s1", has_second_factor=True)
    published = jwt.PyJWK.from_dict(json.loads(issuer.jwks())["keys"][0])
    claims = jwt.decode(
        token,
        published,
        [algorithm],
        audience="payments",
        issuer=RULES.issuer,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["exp"] - claims["iat"] == 300
    assert (claims["sub"], claims["tenant"], claims["roles"], claims["sid"], claims["amr"]) == (
        "u1", "m1", ["a", "b"], "s1", ["mfa"],
    )  # fmt: skip
    assert jwt.get_unverified_header(token) == {"alg": algorithm, "kid": key.kid, "typ": "at+jwt"}
    assert issuer.authenticator()._verifier.verify(token).has_second_factor


def _changed(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (CLAIMS | changes).items() if value is not ...}


HOSTILE_CLAIMS: dict[str, Any] = {
    "another audience": _changed(aud="shop"),
    "an audience that begins alike": _changed(aud="payments.evil"),
    "no audience": _changed(aud=...),
    "audiences without us": _changed(aud=["shop", "x"]),
    "another issuer": _changed(iss="https://issuer.test.evil"),
    "no issuer": _changed(iss=...),
    "expired": _changed(exp=int(NOW) - 60),
    "no end": _changed(exp=...),
    "an end that is text": _changed(exp=str(int(NOW) + 600)),
    "an end that is true": _changed(exp=True),
    "an end far away": _changed(exp=int(NOW) + 10**9),
    "an endless end": '{"exp": 1e999}',
    "no beginning": _changed(iat=...),
    "issued in the future": _changed(iat=int(NOW) + 3_600, exp=int(NOW) + 3_700),
    "not yet": _changed(nbf=int(NOW) + 3_600),
    "nbf is text": _changed(nbf="soon"),
    "nobody": _changed(sub=...),
    "an empty subject": _changed(sub=""),
    "a subject that is a number": _changed(sub=7),
    "a subject too long": _changed(sub="x" * 256),
    "a subject with a zero": _changed(sub="a\0b"),
    "a tenant that is a list": _changed(tenant=["m1", "m2"]),
    "roles that are numbers": _changed(roles=[1]),
    "roles that are an object": _changed(roles={"admin": True}),
    "too many roles": _changed(roles=[str(each) for each in range(65)]),
    "a member twice": json.dumps(CLAIMS)[:-1] + ', "sub": "admin"}',
    "NaN": json.dumps(CLAIMS)[:-1] + ', "x": NaN}',
    "a list": "[1]",
    "nothing": "",
    "deep": "[" * 4_000,
}


@pytest.mark.parametrize("claims", HOSTILE_CLAIMS.values(), ids=HOSTILE_CLAIMS.keys())
def test_claims_that_are_not_believed(claims: Any) -> None:
    with pytest.raises(TokenRefused):
        verifier().verify(signed(HEAD | {"alg": "EdDSA"}, claims))


HOSTILE_HEADS: dict[str, Any] = {
    "none": HEAD | {"alg": "none"},
    "None": HEAD | {"alg": "None"},
    "nothing": HEAD,
    "a list": HEAD | {"alg": ["EdDSA"]},
    "of another key": HEAD | {"alg": "ES256"},
    "HS256": HEAD | {"alg": "HS256"},
    "unknown key": HEAD | {"alg": "EdDSA", "kid": "other"},
    "no key": {"alg": "EdDSA", "typ": "at+jwt"},
    "a key that is a number": HEAD | {"alg": "EdDSA", "kid": 1},
    "an empty key": HEAD | {"alg": "EdDSA", "kid": ""},
    "crit": HEAD | {"alg": "EdDSA", "crit": ["exp"]},
    "b64": HEAD | {"alg": "EdDSA", "b64": False},
    "an identity token": HEAD | {"alg": "EdDSA", "typ": "JWT"},
    "no type": {"alg": "EdDSA", "kid": "EdDSA"},
    "a type that is a list": HEAD | {"alg": "EdDSA", "typ": ["at+jwt"]},
    "a member twice": '{"alg":"EdDSA","kid":"EdDSA","typ":"at+jwt","alg":"none"}',
}


@pytest.mark.parametrize("head", HOSTILE_HEADS.values(), ids=HOSTILE_HEADS.keys())
def test_heads_that_are_not_believed(head: Any) -> None:
    with pytest.raises(TokenRefused):
        verifier().verify(signed(head, CLAIMS))


def test_a_public_key_is_no_secret_of_hs256() -> None:
    """The oldest trick: what is published, used as a shared secret."""
    pem = (
        KEYS["RS256"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    text = ".".join(
        encoding.encode(json.dumps(each).encode()) for each in (HEAD | {"alg": "HS256", "kid": "RS256"}, CLAIMS)
    )
    token = f"{text}.{encoding.encode(hmac.digest(pem, text.encode(), 'sha256'))}"
    for rules in (RULES, TokenRules(issuer=RULES.issuer, audience="payments", algorithms=("HS256", "RS256"))):
        with pytest.raises(TokenRefused):
            verifier(rules).verify(token)


def test_a_key_of_the_head_itself_is_not_used() -> None:
    stranger = SigningKey.generate(kid="EdDSA")
    head = HEAD | {
        "alg": "EdDSA",
        "jwk": stranger.public.jwk(),
        "jku": "https://evil.test/keys",
        "x5u": "https://evil.test",
    }
    text = ".".join(encoding.encode(json.dumps(each).encode()) for each in (head, CLAIMS))
    with pytest.raises(TokenRefused):
        verifier().verify(f"{text}.{encoding.encode(stranger.sign(text.encode()))}")


@pytest.mark.parametrize("algorithm", list(KEYS))
def test_an_algorithm_that_is_not_allowed_is_not_believed(algorithm: str) -> None:
    others = tuple(each for each in KEYS if each != algorithm)
    rules = TokenRules(issuer=RULES.issuer, audience="payments", algorithms=others)
    with pytest.raises(TokenRefused):
        verifier(rules).verify(signed({"typ": "at+jwt", "kid": algorithm, "alg": algorithm}, CLAIMS, algorithm))


@pytest.mark.parametrize("algorithm", list(KEYS))
@given(st.data())
def test_one_changed_bit_anywhere_is_seen(algorithm: str, data: st.DataObject) -> None:
    token = TOKENS[algorithm]
    part = data.draw(st.integers(0, 2))
    parts = token.split(".")
    raw = bytearray(encoding.decode(parts[part]))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    parts[part] = encoding.encode(bytes(raw))
    with pytest.raises(TokenRefused):
        verifier().verify(".".join(parts))


TOKENS = {
    algorithm: signed({"typ": "at+jwt", "kid": algorithm, "alg": algorithm}, CLAIMS, algorithm) for algorithm in KEYS
}


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    for token in (text, f"{text}.{text}.{text}", f"{TOKENS['EdDSA']}{text or '.'}"):
        if token == TOKENS["EdDSA"]:
            continue
        with pytest.raises(TokenRefused):
            verifier().verify(token)


@pytest.mark.parametrize("change", ["=", " ", "\n", "."])
def test_a_token_has_one_form(change: str) -> None:
    for token in (TOKENS["EdDSA"] + change, change + TOKENS["EdDSA"], TOKENS["EdDSA"].replace(".", change + ".", 1)):
        with pytest.raises(TokenRefused):
            verifier().verify(token)


def test_bits_that_base64_leaves_over_are_seen() -> None:
    last = TOKENS["EdDSA"][-1]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = letters[letters.index(last) ^ 1]
    assert base64.urlsafe_b64decode(TOKENS["EdDSA"].split(".")[2][:-1] + other + "==") == encoding.decode(
        TOKENS["EdDSA"].split(".")[2]
    )
    with pytest.raises(TokenRefused):
        verifier().verify(TOKENS["EdDSA"][:-1] + other)


def test_too_long_is_not_even_read() -> None:
    with pytest.raises(TokenRefused):
        verifier().verify(signed(HEAD | {"alg": "EdDSA"}, CLAIMS | {"x": "y" * 9_000}))


@pytest.mark.parametrize(
    ("methods", "is_shown"),
    [
        (None, False), ("mfa", False), (["mfa"], True), (["pwd"], False), (["pwd", "otp"], True),
        (["otp", "sms"], False), (["pwd", "face"], True), (["pwd", "unknown"], False), ([1, {}], False),
    ],
)  # fmt: skip
def test_two_factors_are_two_kinds_of_proof(methods: object, is_shown: bool) -> None:
    assert shows_second_factor(methods) == is_shown


def test_a_role_that_needs_a_second_factor_is_nothing_without_it() -> None:
    rules = TokenRules(issuer=RULES.issuer, audience="payments", second_factor_roles=frozenset({"support"}))
    claims = _changed(roles=["support", "customer"])
    assert verifier(rules).verify(signed(HEAD | {"alg": "EdDSA"}, claims)).roles == {"customer"}
    claims["amr"] = ["pwd", "otp"]
    assert verifier(rules).verify(signed(HEAD | {"alg": "EdDSA"}, claims)).roles == {"customer", "support"}


@pytest.mark.parametrize(
    ("path", "claims", "roles"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["a"]}}, {"a"}),
        ("scope", {"scope": "read write"}, {"read", "write"}),
        ("missing", {}, set()),
        ("a.b", {"a": {}}, set()),
    ],
)
def test_where_an_issuer_says_the_roles(path: str, claims: dict[str, Any], roles: set[str]) -> None:
    rules = TokenRules(issuer=RULES.issuer, audience="payments", roles_claim=path)
    assert verifier(rules).verify(signed(HEAD | {"alg": "EdDSA"}, CLAIMS | claims)).roles == roles


def test_known_tokens_are_bounded_and_end() -> None:
    clock = [NOW]
    keys = {name: PublicKey(key.public_key(), kid=name) for name, key in KEYS.items()}
    known = Verifier(RULES, keys, clock=lambda: clock[0], cache_size=3)
    tokens = [signed(HEAD | {"alg": "EdDSA"}, CLAIMS | {"sub": str(each)}) for each in range(5)]
    for token in tokens:
        known.verify(token)
    assert [known.known(token) is not None for token in tokens] == [False, False, True, True, True]
    clock[0] += 10_000
    assert known.known(tokens[4]) is None
    with pytest.raises(TokenRefused):
        known.verify(tokens[4])


def test_what_a_key_signed_that_is_gone_is_not_believed_from_memory() -> None:
    keys = {name: PublicKey(key.public_key(), kid=name) for name, key in KEYS.items()}
    known = Verifier(RULES, keys, clock=lambda: NOW)
    known.verify(TOKENS["EdDSA"])
    known.replace_keys({**keys, "next": keys["ES256"]})
    assert known.known(TOKENS["EdDSA"]) is not None
    known.replace_keys({"RS256": keys["RS256"]})
    assert known.known(TOKENS["EdDSA"]) is None
    with pytest.raises(TokenRefused):
        known.verify(TOKENS["EdDSA"])


def test_rotation_next_key_is_known_before_it_signs_and_the_old_one_after() -> None:
    old, new = SigningKey.generate(), SigningKey.generate()
    before = TokenIssuer(SigningKeys([old, new]), RULES, clock=lambda: NOW)
    after = TokenIssuer(SigningKeys([new, old]), RULES, clock=lambda: NOW)
    last = TokenIssuer(SigningKeys([new]), RULES, clock=lambda: NOW)
    first_token, second_token = before.issue("u"), after.issue("u")
    for issuer in (before, after):
        for token in (first_token, second_token):
            assert issuer.authenticator()._verifier.verify(token).subject == "u"
    assert last.authenticator()._verifier.verify(second_token).subject == "u"
    with pytest.raises(TokenRefused):
        last.authenticator()._verifier.verify(first_token)


def test_an_issuer_may_be_a_text_of_another_class() -> None:
    """As settings have addresses."""

    class Url(str):
        __slots__ = ()

    rules = TokenRules(issuer=Url("https://issuer.test"), audience=Url("payments"))
    issuer = TokenIssuer(SigningKeys([SigningKey.generate()]), rules, clock=lambda: NOW)
    assert issuer.authenticator()._verifier.verify(issuer.issue("u1")).subject == "u1"


def test_every_refusal_looks_the_same_outside() -> None:
    async def shown(authenticator: TokenAuthenticator, value: str) -> tuple[Any, ...]:
        with pytest.raises(Problem) as caught:
            await authenticator.authenticate({"authorization": value}, address="")
        return caught.value.code, caught.value.detail, caught.value.errors, caught.value.retry_after_s

    async def whole() -> None:
        authenticator = TokenAuthenticator(verifier())
        refused = [signed(HEAD | {"alg": "EdDSA"}, claims) for claims in HOSTILE_CLAIMS.values()]
        given = [*(f"Bearer {token}" for token in refused), "Basic abc", "Bearer", "Bearer ", "", "x" * 10_000]
        assert {await shown(authenticator, each) for each in given} == {("unauthorized", "", (), None)}
        assert (await authenticator.authenticate({}, address="")).subject == ""
        assert (
            await authenticator.authenticate({"authorization": f"bearer {TOKENS['RS256']}"}, address="")
        ).subject == "u1"

    asyncio.run(whole())


def test_what_was_revoked_is_refused_though_it_is_known() -> None:
    async def whole() -> None:
        revoked: set[str] = set()

        async def is_revoked(caller: Any) -> bool:
            return caller.session in revoked

        authenticator = TokenAuthenticator(verifier(), is_revoked=is_revoked)
        headers = {"authorization": f"Bearer {TOKENS['EdDSA']}"}
        assert (await authenticator.authenticate(headers, address="")).subject == "u1"
        revoked.add("s1")
        with pytest.raises(Problem):
            await authenticator.authenticate(headers, address="")

    asyncio.run(whole())


@pytest.mark.parametrize("environment", ["production", " Production ", "prod", "live", ""])
def test_a_local_issuer_is_refused_in_production(environment: str) -> None:
    with pytest.raises(ValueError, match="LOCAL_ISSUER_SEED"):
        LocalIssuer("a seed of some length", RULES, environment=environment)


def test_a_local_issuer_is_the_same_in_every_process_with_its_seed() -> None:
    one, two = (LocalIssuer("a seed of some length", RULES, environment="local") for _ in range(2))
    other = LocalIssuer("another seed of some length", RULES, environment="local")
    token = one.mint("u1", tenant="m1", roles=["customer"], has_second_factor=True, ttl_s=60)
    caller = two.authenticator()._verifier.verify(token)
    assert (caller.subject, caller.tenant, caller.roles, caller.has_second_factor) == (
        "u1", "m1", frozenset({"customer"}), True,
    )  # fmt: skip
    with pytest.raises(TokenRefused):
        other.authenticator()._verifier.verify(token)
    with pytest.raises(ValueError, match="seed"):
        LocalIssuer("short", RULES, environment="local")


def test_roles_are_written_where_they_are_read() -> None:
    rules = TokenRules(issuer="https://issuer.test", audience="payments", roles_claim="realm_access.roles")
    issuer = TokenIssuer(SigningKeys([SigningKey.generate()]), rules, clock=lambda: NOW)
    token = issuer.issue("u1", roles=["a"], client="app")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["realm_access"], claims["client_id"]) == ({"roles": ["a"]}, "app")
    assert issuer.authenticator()._verifier.verify(token).roles == frozenset({"a"})


def test_an_issuer_that_could_not_be_believed_is_not_made() -> None:
    keys = SigningKeys([SigningKey.generate()])
    with pytest.raises(ValueError, match="EdDSA"):
        TokenIssuer(keys, TokenRules(issuer="i", audience="a", algorithms=("ES256",)))
    for ttl_s in (0.0, 1e9):
        with pytest.raises(ValueError, match="live"):
            TokenIssuer(keys, RULES, ttl_s=ttl_s)
    for named, audience in (("", "a"), ("i", "")):
        with pytest.raises(ValueError, match="issuer"):
            Verifier(TokenRules(issuer=named, audience=audience), {})


@pytest.mark.parametrize("length", [0, 63, 65, 128])
def test_a_signature_of_es256_has_64_bytes(length: int) -> None:
    key = PublicKey(KEYS["ES256"].public_key())
    assert not key.verifies(b"\1" * length, b"signed")


LOOSE = TokenRules(
    issuer="https://issuer.test", audience="payments", algorithms=("EdDSA",), types=("at+jwt", "jwt", "")
)
_NO_TYPE = {"kid": "EdDSA", "alg": "EdDSA"}
_PLAIN = {**_NO_TYPE, "typ": "JWT"}


@pytest.mark.parametrize("head", [_PLAIN, _NO_TYPE, {**_NO_TYPE, "typ": "application/at+jwt"}])
@pytest.mark.parametrize("more", [{}, {"typ": "Bearer", "nonce": "n"}, {"token_use": "access"}])
def test_an_issuer_may_be_one_that_does_not_name_its_access_tokens(head: dict[str, Any], more: dict[str, Any]) -> None:
    assert verifier(LOOSE).verify(signed(head, CLAIMS | more)).subject == "u1"


@pytest.mark.parametrize("head", [_PLAIN, _NO_TYPE])
@pytest.mark.parametrize(
    "more",
    [{"nonce": "n"}, {"at_hash": "h"}, {"events": {}}, {"typ": "ID"}, {"typ": "Refresh"}, {"token_use": "id"}],
)
def test_what_is_no_access_token_is_told_by_its_claims(head: dict[str, Any], more: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused, match="not an access token"):
        verifier(LOOSE).verify(signed(head, CLAIMS | more))


@pytest.mark.parametrize("head", [_PLAIN, _NO_TYPE, {**_NO_TYPE, "typ": None}, {**_NO_TYPE, "typ": ""}])
def test_without_being_told_so_only_access_tokens_are_believed(head: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused, match="type"):
        verifier().verify(signed(head, CLAIMS))


@pytest.mark.parametrize("kind", ["logout+jwt", "secevent+jwt", 3, None])
def test_other_types_are_refused_also_where_none_is_asked_for(kind: object) -> None:
    with pytest.raises(TokenRefused, match="type"):
        verifier(LOOSE).verify(signed({**_NO_TYPE, "typ": kind}, CLAIMS))
