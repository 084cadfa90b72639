"""A service with a cache on a real Redis: what the proxy sees of it, and what a stall of it does."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec
import pytest

from nines import experiments
from nines.lab.laboratory import Laboratory
from nines.lab.launch.redis import find_program
from nines.model.budget import Budgets
from nines.model.contract import Answer, Contract, ContractParameter, Operation
from nines.model.effect import EffectKind
from nines.model.place import Place
from nines.model.progress import Silent
from nines.model.service import Application, Service
from nines.model.settings import DatabaseSettings, RedisSettings, ServiceSettings, Settings
from nines.model.statement import Statement
from nines.model.verdict import Verdict

pytestmark = [pytest.mark.lab, pytest.mark.skipif(find_program() is None, reason="this machine has no Redis")]

APPLICATION = """
import asyncio, os
from urllib.parse import urlsplit
from fastapi import FastAPI, HTTPException

app = FastAPI()
LIMIT_S = float(os.environ.get("LIMIT_S", "0")) or None

async def ask(*words):
    at = urlsplit(os.environ["REDIS_URL"])
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        for word in (f"*{len(words)}", *(part for word in words for part in (f"${len(word)}", word))):
            writer.write(word.encode() + b"\\r\\n")
        head = (await reader.readline()).strip()
        if head.startswith(b"$") and head != b"$-1":
            return (await reader.readline()).strip().decode()
        return None
    finally:
        writer.close()

@app.get("/cached/{name}")
async def cached(name: str):
    try:
        async with asyncio.timeout(LIMIT_S):
            found = await ask("GET", name)
            if found is None:
                await ask("SET", name, "made", "EX", "60")
    except TimeoutError:
        raise HTTPException(503)
    return {"value": found or "made"}

@app.get("/plain")
async def plain():
    return {"value": "plain"}
"""

SHOWN = {"type": "object", "properties": {"value": {"type": "string"}}}
NAME = ContractParameter(name="name", location="path", is_required=True, schema={"type": "string"})
ANSWERS = (Answer(status="200", media_type="application/json", schema=SHOWN),)
CONTRACT = Contract(
    operations=(
        Operation(id="cached", method="GET", path="/cached/{name}", parameters=(NAME,), answers=ANSWERS),
        Operation(id="plain", method="GET", path="/plain", answers=ANSWERS),
    )
)


def laboratory(root: Path, limit_s: str) -> Laboratory:
    (root / "cache.py").write_text(APPLICATION)
    place = Place(file="cache.py", line=1)
    return Laboratory(
        settings=Settings(
            service=ServiceSettings(python=sys.executable, env={"REDIS_URL": "{redis.url}", "LIMIT_S": limit_s}),
            database=DatabaseSettings(needed=False),
            redis=RedisSettings(needed=True),
        ),
        root=root,
        service=Service(name="cache"),
        applications=(Application(module="cache", name="app", interface="asgi", framework="fastapi", place=place),),
        read_contract=lambda _data, source: msgspec.structs.replace(CONTRACT, source=source),
        read_statement=lambda text: Statement(shape=text),
        seed=3,
        progress=Silent(),
    )


def test_a_cache_is_seen_and_its_stall_is_judged(tmp_path: Path) -> None:
    stall = next(each for each in experiments.discover() if each.id == "dependencies/dependency-stall")

    async def scenario() -> None:
        async with laboratory(tmp_path, "1") as lab:
            traces = {trace.endpoint: trace for trace in await lab.survey()}
            kinds = [effect.kind for effect in traces["cached"].effects]
            assert EffectKind.CACHE_READ in kinds
            assert all(effect.dependency == "redis" for effect in traces["cached"].effects)
            assert not traces["plain"].effects
            history = await lab.conduct(stall)
        judgement = stall.judge(history, Budgets())
        assert judgement.verdict is Verdict.HOLDS, (judgement.says, history.notes)
        assert dict(judgement.subjects) == {"cached": Verdict.HOLDS, "plain": Verdict.HOLDS}
        assert [(m.event, m.name) for m in history.marks if "fault" in m.event] == [
            ("fault on", "redis"),
            ("fault off", "redis"),
        ]

    asyncio.run(scenario())


def test_a_cache_without_a_deadline_makes_everybody_wait(tmp_path: Path) -> None:
    stall = next(each for each in experiments.discover() if each.id == "dependencies/dependency-stall")

    async def scenario() -> None:
        async with laboratory(tmp_path, "0") as lab:
            history = await lab.conduct(stall)
        judgement = stall.judge(history, Budgets())
        assert judgement.verdict is Verdict.BROKEN, (judgement.says, history.notes)
        assert dict(judgement.subjects) == {"cached": Verdict.BROKEN, "plain": Verdict.HOLDS}

    asyncio.run(scenario())
