"""Laws of quotas: never more than allowed in any window, and whoever waits as told is served."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis.asyncio
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.web.limits import SLOTS, LocalLimiter, policy_header, quota_header, quota_template
from nines_runtime.web.operations import Limit
from nines_runtime.web.problem import Problem
from nines_runtime.web.redis_limits import RedisLimiter


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


_limits = st.builds(Limit, st.integers(1, 12), st.sampled_from([0.5, 1.0, 7.0, 60.0]))
_waits = st.lists(st.floats(0, 0.3), min_size=1, max_size=120)


@given(_limits, _waits)
def test_never_more_than_allowed_in_any_window(limit: Limit, waits: list[float]) -> None:
    clock = Clock()
    limiter = LocalLimiter(clock=clock)
    allowed: list[float] = []
    for share in waits:
        clock.now_s += share * limit.window_s
        quota = limiter.take_now("a", limit)
        if quota.is_allowed:
            allowed.append(clock.now_s)
        assert 0 <= quota.left <= limit.requests - 1 if quota.is_allowed else quota.left == 0
    for first in allowed:
        within = [each for each in allowed if first <= each < first + limit.window_s]
        assert len(within) <= limit.requests


@given(_limits, _waits)
def test_whoever_waits_as_told_is_served(limit: Limit, waits: list[float]) -> None:
    clock = Clock()
    limiter = LocalLimiter(clock=clock)
    for share in waits:
        clock.now_s += share * limit.window_s
        quota = limiter.take_now("a", limit)
        assert 0 < quota.more_in_s <= limit.window_s * (1 + 1 / SLOTS) + 1e-6
        if not quota.is_allowed:
            clock.now_s += quota.more_in_s + 1e-6
            assert limiter.take_now("a", limit).is_allowed


@given(_limits, st.integers(0, 30))
def test_the_quota_is_whole_after_a_window(limit: Limit, asked: int) -> None:
    clock = Clock()
    limiter = LocalLimiter(clock=clock)
    for _ in range(asked):
        limiter.take_now("a", limit)
    clock.now_s += limit.window_s * (1 + 1 / SLOTS) + 1e-6
    assert sum(limiter.take_now("a", limit).is_allowed for _ in range(limit.requests + 5)) == limit.requests


def test_callers_do_not_share_and_memory_is_bounded() -> None:
    limiter = LocalLimiter(clock=Clock(), callers_max=10)
    limit = Limit(1)
    for at in range(1_000):
        assert limiter.take_now(f"caller {at}", limit).is_allowed
    assert len(limiter) == 10
    assert not limiter.take_now("caller 999", limit).is_allowed


@given(st.integers(1, 10**6), st.floats(0.01, 3_600))
def test_retry_after_is_never_earlier_than_t(requests: int, more_in_s: float) -> None:
    limiter = LocalLimiter(clock=Clock())
    quota = type(limiter.take_now("a", Limit(requests)))(False, 0, more_in_s)
    told = re.fullmatch(rb'"p";r=0;t=(\d+)', quota_header(quota_template("p"), quota)[1])
    answer = Problem("rate-limited", retry_after_s=quota.more_in_s).answer(instance="/", request_id="r")
    after = answer.header(b"retry-after")
    assert told is not None
    assert after is not None
    assert int(after) >= int(told[1]) >= more_in_s


def test_headers_are_told_before_a_quota_is_used_up() -> None:
    limit = Limit(100, window_s=60)
    quota = LocalLimiter(clock=Clock()).take_now("a", limit)
    assert policy_header("default", limit) == (b"ratelimit-policy", b'"default";q=100;w=60')
    assert quota_header(quota_template("default"), quota)[1].startswith(b'"default";r=99;t=')


@pytest.mark.parametrize(
    "wrong",
    [
        {"requests": 0},
        {"requests": 1, "window_s": 0},
        {"requests": 1, "per": "star"},
        {"requests": 1, "per": "account"},
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="limit"):
        Limit(**wrong)


@pytest.fixture(scope="module")
def redis_port() -> Iterator[int]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("There is no redis-server here.")
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        port = link.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            for _ in range(200):
                with socket.socket() as link:
                    if link.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield port
        finally:
            process.kill()
            process.wait()


def test_replicas_share_a_quota(redis_port: int) -> None:
    async def run() -> None:
        clients = [redis.asyncio.Redis(port=redis_port) for _ in range(3)]
        replicas = [RedisLimiter(each, ask_s_max=5.0, when_away="closed") for each in clients]
        limit = Limit(25, window_s=600)
        taken = await asyncio.gather(*(replicas[at % 3].take("shared", limit) for at in range(80)))
        assert sum(each.is_allowed for each in taken) == 25
        assert min(each.left for each in taken) == 0
        assert all(0 < each.more_in_s <= 600 * (1 + 1 / SLOTS) for each in taken)
        assert (await replicas[0].take("another", limit)).is_allowed
        for each in clients:
            await each.aclose()

    asyncio.run(run())


def test_what_redis_counted_is_given_back(redis_port: int) -> None:
    async def run() -> None:
        client = redis.asyncio.Redis(port=redis_port)
        limiter = RedisLimiter(client, ask_s_max=5.0, when_away="closed")
        limit = Limit(2, window_s=0.4)
        assert [(await limiter.take("short", limit)).is_allowed for _ in range(3)] == [True, True, False]
        refused = await limiter.take("short", limit)
        await asyncio.sleep(refused.more_in_s + 0.01)
        assert (await limiter.take("short", limit)).is_allowed
        await client.aclose()

    asyncio.run(run())


def test_a_limiter_has_a_client_of_its_own(redis_port: int) -> None:
    async def run() -> None:
        there, away = (RedisLimiter.at(f"redis://127.0.0.1:{port}/0") for port in (redis_port, 1))
        limit = Limit(1, window_s=600)
        assert [(await there.take("own", limit)).is_allowed for _ in range(2)] == [True, False]
        assert [(await away.take("own", limit)).is_allowed for _ in range(2)] == [True, False]
        await there.close()
        await away.close()

    asyncio.run(run())


class Away:
    """A Redis that never answers."""

    def __init__(self) -> None:
        self.asked = 0

    async def evalsha(self, *_: Any) -> Any:
        self.asked += 1
        await asyncio.sleep(3_600)


def test_redis_that_is_away_costs_one_wait() -> None:
    async def run() -> None:
        clock, told = Clock(), list[bool]()
        local = RedisLimiter(away := Away(), ask_s_max=0.01, clock=clock, told=told.append)
        limit = Limit(3)
        taken = [await local.take("a", limit) for _ in range(5)]
        assert [each.is_allowed for each in taken] == [True, True, True, False, False]
        assert (away.asked, told) == (1, [True])
        clock.now_s += 2
        await local.take("a", limit)
        assert away.asked == 2
        assert (await RedisLimiter(Away(), ask_s_max=0.01, when_away="open").take("a", Limit(1))).is_allowed
        with pytest.raises(Problem) as raised:
            await RedisLimiter(Away(), ask_s_max=0.01, when_away="closed").take("a", Limit(1))
        assert raised.value.code == "unavailable"

    asyncio.run(run())
