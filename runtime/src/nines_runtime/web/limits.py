"""How often somebody may ask: never more than the limit in any window, wherever the window begins."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable
from time import monotonic
from typing import Protocol

import msgspec

from nines_runtime.web.operations import Limit

SLOTS = 16
"""A window is counted in so many slots. The one that is partly over counts in full, so the count is never too small,
and a request is given back at most a sixteenth of a window late."""
CALLERS_MAX = 100_000
"""Whose counts are kept at once; beyond them the count that was used longest ago is forgotten."""


class Quota(msgspec.Struct, frozen=True):
    """What a request was told about its limit."""

    is_allowed: bool
    left: int
    more_in_s: float
    """Until there is more of it."""


class Limiter(Protocol):
    async def take(self, name: str, limit: Limit) -> Quota:
        """One request under a name; a refused one is not counted."""


class _Count:
    __slots__ = ("slots", "total")

    def __init__(self) -> None:
        self.slots: deque[list[int]] = deque()
        self.total = 0


class LocalLimiter:
    """Counts in the memory of this process: with n replicas a caller may ask n times as often."""

    def __init__(self, *, clock: Callable[[], float] = monotonic, callers_max: int = CALLERS_MAX) -> None:
        self._clock = clock
        self._callers_max = callers_max
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    async def take(self, name: str, limit: Limit) -> Quota:
        return self.take_now(name, limit)

    def take_now(self, name: str, limit: Limit) -> Quota:
        counts = self._counts
        count = counts.get(name)
        if count is None:
            if len(counts) >= self._callers_max:
                counts.popitem(last=False)
            count = counts[name] = _Count()
        else:
            counts.move_to_end(name)
        size_s = limit.window_s / SLOTS
        now_s = self._clock()
        slot = math.floor(now_s / size_s)
        slots = count.slots
        while slots and slots[0][0] < slot - SLOTS:
            count.total -= slots.popleft()[1]
        is_allowed = count.total < limit.requests
        if is_allowed:
            count.total += 1
            if slots and slots[-1][0] == slot:
                slots[-1][1] += 1
            else:
                slots.append([slot, 1])
        more_in_s = (slots[0][0] + SLOTS + 1) * size_s - now_s
        return Quota(is_allowed, limit.requests - count.total, more_in_s)


def policy_header(name: str, limit: Limit) -> tuple[bytes, bytes]:
    told = name.encode("ascii", "replace")
    return b"ratelimit-policy", b'"%s";q=%d;w=%d' % (told, limit.requests, math.ceil(limit.window_s))


def quota_template(name: str) -> bytes:
    """Of a policy's `quota_header`."""
    return b'"%s";r=%%d;t=%%d' % name.encode("ascii", "replace").replace(b"%", b"%%")


def quota_header(template: bytes, quota: Quota) -> tuple[bytes, bytes]:
    """Retry-After of a refusal is this `t`, so it is never earlier."""
    return b"ratelimit", template % (quota.left, max(1, math.ceil(quota.more_in_s)))
