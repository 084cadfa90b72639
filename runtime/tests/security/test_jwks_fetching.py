"""An issuer elsewhere that rotates its keys, falls ill, and tells nonsense."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from nines_runtime.security import jwks
from nines_runtime.security.issuing import TokenIssuer
from nines_runtime.security.jwks import FRESH_S, REFETCH_S, STALE_MAX_S, JwksAuthenticator
from nines_runtime.security.keys import SigningKey, SigningKeys
from nines_runtime.security.tokens import TokenRules
from nines_runtime.web.problem import Problem

OLD, NEW = SigningKey.generate(), SigningKey.generate()


class Issuer:
    def __init__(self) -> None:
        self.keys = [OLD]
        self.status = 200
        self.body: bytes | None = None
        self.fetched = 0
        self.url = ""
        self.metadata: dict[str, Any] | None = None
        self.pause_s = 0.0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("openid-configuration"):
            return web.json_response(self.metadata or {"issuer": self.url, "jwks_uri": f"{self.url}/keys"})
        self.fetched += 1
        await asyncio.sleep(self.pause_s)
        body = SigningKeys(self.keys).jwks() if self.body is None else self.body
        return web.Response(status=self.status, body=body, content_type="application/json")

    def token(self, key: SigningKey = OLD, **more: Any) -> str:
        return TokenIssuer(SigningKeys([key]), self.rules).issue("u1", **more)

    @property
    def rules(self) -> TokenRules:
        return TokenRules(issuer=self.url, audience="payments")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def running() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", issuer.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    issuer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield issuer
    finally:
        await runner.cleanup()


Test = Callable[[Issuer, JwksAuthenticator, Clock], Awaitable[None]]


def against(test: Test, *, discovers: bool = False) -> None:
    async def whole() -> None:
        clock, before = Clock(), asyncio.all_tasks()
        async with running() as issuer:
            url = "" if discovers else f"{issuer.url}/keys"
            authenticator = JwksAuthenticator(issuer.rules, url=url, monotonic=clock)
            try:
                await test(issuer, authenticator, clock)
            finally:
                await authenticator.close()
        await asyncio.sleep(0)
        assert not [task for task in asyncio.all_tasks() - before if task.get_name() == "jwks"]

    asyncio.run(whole())


async def subject(authenticator: JwksAuthenticator, token: str) -> str:
    return (await authenticator.authenticate({"authorization": f"Bearer {token}"}, address="")).subject


async def code(authenticator: JwksAuthenticator, token: str) -> str:
    with pytest.raises(Problem) as caught:
        await subject(authenticator, token)
    return caught.value.code


@pytest.mark.parametrize("discovers", [False, True])
def test_fetches_once_for_many(discovers: bool) -> None:
    async def test(issuer: Issuer, authenticator: JwksAuthenticator, clock: Clock) -> None:
        issuer.pause_s = 0.05
        tokens = [issuer.token() for _ in range(10)]
        assert await asyncio.gather(*(subject(authenticator, each) for each in tokens)) == ["u1"] * 10
        assert issuer.fetched == 1

    against(test, discovers=discovers)


def test_a_new_key_is_fetched_and_an_old_one_that_is_gone_is_forgotten() -> None:
    async def test(issuer: Issuer, authenticator: JwksAuthenticator, clock: Clock) -> None:
        first = issuer.token()
        assert await subject(authenticator, first) == "u1"
        clock.now += REFETCH_S
        issuer.keys = [NEW]
        assert await subject(authenticator, issuer.token(NEW)) == "u1"
        assert await code(authenticator, first) == "unauthorized"

    against(test)


def test_tokens_with_unknown_keys_do_not_make_us_ask_all_the_time() -> None:
    async def test(issuer: Issuer, authenticator: JwksAuthenticator, clock: Clock) -> None:
        await authenticator.start()
        for _ in range(20):
            assert await code(authenticator, issuer.token(SigningKey.generate())) == "unauthorized"
        assert issuer.fetched == 1
        clock.now += REFETCH_S
        for _ in range(20):
            await code(authenticator, issuer.token(SigningKey.generate()))
        assert issuer.fetched == 2

    against(test)


@pytest.mark.parametrize(
    "nonsense", [b"", b"{}", b'{"keys":[]}', b'{"keys":[{"kty":"oct"}]}', b"[" * 9_999, b"x" * 300_000]
)
def test_an_issuer_that_falls_ill_keeps_the_keys_that_were_known(nonsense: bytes) -> None:
    async def test(issuer: Issuer, authenticator: JwksAuthenticator, clock: Clock) -> None:
        token = issuer.token()
        assert await subject(authenticator, token) == "u1"
        issuer.body = nonsense
        clock.now += FRESH_S + REFETCH_S
        assert await subject(authenticator, issuer.token()) == "u1"
        while issuer.fetched < 2:  # noqa: ASYNC110 -- it is fetched beside the requests
            await asyncio.sleep(0.01)
        assert await code(authenticator, issuer.token(NEW)) == "unauthorized"
        assert await subject(authenticator, issuer.token()) == "u1"
        clock.now += STALE_MAX_S
        assert await code(authenticator, issuer.token()) == "unavailable"

    against(test)


def test_an_issuer_that_was_never_there_is_not_the_callers_fault() -> None:
    async def test(issuer: Issuer, authenticator: JwksAuthenticator, clock: Clock) -> None:
        issuer.status = 404
        await authenticator.start()
        assert await code(authenticator, issuer.token()) == "unavailable"
        assert issuer.fetched == 1
        issuer.status = 200
        clock.now += REFETCH_S
        assert await subject(authenticator, issuer.token()) == "u1"

    against(test)


def test_an_issuer_that_is_slow_does_not_hold_up_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(issuer: Issuer, authenticator: JwksAuthenticator, clock: Clock) -> None:
        monkeypatch.setattr(jwks, "START_S", 0.05)
        issuer.pause_s = 0.5
        await authenticator.start()
        assert not authenticator._kids
        # Whoever comes meanwhile waits for the fetch that is under way.
        assert await subject(authenticator, issuer.token()) == "u1"
        assert issuer.fetched == 1

    against(test)


def test_a_discovery_document_of_somebody_else_is_not_followed() -> None:
    async def test(issuer: Issuer, authenticator: JwksAuthenticator, clock: Clock) -> None:
        issuer.metadata = {"issuer": "https://evil.test", "jwks_uri": f"{issuer.url}/keys"}
        assert await code(authenticator, issuer.token()) == "unavailable"
        assert issuer.fetched == 0

    against(test, discovers=True)


def test_a_discovery_document_does_not_lead_inside() -> None:
    async def test(issuer: Issuer, authenticator: JwksAuthenticator, clock: Clock) -> None:
        issuer.metadata = {
            "issuer": issuer.url,
            "jwks_uri": f"{issuer.url.replace('127.0.0.1', 'localhost.localdomain')}/k",
        }
        assert await code(authenticator, issuer.token()) == "unavailable"
        assert issuer.fetched == 0

    against(test, discovers=True)


def test_whoever_stops_waiting_does_not_stop_it_for_the_others() -> None:
    async def test(issuer: Issuer, authenticator: JwksAuthenticator, clock: Clock) -> None:
        issuer.pause_s = 0.1
        first, second = (asyncio.create_task(subject(authenticator, issuer.token())) for _ in range(2))
        await asyncio.sleep(0.02)
        first.cancel()
        assert await second == "u1"
        assert issuer.fetched == 1

    against(test)


def test_published_keys_without_their_private_halves() -> None:
    assert "d" not in json.loads(SigningKeys([OLD, NEW]).jwks())["keys"][0]
