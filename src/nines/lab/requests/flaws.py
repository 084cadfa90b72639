"""Credentials made wrong on purpose: absent, meaningless, altered, unsigned, expired."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from nines.model.experiment import CredentialFlaw

Headers = tuple[tuple[str, str], ...]

_HOUR_S = 3600
_INVENTED = {"sub": "1", "user_id": 1, "role": "admin"}


def flawed(credentials: Headers, flaw: CredentialFlaw, now_s: int) -> Headers:
    """The same headers with every credential in them made wrong in this way; `now_s` is a Unix time.

    A flaw that a kind of credential cannot have is replaced by a token of another kind, which is as wrong."""
    if flaw is CredentialFlaw.NONE:
        return ()
    return tuple((name, _value(name.lower(), value, flaw, now_s)) for name, value in credentials)


def _value(name: str, value: str, flaw: CredentialFlaw, now_s: int) -> str:
    if name == "cookie":
        pairs = [pair.strip().partition("=") for pair in value.split(";") if pair.strip()]
        return "; ".join(f"{key}={_token(text, flaw, now_s)}" for key, _, text in pairs)
    scheme, space, token = value.partition(" ")
    if space and scheme.lower() == "basic":
        return f"{scheme} {_basic(token, flaw)}"
    if space:
        return f"{scheme} {_token(token, flaw, now_s)}"
    return _token(value, flaw, now_s)


def _basic(token: str, flaw: CredentialFlaw) -> str:
    try:
        user = base64.b64decode(token, validate=False).decode("utf-8", "replace").partition(":")[0]
    except ValueError:
        user = "nobody"
    wrong = {CredentialFlaw.GARBAGE: "nobody:nines", CredentialFlaw.UNSIGNED: f"{user}:"}
    return base64.b64encode(wrong.get(flaw, f"{user}:not-the-password-{flaw.value}").encode()).decode()


def _token(token: str, flaw: CredentialFlaw, now_s: int) -> str:
    parts = decoded(token)
    header, claims = parts or ({"alg": "HS256", "typ": "JWT"}, dict(_INVENTED))
    signature = token.rpartition(".")[2] if parts else ""
    match flaw:
        case CredentialFlaw.GARBAGE:
            meaningless = hashlib.sha256(token.encode()).hexdigest()
            return _joined(header, _INVENTED, _signature(meaningless)) if parts else _alike(token, meaningless)
        case CredentialFlaw.TAMPERED:
            return _joined(header, _changed(claims), signature) if parts else _one_off(token)
        case CredentialFlaw.UNSIGNED:
            lasting = claims | {"exp": now_s + _HOUR_S}
            return _joined(header | {"alg": "none"}, lasting, "")
        case CredentialFlaw.EXPIRED:
            past = claims | {"exp": now_s - _HOUR_S, "iat": now_s - 2 * _HOUR_S}
            return _joined(header, past, _signature(token))
        case _:
            return ""


def decoded(token: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The header and the claims of a JSON Web Token (RFC 7519), unverified; None for anything else."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(p + "=" * (-len(p) % 4))) for p in parts[:2])
    except ValueError:
        return None
    return (header, claims) if isinstance(header, dict) and isinstance(claims, dict) and "alg" in header else None


def expires_s(credentials: Headers) -> float | None:
    """When the first token among these says that it expires, as a Unix time."""
    for _, value in credentials:
        parts = decoded(value.rpartition(" ")[2].partition("=")[2] or value.rpartition(" ")[2])
        parts = parts or decoded(value.rpartition(" ")[2])
        if parts and isinstance(parts[1].get("exp"), int | float):
            return float(parts[1]["exp"])
    return None


def _changed(claims: dict[str, Any]) -> dict[str, Any]:
    """One claim altered, preferably the one that says who it is."""
    for name in ("sub", "user_id", "uid", "id", "username", "email", "role", "scope"):
        if name in claims:
            old = claims[name]
            new = old + 1 if isinstance(old, int) and not isinstance(old, bool) else f"{old}0"
            return claims | {name: new}
    return claims | {"sub": "1"}


def _one_off(token: str) -> str:
    """One character in the middle replaced by another of its kind."""
    if not token:
        return "nines"
    middle = len(token) // 2
    old = token[middle]
    new = ("1" if old != "1" else "2") if old.isdigit() else ("a" if old != "a" else "b")
    return token[:middle] + new + token[middle + 1 :]


def _alike(token: str, meaningless: str) -> str:
    """Meaningless text of the same length."""
    wanted = max(8, len(token))
    return (meaningless * (wanted // len(meaningless) + 1))[:wanted]


def _joined(header: dict[str, Any], claims: dict[str, Any], signature: str) -> str:
    return f"{_part(header)}.{_part(claims)}.{signature}"


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


def _signature(text: str) -> str:
    """32 bytes that sign nothing."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
