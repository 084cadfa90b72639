"""Which request leaves next under a load: prepared beforehand, so that nothing but the clock decides when it leaves."""

from __future__ import annotations

import math
import random
import time
import uuid
from bisect import bisect
from collections.abc import Awaitable, Callable
from itertools import accumulate

import msgspec

from nines.lab.load.request import Request, request_of
from nines.lab.requests.invent import fresh_marker
from nines.lab.requests.sessions import with_credentials
from nines.model.contract import Contract, Operation
from nines.model.errors import LabError
from nines.model.experiment import Call, Load, Share

READS_MAX = 32
"""Different requests of one safe operation; they are sent in turn."""
WRITES_MAX = 2_000
"""Different requests of one changing operation; beyond them only the marker and the key are new."""
PREPARE_S_MAX = 20.0
PREPARE_S_MIN = 2.0
PREPARE_SHARE = 0.4
"""Preparing a load takes no longer than this share of the time that it lasts."""
FAILURES_MAX = 3

Prepare = Callable[[Operation, str], Awaitable[Call | None]]
Credentials = Callable[[str], Awaitable[tuple[tuple[str, str], ...]]]


class Stack:
    """The prepared requests of one share of the load."""

    def __init__(
        self, calls: list[Call], credentials: tuple[tuple[str, str], ...], host: str, *, is_single: bool = False
    ) -> None:
        self._calls = calls
        self._is_single = is_single
        self._credentials = credentials
        self._host = host
        self._ready = [self._encoded(call) for call in calls]
        self._next = 0

    @property
    def is_used_up(self) -> bool:
        """Whether nothing is left that could be sent without being refused."""
        return self._is_single and self._next >= len(self._calls)

    def next(self, rng: random.Random) -> Request:
        """Every prepared request once; then again, those that change something under a new marker and key."""
        turn, self._next = self._next, self._next + 1
        place = turn % len(self._calls)
        call = self._calls[place]
        if turn < len(self._calls) or not (call.marker or call.key):
            return self._ready[place]
        return self._encoded(renewed(call, rng))

    def _encoded(self, call: Call) -> Request:
        return request_of(with_credentials(call, self._credentials), host=self._host)


class Mix:
    """Chooses among the shares by their weights, the same for the same seed."""

    def __init__(self, stacks: list[tuple[float, Stack]], seed: int) -> None:
        self._stacks = [stack for _, stack in stacks]
        self._bounds = list(accumulate(weight for weight, _ in stacks))
        self._rng = random.Random(seed)  # noqa: S311 -- repeatable on purpose, not a secret

    def next(self, _index: int) -> Request:
        """Of the share that the draw falls on; where that is used up, of the next one."""
        place = min(bisect(self._bounds, self._rng.random() * self._bounds[-1]), len(self._stacks) - 1)
        turns = (self._stacks[(place + turn) % len(self._stacks)] for turn in range(len(self._stacks)))
        chosen = next((stack for stack in turns if not stack.is_used_up), self._stacks[place])
        return chosen.next(self._rng)


async def prepare_mix(
    load: Load,
    contract: Contract,
    *,
    prepare: Prepare,
    credentials: Credentials,
    note: Callable[[str], None],
    host: str,
    seed: int,
    is_single: Callable[[Operation], bool] = lambda _: False,
) -> Mix:
    """Builds every request that can be built in time; a share without any is left out, and said.

    `is_single` tells whether a request of an operation may be sent once only."""
    total = sum(share.weight for share in load.shares if share.weight > 0)
    if total <= 0:
        raise LabError("a load without operations", hint="Give the load at least one share with a weight above 0.")
    until = time.monotonic() + min(PREPARE_S_MAX, max(PREPARE_S_MIN, load.duration_s * PREPARE_SHARE))
    stacks: list[tuple[float, Stack]] = []
    for position, share in enumerate(load.shares):
        operation = contract.operation(share.operation)
        if operation is None or share.weight <= 0:
            note(f"load: {share.operation} is left out, for the contract has no such operation or its weight is 0")
            continue
        # Chance may draw a share more often than its part: three standard deviations more are prepared.
        mean = load.rate_hz * load.duration_s * share.weight / total
        expected = int(mean + 3.0 * math.sqrt(mean)) + 1
        wanted = min(expected, READS_MAX if operation.is_safe else WRITES_MAX)
        left_s = (until - time.monotonic()) / (len(load.shares) - position)
        calls = await _calls(operation, share, prepare, wanted, left_s)
        if calls:
            phased = [msgspec.structs.replace(call, phase=load.phase) for call in calls]
            once = is_single(operation)
            stacks.append((share.weight, Stack(phased, await credentials(share.identity), host, is_single=once)))
            if once and len(calls) < min(wanted, mean):
                note(f"load: only {len(calls)} requests of {share.operation} could be made that differ enough")
        else:
            note(f"load: {share.operation} is left out, for no valid request of it could be made")
    if not stacks:
        raise LabError("no request for this load could be made", hint="See the notes for the reasons.")
    return Mix(stacks, seed)


async def _calls(operation: Operation, share: Share, prepare: Prepare, wanted: int, left_s: float) -> list[Call]:
    until = time.monotonic() + left_s
    calls: list[Call] = []
    failures = 0
    while len(calls) < wanted and failures < FAILURES_MAX:
        call = await prepare(operation, share.identity)
        if call is None:
            failures += 1
        else:
            calls.append(call)
        if time.monotonic() > until and (calls or failures):
            break
    return calls


def renewed(call: Call, rng: random.Random) -> Call:
    """The same request with another marker and another idempotency key, wherever they stand in it."""
    body, path, headers = call.body, call.path, call.headers
    marker, key = call.marker, call.key
    if marker:
        marker = fresh_marker(rng)
        body = body.replace(call.marker.encode(), marker.encode())
        path = path.replace(call.marker, marker)
    if key:
        key = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        headers = tuple((name, key if value == call.key else value) for name, value in headers)
    return msgspec.structs.replace(call, body=body, path=path, headers=headers, marker=marker, key=key)
