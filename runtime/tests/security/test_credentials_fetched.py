from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from nines_runtime.calls.client import Client
from nines_runtime.calls.credential import Credential
from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.outcome import Unanswered
from nines_runtime.security.credentials import ClientCredentials


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_token_is_fetched_once_replaced_early_and_forgotten_when_it_is_refused() -> None:
    async def whole() -> None:
        asked: list[tuple[str, str]] = []
        shown: list[str] = []
        revoked: set[str] = set()

        async def token(request: web.Request) -> web.Response:
            asked.append((request.headers["authorization"], await request.text()))
            await asyncio.sleep(0.02)
            return web.json_response({"access_token": f"t{len(asked)}", "token_type": "Bearer", "expires_in": 100})

        async def thing(request: web.Request) -> web.Response:
            shown.append(request.headers["authorization"])
            return web.Response(status=401 if shown[-1] in revoked else 204)

        application = web.Application()
        application.router.add_post("/token", token)
        application.router.add_get("/thing", thing)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url, clock = f"http://127.0.0.1:{runner.addresses[0][1]}", Clock()
        async with Client("issuer", url, credential=Credential("aWQ6c2VjcmV0", scheme="Basic")) as issuer:
            credential = ClientCredentials(issuer, "/token", scope="read", clock=clock)
            async with Client("other", url, credential=credential) as client:

                async def get() -> int:
                    return (await client.get(Deadline.after(20), "/thing")).status

                assert await asyncio.gather(*(get() for _ in range(5))) == [204] * 5
                assert asked == [("Basic aWQ6c2VjcmV0", "grant_type=client_credentials&scope=read")]
                clock.now += 81
                await get()
                assert shown[-1] == "Bearer t2"
                revoked.add("Bearer t2")
                with pytest.raises(Unanswered) as caught:
                    await get()
                assert not caught.value.may_have_happened
                await get()
                assert (shown[-1], len(asked)) == ("Bearer t3", 3)
            assert "t3" not in repr(credential)
        await runner.cleanup()

    asyncio.run(whole())
