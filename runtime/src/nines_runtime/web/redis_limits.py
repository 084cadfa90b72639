"""Quotas that several replicas share, counted in Redis (extra `redis`) by one script that nothing comes between.

    limiter = RedisLimiter.at(url, when_away="local")

The count is the same as that of LocalLimiter, by the clock of Redis, so that replicas need not agree on the time."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from time import monotonic
from typing import Any, Literal

from nines_runtime.web.limits import SLOTS, Limiter, LocalLimiter, Quota
from nines_runtime.web.operations import Limit
from nines_runtime.web.problem import Problem

ASK_S_MAX = 0.05
CONNECT_S_MAX = 0.5
"""The first request, and the first after an absence, may wait that long: it has to connect."""
CONNECTIONS_MAX = 32
AWAY_S = 1.0
"""How long Redis is left alone after it did not answer, so that its absence costs one wait and not one for each."""
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local size = tonumber(ARGV[2]) / tonumber(ARGV[3])
local slot = math.floor(now / size)
local oldest, total = slot, 0
local kept = redis.call('HGETALL', KEYS[1])
for at = 1, #kept, 2 do
  local each = tonumber(kept[at])
  if each < slot - tonumber(ARGV[3]) then
    redis.call('HDEL', KEYS[1], kept[at])
  else
    total = total + tonumber(kept[at + 1])
    if each < oldest then oldest = each end
  end
end
local allowed = 0
if total < tonumber(ARGV[1]) then
  allowed, total = 1, total + 1
  redis.call('HINCRBY', KEYS[1], string.format('%d', slot), 1)
  redis.call('PEXPIRE', KEYS[1], math.ceil((tonumber(ARGV[2]) + 2 * size) * 1000))
end
return {allowed, tonumber(ARGV[1]) - total, tostring((oldest + tonumber(ARGV[3]) + 1) * size - now)}
"""
_SHA = hashlib.sha1(_TAKE.encode(), usedforsecurity=False).hexdigest()


class RedisLimiter:
    """`when_away` says what happens while Redis does not answer: each replica counts for itself (local), everything is
    allowed (open), or refused with 503 (closed)."""

    def __init__(
        self,
        redis: Any,
        *,
        prefix: str = "limit:",
        when_away: Literal["local", "open", "closed"] = "local",
        ask_s_max: float = ASK_S_MAX,
        clock: Callable[[], float] = monotonic,
        told: Callable[[bool], None] = lambda _is_away: None,
    ) -> None:
        """`told` hears when Redis goes away (True) and comes back (False)."""
        self._redis = redis
        self._prefix = prefix
        self._when_away = when_away
        self._ask_s_max = ask_s_max
        self._clock = clock
        self._told = told
        self._local: Limiter = LocalLimiter(clock=clock)
        self._away_until_s = 0.0
        self._is_away = False
        self._is_connected = False

    @classmethod
    def at(cls, url: str, *, when_away: Literal["local", "open", "closed"] = "local") -> RedisLimiter:
        """With a client of its own, whose every wait ends; `close` ends it."""
        # Of the extra `redis`, which not every service has.
        from redis.asyncio import BlockingConnectionPool, Redis  # noqa: PLC0415

        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS_MAX,
            timeout=ASK_S_MAX,
            socket_timeout=CONNECT_S_MAX,
            socket_connect_timeout=CONNECT_S_MAX,
        )
        return cls(Redis.from_pool(pool), when_away=when_away)

    async def close(self) -> None:
        await self._redis.aclose()

    async def take(self, name: str, limit: Limit) -> Quota:
        if self._clock() >= self._away_until_s:
            limit_s = self._ask_s_max if self._is_connected else max(CONNECT_S_MAX, self._ask_s_max)
            try:
                async with asyncio.timeout(limit_s):
                    quota = await self._ask(name, limit)
            except Exception:
                # Whatever is the matter with Redis, it must not become a failure of the request.
                self._is_connected = False
                self._away_until_s = self._clock() + AWAY_S
                self._note(is_away=True)
            else:
                self._is_connected = True
                self._note(is_away=False)
                return quota
        if self._when_away == "local":
            return await self._local.take(name, limit)
        if self._when_away == "open":
            return Quota(True, limit.requests, limit.window_s)
        raise Problem("unavailable")

    async def _ask(self, name: str, limit: Limit) -> Quota:
        arguments = (1, self._key(name, limit), limit.requests, limit.window_s, SLOTS)
        try:
            found = await self._redis.evalsha(_SHA, *arguments)
        except Exception as error:
            if type(error).__name__ != "NoScriptError" and "NOSCRIPT" not in str(error):
                raise
            found = await self._redis.eval(_TAKE, *arguments)
        allowed, left, more_in_s = found
        return Quota(bool(allowed), max(0, int(left)), float(more_in_s))

    def _key(self, name: str, limit: Limit) -> str:
        """Hashed, for it holds what callers wrote; a limit that was changed counts anew."""
        digest = hashlib.sha256(f"{limit.requests}|{limit.window_s}|{name}".encode("utf-8", "replace"))
        return self._prefix + digest.hexdigest()[:32]

    def _note(self, *, is_away: bool) -> None:
        if is_away != self._is_away:
            self._is_away = is_away
            self._told(is_away)
