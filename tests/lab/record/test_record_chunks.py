"""Any chunking of the same bytes gives the same events, and no bytes at all can break a reader."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nines.lab.record.events import Event, StatementSeen
from nines.lab.record.frames import KEPT_BYTES_MAX, Frames
from nines.lab.record.http import HttpWire
from nines.lab.record.link import Link
from nines.lab.record.postgres import PostgresWire
from nines.lab.record.proxy import Proxy
from nines.lab.record.recorder import Recorder
from nines.lab.record.redis import RedisWire
from nines.lab.record.sqltext import split_statements
from nines.lab.record.wire import Session, Unreadable, Wire

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no defect."""

Script = list[tuple[str, bytes]]
"""What the client ("c") and the server ("s") say, in turns."""


def play(make: Callable[[Session], Wire], script: Script) -> list[Event]:
    """The events of a whole connection; time stands still, so that only what was said matters."""
    recorder = Recorder(lambda: 0.0)
    wire = make(Session(dependency="d", connection=1, recorder=recorder))
    passed = {"c": b"", "s": b""}
    for side, data in script:
        passed[side] += wire.from_client(data, 0.0) if side == "c" else wire.from_server(data, 0.0)
    assert passed["s"] == b"".join(data for side, data in script if side == "s")
    wire.closed(0.0, "lost")
    return list(recorder.window(0.0))


@st.composite
def chunked(draw: st.DrawFn, scripts: st.SearchStrategy[Script]) -> tuple[Script, Script]:
    """A script, and the same bytes cut and merged elsewhere; who speaks when stays the same."""
    script = draw(scripts)
    turns: list[tuple[str, bytes]] = []
    for side, data in script:
        if turns and turns[-1][0] == side:
            turns[-1] = (side, turns[-1][1] + data)
        else:
            turns.append((side, data))
    cut: Script = []
    for side, data in turns:
        edges = draw(st.lists(st.integers(0, len(data)), max_size=8).map(sorted)) if len(data) > 1 else []
        if draw(st.integers(0, 9)) == 0:
            edges = list(range(1, min(len(data), 400)))
        bounds = [0, *edges, len(data)]
        cut.extend((side, data[a:b]) for a, b in pairwise(bounds) if b > a)
    return script, cut


# --- PostgreSQL -------------------------------------------------------------------------------------


def message(kind: str, payload: bytes = b"") -> bytes:
    return kind.encode() + struct.pack("!I", len(payload) + 4) + payload


def startup() -> Script:
    payload = struct.pack("!I", 196608) + b"user\0me\0\0"
    hello = struct.pack("!I", len(payload) + 4) + payload
    return [("c", hello), ("s", message("R", b"\0\0\0\0") + message("S", b"a\0b\0") + message("Z", b"I"))]


@dataclass
class Talk:
    """Says what a driver would say, and knows what must be recorded of it."""

    script: Script = field(default_factory=startup)
    expected: list[tuple[str, str, int, int | None, str, str, str]] = field(default_factory=list)
    status: str = "I"

    def _expect(self, text: str, tag: str, parameters: int, rows: int | None, after: str, error: str = "") -> None:
        self.expected.append((text, tag, parameters, rows, self.status, after, error))
        self.status = after

    def begin(self) -> None:
        if self.status == "I":
            self.script += [("c", message("Q", b"BEGIN\0")), ("s", message("C", b"BEGIN\0") + message("Z", b"T"))]
            self._expect("BEGIN", "BEGIN", 0, None, "T")

    def end(self) -> None:
        if self.status != "I":
            word = "COMMIT" if self.status == "T" else "ROLLBACK"
            self.script += [
                ("c", message("Q", b"COMMIT\0")),
                ("s", message("C", word.encode() + b"\0") + message("Z", b"I")),
            ]
            self._expect("COMMIT", word, 0, None, "I")

    def extended(self, name: str, parameters: int, rows: int, size: int, *, fails: bool) -> None:
        text = f"select {name}"
        bound = b"".join(struct.pack("!I", size) + b"v" * size for _ in range(parameters))
        asked = (
            message("P", name.encode() + b"\0" + text.encode() + b"\0\0\0")
            + message("B", b"\0" + name.encode() + b"\0\0\0" + struct.pack("!H", parameters) + bound + b"\0\0")
            + message("D", b"P\0") + message("E", b"\0\0\0\0\0") + message("S")
        )  # fmt: skip
        after = self.status
        if fails or self.status == "E":
            after = "E" if self.status != "I" else "I"
            answer = message("1") + message("2") + message("E", b"SERROR\0C22012\0Mdivision\0\0")
            # The error comes at Describe, so the statement was never executed, and is recorded all the same.
            self._expect(text, "", 0, None, after, "22012")
        else:
            row = message("D", b"\0\1" + struct.pack("!I", size) + b"r" * size)
            answer = (
                message("1") + message("2") + message("N", b"SNOTICE\0\0") + message("T", b"\0\0") + row * rows
                + message("A", b"\0\0\0\0a\0b\0") + message("C", f"SELECT {rows}".encode() + b"\0")
            )  # fmt: skip
            self._expect(text, "SELECT", parameters, rows, after)
        self.script += [("c", asked), ("s", answer + message("Z", after.encode()))]

    def copy(self, size: int) -> None:
        if self.status != "E":
            text = "copy t from stdin"
            self.script += [
                ("c", message("Q", text.encode() + b"\0")),
                ("s", message("G", b"\0\0\0")),
                ("c", message("d", b"x" * size) + message("d", b"y") + message("c")),
                ("s", message("C", b"COPY 2\0") + message("Z", self.status.encode())),
            ]
            self._expect(text, "COPY", 0, 2, self.status)

    def several(self, rows: int) -> None:
        if self.status != "E":
            text = "select ';'; update t set a = 1"
            self.script += [
                ("c", message("Q", text.encode() + b"\0")),
                (
                    "s",
                    message("T", b"\0\0") + message("D", b"\0\0") * rows + message("C", f"SELECT {rows}\0".encode())
                    + message("C", b"UPDATE 5\0") + message("Z", self.status.encode()),
                ),
            ]  # fmt: skip
            self._expect("select ';'", "SELECT", 0, rows, self.status)
            self._expect("update t set a = 1", "UPDATE", 0, 5, self.status)


@st.composite
def talks(draw: st.DrawFn) -> Talk:
    talk = Talk()
    sizes = st.sampled_from([0, 1, 4, 5, 300, 70_000])
    for _ in range(draw(st.integers(0, 6))):
        match draw(st.sampled_from(["begin", "end", "extended", "extended", "copy", "several"])):
            case "begin":
                talk.begin()
            case "end":
                talk.end()
            case "copy":
                talk.copy(draw(sizes))
            case "several":
                talk.several(draw(st.integers(0, 5)))
            case _:
                name, parameters = draw(st.sampled_from(["", "a", "b"])), draw(st.integers(0, 3))
                rows, size = draw(st.integers(0, 5)), draw(sizes)
                talk.extended(name, parameters, rows, size, fails=draw(st.booleans()))
    return talk


@calm
@given(data=st.data(), talk=talks())
def test_postgres_is_read_alike_in_any_chunking(data: st.DataObject, talk: Talk) -> None:
    script, cut = data.draw(chunked(st.just(talk.script)))
    whole, pieces = play(PostgresWire, script), play(PostgresWire, cut)
    assert whole == pieces
    found = [
        (e.text, e.tag, e.parameters, e.rows, e.before, e.after, e.error) for e in whole if isinstance(e, StatementSeen)
    ]
    assert found == talk.expected


def test_a_big_message_is_never_held() -> None:
    taken: list[bytes] = []
    frames = Frames(b"Q", lambda _, payload: taken.append(payload))
    data = message("Q", b"select 1" + b" " * 3_000_000 + b"\0") + message("Q", b"select 2\0")
    for start in range(0, len(data), 50_000):
        frames.feed(data[start : start + 50_000])
    assert [len(payload) for payload in taken] == [KEPT_BYTES_MAX, 9]


@pytest.mark.parametrize("length", [0, 3])
def test_an_impossible_length_is_no_protocol(length: int) -> None:
    with pytest.raises(Unreadable):
        Frames(b"Q", lambda _, payload: None).feed(b"Q" + struct.pack("!I", length) + b"xxxx")


def test_a_copy_by_the_extended_protocol_has_one_sync_ignored() -> None:
    asked = message("P", b"\0copy t from stdin\0\0\0") + message("B", b"\0\0\0\0\0\0\0\0") + message("E", b"\0\0\0\0\0")
    script = [
        *startup(),
        ("c", asked + message("S")),
        ("s", message("1") + message("2") + message("G", b"\0\0\0")),
        ("c", message("d", b"1\n") + message("c") + message("S")),
        ("s", message("C", b"COPY 1\0") + message("Z", b"I")),
        (
            "c",
            message("P", b"\0select 1\0\0\0")
            + message("B", b"\0\0\0\0\0\0\0\0")
            + message("E", b"\0\0\0\0\0")
            + message("S"),
        ),
        ("s", message("1") + message("2") + message("D", b"\0\0") + message("C", b"SELECT 1\0") + message("Z", b"I")),
    ]
    recorder = Recorder(lambda: 0.0)
    wire = PostgresWire(Session(dependency="d", connection=1, recorder=recorder))
    for side, data in script:
        (wire.from_client if side == "c" else wire.from_server)(data, 0.0)
    assert wire.is_idle
    found = [(e.text, e.tag, e.rows) for e in recorder.window(0.0) if isinstance(e, StatementSeen)]
    assert found == [("copy t from stdin", "COPY", 1), ("select 1", "SELECT", 1)]


# --- HTTP and Redis ---------------------------------------------------------------------------------

BODIES = st.sampled_from([0, 1, 10, 5000])


@st.composite
def http_scripts(draw: st.DrawFn) -> Script:
    script: Script = []
    for number in range(draw(st.integers(0, 4))):
        method = draw(st.sampled_from(["GET", "POST", "HEAD"]))
        sent, back = draw(BODIES), draw(BODIES)
        head = f"{method} /{number} HTTP/1.1\r\nhost: x\r\n"
        if draw(st.booleans()):
            asked = (head + f"content-length: {sent}\r\n\r\n").encode() + b"q" * sent
        else:
            asked = (head + "transfer-encoding: chunked\r\n\r\n").encode() + chunk(sent) + b"0\r\n\r\n"
        status = draw(st.sampled_from([200, 204, 404, 503]))
        answer = f"HTTP/1.1 {status} Word\r\n"
        has_body = method != "HEAD" and status != 204
        if draw(st.booleans()):
            answer_bytes = (answer + f"Content-Length: {back}\r\n\r\n").encode() + b"a" * (back if has_body else 0)
        else:
            answer_bytes = (answer + "Transfer-Encoding: chunked\r\n\r\n").encode()
            answer_bytes += chunk(back) + b"0\r\n\r\n" if has_body else b""
        script += [("c", asked), ("s", answer_bytes)]
    return script


def chunk(size: int) -> bytes:
    return b"%x;note\r\n" % size + b"c" * size + b"\r\n" if size else b""


@calm
@given(chunked(http_scripts()))
def test_http_is_read_alike_in_any_chunking(scripts: tuple[Script, Script]) -> None:
    script, cut = scripts
    whole = play(HttpWire, script)
    assert whole == play(HttpWire, cut)
    assert len(whole) == len(script) // 2


VALUES = st.recursive(
    st.sampled_from(
        [
            b"+OK\r\n",
            b":1\r\n",
            b"$-1\r\n",
            b"$0\r\n\r\n",
            b"$4\r\na\r\nb\r\n",
            b"_\r\n",
            b"#t\r\n",
            b"-ERR no\r\n",
            b"*-1\r\n",
        ]
    ),
    lambda inner: st.lists(inner, max_size=4).map(lambda items: b"*%d\r\n" % len(items) + b"".join(items)),
    max_leaves=8,
)


@st.composite
def redis_scripts(draw: st.DrawFn) -> Script:
    words = st.lists(st.sampled_from([b"GET", b"set", b"a", b"\r\n", b"", b"x" * 300]), min_size=1, max_size=5)
    script: Script = []
    for asked in draw(st.lists(words, max_size=5)):
        data = b"*%d\r\n" % len(asked) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in asked)
        script += [("c", data), ("s", draw(VALUES))]
    return script


@calm
@given(chunked(redis_scripts()))
def test_redis_is_read_alike_in_any_chunking(scripts: tuple[Script, Script]) -> None:
    script, cut = scripts
    whole = play(RedisWire, script)
    assert whole == play(RedisWire, cut)
    assert len(whole) == len(script) // 2


# --- garbage ----------------------------------------------------------------------------------------

GARBAGE = st.lists(
    st.tuples(
        st.sampled_from("cs"),
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from([data for _, data in startup()]),
            st.sampled_from([b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"\r\n"]),
            st.sampled_from([b"*1\r\n$4\r\nPING\r\n", b"%2\r\n", b"+OK\r\n", b"*-1\r\n"]),
            st.builds(message, st.sampled_from("PBDESCQFZTGHICEsn123"), st.binary(max_size=12)),
        ),
    ),
    max_size=12,
)  # fmt: skip


@calm
@given(st.sampled_from([PostgresWire, HttpWire, RedisWire]), GARBAGE)
def test_no_bytes_break_a_link(make: Callable[[Session], Wire], script: Script) -> None:
    recorder = Recorder(lambda: 0.0)
    proxy = Proxy(dependency="d", host="127.0.0.1", port=1, recorder=recorder, wire=make)
    link = Link(proxy, 1, make(Session(dependency="d", connection=1, recorder=recorder)))
    sinks = {"c": Sink(), "s": Sink()}
    link.requests.sink, link.answers.sink = sinks["c"], sinks["s"]  # type: ignore[assignment]
    for side, data in script:
        (link.requests if side == "c" else link.answers).push(data)
    link.wire.closed(0.0, "lost")
    for side in "cs":
        said = b"".join(data for who, data in script if who == side)
        if make is not PostgresWire:
            assert sinks[side].data == said
    if make is PostgresWire:
        # Its start-up is held until it is whole; nothing else may be missing, nothing added but a refusal of TLS.
        assert said_by(script, "c").endswith(sinks["c"].data) or sinks["c"].data in said_by(script, "c")
        assert sinks["s"].data.replace(b"N", b"") == said_by(script, "s").replace(b"N", b"")


def said_by(script: Script, side: str) -> bytes:
    return b"".join(data for who, data in script if who == side)


class Sink:
    """The part of a transport that a pipe writes to."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def is_closing(self) -> bool:
        return False


@calm
@given(st.text(alphabet="a;'\"$-/*\n e\\", max_size=40))
def test_splitting_keeps_every_word(text: str) -> None:
    parts = split_statements(text)
    assert all(part.strip() for part in parts)
    position = 0
    for part in parts:
        position = text.index(part, position) + len(part)
