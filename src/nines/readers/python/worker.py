"""A process that turns sources into facts: sources come in on standard input, facts leave on standard output.

It reads everything before it writes anything, so that neither side waits for the other with a full pipe, and it ends
when the pipe does, so that it never outlives the process that started it."""

from __future__ import annotations

import sys
from typing import IO

from nines.readers.python.facts import encode, facts_of, quiet

READY = b"nines-facts-worker"
FRAME_MAX = 1_000_000_000
_LENGTH_BYTES = 8


def write_frame(stream: IO[bytes], content: bytes) -> None:
    stream.write(len(content).to_bytes(_LENGTH_BYTES))
    stream.write(content)


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next frame; None at the end, or where the other side broke off."""
    length = int.from_bytes(header) if len(header := stream.read(_LENGTH_BYTES)) == _LENGTH_BYTES else -1
    if not 0 <= length <= FRAME_MAX:
        return None
    content = stream.read(length)
    return content if len(content) == length else None


def main() -> None:
    """Serves until its input ends."""
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    write_frame(outgoing, READY)
    outgoing.flush()
    sources = []
    while (source := read_frame(incoming)) is not None:
        sources.append(source)
    with quiet():
        for source in sources:
            write_frame(outgoing, encode(facts_of(source)))
            outgoing.flush()
