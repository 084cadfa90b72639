"""A command that repeats a request."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from types import MappingProxyType

from nines.lab.load.request import Request, target_of

_BODY_BYTES_MAX = 32 * 1024
_SET_BY_CURL = frozenset({"content-length", "host"})
_PRINTABLE_FROM = 0x20
_DELETE = 0x7F


NO_SECRETS: Mapping[str, str] = MappingProxyType({})
_NOT_IN_DOUBLE_QUOTES = frozenset('"$`\\!')


def curl_of(request: Request, *, url: str, secrets: Mapping[str, str] = NO_SECRETS) -> str:
    """One command for a POSIX shell; a body beyond 32 KiB is cut, and the command says so in a comment.

    For each of `secrets` the variable of that name stands in the command."""
    call = request.sent
    quoted = _Quoting(secrets)
    parts = ["curl", "-i"]
    if "/." in call.path:
        parts.append("--path-as-is")
    if any(character in call.path for character in "[]{}"):
        parts.append("--globoff")
    if call.method == "HEAD":
        parts.append("--head")
    elif call.method != "GET" or call.body:
        parts += ["-X", shlex.quote(call.method)]
    body = call.body[:_BODY_BYTES_MAX]
    parts += _header_options(request, quoted, has_body=bool(body))
    text = _plain(body)
    before = ""
    if text is not None:
        parts += ["--data-raw", quoted(text)]
    elif body:
        parts += ["--data-binary", "@-"]
        before = f"printf '{''.join(map(_octal, body))}' | "
    parts.append(quoted(url.rstrip("/") + target_of(call.path)))
    command = before + " ".join(parts)
    return command if len(body) == len(call.body) else f"{command}  # body cut from {len(call.body)} bytes"


class _Quoting:
    """Quotes one word for the shell, secrets replaced by their variables."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = secrets
        longest_first = sorted(secrets, key=len, reverse=True)
        self._pattern = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")") if secrets else None

    def __call__(self, word: str) -> str:
        if self._pattern is None or self._pattern.search(word) is None:
            return shlex.quote(word)
        # Every other piece is a secret.
        pieces = self._pattern.split(word)
        if not any(_NOT_IN_DOUBLE_QUOTES & set(piece) for piece in pieces[::2]):
            return '"' + "".join(f"${{{self._secrets[p]}}}" if i % 2 else p for i, p in enumerate(pieces)) + '"'
        written = (f'"${self._secrets[p]}"' if i % 2 else shlex.quote(p) for i, p in enumerate(pieces) if p)
        return "".join(written)


def _header_options(request: Request, quoted: _Quoting, *, has_body: bool) -> list[str]:
    options = []
    for name, value in request.headers:
        if name.lower() not in _SET_BY_CURL:
            # "name;" is how curl is told to send a header without a value.
            options += ["-H", quoted(f"{name}: {value}" if value else f"{name};")]
    if has_body and not any(name.lower() == "content-type" for name, _ in request.headers):
        # Else curl would claim that it is a form.
        options += ["-H", shlex.quote("content-type:")]
    return options


def _plain(body: bytes) -> str | None:
    """The body as text that can stand in quotes, or None."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text and all(character.isprintable() or character in "\n\t" for character in text) else None


def _octal(byte: int) -> str:
    # printf reads %, the backslash and a leading dash, the shell the quote; after three digits anything may follow.
    is_plain = _PRINTABLE_FROM <= byte < _DELETE and byte not in b"'\\%-"
    return chr(byte) if is_plain else f"\\{byte:03o}"
