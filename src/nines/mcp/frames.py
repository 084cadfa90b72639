"""What a worker tells on its pipe: four bytes of length, then one message."""

from __future__ import annotations

import struct

import msgspec

LENGTH = struct.Struct(">I")
FRAME_BYTES_MAX = 512 * 1024 * 1024


class Stage(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    name: str
    duration_s: float = 0.0


class Plan(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    remaining_s: float


class Note(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    text: str


class Done(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    result: msgspec.Raw


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An error that was foreseen, as NinesError tells it."""

    what: str
    where: str = ""
    hint: str = ""
    detail: str = ""


Frame = Stage | Plan | Note | Done | Failed


def encode(frame: Frame) -> bytes:
    body = msgspec.msgpack.encode(frame)
    return LENGTH.pack(len(body)) + body


def decode(body: bytes) -> Frame:
    frame: Frame = msgspec.msgpack.decode(body, type=Frame)
    return frame
