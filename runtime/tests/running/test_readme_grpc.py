"""The part of the README on typed calls, word for word: a service as it says, asked by the client that it shows."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nines_runtime import ANONYMOUS, Answer, Application, Call, Caller, Key, Operations, Problem, Started

README = Path(__file__).parents[2] / "README.md"


class NoteCreate(msgspec.Struct, forbid_unknown_fields=True):
    text: str


class Tokens:
    async def authenticate(self, headers: Any, *, address: str) -> Caller:
        return Caller(subject="somebody") if headers.get("authorization") == "Bearer a token" else ANONYMOUS


operations: Operations[list[str]] = Operations()


@operations.post("/v1/notes", id="createNote", key=Key())
async def create_note(notes: list[str], call: Call, body: NoteCreate) -> Answer:
    if not body.text:
        raise Problem("refused")
    notes.append(body.text)
    return Answer.of({"id": f"note_{len(notes)}", "number": len(notes), "text": body.text}, status=201)


@operations.get("/v1/notes/{note_id}", id="getNote")
async def get_note(notes: list[str], call: Call) -> Answer:
    raise Problem("not-found")


def test_the_example_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = README.read_text().partition("## Typed calls between services")[2].partition("\n## ")[0]
    blocks = re.findall(r"```(\w+)\n(.*?)```", part, re.DOTALL)
    assert [kind for kind, _ in blocks] == ["proto", "python", "python"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.proto").write_text(blocks[0][1])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served: dict[str, Any] = {}
    exec(blocks[1][1].replace("50051", str(port)), served)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[Started[list[str]]]:
        yield Started([], authenticator=Tokens())

    async def whole() -> None:
        application = Application("notes", operations, lifespan, listeners=(served["listener"],), drain_s=0.2)
        asked: dict[str, Any] = {}
        exec(blocks[2][1].replace("50051", str(port)), asked)
        stop = asyncio.Event()
        ready = asyncio.Event()
        kinds = iter(("lifespan.startup", "lifespan.shutdown"))

        async def receive() -> dict[str, Any]:
            kind = next(kinds)
            if kind == "lifespan.shutdown":
                await stop.wait()
            return {"type": kind}

        async def send(message: Any) -> None:
            ready.set()

        living = asyncio.create_task(application({"type": "lifespan"}, receive, send))
        await ready.wait()
        assert await asked["remember"]("milk", "k-1") == "note_1"
        assert await asked["remember"]("", "k-2") == "declined: refused"
        await asked["notes"].close()
        stop.set()
        await living

    asyncio.run(whole())
