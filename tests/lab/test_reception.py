"""Coming from another address of one's own, where a service counts by address."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter

import pytest

from nines.lab.load.client import Client
from nines.lab.load.connection import Address
from nines.lab.reception import ORIGINS, Doorway
from nines.lab.requests.secrets import Secrets
from nines.model.experiment import Call
from nines.model.history import Exchange

REGISTER = Call(operation="register", method="POST", path="/register")


class Door:
    """Lets nobody in more often than told from one address; 0: nobody at all."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.came: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        host = writer.get_extra_info("peername")[0]
        self.came[host] += 1
        status = b"201 Created" if self.came[host] <= self.times else b"429 Too Many Requests"
        writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


def sent(door: Door, count: int) -> tuple[list[Exchange], list[str]]:
    notes: list[str] = []

    async def all_of_it() -> list[Exchange]:
        server = await asyncio.start_server(door.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with Client(Address(host="127.0.0.1", port=port), keeps_connections=False) as client:
            doorway = Doorway(client, Secrets(), notes.append)
            answers = [await doorway.send(REGISTER) for _ in range(count)]
        server.close()
        return answers

    return asyncio.run(all_of_it()), notes


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere loopback has one address")
def test_whoever_is_limited_by_address_comes_from_another_and_it_is_said() -> None:
    door = Door(times=2)
    answers, notes = sent(door, 5)
    assert [answer.status for answer in answers] == [201] * 5
    assert set(door.came) == {"127.0.0.1", *ORIGINS[:2]}
    assert len(notes) == 1
    assert "limited by address" in notes[0]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere loopback has one address")
def test_where_every_address_is_limited_it_ends() -> None:
    answers, _ = sent(Door(times=0), 2)
    assert [answer.status for answer in answers] == [429, 429]
