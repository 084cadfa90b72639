"""Access tokens: JWT as RFC 9068 has them, read strictly (RFC 8725)."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from nines_runtime.security import encoding
from nines_runtime.security.keys import KID_LENGTH_MAX, PublicKey
from nines_runtime.web.caller import Caller

TOKEN_LENGTH_MAX = 8_192
SUBJECT_LENGTH_MAX = 255
ROLES_MAX = 64
CACHE_SIZE = 10_000
LEEWAY_S = 30.0
_MEMBERS_MAX = 64
_KNOWLEDGE, _POSSESSION, _BEING = "pwd pin kba", "otp sms tel hwk swk sc pop", "face fpt iris retina vbm"
_ELSEWHERE = frozenset({"at_hash", "c_hash", "nonce", "events"})
_USES = ("typ", "token_use")
_ACCESS = frozenset({"bearer", "access", "dpop"})
_FACTORS = {
    method: factor for factor, methods in enumerate((_KNOWLEDGE, _POSSESSION, _BEING)) for method in methods.split()
}
"""Of the methods of RFC 8176: what is known, what is had, what somebody is."""


class TokenRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a token must be to be believed, and where it says what."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...] = ("EdDSA",)
    types: tuple[str, ...] = ("at+jwt",)
    """Of the header, in lower case; "": it may say nothing. An issuer that writes "JWT" needs that here, and then its
    identity tokens must have another audience (RFC 8725, 3.12)."""
    tenant_claim: str = "tenant"
    roles_claim: str = "roles"
    """A list, or words with spaces between; `a.b` is member b of a."""
    second_factor_roles: frozenset[str] = frozenset()
    """These count only where the token tells of a second factor."""
    leeway_s: float = LEEWAY_S
    ttl_max_s: float = 86_400.0


class TokenRefused(Exception):  # noqa: N818 -- a decision, not an error
    """The reason is for the log; whoever showed the token learns nothing of it."""


class Verifier:
    """Reads tokens; those that hold are remembered by their digest until they expire, in bounded memory."""

    def __init__(
        self,
        rules: TokenRules,
        keys: Mapping[str, PublicKey],
        *,
        clock: Callable[[], float] = time.time,
        cache_size: int = CACHE_SIZE,
    ) -> None:
        if not rules.issuer or not rules.audience or not rules.algorithms:
            raise ValueError("a token needs an issuer, an audience and an algorithm")
        self._rules = rules
        self._keys = keys
        self._clock = clock
        self._cache_size = cache_size
        self._known: dict[bytes, Caller] = {}

    def replace_keys(self, keys: Mapping[str, PublicKey]) -> None:
        """From now on these count; what a key that is gone has signed is forgotten."""
        if any(kid not in keys or keys[kid].members != key.members for kid, key in self._keys.items()):
            self._known.clear()
        self._keys = keys

    def known(self, token: str) -> Caller | None:
        """Whose token it is, where it was verified before and has not expired."""
        if len(token) > TOKEN_LENGTH_MAX:
            return None
        caller = self._known.get(sha256(token.encode("ascii", "replace")).digest())
        return caller if caller is not None and self._clock() < caller.expires_at_s + self._rules.leeway_s else None

    def verify(self, token: str) -> Caller:
        """Raises TokenRefused."""
        caller = self.known(token)
        if caller is not None:
            return caller
        header, found = self._signed(token)
        if type_of(header) != "at+jwt" and is_for_something_else(found):
            raise TokenRefused("not an access token")
        caller = self._caller(found)
        while len(self._known) >= self._cache_size:
            del self._known[next(iter(self._known))]
        self._known[sha256(token.encode()).digest()] = caller
        return caller

    def identity(self, token: str) -> tuple[Caller, Mapping[str, Any]]:
        """Whose identity token it is, and what else it says; the caller of this compares its nonce."""
        _, found = self._signed(token)
        return self._caller(found), found

    def _signed(self, token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Header and claims of a token that one of the keys has signed."""
        header, claims, signature, signed = split(token)
        key = self._keys.get(kid_of(header))
        if key is None:
            raise TokenRefused("unknown key")
        self._check_header(header, key)
        if not key.verifies(signature, signed):
            raise TokenRefused("signature")
        return header, claims()

    def _check_header(self, header: Mapping[str, Any], key: PublicKey) -> None:
        algorithm = header.get("alg")
        if algorithm not in self._rules.algorithms or algorithm not in key.algorithms:
            raise TokenRefused("algorithm")
        # Extensions that must be understood: none is.
        if "crit" in header or "b64" in header:
            raise TokenRefused("critical extension")
        if type_of(header) not in self._rules.types:
            raise TokenRefused("type")

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        rules, now = self._rules, self._clock()
        audience = claims.get("aud")
        if claims.get("iss") != rules.issuer:
            raise TokenRefused("issuer")
        if audience != rules.audience and not (isinstance(audience, list) and rules.audience in audience):
            raise TokenRefused("audience")
        expires_s, issued_s = _moment(claims, "exp"), _moment(claims, "iat")
        if now >= expires_s + rules.leeway_s:
            raise TokenRefused("expired")
        if issued_s > now + rules.leeway_s or expires_s - issued_s > rules.ttl_max_s:
            raise TokenRefused("issued in the future, or for too long")
        if "nbf" in claims and _moment(claims, "nbf") > now + rules.leeway_s:
            raise TokenRefused("not yet")
        has_second_factor = shows_second_factor(claims.get("amr"))
        roles = _roles(claims, rules.roles_claim)
        return Caller(
            subject=_text(claims, "sub", is_required=True),
            tenant=_text(claims, rules.tenant_claim),
            roles=roles if has_second_factor else roles - rules.second_factor_roles,
            session=_text(claims, "sid"),
            has_second_factor=has_second_factor,
            expires_at_s=expires_s,
        )


def split(token: str) -> tuple[dict[str, Any], Callable[[], dict[str, Any]], bytes, bytes]:
    """Header, claims (read only after the signature was verified), signature, and what is signed."""
    if len(token) > TOKEN_LENGTH_MAX or not token.isascii() or token.count(".") != 2:
        raise TokenRefused("form")
    head, body, signature = token.split(".")
    try:
        return (
            _object(encoding.decode(head)),
            lambda: _claims(body),
            encoding.decode(signature),
            token[: len(head) + len(body) + 1].encode(),
        )
    except (ValueError, RecursionError):
        raise TokenRefused("form") from None


def kid_of(header: Mapping[str, Any]) -> str:
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= KID_LENGTH_MAX:
        raise TokenRefused("no key id")
    return kid


def shows_second_factor(methods: object) -> bool:
    """Whether an amr claim (RFC 8176) tells of two factors: "mfa", or methods of two kinds."""
    if not isinstance(methods, list):
        return False
    named = [each for each in methods if isinstance(each, str)]
    return "mfa" in named or len({_FACTORS[each] for each in named if each in _FACTORS}) > 1


def is_for_something_else(claims: Mapping[str, Any]) -> bool:
    """Whether the claims of a token whose header does not tell are those of an identity, refresh or logout token.

    Keycloak says it in `typ`, Cognito in `token_use`. Else `at_hash`, `c_hash` and `nonce` are of identity tokens
    (OpenID Connect Core 1.0, 2 and 3.3.2.11), `events` of logout tokens (RFC 8417)."""
    told = [word.lower() for name in _USES if isinstance(word := claims.get(name), str)]
    if told:
        return any(word not in _ACCESS for word in told)
    return not _ELSEWHERE.isdisjoint(claims)


def type_of(header: Mapping[str, Any]) -> str | None:
    """As rules name it; "" for a header that says nothing, None for one that says something else."""
    kind = header.get("typ", "")
    return kind.lower().removeprefix("application/") if isinstance(kind, str) else None


def _claims(body: str) -> dict[str, Any]:
    try:
        return _object(encoding.decode(body))
    except (ValueError, RecursionError):
        raise TokenRefused("form") from None


def _object(data: bytes) -> dict[str, Any]:
    found = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs) or len(members) > _MEMBERS_MAX:
        raise ValueError("a member stands there twice, or there are too many")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value) or abs(value) > 1e11:
        raise TokenRefused(name)
    return float(value)


def _text(claims: Mapping[str, Any], name: str, *, is_required: bool = False) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str) or len(value) > SUBJECT_LENGTH_MAX or "\0" in value or (is_required and not value):
        raise TokenRefused(name)
    return value


def _roles(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    # A name that is an address has dots of its own.
    found: Any = {path: claims[path]} if path in claims else claims
    for name in (path,) if path in claims else path.split("."):
        found = found.get(name, []) if isinstance(found, dict) else None
    if isinstance(found, str):
        found = found.split()
    if not isinstance(found, list) or len(found) > ROLES_MAX or not all(isinstance(each, str) for each in found):
        raise TokenRefused("roles")
    return frozenset(found)
