"""Giving out access tokens, for whoever signs people in itself; and a local issuer for laptops and laboratories."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import uuid4

import msgspec

from nines_runtime.security import encoding
from nines_runtime.security.authenticator import IsRevoked, TokenAuthenticator
from nines_runtime.security.keys import PublicKey, SigningKey, SigningKeys
from nines_runtime.security.tokens import TokenRules, Verifier

TTL_S = 900.0


class TokenIssuer:
    """Signs with the first of its keys; believes tokens of all of them."""

    def __init__(
        self,
        keys: SigningKeys,
        rules: TokenRules,
        *,
        ttl_s: float = TTL_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if keys.first.algorithm not in rules.algorithms:
            raise ValueError(f"the signing key is for {keys.first.algorithm}, and only {rules.algorithms} are allowed")
        if not 0 < ttl_s <= rules.ttl_max_s:
            raise ValueError("tokens must live longer than 0 s and at most ttl_max_s")
        self.rules = rules
        self.ttl_s = ttl_s
        self._keys = keys
        self._clock = clock
        header = {"alg": keys.first.algorithm, "kid": keys.first.kid, "typ": "at+jwt"}
        self._head = encoding.encode(msgspec.json.encode(header)) + "."

    def issue(
        self,
        subject: str,
        *,
        tenant: str = "",
        roles: Iterable[str] = (),
        session: str = "",
        has_second_factor: bool = False,
        ttl_s: float | None = None,
        client: str = "",
        audience: str = "",
        more: Mapping[str, Any] | None = None,
    ) -> str:
        """An access token that says who somebody is; `more` are claims of its own."""
        rules, now = self.rules, int(self._clock())
        claims: dict[str, Any] = {
            "iss": str(rules.issuer),
            "aud": audience or str(rules.audience),
            "sub": subject,
            "iat": now,
            "exp": now + int(min(self.ttl_s if ttl_s is None else ttl_s, rules.ttl_max_s)),
            "jti": uuid4().hex,
        }
        claims |= {rules.tenant_claim: tenant} if tenant else {}
        claims |= {"sid": session} if session else {}
        claims |= {"client_id": client} if client else {}
        claims |= {"amr": ["mfa"]} if has_second_factor else {}
        claims |= more or {}
        _put(claims, rules.roles_claim, sorted(roles))
        signed = self._head + encoding.encode(msgspec.json.encode(claims))
        return f"{signed}.{encoding.encode(self._keys.first.sign(signed.encode()))}"

    @property
    def published(self) -> Mapping[str, PublicKey]:
        """The public keys, by their ids."""
        return self._keys.published

    def jwks(self) -> bytes:
        """The set of public keys, as it is published."""
        return self._keys.jwks()

    def authenticator(self, *, is_revoked: IsRevoked | None = None) -> TokenAuthenticator:
        """Believes what this issuer signed."""
        return TokenAuthenticator(Verifier(self.rules, self._keys.published, clock=self._clock), is_revoked=is_revoked)


class LocalIssuer(TokenIssuer):
    """Stands in for an issuer elsewhere where there is none: its key follows from LOCAL_ISSUER_SEED.

    Whoever has the seed is everybody, so it is refused in production."""

    def __init__(
        self,
        seed: str,
        rules: TokenRules,
        *,
        environment: str,
        ttl_s: float = 3_600.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if environment.strip().lower() in ("production", "prod", "live", ""):
            raise ValueError(
                "LOCAL_ISSUER_SEED is for laptops and laboratories: refused where ENVIRONMENT is production"
            )
        rules = msgspec.structs.replace(rules, algorithms=("EdDSA",), types=("at+jwt",))
        keys = SigningKeys([SigningKey.derived(seed, f"local issuer of {rules.audience}")])
        super().__init__(keys, rules, ttl_s=ttl_s, clock=clock)

    def mint(
        self,
        subject: str,
        *,
        tenant: str = "",
        roles: Iterable[str] = (),
        has_second_factor: bool = False,
        ttl_s: float | None = None,
    ) -> str:
        return self.issue(subject, tenant=tenant, roles=roles, has_second_factor=has_second_factor, ttl_s=ttl_s)


def _put(claims: dict[str, Any], path: str, value: object) -> None:
    *outer, last = path.split(".")
    for name in outer:
        claims = claims.setdefault(name, {})
    claims[last] = value
