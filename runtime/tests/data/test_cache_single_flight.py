"""A cache asks once for all, forgets in time, and never grows without end."""

from __future__ import annotations

import asyncio

import pytest

from nines_runtime import Cache


class Source:
    def __init__(self) -> None:
        self.loads: list[str] = []
        self.fails = False
        self.now_s = 0.0
        self.open = asyncio.Event()
        self.open.set()

    async def load(self, key: str) -> str:
        self.loads.append(key)
        await self.open.wait()
        if self.fails:
            raise OSError
        return f"{key}{len(self.loads)}"

    def clock(self) -> float:
        return self.now_s


def test_all_who_ask_at_once_wait_for_one_load() -> None:
    async def scenario() -> None:
        source = Source()
        source.open.clear()
        cache = Cache(source.load, ttl_s=10, clock=source.clock)
        asking = [asyncio.create_task(cache.get("a")) for _ in range(10)]
        await asyncio.sleep(0)
        asking[0].cancel()
        await asyncio.sleep(0)
        source.open.set()
        found = await asyncio.gather(*asking, return_exceptions=True)
        assert found[1:] == ["a1"] * 9
        assert isinstance(found[0], asyncio.CancelledError)
        assert source.loads == ["a"]

    asyncio.run(scenario())


def test_entries_expire_each_at_its_own_time() -> None:
    async def scenario() -> None:
        source = Source()
        cache = Cache(source.load, ttl_s=10, clock=source.clock, chance=iter([0.0, 1.0, 0.0]).__next__)
        assert [await cache.get("a"), await cache.get("b")] == ["a1", "b2"]
        source.now_s = 9.5
        assert [await cache.get("a"), await cache.get("b")] == ["a1", "b3"]

    asyncio.run(scenario())


def test_the_one_not_asked_for_longest_goes_first() -> None:
    async def scenario() -> None:
        source = Source()
        cache = Cache(source.load, ttl_s=10, size_max=2, clock=source.clock)
        for key in ("a", "b", "a", "c", "a"):
            await cache.get(key)
        assert source.loads == ["a", "b", "c"]
        assert len(cache) == 2

    asyncio.run(scenario())


def test_a_failure_is_not_kept_and_an_old_value_may_bridge_it() -> None:
    async def scenario() -> None:
        source = Source()
        cache = Cache(source.load, ttl_s=10, stale_s=60, clock=source.clock)
        await cache.get("a")
        source.now_s, source.fails = 30.0, True
        assert await cache.get("a") == "a1"
        with pytest.raises(OSError):
            await cache.get("b")
        source.now_s = 75.0
        with pytest.raises(OSError):
            await cache.get("a")
        source.fails = False
        assert await cache.get("a") == "a5"

    asyncio.run(scenario())


def test_what_is_forgotten_while_it_loads_is_not_kept() -> None:
    async def scenario() -> None:
        source = Source()
        source.open.clear()
        cache = Cache(source.load, ttl_s=10, clock=source.clock)
        old = asyncio.create_task(cache.get("a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        cache.forget("a")
        new = asyncio.create_task(cache.get("a"))
        await asyncio.sleep(0)
        source.open.set()
        await asyncio.gather(old, new)
        assert source.loads == ["a", "a"]
        assert await cache.get("a") == "a2"
        cache.forget("a")
        assert await cache.get("a") == "a3"

    asyncio.run(scenario())
