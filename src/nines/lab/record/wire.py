"""What a protocol's reader must offer to the proxy; the base reads nothing and passes everything on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from nines.lab.record.recorder import Recorder


@dataclass(frozen=True, kw_only=True)
class Session:
    """Whose bytes a reader reads."""

    dependency: str
    connection: int
    recorder: Recorder


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An error in the words of the protocol, and whether the connection ends with it."""

    data: bytes = b""
    closes: bool = False


class Unreadable(Exception):  # noqa: N818 -- it is an outcome that the proxy handles, not an error for people.
    """Raised by a reader that gives up; `forward` is what must still be passed on, the present bytes included.

    Without a reason it is nothing to speak of (a cancel request has nothing to read)."""

    def __init__(self, reason: str, forward: bytes = b"") -> None:
        super().__init__(reason)
        self.reason = reason
        self.forward = forward


class Wire:
    """Reads one connection in both directions; a subclass per protocol.

    Contract: bytes arrive in any chunking and with equal results. What `from_client` and `from_server` return is passed
    on; that is the very same bytes, except where a negotiation (TLS) is answered by the proxy itself."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.reply = b""
        """What the proxy itself must send to the client now; the proxy takes it and empties it."""
        self.trouble = ""
        """An error that ended the connection itself, in the protocol's words (a SQLSTATE)."""
        self.answered_read = False
        """An answer to something harmless arrived since this was last put back."""
        self.answered_write = False
        """An answer to something that changed the dependency arrived since this was last put back."""

    def from_client(self, data: bytes, at_s: float) -> bytes:
        """Reads bytes on their way to the dependency; `at_s` is when they arrived."""
        del at_s
        return data

    def from_server(self, data: bytes, at_s: float) -> bytes:
        """Reads bytes on their way to the client; `at_s` is when they are passed on."""
        del at_s
        self.answered_write = True
        return data

    @property
    def is_idle(self) -> bool:
        """Nothing is under way: no partial request, no answer due. Only then may the proxy answer in its place."""
        return True

    @property
    def status(self) -> str:
        """A transaction status, for protocols that have one."""
        return ""

    def refuse(self, status: int) -> Refusal:
        """Errors for everything that is now due; called after `from_client` while the ERROR fault is on."""
        del status
        return Refusal(closes=True)

    def closed(self, at_s: float, error: str) -> None:
        """The connection is gone; whatever was under way is recorded as lost."""


Due = TypeVar("Due")


class Reader(Protocol):
    """What cuts one direction's bytes into messages and hands them on."""

    @property
    def is_between(self) -> bool: ...

    def feed(self, data: bytes) -> None: ...


class QueueWire(Wire, Generic[Due]):
    """A protocol whose answers come in the order of the requests: the oldest that is due gets the next one."""

    pending_max = 100_000
    """Requests of one connection that may wait for their answers before it counts as unreadable."""

    def __init__(self, session: Session, front: Reader, back: Reader) -> None:
        super().__init__(session)
        self._client = front
        self._server = back
        self.due: deque[Due] = deque()
        self.at_s = 0.0
        """When the bytes that are being read arrived."""

    def from_client(self, data: bytes, at_s: float) -> bytes:
        self.at_s = at_s
        self._client.feed(data)
        return data

    def from_server(self, data: bytes, at_s: float) -> bytes:
        self.at_s = at_s
        self._server.feed(data)
        return data

    @property
    def is_idle(self) -> bool:
        return self._client.is_between and not self.due

    def closed(self, at_s: float, error: str) -> None:
        self.at_s = at_s
        self.ends()
        for each in self.due:
            self.record(each, error)
        self.due.clear()

    def expect(self, request: Due) -> None:
        """A request was read; its answer is due."""
        if len(self.due) >= self.pending_max:
            raise Unreadable("too many requests wait for an answer")
        self.due.append(request)

    def ends(self) -> None:
        """The last that is to be done before what is still due counts as lost."""

    def record(self, request: Due, error: str) -> None:
        """Tells the recorder of a request that was answered, or lost with this error."""
        raise NotImplementedError
