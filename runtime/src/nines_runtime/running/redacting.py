"""What must not be in a log: told by names, in nested values too, and cut out of texts."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

REDACTED = "[redacted]"
NAMES = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "idempotency-key", "body", "query"})
PARTS = ("password", "secret", "token", "key", "code", "credential")
DEPTH_MAX = 6
ITEMS_MAX = 50
TEXT_MAX = 500
FRAMES_MAX = 8
_NAMES_KNOWN_MAX = 4_096
_URL_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_NAMED = re.compile(rf"[\w-]*(?:{'|'.join(PARTS)})[\w-]*\s*[=:]\s*\S+", re.IGNORECASE)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\([^()]*\)=\([^()]*\)")
_LONG = re.compile(r"[A-Za-z0-9_\-+/=.]{24,}")
_MAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+")
_DIGITS = re.compile(r"\d{6,}")


class Redactor:
    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self._names = NAMES | {name.lower() for name in names}
        self._known: dict[str, bool] = {}

    def is_hidden(self, name: str) -> bool:
        known = self._known.get(name)
        if known is None:
            plain = name.lower()
            known = plain in self._names or plain.replace("_", "-") in self._names
            known = known or any(part in plain for part in PARTS)
            if len(self._known) < _NAMES_KNOWN_MAX:
                self._known[name] = known
        return known

    def fields(self, fields: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
        """The same, with what must not be told replaced."""
        return {name: REDACTED if self.is_hidden(name) else self.value(value, depth) for name, value in fields.items()}

    def value(self, value: Any, depth: int = 0) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            cut = value if len(value) <= TEXT_MAX else value[:TEXT_MAX] + "…"
            return _URL_CREDENTIALS.sub("", cut) if "://" in cut else cut
        if depth >= DEPTH_MAX:
            return REDACTED
        if isinstance(value, Mapping):
            return self.fields({str(name): each for name, each in list(value.items())[:ITEMS_MAX]}, depth + 1)
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(each, depth + 1) for each in list(value)[:ITEMS_MAX]]
        if isinstance(value, BaseException):
            return type(value).__name__
        # Whatever else it is, it may hold anything.
        return self.value(str(value), depth) if type(value).__module__ in ("uuid", "datetime", "decimal") else REDACTED

    def error(self, error: BaseException) -> dict[str, Any]:
        """Class, place and text of an exception and of what caused it."""
        told: dict[str, Any] = {"error": f"{_class(error)} at {place_of(error)}"}
        text = scrubbed(str(error))
        if text:
            told["error_text"] = text
        if len(stack := _stack(error)) > 1:
            told["stack"] = stack
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is not None:
            told["cause"] = f"{_class(cause)} at {place_of(cause)}"
            if text := scrubbed(str(cause)):
                told["cause_text"] = text
            if len(stack := _stack(cause)) > 1:
                told["cause_stack"] = stack
        return told


def scrubbed(text: str) -> str:
    """Without what could be a value: quoted parts, addresses, long words, many digits."""
    text = text[: TEXT_MAX * 4]
    for pattern in (_URL_CREDENTIALS, _QUOTED, _NAMED, _MAIL, _LONG, _DIGITS):
        text = pattern.sub(REDACTED, text)
    return text[:TEXT_MAX]


def place_of(error: BaseException) -> str:
    """Where it was raised: "postings.py:42 in post"."""
    frames = traceback.extract_tb(error.__traceback__)
    return _frame(frames[-1]) if frames else "an unknown place"


def _stack(error: BaseException) -> list[str]:
    return [_frame(frame) for frame in traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]]


def _frame(frame: traceback.FrameSummary) -> str:
    path = PurePath(frame.filename)
    return f"{path.parent.name}/{path.name}:{frame.lineno} in {frame.name}"


def _class(error: BaseException) -> str:
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
