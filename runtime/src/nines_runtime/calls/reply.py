"""What somebody else answered."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from nines_runtime.calls.outcome import Unanswered, Why

Value = TypeVar("Value")
REASON_LENGTH_MAX = 200
REASON_BYTES_MAX = 16_384
"""Of a larger body no reason is read."""


class Reply:
    """An answer with a status below 400."""

    __slots__ = ("body", "dependency", "headers", "status", "verb")

    def __init__(self, dependency: str, verb: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.dependency = dependency
        self.verb = verb
        self.status = status
        self.headers = headers
        """Names in any case."""
        self.body = body

    def decode(self, kind: type[Value]) -> Value:
        """The body as `kind` (a msgspec Struct); raises Unanswered where it is something else: it answered, but what
        it did is not known."""
        try:
            value: Value = _decoder(cast("Hashable", kind)).decode(self.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise Unanswered(
                self.dependency, self.verb, why=Why.NOT_UNDERSTOOD, may_have_happened=True, status=self.status
            ) from None
        return value

    def json(self) -> Any:
        return self.decode(Any)


@lru_cache(maxsize=1_024)
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


_TEXTS = ("detail", "message", "error_description", "reason", "title", "description")
_CODES = ("code", "reason_code", "decline_code", "error_code", "error", "type", "status")
_SECRET = re.compile(
    r"(?i)\b(?:bearer|basic)\s+\S+"
    r"|\b[\w.+-]{1,64}@[\w.-]{1,255}"
    r"|eyJ[\w-]+(?:\.[\w-]*)*"
    r"|\b(?:\d[ -]?){11,30}\d\b"
    r"|\b[\w+/-]{32,}={0,2}"
)
"""Credentials, addresses, tokens, numbers as long as a card's, and whatever is long and without a gap."""


def reason_of(body: bytes, *, secret: str = "") -> tuple[str, str]:
    """The text and the code that a provider gives for a refusal, at the top or in `error`; empty: it gives none."""
    if len(body) > REASON_BYTES_MAX:
        return "", ""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "", ""
    found = document if isinstance(document, dict) else {}
    inner = found.get("error")
    levels = (inner, found) if isinstance(inner, dict) else (found,)
    return _first(levels, _TEXTS, secret), _first(levels, _CODES, secret)


def _first(levels: tuple[dict[str, Any], ...], names: tuple[str, ...], secret: str) -> str:
    for level in levels:
        for name in names:
            value = level.get(name)
            if isinstance(value, str) and value.strip():
                return harmless(value, secret)
    return ""


def harmless(text: str, secret: str) -> str:
    """What somebody else said, cut off, in one line, and without what looks like a secret or a person."""
    if secret:
        text = text.replace(secret, "[redacted]")
    text = _SECRET.sub("[redacted]", text[: REASON_LENGTH_MAX * 2])
    return "".join(each if each.isprintable() else " " for each in text)[:REASON_LENGTH_MAX].strip()
