"""As whom, and on which operations, an experiment tries something."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import msgspec

from nines.model.contract import Operation
from nines.model.experiment import Bench, Call
from nines.model.history import Exchange, Outcome

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_DOORS = frozenset(
    ("login", "logout", "signin", "signout", "signup", "register", "registration", "token", "tokens", "refresh",
     "authenticate", "password", "passwords", "recover", "recovery", "reset", "forgot", "verify", "oauth", "sso")
)  # fmt: skip
_SELF = frozenset(("me", "self", "current", "user", "profile", "account", "session", "sessions"))
_PLUMBING = frozenset(
    ("health", "healthz", "live", "livez", "liveness", "ready", "readyz", "readiness", "ping", "status", "metrics",
     "version", "openapi", "docs", "redoc", "swagger", "favicon")
)  # fmt: skip
_SCHEMA_DEPTH_MAX = 3
FORBIDDEN = (401, 403)
NO_CREATOR = "the contract has no operation that creates something which another one reads or lists"
TAKEN, TRIES_MAX = 409, 2
"""What is refused because there is such a thing already is tried once more: by then the bench may know what differs."""
ANSWER_LIMIT_S = 10.0
"""Nothing is learnt from waiting longer for one answer on a quiet system."""


def owner(bench: Bench) -> str:
    """The identity that experiments act as: the first that is no administrator, "" where nobody can sign in."""
    plain = [identity.name for identity in bench.identities if not identity.is_admin]
    return next(iter(plain), next((identity.name for identity in bench.identities), ""))


def peers(bench: Bench) -> tuple[str, str] | None:
    """Two identities of equal rights, None where there are not two."""
    plain = [identity.name for identity in bench.identities if not identity.is_admin]
    return (plain[0], plain[1]) if len(plain) > 1 else None


def actors(bench: Bench) -> tuple[str, ...]:
    """The owner, then those whose role may allow what the owner may not; the peer is an equal."""
    first, pair = owner(bench), peers(bench)
    equals = {first, *(pair or ())}
    others = sorted((i for i in bench.identities if i.name not in equals), key=lambda identity: identity.is_admin)
    return (first, *(identity.name for identity in others))


def path_words(operation: Operation) -> frozenset[str]:
    """The lower-case words of the path's fixed parts."""
    fixed = [part for part in operation.path.split("/") if part and "{" not in part]
    return frozenset(word.lower() for part in fixed for word in (*_WORD.findall(part), part))


def is_door(operation: Operation) -> bool:
    """Whether it signs somebody in or out, registers, or changes a password."""
    return bool(path_words(operation) & _DOORS) or _mentions_password(operation)


def is_gate(operation: Operation) -> bool:
    """Whether strangers must be able to reach it: they sign in or register here, with a password in the body."""
    return operation.method == "POST" and bool(path_words(operation) & _DOORS) and _mentions_password(operation)


def is_plumbing(operation: Operation) -> bool:
    """Whether it serves the operators: health, metrics, documentation."""
    return bool(path_words(operation) & _PLUMBING)


def harms_identity(operation: Operation) -> bool:
    """Whether it could lock the identity out: deleting itself, changing its password, signing out.

    Registering somebody else and signing in once more do no harm."""
    if operation.is_safe:
        return False
    if operation.method == "POST":
        return operation.is_secured and bool(path_words(operation) & _DOORS)
    last = operation.path.rstrip("/").rpartition("/")[2].lower()
    return last in _SELF or is_door(operation)


def is_named(operation: Operation, patterns: tuple[str, ...]) -> bool:
    """Whether the owner named it, by its id or by a path with *."""
    texts = (operation.id, operation.path, f"{operation.method} {operation.path}")
    return any(text == pattern or fnmatchcase(text, pattern) for pattern in patterns for text in texts)


async def attempt(
    bench: Bench, operation: Operation, identity: str, phase: str, timeout_s: float = ANSWER_LIMIT_S
) -> tuple[Call, Exchange] | None:
    """Prepares a valid request and sends it, with other values once more if those are taken; None where none could be
    made."""
    tried: tuple[Call, Exchange] | None = None
    for _ in range(TRIES_MAX):
        call = await bench.prepare(operation, identity)
        if call is None:
            break
        call = msgspec.structs.replace(call, phase=phase)
        tried = (call, await bench.send(call, timeout_s=timeout_s))
        if tried[1].status != TAKEN:
            break
    return tried


async def attempt_as_any(bench: Bench, operation: Operation, phase: str) -> tuple[Call, Exchange] | None:
    """The same as the first who is not forbidden to; the call names its identity.

    Deleting is left to the owner: in the name of somebody mightier it might take away what everything needs."""
    first: tuple[Call, Exchange] | None = None
    for identity in actors(bench):
        tried = await attempt(bench, operation, identity, phase)
        first = first or tried
        if tried is not None and tried[1].outcome is Outcome.OK:
            return tried
        if (tried is not None and tried[1].status not in FORBIDDEN) or operation.method == "DELETE":
            break
    return first


def _mentions_password(operation: Operation) -> bool:
    return operation.body is not None and _names_password(operation.body.schema, 0)


def _names_password(schema: object, depth: int) -> bool:
    if not isinstance(schema, dict) or depth > _SCHEMA_DEPTH_MAX or schema.get("readOnly") is True:
        return False
    inner = schema.get("properties")
    named = inner if isinstance(inner, dict) else {}
    parts = [part for word in ("allOf", "oneOf", "anyOf") for part in schema.get(word) or ()]
    return any("password" in str(name).lower() for name in named) or any(
        _names_password(each, depth + 1) for each in (*named.values(), *parts)
    )
