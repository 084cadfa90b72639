"""The examples of README.md's sections Calls and Security do what they say."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from starlette.testclient import TestClient

README = Path(__file__).parents[2] / "README.md"


def examples(title: str) -> list[str]:
    text = README.read_text(encoding="utf-8")
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return re.findall(r"^```python\n(.*?)^```$", found[1], re.MULTILINE | re.DOTALL)


def run(title: str, with_text: str) -> dict[str, Any]:
    source = next(each for each in examples(title) if with_text in each)
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(source, f"{README}:{with_text}", "exec", dont_inherit=True), names)
    return names


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (201, b'{"status":"captured"}', "captured"),
        (402, b'{"code":"no_funds"}', "declined: no_funds"),
        (503, b"", "ask again with the same key"),
    ],
)
def test_a_client(monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, said: str) -> None:
    async def whole() -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=status, body=body)

        application = web.Application()
        application.router.add_post("/v1/captures", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        monkeypatch.setenv("GATEWAY_URL", f"http://127.0.0.1:{runner.addresses[0][1]}/v1")
        monkeypatch.setenv("GATEWAY_CREDENTIAL", "secret")
        names = run("Calls", "gateway.post")
        assert await names["capture"]("pay_1", 4_200) == said
        await names["gateway"].close()
        await runner.cleanup()

    asyncio.run(whole())


def test_the_parts_alone() -> None:
    async def whole() -> None:
        failures = iter([True, False])

        async def read() -> float:
            if next(failures):
                raise ConnectionError
            return 1.5

        async def broken() -> float:
            raise ConnectionError

        names = run("Calls", "at_most_four")
        assert await names["rate"](read) == 1.5
        assert await names["rate"](broken) is None

    asyncio.run(whole())


def test_who_asks() -> None:
    names = run("Security", "LocalIssuer")
    with TestClient(names["app"]) as client:
        shown = client.get("/me", headers={"authorization": f"Bearer {names['token']}"})
        assert shown.json() == {"subject": "ada", "tenant": "m1"}
        for headers in ({}, {"authorization": "Bearer x"}, {"authorization": "Basic x"}):
            assert client.get("/me", headers=headers).status_code == 401


def test_passwords() -> None:
    async def whole() -> None:
        names = run("Security", "Passwords()")
        stored = await names["change"]("correct horse battery", "ada@example.com")
        assert await names["sign_in"]("correct horse battery", stored)
        assert not await names["sign_in"]("correct horse battery", None)
        with pytest.raises(ValueError, match="first that are tried"):
            await names["change"]("password1", "ada@example.com")
        names["passwords"].close()

    asyncio.run(whole())


def test_rows_and_fields() -> None:
    assert run("Security", "Policy")["arguments"] == ("m1", "ada")


def test_keys_and_certificates() -> None:
    class Store:
        async def fetchrow(self, deadline: object, query: str, *arguments: object) -> object:
            key = names["key"]
            row = {"key_hash": key.digest, "subject": "shop", "roles": [], "expires_at": None}
            return row if (query, arguments) == (names["FIND"], (key.id,)) else None

        async def execute(self, deadline: object, query: str, *arguments: object) -> None:
            assert query == names["USE"]

    async def whole() -> None:
        asked = names["authenticator"](Store())
        assert (await asked.authenticate({"x-api-key": names["key"].text}, address="")).subject == "shop"
        assert not (await asked.authenticate({}, address="")).subject

    names = run("Security", "ApiKeyTable")
    asyncio.run(whole())


def test_none_is_left_out() -> None:
    assert (len(examples("Calls")), len(examples("Security"))) == (2, 4)
