"""Reads the PostgreSQL v3 wire: statements, their results and the transaction status, in any chunking.

The protocol is described in PostgreSQL's manual, chapter "Frontend/Backend Protocol"."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from nines.lab.record.batch import Batch, Pending
from nines.lab.record.frames import Frames
from nines.lab.record.wire import Refusal, Session, Unreadable, Wire

STARTUP_BYTES_MAX = 10_000
"""What PostgreSQL itself accepts as a start-up packet."""
NAMES_MAX = 10_000
"""Prepared statements and portals remembered per connection; the oldest are forgotten."""
PENDING_MAX = 100_000
"""Messages of one connection that may wait for their answers before it counts as unreadable."""
INSISTENT_AFTER = 2
"""Connections in a row that ended because TLS was refused, before TLS is passed through unread."""
INSISTENT_AFTER_PLAIN = 10
"""The same where another client of the dependency did without TLS before."""
ONE_MOMENT_S = 0.5

_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102
_TLS_FIRST_BYTE = 0x16
_FRONT = b"QPBDECSFcf"
_BACK = b"ZCEIs123TntGHWVR"
_RESULTS_OF_EXECUTE = frozenset(b"CIs")
_ENDS_BATCH = "QSF"

Value = TypeVar("Value")


class _Refused:
    """How often clients of one dependency left after TLS was refused."""

    in_a_row = 0
    speaks_plainly = False
    """Whether some client did without TLS: then one that leaves was more likely killed or gave up waiting."""
    last_s = float("-inf")

    def left(self, at_s: float) -> None:
        """A client left before it had introduced itself; many that leave at one moment left for one reason."""
        if not self.speaks_plainly or at_s - self.last_s > ONE_MOMENT_S:
            self.in_a_row += 1
        self.last_s = at_s

    @property
    def is_enough(self) -> bool:
        return self.in_a_row >= (INSISTENT_AFTER_PLAIN if self.speaks_plainly else INSISTENT_AFTER)


class PostgresWire(Wire):
    """One PostgreSQL connection; emits a StatementSeen for every statement that was executed or refused."""

    def __init__(self, session: Session, refused: _Refused | None = None) -> None:
        super().__init__(session)
        self._refused = refused if refused is not None else _Refused()
        self._startup: bytearray | None = bytearray()
        self._was_refused = False
        self._front = Frames(_FRONT, self._client_message)
        self._back = Frames(_BACK, self._server_message, counted=b"D")
        self._queue: deque[Pending] = deque()
        self._batch = Batch(session)
        self._statements: dict[str, str] = {}
        self._portals: dict[str, tuple[str, int]] = {}
        self._at_s = 0.0
        self._is_copying_in = False
        self._is_authenticated = False

    # --- what the proxy calls ---------------------------------------------------------------------

    def from_client(self, data: bytes, at_s: float) -> bytes:
        self._at_s = at_s
        if self._startup is not None:
            return self._start(data)
        self._front.feed(data)
        if len(self._queue) > PENDING_MAX:
            raise Unreadable("too many messages wait for an answer")
        return data

    def from_server(self, data: bytes, at_s: float) -> bytes:
        self._at_s = at_s
        self._back.feed(data)
        return data

    @property
    def is_idle(self) -> bool:
        if self._startup is not None:
            return not self._startup
        return self._front.is_between and not self._queue and not self._is_copying_in

    @property
    def status(self) -> str:
        return self._batch.status if self._is_authenticated else ""

    def refuse(self, status: int) -> Refusal:
        """A FATAL error, as from a server that is full (at start-up) or being shut down (at a statement)."""
        del status
        if not self._queue:
            return Refusal()
        if self._is_authenticated:
            code, message = "57P01", "terminating connection due to administrator command"
        else:
            code, message = "53300", "sorry, too many clients already"
        fields = f"SFATAL\0VFATAL\0C{code}\0M{message}\0\0".encode()
        return Refusal(data=b"E" + struct.pack("!I", len(fields) + 4) + fields, closes=True)

    def closed(self, at_s: float, error: str) -> None:
        if self._was_refused and self._startup is not None:
            self._refused.left(at_s)
        for pending in self._queue:
            if pending.kind in "QE" and pending.is_open:
                self._batch.fail(pending, at_s, "lost", error)
        self._queue.clear()
        self._batch.flush()

    # --- start-up ---------------------------------------------------------------------------------

    def _start(self, data: bytes) -> bytes:
        held = self._startup
        assert held is not None
        held += data
        if held and held[0] == _TLS_FIRST_BYTE:
            raise Unreadable("the client speaks TLS from the first byte", bytes(held))
        while len(held) >= 8:
            length, code = struct.unpack_from("!II", held)
            if length < 8 or length > STARTUP_BYTES_MAX:
                raise Unreadable("the first packet is no PostgreSQL start-up packet", bytes(held))
            if code in (_SSL, _GSS):
                if code == _SSL and self._refused.is_enough:
                    raise Unreadable("the client insists on TLS", bytes(held))
                del held[:length]
                self.reply += b"N"
                self._was_refused = self._was_refused or code == _SSL
                continue
            if len(held) < length:
                break
            return self._started(bytes(held), length, code)
        return b""

    def _started(self, data: bytes, length: int, code: int) -> bytes:
        if code == _CANCEL:
            raise Unreadable("", data)
        if code >> 16 != 3:
            raise Unreadable(f"protocol version {code >> 16} is not known", data)
        self._startup = None
        self._refused.in_a_row = 0
        self._refused.speaks_plainly = True
        self._queue.append(Pending("F", started_s=self._at_s))
        self._front.feed(data[length:])
        return data

    # --- messages of the client -------------------------------------------------------------------

    def _client_message(self, type: int, payload: bytes) -> None:
        kind = chr(type)
        if kind in "cf":
            self._is_copying_in = False
        elif kind == "S" and self._is_copying_in:
            # The server ignores Sync until the copy is done, so no answer is due to this one.
            return
        elif kind == "Q":
            text = _text(payload.partition(b"\0")[0])
            self._queue.append(Pending("Q", text=text, started_s=self._at_s, is_simple=True))
        elif kind == "E":
            text, parameters = self._portals.get(_text(payload.partition(b"\0")[0]), ("", 0))
            self._queue.append(Pending("E", text=text, parameters=parameters, started_s=self._at_s))
        else:
            self._queue.append(Pending(kind, text=self._prepared(kind, payload), started_s=self._at_s))

    def _prepared(self, kind: str, payload: bytes) -> str:
        """Follows Parse, Bind, Describe and Close; the text that an error would speak of."""
        if kind == "P":
            name, _, rest = payload.partition(b"\0")
            text = _text(rest.partition(b"\0")[0])
            _remember(self._statements, _text(name), text)
            return text
        if kind == "B":
            portal, _, rest = payload.partition(b"\0")
            name, _, rest = rest.partition(b"\0")
            text = self._statements.get(_text(name), "")
            _remember(self._portals, _text(portal), (text, _parameters(rest)))
            return text
        if kind in "CD" and payload:
            name_text = _text(payload[1:].partition(b"\0")[0])
            is_statement = payload[:1] == b"S"
            if kind == "D":
                return self._statements.get(name_text, "") if is_statement else self._portals.get(name_text, ("",))[0]
            (self._statements if is_statement else self._portals).pop(name_text, None)
        return ""

    # --- messages of the server -------------------------------------------------------------------

    def _server_message(self, type: int, payload: bytes) -> None:
        kind = chr(type)
        if kind == "Z":
            self._ready(payload)
        elif kind == "E":
            self._error(payload)
        elif kind == "R":
            self._is_authenticated = payload[:4] == b"\0\0\0\0"
        elif not self._queue:
            return
        elif type in _RESULTS_OF_EXECUTE:
            self._result(kind, payload)
        elif kind == "G":
            self._copy_in()
        elif kind in "123n" or (kind == "T" and self._queue[0].kind == "D"):
            wanted = {"1": "P", "2": "B", "3": "C", "n": "D", "T": "D"}[kind]
            if self._queue[0].kind == wanted:
                self._queue.popleft()

    def _result(self, kind: str, payload: bytes) -> None:
        rows, self._back.count = self._back.count, 0
        tag = _text(payload.partition(b"\0")[0]) if kind == "C" else ""
        head = self._queue[0]
        if head.kind in "QE" and kind != "I":
            self._batch.complete(head, self._at_s, tag, rows, is_suspended=kind == "s")
        if head.kind == "E":
            self._queue.popleft()

    def _copy_in(self) -> None:
        self._is_copying_in = True
        # A Sync that was sent together with Execute reaches a server that is already copying, and is ignored.
        if len(self._queue) > 1 and self._queue[0].kind == "E" and self._queue[1].kind == "S":
            del self._queue[1]

    def _error(self, payload: bytes) -> None:
        fields = {part[:1]: _text(part[1:]) for part in payload.split(b"\0") if part}
        code, message = fields.get(b"C", ""), fields.get(b"M", "")
        self._back.count = 0
        self._is_copying_in = False
        if fields.get(b"V") in ("FATAL", "PANIC"):
            self.trouble = code
        if not self._queue:
            return
        head = self._queue[0]
        if head.kind == "S":
            self._batch.fail_last(code or "XX000", message)
        elif head.text and head.kind in "QEPBD":
            self._batch.fail(head, self._at_s, code or "XX000", message)
        if head.kind == "Q":
            head.is_open = False

    def _ready(self, payload: bytes) -> None:
        # After an error the server has skipped what was sent before this Sync, so no answers are due to that.
        while self._queue and self._queue.popleft().kind not in _ENDS_BATCH:
            pass
        self._back.count = 0
        self._is_copying_in = False
        changed, answered = self._batch.ready(chr(payload[0]) if payload else "I")
        self.answered_write = self.answered_write or changed
        self.answered_read = self.answered_read or answered


def postgres_wires() -> Callable[[Session], Wire]:
    """A maker of readers for one proxy; they share what they learn about clients that insist on TLS."""
    refused = _Refused()
    return lambda session: PostgresWire(session, refused)


def _remember(names: dict[str, Value], name: str, value: Value) -> None:
    names[name] = value
    if len(names) > NAMES_MAX:
        del names[next(iter(names))]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _parameters(rest: bytes) -> int:
    (formats,) = struct.unpack_from("!H", rest)
    position = 2 + 2 * formats
    if position + 2 > len(rest):
        return 0
    return int(struct.unpack_from("!H", rest, position)[0])
