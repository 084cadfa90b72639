"""Redis commands through the proxy, against a hand-written server that speaks RESP."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from nines.lab.faults import interfere
from nines.lab.record.events import CommandSeen
from nines.lab.record.proxy import Proxy
from nines.lab.record.recorder import Recorder
from nines.lab.record.redis import RedisWire
from nines.model.experiment import Fault, FaultKind
from tests.lab.record.bench import run, until

pytestmark = pytest.mark.lab

ANSWERS = {
    "HELLO": b"%2\r\n+server\r\n+fake\r\n+proto\r\n:3\r\n",
    "GET": b"$5\r\nhe\nlo\r\n",
    "MGET": b"*3\r\n$1\r\na\r\n$-1\r\n$1\r\nb\r\n",
    "SMEMBERS": b"|1\r\n+ttl\r\n:3\r\n~2\r\n+a\r\n+b\r\n",
    "INCR": b"-WRONGTYPE Operation against a key\r\n",
    "EXEC": b"*2\r\n:1\r\n*1\r\n_\r\n",
    "DOUBLE": b",3.14\r\n",
    "PING": b"+PONG\r\n",
    "KEYS": b"*0\r\n",
    "BLOB": b"!11\r\nSYNTAX oops\r\n",
}


class FakeRedis:
    """Answers from a table, everything else with OK; publishes what it is told to."""

    def __init__(self) -> None:
        self.port = 0
        self.commands: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                if not line.startswith(b"*"):
                    words = line.decode().split()
                else:
                    words = [await self._word(reader) for _ in range(int(line[1:]))]
                self.commands.append(words[0])
                writer.write(self._answer(words))
                await writer.drain()
        writer.close()

    async def _word(self, reader: asyncio.StreamReader) -> str:
        size = int((await reader.readline())[1:])
        return (await reader.readexactly(size + 2))[:-2].decode("latin-1")

    def _answer(self, words: list[str]) -> bytes:
        if words[0] == "SUBSCRIBE":
            confirmed = b"".join(
                b"*3\r\n$9\r\nsubscribe\r\n$%d\r\n%s\r\n:%d\r\n" % (len(word), word.encode(), number)
                for number, word in enumerate(words[1:], 1)
            )
            return confirmed + b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n>2\r\n+invalidate\r\n*1\r\n+x\r\n"
        return ANSWERS.get(words[0], b"+OK\r\n")


def command(*words: str) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words)


class Bench:
    def __init__(self, server: FakeRedis, proxy: Proxy, recorder: Recorder) -> None:
        self.server = server
        self.proxy = proxy
        self.recorder = recorder

    def commands(self) -> list[CommandSeen]:
        return [event for event in self.recorder.window(0.0) if isinstance(event, CommandSeen)]

    async def ask(self, data: bytes, size: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        writer.write(data)
        try:
            return await reader.readexactly(size)
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    fake = FakeRedis()
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    recorder = Recorder()
    port = server.sockets[0].getsockname()[1]
    async with Proxy(dependency="redis", host="127.0.0.1", port=port, recorder=recorder, wire=RedisWire) as proxy:
        yield Bench(fake, proxy, recorder)
    server.close()
    await asyncio.sleep(0.05)


def test_commands_with_their_keys_and_errors() -> None:
    async def scenario() -> None:
        async with bench() as b:
            sent = [
                ("HELLO", "3"), ("GET", "user:1"), ("MGET", "a", "b", "c"), ("SMEMBERS", "s"), ("INCR", "n"),
                ("set", "lock:1", "x", "nx", "PX", "100"), ("SET", "page", "y" * 200_000, "EX", "5"),
                ("EVAL", "return 1", "2", "k1", "k2", "v"), ("MSET", "p", "1", "q", "2"), ("MULTI",), ("EXEC",),
                ("CLIENT", "SETINFO", "LIB-NAME", "x"), ("DOUBLE",), ("KEYS", "*"), ("BLOB", "z"),
                ("XREAD", "COUNT", "1", "STREAMS", "s1", "s2", "0", "0"), ("DEL", "a", "b"), ("LPUSH", "jobs", "NX"),
            ]  # fmt: skip
            data = b"".join(command(*words) for words in sent) + b"PING inline\r\n"
            size = sum(len(ANSWERS.get(words[0], b"+OK\r\n")) for words in sent) + len(ANSWERS["PING"])
            await b.ask(data, size)
            seen = b.commands()
            assert [s.name for s in seen][:6] == ["HELLO", "GET", "MGET", "SMEMBERS", "INCR", "SET"]
            assert len(seen) == len(sent) + 1
            by_name = {s.name: s for s in seen}
            assert seen[5].flags == ("NX", "PX")
            assert [seen[i].keys for i in (1, 2, 5, 6, 7, 8)] == [
                ("user:1",), ("a", "b", "c"), ("lock:1",), ("page",), ("k1", "k2"), ("p", "q")
            ]  # fmt: skip
            assert by_name["CLIENT SETINFO"].keys == ()
            assert by_name["XREAD"].keys == ("s1", "s2")
            assert by_name["INCR"].error.startswith("WRONGTYPE")
            assert by_name["BLOB"].error == "SYNTAX oops"
            assert [s.name for s in seen if s.error] == ["INCR", "BLOB"]
            assert seen[-1].name == "PING"
            assert b.recorder.tally("redis").unreadable == 0

    run(scenario())


def test_subscriptions_and_their_messages() -> None:
    async def scenario() -> None:
        async with bench() as b:
            expected = b.server._answer(["SUBSCRIBE", "a", "b"])
            await b.ask(command("SUBSCRIBE", "a", "b") + command("PING"), len(expected) + len(ANSWERS["PING"]))
            assert [(s.name, s.keys) for s in b.commands()] == [("SUBSCRIBE", ("a", "b")), ("PING", ())]

    run(scenario())


@pytest.mark.parametrize(
    "data",
    [b"*2\r\n$x\r\n", command("MONITOR"), command("CLIENT", "REPLY", "OFF"), b"*1\r\n" * 40, b"\x16\x03"],
)
def test_garbage_passes_unread(data: bytes) -> None:
    async def scenario() -> None:
        async with bench() as b:
            _, writer = await asyncio.open_connection("127.0.0.1", b.proxy.port)
            writer.write(data)
            await until(b.recorder.blind)
            writer.close()
            assert b.recorder.tally("redis").unreadable == 1

    run(scenario())


def test_loading_and_cut_answers() -> None:
    async def scenario() -> None:
        async with bench() as b:
            reader, writer = await asyncio.open_connection("127.0.0.1", b.proxy.port)
            async with interfere(b.proxy, Fault(kind=FaultKind.ERROR, dependency="redis")):
                writer.write(command("GET", "a") + command("SET", "a", "1"))
                assert (await reader.readline()).startswith(b"-LOADING")
                assert (await reader.readline()).startswith(b"-LOADING")
            assert b.server.commands == []
            async with interfere(b.proxy, Fault(kind=FaultKind.CUT_REPLY, dependency="redis")):
                writer.write(command("GET", "a"))
                assert await reader.readexactly(len(ANSWERS["GET"])) == ANSWERS["GET"]
                writer.write(command("SET", "a", "1"))
                assert await reader.read() == b""
            writer.close()
            assert b.server.commands == ["GET", "SET"]
            assert [bool(s.error) for s in b.commands()] == [True, True, False, False]

    run(scenario())
