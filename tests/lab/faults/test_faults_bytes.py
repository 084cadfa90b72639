"""Whatever faults come and go, no byte is lost, doubled or moved out of its order."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from nines.lab.faults import interfere
from nines.lab.record.proxy import Proxy
from nines.lab.record.recorder import Recorder
from nines.model.experiment import Fault, FaultKind
from tests.lab.record.bench import run

pytestmark = pytest.mark.lab

FAULTS = (
    Fault(kind=FaultKind.DELAY, dependency="echo", amount_s=0.01),
    Fault(kind=FaultKind.STALL, dependency="echo"),
    Fault(kind=FaultKind.LIMIT, dependency="echo", bytes_per_s=3_000_000),
)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(50_000):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    writer.close()


async def talk(port: int, data: bytes, chance: random.Random) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def say() -> None:
        position = 0
        while position < len(data):
            size = chance.choice([1, 100, 5_000, 70_000])
            writer.write(data[position : position + size])
            await writer.drain()
            position += size
        writer.write_eof()

    saying = asyncio.create_task(say())
    heard = await reader.read(-1)
    await saying
    writer.close()
    return heard


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bytes_survive_faults_that_come_and_go(seed: int) -> None:
    async def scenario() -> None:
        chance = random.Random(seed)
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with Proxy(dependency="echo", host="127.0.0.1", port=port, recorder=Recorder()) as proxy:
            sent = [chance.randbytes(400_000) for _ in range(3)]
            talks = [asyncio.create_task(talk(proxy.port, data, random.Random(seed))) for data in sent]
            for _ in range(12):
                async with contextlib.AsyncExitStack() as faults:
                    for fault in chance.sample(FAULTS, chance.randint(1, 3)):
                        await faults.enter_async_context(interfere(proxy, fault))
                    await asyncio.sleep(chance.uniform(0.0, 0.03))
                await asyncio.sleep(chance.uniform(0.0, 0.01))
            assert [bytes(heard) for heard in await asyncio.gather(*talks)] == sent
        server.close()
        await asyncio.sleep(0.02)

    run(scenario())
