"""Messages that somebody hostile, or merely newer or older, sends: bytes are all that a call is."""

from __future__ import annotations

from collections.abc import Iterator

from nines.lab.typed.finding import TypedMethod
from nines.model.experiment import Call, Mutant

RPC = "rpc"
"""The method of calls that go over gRPC."""
LARGE_BYTES = 6 * 1024 * 1024
"""Larger than the four mebibytes that libraries take unless told otherwise."""
NESTING = 3_000
FIELDS = 20_000
FIELDS_TRIED = 6
"""The first numbers of a message, under which most members stand."""
PLAIN = "an empty message"
_LENGTH, _VARINT, _GROUP = 2, 0, 3


def messages(methods: tuple[TypedMethod, ...], identity: str) -> tuple[Mutant, ...]:
    """For each method the empty message, in which everything has its default, and then those that are wrong."""
    return tuple(
        Mutant(call=_call(method, body, identity), variant=variant, is_invalid=variant != PLAIN)
        for method in methods
        for variant, body in _bodies()
    )


def _call(method: TypedMethod, body: bytes, identity: str) -> Call:
    return Call(operation=f"rpc {method.name}", method=RPC, path=method.path, body=body, identity=identity)


def _bodies() -> Iterator[tuple[str, bytes]]:
    yield PLAIN, b""
    yield "bytes that are no message", b"\xff" * 64
    yield "a text", b"nines"
    yield "a number that never ends", b"\x08" + b"\xff" * 40
    yield "a length beyond the end", _tag(1, _LENGTH) + b"\xff\xff\xff\xff\x07" + b"n"
    yield "a field with the number 0", b"\x00\x01"
    yield "a kind of field that does not exist", b"\x0f\x01"
    yield "fields that nobody knows", _tag(10_000, _VARINT) + b"\x01" + _text(20_001, b"nines")
    yield "groups that never close", _tag(1, _GROUP) * NESTING
    yield "messages within messages", _nested(NESTING)
    yield "one number very often", (_tag(1, _VARINT) + b"\x01") * FIELDS
    yield "more bytes than any library takes", _text(1, b"n" * LARGE_BYTES)
    for number in range(1, FIELDS_TRIED + 1):
        yield f"field {number}: no UTF-8", _text(number, b"\xff\xfe\xfd")
        yield f"field {number}: a NUL character", _text(number, b"nines\0")
        yield f"field {number}: an empty text", _text(number, b"")
        yield f"field {number}: the largest number", _tag(number, _VARINT) + b"\xff" * 9 + b"\x01"
    yield "an absent identifier in every field", b"".join(_text(n, b"n" * 36) for n in range(1, FIELDS_TRIED + 1))


def _tag(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _text(number: int, content: bytes) -> bytes:
    return _tag(number, _LENGTH) + _varint(len(content)) + content


def _nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = _text(1, inner)
    return inner


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
