from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines.lab.load.answer import HEAD_BYTES_MAX, AnswerError, AnswerReader, outcome_of
from nines.model.history import Outcome


@dataclass(frozen=True)
class Sent:
    """An answer as a server may frame it, and what must be read of it."""

    wire: bytes
    status: int
    body: bytes
    can_reuse: bool
    ends_by_close: bool = False
    is_head_request: bool = False


@st.composite
def sent(draw: st.DrawFn) -> Sent:
    framing = draw(st.sampled_from(["length", "chunked", "close", "head", "empty", "old"]))
    interims = b"".join(
        draw(
            st.lists(
                st.sampled_from([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Hints\r\nlink: x\r\n\r\n"]),
                max_size=2,
            )
        )
    )
    status = draw(st.sampled_from([204, 304])) if framing == "empty" else draw(st.sampled_from([200, 201, 404, 500]))
    body = b"" if framing in {"head", "empty"} else draw(st.binary(max_size=300))
    says_close = draw(st.booleans()) if framing in {"length", "chunked"} else False
    head = b"HTTP/1.%d %d X\r\ncontent-type: text/plain\r\n" % (0 if framing == "old" else 1, status)
    if says_close:
        head += b"Connection: close\r\n"
    if framing in {"length", "head", "old"}:
        head += b"Content-Length: %d\r\n" % (len(body) if framing != "head" else 17)
    if framing == "chunked":
        head += b"Transfer-Encoding: chunked\r\n"
        size = draw(st.integers(1, 50))
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        trailer = draw(st.sampled_from([b"", b"x-sum: 1\r\n"]))
        body_wire = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailer + b"\r\n"
    else:
        body_wire = body
    return Sent(
        wire=interims + head + b"\r\n" + body_wire,
        status=status,
        body=body,
        can_reuse=framing in {"length", "chunked", "head", "empty"} and not says_close,
        ends_by_close=framing == "close",
        is_head_request=framing == "head",
    )


def cut(wire: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(wire) + 1) for place in places} | {len(wire)})
    return [wire[start:end] for start, end in zip([0, *ends], ends, strict=False) if end > start]


@given(answers=st.lists(sent(), min_size=1, max_size=3), places=st.lists(st.integers(0, 10_000), max_size=12))
def test_answers_are_read_whatever_the_pieces(answers: list[Sent], places: list[int]) -> None:
    reader = AnswerReader(10_000)
    for answer in answers:
        reader.begin(is_head_request=answer.is_head_request)
        pieces = cut(answer.wire, places)
        done = [reader.feed(piece) for piece in pieces]
        assert done == [False] * (len(pieces) - 1) + [not answer.ends_by_close]
        assert reader.finish()
        assert (reader.status, reader.body, reader.body_bytes) == (answer.status, answer.body, len(answer.body))
        assert reader.can_reuse == answer.can_reuse
        assert reader.media_type() == b"text/plain"


@given(answer=sent().filter(lambda answer: not answer.ends_by_close), place=st.integers(0, 10_000))
def test_a_cut_answer_is_never_taken_for_a_whole_one(answer: Sent, place: int) -> None:
    reader = AnswerReader(10_000)
    reader.begin(is_head_request=answer.is_head_request)
    piece = answer.wire[: place % len(answer.wire)]
    assert not (piece and reader.feed(piece))
    assert not reader.finish()


@given(garbage=st.binary(min_size=1, max_size=200).filter(lambda data: not b"HTTP/1".startswith(data[:6])))
def test_garbage_is_an_error_or_waits_for_more_and_never_an_answer(garbage: bytes) -> None:
    reader = AnswerReader(100)
    try:
        assert not reader.feed(garbage)
    except AnswerError:
        return
    assert not reader.finish()


def test_a_body_beyond_the_limit_is_counted_and_not_kept() -> None:
    reader = AnswerReader(5)
    reader.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\nabc")
    assert reader.feed(b"defghijkl")
    assert (reader.body, reader.body_bytes) == (b"abcde", 12)


def test_endless_headers_are_an_error() -> None:
    reader = AnswerReader(5)
    reader.feed(b"HTTP/1.1 200 OK\r\n")
    line = b"x-a: " + b"y" * 10_000 + b"\r\n"
    for _ in range(HEAD_BYTES_MAX // len(line) - 1):
        reader.feed(line)
    with pytest.raises(AnswerError, match="headers of more than"):
        reader.feed(line * 3)


def test_endless_interim_answers_are_an_error() -> None:
    reader = AnswerReader(5)
    with pytest.raises(AnswerError, match="interim"):
        reader.feed(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)


def test_bytes_after_the_answer_end_the_use_of_the_connection() -> None:
    reader = AnswerReader(50)
    assert reader.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\naHTTP/1.1 500 NO\r\ncontent-length: 0\r\n\r\n")
    assert (reader.status, reader.body, reader.can_reuse) == (200, b"a", False)
    reader.begin()
    assert reader.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxyz")
    assert (reader.body, reader.can_reuse) == (b"x", False)


def test_switching_protocols_is_no_answer() -> None:
    with pytest.raises(AnswerError, match="switched"):
        AnswerReader(5).feed(b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")


@pytest.mark.parametrize(
    ("status", "error", "was_sent", "outcome"),
    [
        (200, "", True, Outcome.OK),
        (302, "", True, Outcome.OK),
        (404, "", True, Outcome.FAILED),
        (500, "", True, Outcome.INDEFINITE),
        (None, "refused", False, Outcome.FAILED),
        (None, "reset", True, Outcome.INDEFINITE),
        (200, "timeout", True, Outcome.INDEFINITE),
        (None, "timeout", False, Outcome.FAILED),
    ],
)
def test_outcomes(status: int | None, error: str, was_sent: bool, outcome: Outcome) -> None:
    assert outcome_of(status, error, was_sent) is outcome
