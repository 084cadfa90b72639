"""How the server is reached: over standard streams, or over HTTP on loopback for whoever holds the token."""

from __future__ import annotations

import asyncio
import hmac
import logging
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import nullcontext, suppress
from typing import Any, cast

import uvicorn
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings

from nines.mcp import wire
from nines.mcp.roots import Roots
from nines.mcp.server import Engineer
from nines.model.errors import UsageError
from nines.verbs import ending
from nines.verbs.reading import is_debugging

PATH = "/mcp"
HOST = "127.0.0.1"
_NAMES = (HOST, "localhost")
_CLOSING_LIMIT_S = 1
_BACKLOG = 64
_CONNECTIONS_MAX = 64
_BODY_BYTES_MAX = 1024 * 1024
_SESSIONS_MAX = 16
_IDLE_LIMIT_S = 1_800.0

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]


def over_streams(roots: Roots) -> None:
    """Serves one client on standard input and output, until either closes or a signal comes."""
    _quiet_libraries()
    with wire.claimed() as (incoming, outgoing), suppress(asyncio.CancelledError):
        asyncio.run(_streams(roots, incoming, outgoing))
    _raise_if_asked()


async def _streams(roots: Roots, incoming: int, outgoing: int) -> None:
    with ending.cancelling(), _quiet_pipes():
        server = Engineer(roots).server()
        lines, output = cast("Any", wire.Lines(incoming)), cast("Any", wire.Output(outgoing))
        async with stdio_server(lines, output) as (read, write):
            await server.run(read, write, server.create_initialization_options())


class _quiet_pipes:  # noqa: N801 -- used like a function
    """A client that went away is the end, not an error."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        return _is_gone(error) if isinstance(error, Exception) else False


def _is_gone(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_gone(part) for part in error.exceptions)
    return isinstance(error, BrokenPipeError | ConnectionResetError)


def over_http(roots: Roots, *, port: int, token: str, announce: Callable[[str], None]) -> None:
    """Serves on loopback; `announce` is told the address when it is open."""
    _quiet_libraries()
    with _listening(port) as listener, suppress(asyncio.CancelledError):
        actual: int = listener.getsockname()[1]
        asyncio.run(_http(roots, listener, actual, token, lambda: announce(f"http://{HOST}:{actual}{PATH}")))
    _raise_if_asked()


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        hint = "Name another port: nines mcp --http PORT; 0 takes a free one."
        raise UsageError(f"port {port} cannot be opened: {error.strerror}", hint=hint) from None
    return listener


class _Uvicorn(uvicorn.Server):
    """Without its own signal handlers: ours end everything in one order."""

    def capture_signals(self) -> Any:
        return nullcontext()


async def _http(roots: Roots, listener: socket.socket, port: int, token: str, announce: Callable[[], None]) -> None:
    server = Engineer(roots).server()
    allowed = tuple(f"{name}:{port}" for name in _NAMES)
    origins = tuple(f"http://{name}" for name in allowed)
    security = TransportSecuritySettings(allowed_hosts=list(allowed), allowed_origins=list(origins))
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        transport_security=security,
        max_request_body_size=_BODY_BYTES_MAX,
        max_sessions=_SESSIONS_MAX,
        session_idle_timeout=_IDLE_LIMIT_S,
    )
    config = uvicorn.Config(
        Guarded(cast("_App", app), token=token, hosts=allowed, origins=origins),
        log_level=logging.INFO if is_debugging() else logging.CRITICAL,
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        limit_concurrency=_CONNECTIONS_MAX,
        timeout_graceful_shutdown=_CLOSING_LIMIT_S,
        lifespan="on",
    )
    serving = _Uvicorn(config)
    with ending.cancelling():
        task = asyncio.ensure_future(serving.serve(sockets=[listener]))
        announce()
        try:
            await asyncio.shield(task)
        finally:
            serving.should_exit = True
            await task


def _quiet_libraries() -> None:
    """What a stopping server's libraries say of connections that were cut tells nobody anything."""
    if not is_debugging():
        logging.getLogger("mcp").setLevel(logging.CRITICAL)


def _raise_if_asked() -> None:
    """A signal ended it: the command line says so, with its exit code."""
    if ending.was_asked():
        raise KeyboardInterrupt


class Guarded:
    """Turns away whoever is not of this machine's owner: by host and origin against rebinding, then by the token."""

    def __init__(self, app: _App, *, token: str, hosts: tuple[str, ...], origins: tuple[str, ...]) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = {host.encode() for host in hosts}
        self._origins = {origin.encode() for origin in origins}

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] == "http":
            refusal = self._refusal(scope["headers"])
            if refusal is not None:
                await _refused(send, *refusal)
                return
        elif scope["type"] != "lifespan":
            return
        await self._app(scope, receive, send)

    def _refusal(self, headers: list[tuple[bytes, bytes]]) -> tuple[int, str] | None:
        hosts, origins, credentials = (
            [value for name, value in headers if name == wanted] for wanted in (b"host", b"origin", b"authorization")
        )
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return 421, "this host is not served here"
        if any(origin.lower() not in self._origins for origin in origins):
            return 403, "this origin may not ask"
        scheme, _, given = (credentials[0] if len(credentials) == 1 else b"").partition(b" ")
        is_right = hmac.compare_digest(given.strip(), self._token)
        if scheme.lower() != b"bearer" or not is_right:
            return 401, "a token is needed: Authorization: Bearer TOKEN, as nines mcp printed it"
        return None


async def _refused(send: _Send, status: int, text: str) -> None:
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="nines"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
