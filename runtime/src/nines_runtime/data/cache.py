"""A cache within the process: one load for all who ask at once, expiry that does not come in waves, a bounded size."""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
JITTER = 0.1
SIZE_MAX = 10_000


class Cache(Generic[Key, Value]):
    """`load` is asked for what is not known or is older than `ttl_s`, which each entry keeps up to a tenth less.

    Whoever asks while it loads waits for the same load; what it raises is raised for all of them and not kept. With
    `stale_s` an old value is given out for so much longer when loading fails. What was not asked for the longest goes
    first. Never for what must be right at once: permissions, balances, stock."""

    def __init__(
        self,
        load: Callable[[Key], Awaitable[Value]],
        *,
        ttl_s: float,
        size_max: int = SIZE_MAX,
        stale_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._load, self._ttl_s, self._size_max, self._stale_s = load, ttl_s, size_max, stale_s
        self._clock, self._chance = clock, chance
        self._known: OrderedDict[Key, tuple[Value, float]] = OrderedDict()
        self._loading: dict[Key, asyncio.Task[Value]] = {}

    def __len__(self) -> int:
        return len(self._known)

    async def get(self, key: Key) -> Value:
        found = self._known.get(key)
        if found is not None and self._clock() < found[1]:
            self._known.move_to_end(key)
            return found[0]
        loading = self._loading.get(key)
        if loading is None:
            loading = asyncio.create_task(self._loaded(key))
            self._loading[key] = loading
        try:
            # Whoever leaves does not take the load away from the others.
            return await asyncio.shield(loading)
        except Exception:
            if found is not None and self._clock() < found[1] + self._stale_s:
                return found[0]
            raise

    def forget(self, key: Key) -> None:
        """The next to ask gets what is true now: a load that is under way is not kept either."""
        self._known.pop(key, None)
        self._loading.pop(key, None)

    async def _loaded(self, key: Key) -> Value:
        task = asyncio.current_task()
        try:
            value = await self._load(key)
            if self._loading.get(key) is task:
                self._known[key] = (value, self._clock() + self._ttl_s * (1 - JITTER * self._chance()))
                self._known.move_to_end(key)
                while len(self._known) > self._size_max:
                    self._known.popitem(last=False)
            return value
        finally:
            if self._loading.get(key) is task:
                del self._loading[key]
