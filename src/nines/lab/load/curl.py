"""A command that repeats a request."""

from __future__ import annotations

import shlex

from nines.lab.load.request import Request, target_of

_BODY_BYTES_MAX = 32 * 1024
_SET_BY_CURL = frozenset({"content-length", "host"})
_PRINTABLE_FROM = 0x20
_DELETE = 0x7F


def curl_of(request: Request, *, url: str) -> str:
    """One command for a POSIX shell; a body beyond 32 KiB is cut, and the command says so in a comment."""
    call = request.call
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
    parts += _header_options(request, has_body=bool(body))
    text = _plain(body)
    before = ""
    if text is not None:
        parts += ["--data-raw", shlex.quote(text)]
    elif body:
        parts += ["--data-binary", "@-"]
        before = f"printf '{''.join(map(_octal, body))}' | "
    parts.append(shlex.quote(url.rstrip("/") + target_of(call.path)))
    command = before + " ".join(parts)
    return command if len(body) == len(call.body) else f"{command}  # body cut from {len(call.body)} bytes"


def _header_options(request: Request, *, has_body: bool) -> list[str]:
    options = []
    for name, value in request.headers:
        if name.lower() not in _SET_BY_CURL:
            # "name;" is how curl is told to send a header without a value.
            options += ["-H", shlex.quote(f"{name}: {value}" if value else f"{name};")]
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
