"""A stub upstream over gRPC: whatever is called, it answers with an empty message, which holds every default.

It reads no more of HTTP/2 (RFC 9113) than it takes to answer: headers are not looked at, so that nothing has to be
unpacked, and what is asked is only counted."""

from __future__ import annotations

import asyncio
import struct

from nines.lab.launch.listening import Listening

FRAME_BYTES_MAX = 16_384
STREAMS_MAX = 1_000
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEAD_BYTES = 9
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _WINDOW = 0, 1, 3, 4, 6, 8
_END_STREAM, _ACKNOWLEDGED, _END_HEADERS = 0x1, 0x1, 0x4
_CONTENT_TYPE = b"application/grpc"
# :status 200 and the name content-type are entries 8 and 31 of the table that everybody has (RFC 7541, appendix A).
_FIRST = b"\x88\x0f\x10" + bytes([len(_CONTENT_TYPE)]) + _CONTENT_TYPE
_LAST = b"\x00\x0bgrpc-status\x010"
_EMPTY_MESSAGE = b"\x00\x00\x00\x00\x00"


class GrpcStub(Listening):
    """One stub on a loopback port."""

    def __init__(self, name: str, delay_s: float = 0.0) -> None:
        super().__init__()
        self.name = name
        self.delay_s = delay_s
        self.calls = 0

    async def _listen(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: _Connection(self), self.host, 0)


class _Connection(asyncio.Protocol):
    def __init__(self, stub: GrpcStub) -> None:
        self._stub = stub
        self._transport: asyncio.Transport | None = None
        self._read = bytearray()
        self._is_greeted = False
        self._streams: set[int] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]
        self._send(_SETTINGS, 0, 0, b"")

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._read += data
        if not self._is_greeted:
            if len(self._read) < len(_PREFACE):
                return
            if self._read[: len(_PREFACE)] != _PREFACE:
                self._end()
                return
            del self._read[: len(_PREFACE)]
            self._is_greeted = True
        while len(self._read) >= _HEAD_BYTES:
            length = int.from_bytes(self._read[:3], "big")
            if length > FRAME_BYTES_MAX or len(self._streams) > STREAMS_MAX:
                self._end()
                return
            if len(self._read) < _HEAD_BYTES + length:
                return
            kind, flags, stream = struct.unpack(">BBI", self._read[3:_HEAD_BYTES])
            content = bytes(self._read[_HEAD_BYTES : _HEAD_BYTES + length])
            del self._read[: _HEAD_BYTES + length]
            self._take(kind, flags, stream & 0x7FFF_FFFF, content)

    def _take(self, kind: int, flags: int, stream: int, content: bytes) -> None:
        if kind in (_SETTINGS, _PING):
            if not flags & _ACKNOWLEDGED:
                self._send(kind, _ACKNOWLEDGED, 0, content if kind == _PING else b"")
            return
        if kind == _RESET:
            self._streams.discard(stream)
        elif kind == _HEADERS:
            self._streams.add(stream)
        if kind == _DATA and content:
            # What was read may be sent again.
            for each in (0, stream):
                self._send(_WINDOW, 0, each, struct.pack(">I", len(content)))
        if kind in (_HEADERS, _DATA) and flags & _END_STREAM:
            self._stub.calls += 1
            asyncio.get_running_loop().call_later(self._stub.delay_s, self._answer, stream)

    def _answer(self, stream: int) -> None:
        if stream in self._streams:
            self._streams.discard(stream)
            self._send(_HEADERS, _END_HEADERS, stream, _FIRST)
            self._send(_DATA, 0, stream, _EMPTY_MESSAGE)
            self._send(_HEADERS, _END_HEADERS | _END_STREAM, stream, _LAST)

    def _send(self, kind: int, flags: int, stream: int, content: bytes) -> None:
        if self._transport is not None:
            head = len(content).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream)
            self._transport.write(head + content)

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.close()
