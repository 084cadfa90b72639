"""Between a service and its database: which statements are sent, told by the wire and not by the service."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

_PIECE = 65_536
_NO_MESSAGE = (80_877_103, 80_877_104)
"""Requests for encryption, which come before the first message."""


class Listener:
    """`sent` holds the text of each statement that was carried out, in order."""

    def __init__(self, host: str, port: int) -> None:
        self.sent: list[str] = []
        self._target = (host, port)
        self._socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            threading.Thread(target=self._pass_on, args=(server, caller, None), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(caller, server, _Reading(self.sent)), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket, reading: _Reading | None) -> None:
        try:
            while piece := one.recv(_PIECE):
                if reading is not None:
                    reading.take(piece)
                other.sendall(piece)
        except OSError:
            pass
        finally:
            for each in (one, other):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)


class _Reading:
    """The messages of one connection: Parse tells a statement's text, Bind what a portal carries out, Execute does."""

    def __init__(self, sent: list[str]) -> None:
        self._sent = sent
        self._left = b""
        self._has_begun = False
        self._texts: dict[bytes, str] = {}
        self._portals: dict[bytes, bytes] = {}

    def take(self, piece: bytes) -> None:
        self._left += piece
        while (size := self._size()) and len(self._left) >= size:
            message, self._left = self._left[:size], self._left[size:]
            if self._has_begun:
                self._message(message[:1], message[5:])
            else:
                self._has_begun = struct.unpack("!i", message[4:8])[0] not in _NO_MESSAGE

    def _size(self) -> int:
        """0: not known yet."""
        at = 1 if self._has_begun else 0
        if len(self._left) < at + 4:
            return 0
        return at + int(struct.unpack("!i", self._left[at : at + 4])[0])

    def _message(self, kind: bytes, body: bytes) -> None:
        if kind == b"Q":
            self._sent.append(body.rstrip(b"\0").decode())
        elif kind == b"P":
            name, text, _ = body.split(b"\0", 2)
            self._texts[name] = text.decode()
        elif kind == b"B":
            portal, name, _ = body.split(b"\0", 2)
            self._portals[portal] = name
        elif kind == b"E":
            self._sent.append(self._texts.get(self._portals.get(body.split(b"\0", 1)[0], b""), ""))


@contextmanager
def listening(url: str) -> Iterator[tuple[str, Listener]]:
    """The address to use in the place of that of a database, and what is heard there."""
    found = urlsplit(url)
    listener = Listener(found.hostname or "127.0.0.1", found.port or 5432)
    head = f"{found.username}:{found.password}@" if found.password else f"{found.username}@"
    try:
        yield urlunsplit(found._replace(netloc=f"{head}127.0.0.1:{listener.port}")), listener
    finally:
        listener.close()
