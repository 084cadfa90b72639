"""Asking an ASGI application without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from nines_runtime.web.asgi import App, Message, Scope


class Answered(msgspec.Struct):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def problem(self) -> str:
        """The last part of its problem type."""
        assert self.headers["content-type"] == "application/problem+json", self
        return str(self.json["type"]).removeprefix("/problems/")


async def ask(
    app: App,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    pieces: list[bytes] | None = None,
    is_whole: bool = True,
    address: str = "192.0.2.1",
) -> Answered:
    """`pieces` are the body as it comes in; one that is not whole never comes to its end."""
    waiting = list(pieces) if pieces is not None else [body]
    sent: list[Message] = []

    async def receive() -> Message:
        if not waiting:
            await asyncio.sleep(3_600)
        piece = waiting.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(waiting) or not is_whole}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "http_version": "1.1",
        "query_string": query.encode("ascii"),
        "headers": raw,
        "client": (address, 1),
    }
    await app(scope, receive, send)
    if not sent:
        return Answered(0, {}, b"")
    told: dict[str, str] = {}
    for key, value in sent[0].get("headers", ()):
        name = key.decode("latin-1")
        told[name] = f"{told[name]}, {value.decode('latin-1')}" if name in told else value.decode("latin-1")
    return Answered(sent[0]["status"], told, b"".join(each.get("body", b"") for each in sent[1:]))
