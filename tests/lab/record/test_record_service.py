"""The whole way: a small service on SQLAlchemy and httpx, its dependencies behind proxies, and its traces."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import ForeignKey, select, update
from sqlalchemy.ext.asyncio import AsyncAttrs, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from nines.lab.record.http import HttpWire
from nines.lab.record.observe import observe
from nines.lab.record.postgres import postgres_wires
from nines.lab.record.proxy import Proxy
from nines.lab.record.recorder import Recorder
from nines.lab.record.settle import settled
from nines.model.effect import EffectKind, Known, Rows
from nines.model.trace import Trace
from nines.readers.sql import read
from tests.lab.record.bench import Server, run

pytestmark = pytest.mark.lab


class Base(AsyncAttrs, DeclarativeBase):
    pass


class Shelf(Base):
    __tablename__ = "shelf"
    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list[Book]] = relationship()


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    shelf_id: Mapped[int] = mapped_column(ForeignKey("shelf.id"))
    price: Mapped[int] = mapped_column(default=0)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            await writer.drain()
    writer.close()


@dataclass
class World:
    engine: AsyncEngine
    client: httpx.AsyncClient
    recorder: Recorder
    proxies: list[Proxy]

    async def trace(self, work: Callable[[World], Awaitable[None]]) -> Trace:
        assert await settled(self.recorder, self.proxies)
        began_s = self.recorder.clock_s()
        await work(self)
        duration_s = self.recorder.clock_s() - began_s
        assert await settled(self.recorder, self.proxies)
        return observe(
            self.recorder.window(began_s),
            read,
            endpoint="GET /x",
            began_s=began_s,
            duration_s=duration_s,
            blind=self.recorder.blind(began_s),
        )


@contextlib.asynccontextmanager
async def world(server: Server, driver: str) -> AsyncIterator[World]:
    upstream = await asyncio.start_server(answer, "127.0.0.1", 0)
    recorder = Recorder()
    async with (
        Proxy(
            dependency="database", host=server.host, port=server.port, recorder=recorder, wire=postgres_wires()
        ) as database,
        Proxy(
            dependency="prices",
            host="127.0.0.1",
            port=upstream.sockets[0].getsockname()[1],
            recorder=recorder,
            wire=HttpWire,
        ) as prices,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{prices.port}", trust_env=False) as client,
    ):
        url = f"postgresql+{driver}://{server.user}@127.0.0.1:{database.port}/postgres"
        engine = create_async_engine(url, pool_pre_ping=True)
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)
            await connection.run_sync(Base.metadata.create_all)
        async with AsyncSession(engine) as session:
            session.add_all(Shelf(books=[Book(), Book()]) for _ in range(5))
            await session.commit()
        yield World(engine, client, recorder, [database, prices])
        await engine.dispose()
    upstream.close()
    await asyncio.sleep(0.02)


async def show_shelves(world: World) -> None:
    async with AsyncSession(world.engine) as session:
        for shelf in (await session.scalars(select(Shelf).limit(50))).all():
            assert len(await shelf.awaitable_attrs.books) == 2


async def reprice(world: World) -> None:
    await world.client.get("/health")
    async with AsyncSession(world.engine) as session:
        book = (await session.scalars(select(Book).where(Book.id == 1).with_for_update())).one()
        await world.client.post("/quotes", json={"id": book.id}, headers={"idempotency-key": "k"})
        await session.execute(update(Book).where(Book.id == book.id).values(price=Book.price + 1))
        await session.commit()
    await world.client.post("/notices", content=b"x")


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_traces_of_a_service(server: Server, driver: str) -> None:
    async def scenario() -> None:
        async with world(server, driver) as here:
            shelves = await here.trace(show_shelves)
            assert [effect.kind for effect in shelves.effects] == [
                EffectKind.BEGIN,
                *[EffectKind.DATABASE_READ] * 6,
                EffectKind.ROLLBACK,
            ]
            assert [effect.target for effect in shelves.effects[1:-1]] == ["shelf"] + ["book"] * 5
            assert [[loop.effect for loop in effect.loops] for effect in shelves.effects[1:-1]] == [[]] + [[1]] * 5
            assert (shelves.effects[1].limit, shelves.effects[1].rows) == (Known.SET, Rows.MANY)

            repriced = await here.trace(reprice)
            assert [(effect.kind.value, effect.target, effect.transaction) for effect in repriced.effects] == [
                ("remote_call", "prices/health", None),
                ("begin", "", 0),
                ("database_read", "book", 0),
                ("remote_call", "prices/quotes", 0),
                ("database_write", "book", 0),
                ("commit", "", 0),
                ("remote_call", "prices/notices", None),
            ]
            read_book, quote, write, notice = (repriced.effects[index] for index in (2, 3, 4, 6))
            assert read_book.locks_rows
            assert (quote.idempotency, notice.idempotency) == (Known.SET, Known.MISSING)
            assert [(a.column, a.is_atomic) for a in write.assignments] == [("price", True)]
            assert shelves.blind == repriced.blind == ()
            times = [effect.at_s or 0.0 for effect in repriced.effects]
            assert times == sorted(times)
            assert repriced.duration_s is not None
            assert times[-1] < repriced.duration_s

    run(scenario())
