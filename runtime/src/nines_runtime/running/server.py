"""The process that serves: uvicorn with limits, a start that is quick to collect, and an end that loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from nines_runtime.running.application import DRAIN_S, Application
from nines_runtime.running.forwarding import forward
from nines_runtime.running.protocol import BoundedProtocol
from nines_runtime.running.sharing import WRITE_EVERY_S
from nines_runtime.web.asgi import App

BACKLOG = 2_048
CONNECTIONS_MAX = 4_096
KEEP_ALIVE_S = 75.0
"""Longer than a balancer keeps an idle connection, so that it is never closed under a request."""
LINGER_SHARE = 0.1
"""Of the drain: how long requests are still taken after readiness was refused, until nobody sends any."""
RESTARTS_MAX = 5
RESTARTS_S = 60.0
"""A worker that dies more often than that takes the process with it."""
_GENERATIONS = (20_000, 20, 50)
"""Less often than by default: a request leaves hardly any cycles behind."""


def run(
    factory: Callable[[], App],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    connections_max: int = CONNECTIONS_MAX,
    backlog: int = BACKLOG,
    keep_alive_s: float = KEEP_ALIVE_S,
    linger_s: float | None = None,
    websockets: bool = False,
) -> int:
    """Serves what `factory` makes until SIGTERM or SIGINT, and returns the exit code.

    On the signal readiness is refused first, requests are taken for `linger_s` more, then the socket is closed and what
    is in flight is finished within the application's `drain_s`. A second signal ends it at once. `websockets` lets the
    fallback have them, where a library for them is installed; nothing here bounds them."""
    bound = _bind(host, port, backlog)
    options: dict[str, Any] = {
        "connections_max": connections_max, "backlog": backlog, "keep_alive_s": keep_alive_s, "linger_s": linger_s,
        "websockets": websockets,
    }  # fmt: skip
    if workers <= 1:
        return _serve(factory, bound, **options)
    with tempfile.TemporaryDirectory(prefix="nines-metrics-") as folder:
        return _Workers(workers, lambda: _serve(factory, bound, folder=Path(folder), **options)).run(bound)


def _serve(
    factory: Callable[[], App],
    bound: socket.socket,
    *,
    connections_max: int,
    backlog: int,
    keep_alive_s: float,
    linger_s: float | None,
    websockets: bool,
    folder: Path | None = None,
) -> int:
    application = factory()
    drain_s = getattr(application, "drain_s", DRAIN_S)
    linger_s = drain_s * LINGER_SHARE if linger_s is None else linger_s
    if isinstance(application, Application):
        forward(application.log)
        if folder is not None:
            application.metrics.share(folder)
            for each in application.listeners:
                each.shares_port = True
    config = uvicorn.Config(
        application,
        http=BoundedProtocol,
        loop="uvloop",
        lifespan="on",
        ws="auto" if websockets else "none",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=backlog,
        limit_concurrency=connections_max,
        timeout_keep_alive=int(keep_alive_s),
        timeout_graceful_shutdown=max(1, round(drain_s - linger_s)),
    )
    server = _Server(config, application, linger_s=linger_s, drain_s=drain_s)
    try:
        server.run(sockets=[bound])
    except KeyboardInterrupt:
        return 130
    except SystemExit as left:
        return int(left.code or 0)
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, application: App, *, linger_s: float, drain_s: float) -> None:
        super().__init__(config)
        self._application = application
        self._linger_s = linger_s
        self._drain_s = drain_s
        self._is_ending = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is there now stays; the collector need not look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GENERATIONS)
        self._leave_metrics()

    def _leave_metrics(self) -> None:
        """For the other workers, whichever of them is asked."""
        if isinstance(self._application, Application):
            asyncio.get_running_loop().call_later(WRITE_EVERY_S, self._leave_metrics)
            with contextlib.suppress(OSError):
                self._application.metrics.leave()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- of a signal handler
        if self._is_ending:
            self.force_exit = self.should_exit = True
            return
        self._is_ending = True
        if not self.started:
            self.should_exit = True
            return
        asyncio.get_running_loop().call_soon_threadsafe(self._end)

    def _end(self) -> None:
        loop = asyncio.get_running_loop()
        if isinstance(self._application, Application):
            self._application.drain()
            # Shortly before uvicorn would cut the connections, so that the last are answered and not dropped.
            loop.call_later(max(0.0, self._drain_s - 1.0), self._application.gate.cut)
        loop.call_later(self._linger_s, self._close)

    def _close(self) -> None:
        self.should_exit = True


class _Workers:
    """Children that share the socket; one that dies is replaced, within a limit."""

    def __init__(self, count: int, serve: Callable[[], int]) -> None:
        self._count = count
        self._serve = serve
        self._children: set[int] = set()
        self._died_at_s: deque[float] = deque(maxlen=RESTARTS_MAX)
        self._is_ending = False

    def run(self, bound: socket.socket) -> int:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._forward)
        code = 0
        for _ in range(self._count):
            self._fork()
        while self._children:
            try:
                child, status = os.wait()
            except ChildProcessError:
                break
            self._children.discard(child)
            ended = os.waitstatus_to_exitcode(status)
            if self._is_ending:
                code = code or ended
            elif self._may_restart():
                self._fork()
            else:
                code = ended or 1
                self._forward(signal.SIGTERM, None)
        bound.close()
        return code

    def _fork(self) -> None:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for each in (signal.SIGTERM, signal.SIGINT):
                    signal.signal(each, signal.SIG_DFL)
                code = self._serve()
            finally:
                sys.stdout.flush()
                os._exit(code & 0xFF)
        self._children.add(child)

    def _may_restart(self) -> bool:
        now_s = time.monotonic()
        is_often = len(self._died_at_s) == RESTARTS_MAX and now_s - self._died_at_s[0] < RESTARTS_S
        self._died_at_s.append(now_s)
        return not is_often

    def _forward(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- of a signal handler
        self._is_ending = True
        for child in self._children:
            os.kill(child, sig)


def _bind(host: str, port: int, backlog: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise SystemExit(f"Cannot listen on {host}:{port}: {error.strerror}.") from None
    bound.listen(backlog)
    bound.setblocking(False)
    return bound
