"""What is asked for in one turn of the event loop, asked for at once: one statement for each level, never one a row."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any

BATCH_MAX = 500
"""So many keys go into one statement."""
_TURNS = 2
"""Objects of one level come to their fields within so many turns."""

Fetch = Callable[[list[Any]], Awaitable[Mapping[Any, Any]]]


class Loader:
    """Asks for each key once; a key that nothing has gives `missing`."""

    def __init__(self, fetch: Fetch, *, missing: Any = None) -> None:
        self._fetch = fetch
        self._missing = missing
        self._known: dict[Hashable, asyncio.Future[Any]] = {}
        self._waiting: list[Hashable] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def load(self, key: Hashable) -> asyncio.Future[Any]:
        known = self._known.get(key)
        if known is None:
            loop = asyncio.get_running_loop()
            known = self._known[key] = loop.create_future()
            known.add_done_callback(_seen)
            if not self._waiting:
                loop.call_soon(self._turn, _TURNS)
            self._waiting.append(key)
        return known

    def forget(self) -> None:
        """Something was changed: what was read before may be so no longer."""
        waiting = set(self._waiting)
        self._known = {key: found for key, found in self._known.items() if key in waiting}

    def close(self) -> None:
        """Nobody waits any more."""
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()

    def _turn(self, left: int) -> None:
        if left > 1:
            asyncio.get_running_loop().call_soon(self._turn, left - 1)
            return
        waiting, self._waiting = self._waiting, []
        for begin in range(0, len(waiting), BATCH_MAX):
            batch = {key: self._known[key] for key in waiting[begin : begin + BATCH_MAX]}
            task = asyncio.get_running_loop().create_task(self._answer(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, batch: Mapping[Hashable, asyncio.Future[Any]]) -> None:
        try:
            found = await self._fetch(list(batch))
        except asyncio.CancelledError:
            for each in batch.values():
                each.cancel()
            raise
        except Exception as error:
            for each in batch.values():
                if not each.done():
                    each.set_exception(error)
            return
        for key, each in batch.items():
            if not each.done():
                each.set_result(found.get(key, self._missing))


def _seen(future: asyncio.Future[Any]) -> None:
    """A failure that nobody waits for any more, because the answer has failed already, is not told again."""
    if not future.cancelled():
        future.exception()
