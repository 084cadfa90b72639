"""Logs: one JSON object a line on standard output, made cheaply, written by a thread, never with a secret in it.

A line is lost rather than a request held up: where nobody reads the output, or more comes than can be written, lines
are dropped and counted."""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from nines_runtime.running.redacting import Redactor

LINES_MAX = 20_000
"""Waiting to be written."""
WRITE_EVERY_S = 0.02
CLOSE_S_MAX = 2.0
LEVELS = ("debug", "info", "warning", "error")
_HASHES_MAX = 20_000
_encode = msgspec.json.Encoder().encode


class Log:
    """`redacted` are names whose values are never told, beside those that every service hides."""

    def __init__(
        self,
        service: str,
        *,
        version: str = "",
        instance: str = "",
        redacted: tuple[str, ...] = (),
        subject_key: bytes = b"",
        level: str = "info",
        descriptor: int = 1,
    ) -> None:
        self._fixed = _encode({"service": service, "version": version, "instance": instance or socket.gethostname()})[
            1:-1
        ]
        self._redactor = Redactor(redacted)
        self._subject_key = subject_key or os.urandom(32)
        self._level = LEVELS.index(level)
        self._subjects: dict[str, str] = {}
        self._writer = Writer(descriptor)

    @property
    def dropped(self) -> int:
        """Lines that nobody could be told."""
        return self._writer.dropped

    def is_told(self, level: str) -> bool:
        return LEVELS.index(level) >= self._level

    def debug(self, message: str, /, *, logger: str = "service", **fields: Any) -> None:
        self.line("debug", message, logger, fields)

    def info(self, message: str, /, *, logger: str = "service", **fields: Any) -> None:
        self.line("info", message, logger, fields)

    def warning(self, message: str, /, *, logger: str = "service", **fields: Any) -> None:
        self.line("warning", message, logger, fields)

    def error(self, message: str, /, *, logger: str = "service", **fields: Any) -> None:
        """For what a person must look at."""
        self.line("error", message, logger, fields)

    def failed(self, message: str, error: BaseException, /, *, logger: str = "service", **fields: Any) -> None:
        """An error with its class and place; its text only as far as it shows no value."""
        self.line("error", message, logger, {**fields, **self._redactor.error(error)})

    def line(self, level: str, message: str, logger: str, fields: Mapping[str, Any]) -> None:
        """`message` is a sentence without values; values are fields, and those named like secrets are hidden."""
        if LEVELS.index(level) >= self._level:
            self.write(level, message, logger, self._redactor.fields(fields))

    def write(self, level: str, message: str, logger: str, fields: Mapping[str, Any]) -> None:
        """For fields that are known to hold no secret."""
        told = b""
        if fields:
            try:
                told = b"," + _encode(fields)[1:-1]
            except (TypeError, ValueError, RecursionError):
                told = b"," + _encode({name: type(value).__name__ for name, value in fields.items()})[1:-1]
        self.put(self.head(level, message, logger), told)

    def head(self, level: str, message: str, logger: str) -> bytes:
        """What comes between the time and the fields of a line; for those who write many of a kind."""
        return b'","level":"%s","logger":%s,"message":%s,%s' % (
            level.encode("ascii"), _text(logger), _text(message), self._fixed,
        )  # fmt: skip

    def put(self, head: bytes, told: bytes) -> None:
        """`told` are fields as JSON, with a comma before, that are known to hold no secret."""
        self._writer.put(b'{"time":"%s%s%s}\n' % (_now(), head, told))

    def subject(self, name: str) -> str:
        """A caller's identifier, hashed with a key of the service: the same for the same caller."""
        known = self._subjects.get(name)
        if known is None:
            if len(self._subjects) >= _HASHES_MAX:
                self._subjects.clear()
            digest = hmac.digest(self._subject_key, name.encode("utf-8", "replace"), hashlib.sha256)
            known = self._subjects[name] = f"h:{digest.hex()[:12]}"
        return known

    def error_fields(self, error: BaseException) -> dict[str, Any]:
        return self._redactor.error(error)

    def close(self) -> None:
        """Writes what waits, within a limit."""
        self._writer.close()


class Writer:
    """Gathers lines and writes them from a thread, so that an output that nobody reads holds up no request."""

    def __init__(self, descriptor: int) -> None:
        self.dropped = 0
        self._descriptor = descriptor
        self._lines: deque[bytes] = deque()
        self._waiting = threading.Event()
        self._is_closed = False
        self._thread: threading.Thread | None = None
        # A forked child has no thread, and must not write its parent's lines again.
        os.register_at_fork(after_in_child=self._after_fork)

    def put(self, line: bytes) -> None:
        if len(self._lines) >= LINES_MAX:
            self.dropped += 1
            return
        self._lines.append(line)
        if not self._waiting.is_set():
            if self._thread is None or not self._thread.is_alive():
                self._start()
            self._waiting.set()

    def close(self) -> None:
        self._is_closed = True
        self._waiting.set()
        if self._thread is not None:
            self._thread.join(CLOSE_S_MAX)
        # The thread may have ended on the news before this one; the next line must start another.
        self._waiting.clear()

    def _start(self) -> None:
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def _after_fork(self) -> None:
        self._lines = deque()
        self._waiting = threading.Event()
        self._thread = None

    def _run(self) -> None:
        while True:
            self._waiting.wait()
            if not self._is_closed:
                time.sleep(WRITE_EVERY_S)
            self._waiting.clear()
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if not self._written(b"".join(lines)):
                self.dropped += len(lines)
            if self._is_closed and not self._lines:
                return

    def _written(self, content: bytes) -> bool:
        view = memoryview(content)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:
                time.sleep(WRITE_EVERY_S)
            except OSError:
                return False
        return True


def _now() -> bytes:
    """RFC 3339, UTC, milliseconds."""
    second, rest = divmod(time.time_ns(), 1_000_000_000)
    return b"%s.%03dZ" % (_second(second), rest // 1_000_000)


@lru_cache(maxsize=4)
def _second(second: int) -> bytes:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode("ascii")


@lru_cache(maxsize=1_024)
def _text(text: str) -> bytes:
    return _encode(text)


def stop_tracebacks(log: Log) -> None:
    """What Python would print of an exception that nobody caught becomes one line."""

    def told(kind: type[BaseException], error: BaseException, _trace: object) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            log.failed("An exception that nobody caught ended the process.", error, logger="process")

    sys.excepthook = told
