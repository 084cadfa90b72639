"""Running the lifespan of an application that stands behind another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from nines_runtime.web.asgi import App, Message

START_S_MAX = 60.0
STOP_S_MAX = 10.0


@asynccontextmanager
async def lifespan_of(app: App) -> AsyncIterator[dict[str, Any]]:
    """Starts it, hands out the state that it made, and stops it; one that has no lifespan is left alone."""
    state: dict[str, Any] = {}
    waiting: asyncio.Queue[Message] = asyncio.Queue(maxsize=2)
    said: dict[str, asyncio.Event] = {"startup": asyncio.Event(), "shutdown": asyncio.Event()}
    failed: list[str] = []

    async def send(message: Message) -> None:
        _, stage, outcome = message["type"].split(".")
        if outcome == "failed":
            failed.append(message.get("message", ""))
        said[stage].set()

    async def live() -> None:
        try:
            await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": state}, waiting.get, send)
        finally:
            for event in said.values():
                event.set()

    task = asyncio.get_running_loop().create_task(live())
    await waiting.put({"type": "lifespan.startup"})
    async with asyncio.timeout(START_S_MAX):
        await said["startup"].wait()
    if failed:
        # Most raise what was the matter once they have said so; its place is what somebody will look for.
        await asyncio.wait([task], timeout=STOP_S_MAX)
        cause = task.exception() if task.done() and not task.cancelled() else None
        raise RuntimeError("The application behind did not start.") from cause
    try:
        yield state
    finally:
        if not task.done():
            await waiting.put({"type": "lifespan.shutdown"})
            async with asyncio.timeout(STOP_S_MAX):
                await said["shutdown"].wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
