"""One proxied connection: two sockets, two pipes between them, and the reader that looks on."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import Protocol, cast

from nines.lab.record.events import ConnectionEnded
from nines.lab.record.interference import Direction, Governed
from nines.lab.record.pipe import Pipe
from nines.lab.record.wire import Unreadable, Wire

_LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)


def reset(transport: asyncio.Transport) -> None:
    """Ends a connection with RST instead of FIN."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        # The loop's own socket object may not offer setsockopt; a duplicate speaks for the same connection.
        with socket.socket(fileno=os.dup(sock.fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
    transport.abort()


class Side(asyncio.Protocol):
    """One of the two sockets; `outgoing` carries what it receives, `incoming` what it is sent."""

    def __init__(self, link: Link, outgoing: Pipe, incoming: Pipe) -> None:
        self.link = link
        self.outgoing = outgoing
        self.incoming = incoming
        self.transport: asyncio.Transport | None = None
        self.is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.outgoing.source = self.transport
        self.link.made(self)

    def data_received(self, data: bytes) -> None:
        self.outgoing.push(data)

    def eof_received(self) -> bool:
        self.outgoing.end()
        return True

    def pause_writing(self) -> None:
        self.incoming.balance(is_blocked=True)

    def resume_writing(self) -> None:
        self.incoming.balance(is_blocked=False)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_lost = True
        self.link.lost(self, error)


class Host(Governed, Protocol):
    """The proxy, as its connections see it."""

    dependency: str

    @property
    def error_status(self) -> int | None: ...

    def accepted(self, link: Link) -> None: ...

    def answered_instead(self) -> None: ...

    def over(self, link: Link) -> None: ...


class Link:
    """One client connection with its connection to the dependency."""

    def __init__(self, proxy: Host, number: int, wire: Wire) -> None:
        self.proxy = proxy
        self.number = number
        self.wire = wire
        self.is_answering = False
        """The proxy answers in the dependency's place (the ERROR fault)."""
        self.opened_s = proxy.recorder.clock_s()
        self.error = ""
        self._is_over = False
        self.requests = Pipe(proxy, Direction.REQUEST, self.forward, self.finished)
        self.answers = Pipe(proxy, Direction.ANSWER, self.forward, self.finished)
        self.client = Side(self, self.requests, self.answers)
        self.server = Side(self, self.answers, self.requests)

    @property
    def is_idle(self) -> bool:
        """Nothing is under way, and nothing is held back."""
        return self.wire.is_idle and self.requests.is_empty and self.answers.is_empty

    def made(self, side: Side) -> None:
        """One of the sockets is there: the pipe towards it opens."""
        side.incoming.sink = side.transport
        if side is self.client:
            self.proxy.accepted(self)
        side.incoming.pump()
        side.incoming.balance(is_blocked=False)

    def forward(self, direction: Direction, data: bytes, arrived_s: float, now_s: float) -> None:
        """Reads bytes and passes them on, unless a fault answers or cuts."""
        self.proxy.recorder.moved_s = now_s
        if direction is Direction.REQUEST:
            data = self._read_request(data, arrived_s, now_s)
            sink = self.requests.sink
        else:
            if self.is_answering:
                return
            data = self._read(Direction.ANSWER, data, now_s)
            sink = self.answers.sink
            if self._is_cut():
                return
        if data and sink is not None and not sink.is_closing():
            sink.write(data)

    def _read_request(self, data: bytes, arrived_s: float, now_s: float) -> bytes:
        status = self.proxy.error_status
        if self.wire.is_idle:
            # Only between requests may the answering change hands, either way.
            self.is_answering = status is not None
        data = self._read(Direction.REQUEST, data, arrived_s)
        if self.wire.reply:
            reply, self.wire.reply = self.wire.reply, b""
            self._tell(reply)
        if not self.is_answering:
            return data
        refusal = self.wire.refuse(status if status is not None else 503)
        if refusal.data or refusal.closes:
            self.proxy.answered_instead()
        if refusal.data:
            self._read(Direction.ANSWER, refusal.data, now_s)
            self._tell(refusal.data)
        if refusal.closes:
            self.cut("error")
        return b""

    def _tell(self, data: bytes) -> None:
        sink = self.answers.sink
        if sink is not None and not sink.is_closing():
            sink.write(data)

    def _read(self, direction: Direction, data: bytes, at_s: float) -> bytes:
        try:
            if direction is Direction.REQUEST:
                return self.wire.from_client(data, at_s)
            return self.wire.from_server(data, at_s)
        except Unreadable as stop:
            self._give_up(stop.reason)
            return stop.forward or data
        except Exception as error:
            # Whatever bytes do to a reader, they are passed on: the service must not notice that it is watched.
            self._give_up(f"{type(error).__name__}: {error}")
            return data

    def _give_up(self, reason: str) -> None:
        self.wire.closed(self.proxy.recorder.clock_s(), "unreadable")
        self.wire = Wire(self.wire.session)
        if reason:
            self.proxy.recorder.unreadable(self.proxy.dependency, self.number, reason)

    def _is_cut(self) -> bool:
        wire = self.wire
        is_cut = any(each.cuts(wire) for each in self.proxy.interferences)
        wire.answered_read = wire.answered_write = False
        if is_cut:
            self.cut("cut")
        return is_cut

    def finished(self, direction: Direction) -> None:
        """Everything that one side had to say has been passed on: the other side learns that it ended."""
        pipe = self.requests if direction is Direction.REQUEST else self.answers
        sink = pipe.sink
        if sink is None or sink.is_closing():
            return
        if self.requests.is_ended and self.answers.is_ended and self.requests.is_empty and self.answers.is_empty:
            self.cut("")
        elif pipe is self.requests and self.client.is_lost:
            # Nobody is left to read the answer, so the dependency sees its client go.
            sink.close()
        elif sink.can_write_eof():
            sink.write_eof()

    def lost(self, side: Side, error: Exception | None) -> None:
        """A socket is gone; what it sent is still delivered, unless it was reset."""
        other = self.server if side is self.client else self.client
        side.incoming.drop()
        if error is not None and other.transport is not None and not other.is_lost:
            self.error = self.error or "reset"
            self._end_all(abruptly=True)
        elif not other.is_lost and other.transport is not None:
            if side.outgoing.is_ended and side.outgoing.is_empty:
                other.transport.close()
            side.outgoing.end()
        if self.client.is_lost and (self.server.is_lost or self.server.transport is None):
            self._over()

    def unreachable(self) -> None:
        """The dependency could not be connected to: the client is reset."""
        self.error = "refused"
        self._end_all(abruptly=True)

    def cut(self, error: str) -> None:
        """Closes both sides once what was written has left."""
        self.error = self.error or error
        self._end_all(abruptly=False)

    def reset(self) -> None:
        """Resets the client's side with RST and drops the other."""
        self.error = self.error or "reset"
        self._end_all(abruptly=True)

    def _end_all(self, *, abruptly: bool) -> None:
        for side in (self.client, self.server):
            side.incoming.drop()
            if side.transport is None or side.is_lost:
                continue
            if abruptly:
                reset(side.transport)
            else:
                side.transport.close()

    def _over(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        now_s = self.proxy.recorder.clock_s()
        status = self.wire.status
        self.wire.closed(now_s, self.error or "lost")
        self.proxy.recorder.add(
            ConnectionEnded(
                dependency=self.proxy.dependency,
                connection=self.number,
                started_s=self.opened_s,
                ended_s=now_s,
                status=status,
                error=self.error or self.wire.trouble,
            )
        )
        self.proxy.over(self)
