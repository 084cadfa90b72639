"""Whether the service is still well: a few requests that it answered before are sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from nines.model.effect import Effect
from nines.model.experiment import Call
from nines.model.history import Exchange
from nines.model.trace import Trace

CALLS_MAX = 4
ANSWER_LIMIT_S = 3.0
HEAL_LIMIT_S = 6.0
"""What a service gets to recover by itself from what an experiment did, before it is started again."""
_PAUSE_S = 0.25


class Pulse:
    """Remembers requests of different reach: with and without a database read, an upstream's call, a cache."""

    def __init__(self, send: Callable[[Call, float], Awaitable[Exchange]]) -> None:
        self._send = send
        self._calls: dict[frozenset[str], Call] = {}

    def remember(self, call: Call, trace: Trace) -> None:
        """Keeps the request when it reaches dependencies that none of those kept reaches in this combination."""
        if len(self._calls) < CALLS_MAX:
            self._calls.setdefault(frozenset(_reach(effect) for effect in trace.effects), call)

    async def weakness(self) -> str:
        """The operation that is still not answered after the time to heal; "" when all are.

        Any answer below 500 will do, for the object that a request names may be gone."""
        loop = asyncio.get_running_loop()
        until = loop.time() + HEAL_LIMIT_S
        waiting = list(self._calls.values())
        while waiting:
            answers = await asyncio.gather(*(self._send(call, ANSWER_LIMIT_S) for call in waiting))
            waiting = [c for c, a in zip(waiting, answers, strict=True) if a.status is None or a.is_server_error]
            if not waiting or loop.time() > until:
                break
            await asyncio.sleep(_PAUSE_S)
        return waiting[0].operation if waiting else ""

    async def prune(self) -> None:
        """Forgets what even a service that has just been started does not answer: it tells nothing."""
        for reach, call in tuple(self._calls.items()):
            answer = await self._send(call, ANSWER_LIMIT_S)
            if answer.status is None or answer.is_server_error:
                del self._calls[reach]


def _reach(effect: Effect) -> str:
    return f"{effect.dependency} {effect.target}" if effect.is_database else effect.dependency
