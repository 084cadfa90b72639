"""Takes credentials out of what an experiment saw, so that a report leaks none."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from nines.model.history import Exchange, History

_JWT = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*")
_FIELD = re.compile(
    r"""(?P<before>"[\w-]*(?:token|password|passwd|secret|api_?key|jwt)[\w-]*"\s*:\s*")(?P<value>[^"\\]{6,})(?=")""",
    re.IGNORECASE,
)
_COOKIE = re.compile(r"^([^=;]+=)[^;]*")
HIDDEN = "[hidden]"
_SECRET_HEADERS = frozenset(("authorization", "x-api-key", "x-auth-token", "x-csrf-token"))


def hide(history: History) -> tuple[History, Callable[[str], str]]:
    """The history without credentials, and what hides them in any other text.

    Those that the laboratory knows give way to their variable, those that an answer shows to a word."""
    known = {form: credential.variable for credential in history.credentials for form in credential.forms}
    longest_first = sorted(known, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def named(text: str) -> str:
        return pattern.sub(lambda found: f"${known[found.group()]}", text) if pattern and text else text

    hidden = msgspec.structs.replace(
        history,
        exchanges=tuple(_exchange(each, named) for each in history.exchanges),
        notes=tuple(_shown(named(note)) for note in history.notes),
        checks=tuple(
            msgspec.structs.replace(check, expected=named(check.expected), got=named(check.got))
            for check in history.checks
        ),
        credentials=tuple(
            msgspec.structs.replace(each, secret="", how=named(each.how)) for each in history.credentials
        ),
    )
    return hidden, lambda text: _shown(named(text))


def _exchange(exchange: Exchange, named: Callable[[str], str]) -> Exchange:
    if not (exchange.request_body or exchange.body or exchange.headers or "?" in exchange.path):
        return exchange
    return msgspec.structs.replace(
        exchange,
        path=named(exchange.path),
        request_body=named(exchange.request_body),
        body=_shown(named(exchange.body)),
        headers=tuple((name, _header(name, named(value))) for name, value in exchange.headers),
    )


def _shown(text: str) -> str:
    """The answer's text without what looks like a credential."""
    if not text:
        return text
    return _FIELD.sub(lambda found: found["before"] + _kept(found["value"]), _JWT.sub(HIDDEN, text))


def _kept(value: str) -> str:
    return value if value.startswith("$") or value == HIDDEN else HIDDEN


def _header(name: str, value: str) -> str:
    if name == "set-cookie":
        return _COOKIE.sub(lambda found: found[1] + HIDDEN, value)
    return HIDDEN if name in _SECRET_HEADERS else _JWT.sub(HIDDEN, value)
