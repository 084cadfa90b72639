"""The examples of README.md's first sections do what they say."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from nines_runtime.web.asgi import App, Message

from .asking import Answered, ask

README = Path(__file__).parents[2] / "README.md"


def example(title: str, with_text: str) -> dict[str, Any]:
    text = README.read_text(encoding="utf-8")
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    sources = re.findall(r"^```python\n(.*?)^```$", found[1], re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(next(each for each in sources if with_text in each), str(README), "exec", dont_inherit=True), names)
    return names


def test_a_service() -> None:
    async def whole() -> None:
        app: App = example("A service", "operations")["application"]()
        messages: list[Message] = [{"type": "lifespan.startup"}]
        told: asyncio.Queue[Message] = asyncio.Queue()
        stopping = asyncio.Event()

        async def receive() -> Message:
            if messages:
                return messages.pop()
            await stopping.wait()
            return {"type": "lifespan.shutdown"}

        lives: asyncio.Future[None] = asyncio.ensure_future(app({"type": "lifespan"}, receive, told.put))
        assert (await told.get())["type"] == "lifespan.startup.complete"
        headers = {"authorization": "Bearer ada", "content-type": "application/json", "idempotency-key": "k"}

        async def asked(method: str, path: str, body: bytes = b"", query: str = "") -> Answered:
            return await ask(app, method, path, body, query=query, headers=headers)

        made = [await asked("POST", "/v1/notes", b'{"text":"a"}') for _ in range(3)]
        assert [each.status for each in made] == [201] * 3
        again = await asked("GET", made[2].headers["location"])
        assert (again.status, again.headers["etag"]) == (200, '"1"')
        first = await asked("GET", "/v1/notes", query="page_size=2&fields=text")
        assert first.json["items"] == [{"id": each.json["id"], "text": "a"} for each in made[:2]]
        second = await asked("GET", "/v1/notes", query=f"page_size=2&cursor={first.json['next_cursor']}")
        assert [len(second.json["items"]), second.json["next_cursor"]] == [1, None]
        wrong = await asked("POST", "/v1/notes", b'{"text":""}')
        assert wrong.json["errors"] == [{"pointer": "/text", "detail": "At least 1 character."}]
        assert (await asked("GET", "/v1/notes/x")).problem == "not-found"
        assert (await asked("GET", "/health/ready")).status == 200
        assert b'operation="createNote",method="POST",status="201"' in (await asked("GET", "/metrics")).body
        stopping.set()
        assert (await told.get())["type"] == "lifespan.shutdown.complete"
        await lives

    asyncio.run(whole())


def test_before_fastapi() -> None:
    app = example("Before FastAPI and Starlette", "BodyLimit")["app"]

    async def whole() -> None:
        answered = await ask(app, "GET", "/items/7")
        assert (answered.status, answered.json) == (200, {"number": 7})
        assert answered.headers["ratelimit-policy"] == '"default";q=100;w=60'
        assert (await ask(app, "GET", "/nothing")).problem == "not-found"
        assert (await ask(app, "POST", "/items/7", headers={"content-length": "99999"})).problem == "body-too-large"

    asyncio.run(whole())


def test_a_limit_that_replicas_share() -> None:
    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    # Nobody listens there, so each replica counts for itself.
    app = example("Before FastAPI and Starlette", "RedisLimiter")["shared"](inner, "redis://127.0.0.1:1/0")
    assert asyncio.run(ask(app, "GET", "/")).status == 204


def test_settings_are_read() -> None:
    assert example("The process", "read_settings")["settings"].drain_s == 5


def test_logs_and_metrics() -> None:
    names = example("The process", "orders_total")
    names["log"].close()

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    assert asyncio.run(ask(names["watched"](inner), "GET", "/")).status == 204
    text = names["metrics"].text().decode()
    assert 'orders_total{channel="web"} 1' in text
    assert 'orders_total{channel="phone"} 0' in text
    assert 'http_request_duration_seconds_bucket{operation="unmatched",method="GET",status="204",le="0.2"} 1' in text


@pytest.mark.lab
def test_a_laptop_example(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="nines-readme-"))
    folder.chmod(0o755)
    monkeypatch.chdir(folder)
    try:
        example("The process", "on_a_laptop")["on_a_laptop"]({"ENVIRONMENT": "local"})
        assert capsys.readouterr().out.startswith("postgresql://")
        assert (folder / ".local" / "secrets" / "cursor_key").exists()
    finally:
        monkeypatch.undo()
        shutil.rmtree(folder, ignore_errors=True)
