"""The whole laboratory, end to end: a real service on a real PostgreSQL behind the proxies, and small experiments."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import psutil
import pytest

from nines.lab.laboratory import Laboratory
from nines.model.budget import Budgets
from nines.model.contract import Answer, Body, Contract, ContractParameter, Operation
from nines.model.effect import EffectKind
from nines.model.errors import LabError, LaunchError
from nines.model.experiment import (
    Bench,
    CredentialFlaw,
    Experiment,
    ExperimentInfo,
    Fault,
    FaultKind,
    Judgement,
    Load,
    Need,
    Share,
    Target,
)
from nines.model.history import Check, History, Outcome
from nines.model.place import Place
from nines.model.progress import Silent
from nines.model.rule import Tier
from nines.model.service import Application, Service
from nines.model.settings import (
    DatabaseSettings,
    Identity,
    LoadSettings,
    LoginSettings,
    ServiceSettings,
    Settings,
    UpstreamSettings,
)
from nines.model.statement import Statement
from nines.model.verdict import Verdict

pytestmark = pytest.mark.lab

SETUP = """
import asyncio, os
import asyncpg

async def main():
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    await connection.execute("CREATE TABLE item (id serial PRIMARY KEY, name text NOT NULL, owner text NOT NULL)")
    await connection.close()

asyncio.run(main())
"""

APPLICATION = """
import asyncio, json, os, urllib.request
import asyncpg
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

app = FastAPI()
pool = None

class Item(BaseModel):
    name: str

class Credentials(BaseModel):
    username: str
    password: str

@app.on_event("startup")
async def start():
    global pool
    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1, max_size=5, command_timeout=5)

def signed_in(authorization):
    if not authorization or not authorization.startswith("Bearer token-"):
        raise HTTPException(401)
    return authorization.removeprefix("Bearer token-")

@app.post("/login")
async def login(credentials: Credentials):
    return {"access_token": "token-" + credentials.username}

@app.post("/items", status_code=201)
async def create(item: Item, authorization: str | None = Header(None)):
    owner = signed_in(authorization)
    row = await pool.fetchrow("INSERT INTO item (name, owner) VALUES ($1, $2) RETURNING id", item.name, owner)
    return {"id": row["id"], "name": item.name}

@app.get("/items")
async def listed(authorization: str | None = Header(None)):
    owner = signed_in(authorization)
    rows = await pool.fetch("SELECT id, name FROM item WHERE owner = $1 ORDER BY id DESC LIMIT 100", owner)
    return [dict(row) for row in rows]

@app.get("/items/{item_id}")
async def read(item_id: int, authorization: str | None = Header(None)):
    signed_in(authorization)
    row = await pool.fetchrow("SELECT id, name FROM item WHERE id = $1", item_id)
    if row is None:
        raise HTTPException(404)
    return dict(row)

@app.post("/charge")
def charge(item: Item):
    request = urllib.request.Request(os.environ["PAY_URL"] + "/charges", json.dumps({"name": item.name}).encode())
    with urllib.request.urlopen(request, timeout=2) as answer:
        return json.load(answer)
"""

ITEM = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "maxLength": 40}}}
MADE = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
SECURE = (("token",),)
ITEM_ID = ContractParameter(name="item_id", location="path", is_required=True, schema={"type": "integer"})
CREATE = Operation(
    id="create",
    method="POST",
    path="/items",
    body=Body(media_type="application/json", schema=ITEM),
    answers=(Answer(status="201", media_type="application/json", schema=MADE),),
    security=SECURE,
)
LIST = Operation(
    id="list",
    method="GET",
    path="/items",
    answers=(Answer(status="200", media_type="application/json", schema={"type": "array", "items": MADE}),),
    security=SECURE,
)
READ = Operation(
    id="read",
    method="GET",
    path="/items/{item_id}",
    parameters=(ITEM_ID,),
    answers=(Answer(status="200", media_type="application/json", schema=MADE),),
    security=SECURE,
)
CHARGE = Operation(id="charge", method="POST", path="/charge", body=Body(media_type="application/json", schema=ITEM))
CONTRACT = Contract(title="items", operations=(CREATE, LIST, READ, CHARGE))

SETTINGS = Settings(
    service=ServiceSettings(setup=("python setup.py",), python=sys.executable),
    database=DatabaseSettings(needed=True),
    upstreams={"pay": UpstreamSettings(env="PAY_URL")},
    identities=tuple(Identity(name=name, username=name, password="secret") for name in ("owner", "peer")),
    login=LoginSettings(path="/login", json={"username": "{username}", "password": "{password}"}, token="access_token"),
    load=LoadSettings(duration_s_max=10.0),
)
APP = Application(
    module="small", name="app", interface="asgi", framework="fastapi", place=Place(file="small.py", line=1)
)


def read_statement(text: str) -> Statement:
    words = text.split()
    action = words[0].upper()
    return Statement(action=action, tables=("item",), shape=text, is_understood=action in ("SELECT", "INSERT"))


def experiment(run: Callable[[Bench], Awaitable[None]], *, name: str = "topic/trial", **info: object) -> Experiment:
    described = ExperimentInfo(title="t", claim="c", tier=Tier.RELIABILITY, **info)  # type: ignore[arg-type]

    def judge(history: History, budgets: Budgets) -> Judgement:
        return Judgement(verdict=Verdict.UNKNOWN, says="")

    return Experiment(id=name, info=described, run=run, judge=judge, page="")


def laboratory(root: Path, settings: Settings = SETTINGS) -> Laboratory:
    return Laboratory(
        settings=settings,
        root=root,
        service=Service(name="items"),
        applications=(APP,),
        read_contract=lambda _data, source: msgspec.structs.replace(CONTRACT, source=source),
        read_statement=read_statement,
        seed=7,
        progress=Silent(),
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "setup.py").write_text(SETUP)
    (tmp_path / "small.py").write_text(APPLICATION)
    return tmp_path


def children() -> set[int]:
    """The living processes below this one; other tests keep a database of their own for the whole run."""
    found = psutil.Process().children(recursive=True)
    return {process.pid for process in found if process.is_running() and process.status() != psutil.STATUS_ZOMBIE}


async def surveys(lab: Laboratory) -> None:
    traces = {trace.endpoint: trace for trace in await lab.survey()}
    assert set(traces) == {"list", "read", "create", "charge"}
    assert [effect.kind for _, effect in traces["create"].writes()] == [EffectKind.DATABASE_WRITE]
    assert [effect.kind for _, effect in traces["read"].reads()] == [EffectKind.DATABASE_READ]
    assert traces["list"].status == 200
    assert lab.contract.source == "/openapi.json"
    assert [identity.name for identity in lab.identities] == ["owner", "peer"]


async def creates_and_reads(lab: Laboratory) -> None:
    async def run(bench: Bench) -> None:
        assert bench.dependencies == ("pay", "database")
        creator = bench.creators()[0]
        assert creator.id == "create"
        call = await bench.prepare(creator, "owner")
        assert call is not None
        created = await bench.send(call)
        assert created.status == 201
        assert created.curl.startswith("curl")
        read = await bench.prepare_read(created, "peer")
        assert read is not None
        assert (await bench.send(read)).status == 200
        assert (await bench.send(read, flaw=CredentialFlaw.NONE)).status == 401
        again = [await bench.prepare(creator, "owner") for _ in range(5)]
        together = await bench.together([each for each in again if each is not None])
        assert [each.status for each in together] == [201] * 5
        markers = [call.marker, *(each.marker for each in together), "n9neverexists"]
        seen = await bench.find(creator, markers, "owner")
        assert seen is not None
        assert [each.count for each in seen] == [1] * 6 + [0]
        bench.check(Check(subject="create", passed=True))
        bench.count("rows", 1, 2)
        bench.skip("x", "y")
        bench.note("once")
        bench.note("once")

    history = await lab.conduct(experiment(run, fresh_database=True, needs=(Need.TWO_IDENTITIES, Need.DATABASE)))
    assert history.notes == ("once (2 times)",)
    assert len(history.seen) == 7
    assert history.exchanges[0].status == 201
    assert history.exchanges[0].identity == "owner"


async def loads_with_faults(lab: Laboratory) -> None:
    async def run(bench: Bench) -> None:
        shares = (Share(operation="create", identity="owner", weight=1.0), Share(operation="list", identity="owner"))
        await bench.load(Load(rate_hz=40.0, duration_s=1.0, shares=shares, phase="control"))
        slow = Fault(kind=FaultKind.DELAY, dependency="database", amount_s=0.05)
        background = Load(rate_hz=20.0, duration_s=30.0, shares=shares, phase="fault", timeout_s=8.0)
        async with bench.background(background), bench.fault(slow):
            await bench.pause(0.8)

    history = await lab.conduct(experiment(run))
    control = list(history.during("control"))
    assert len(control) == 40
    assert all(exchange.outcome is Outcome.OK for exchange in control)
    assert len({exchange.marker for exchange in control if exchange.operation == "create"}) > 5
    assert sum(exchange.latency_ms > 45 for exchange in history.during("fault")) >= 5
    assert [mark.event for mark in history.marks] == [
        "load on",
        "load off",
        "load on",
        "fault on",
        "fault off",
        "load off",
    ]
    assert history.loads[0].sent == 40
    assert history.samples
    assert history.samples[-1].memory_bytes > 1_000_000
    assert history.samples[-1].connections >= 1


async def survives_deaths(lab: Laboratory) -> None:
    async def run(bench: Bench) -> None:
        call = await bench.prepare(bench.creators()[0], "owner")
        assert call is not None
        assert (await bench.send(call)).outcome is Outcome.OK
        await bench.kill(Target.SERVICE)
        assert (await bench.send(call)).outcome is Outcome.FAILED
        assert await bench.start(Target.SERVICE) is not None
        await bench.kill(Target.DATABASE)
        assert (await bench.send(call)).outcome is Outcome.INDEFINITE
        assert await bench.start(Target.DATABASE) is not None
        seen = await bench.find(bench.creators()[0], [call.marker], "owner")
        assert seen is not None
        assert seen[0].count >= 1
        await bench.kill(Target.DATABASE)
        await bench.kill(Target.SERVICE)

    history = await lab.conduct(experiment(run, is_destructive=True))
    assert [mark.event for mark in history.marks] == ["killed", "started", "ready"] * 2 + ["killed", "killed"]

    async def after(bench: Bench) -> None:
        call = await bench.prepare(LIST, "owner")
        assert call is not None
        answer = await bench.send(call)
        assert (answer.status, answer.body) == (200, "[]"), "a destructive experiment is followed by a fresh database"

    await lab.conduct(experiment(after))


async def reaches_upstreams(lab: Laboratory) -> None:
    async def run(bench: Bench) -> None:
        call = await bench.prepare(CHARGE, "")
        assert call is not None
        exchange, trace = await bench.observe(call)
        assert exchange.status == 200
        assert call.marker in exchange.body
        assert [effect.dependency for _, effect in trace.remote_calls()] == ["pay"]
        async with bench.fault(Fault(kind=FaultKind.REFUSE, dependency="pay")):
            assert (await bench.send(call)).is_server_error
        assert (await bench.send(call)).status == 200

    await lab.conduct(experiment(run))


async def ends_what_hangs(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(bench: Bench) -> None:
        async with bench.fault(Fault(kind=FaultKind.STALL, dependency="database")):
            await bench.pause(600.0)

    async def fail(bench: Bench) -> None:
        raise ValueError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr("nines.lab.laboratory.TIME_MIN_S", 0.5)
        patch.setattr("nines.lab.laboratory.TIME_FACTOR", 0.0)
        patch.setattr(lab, "settings", Settings(load=LoadSettings(duration_s_max=0.0)))
        history = await lab.conduct(experiment(hang))
    assert "time limit" in history.notes[0]
    assert [mark.event for mark in history.marks] == ["fault on", "fault off"]
    with pytest.raises(LabError, match="a defect"):
        await lab.conduct(experiment(fail))


def test_experiments_run_on_a_real_service(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> set[int]:
        async with laboratory(root) as lab:
            await surveys(lab)
            await creates_and_reads(lab)
            await loads_with_faults(lab)
            await survives_deaths(lab)
            await reaches_upstreams(lab)
            await ends_what_hangs(lab, monkeypatch)
            assert lab.unexamined == []
            return children() - before

    before = children()
    started = asyncio.run(scenario())
    assert started
    assert not started & children()


PROVE = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import uvloop
from tests.lab.test_laboratory import experiment, laboratory

async def main():
    async with laboratory(Path(sys.argv[2])) as lab:
        async def run(bench):
            print(lab._premises.directory, flush=True)
            await bench.pause(600)
        await lab.conduct(experiment(run))

uvloop.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_in_the_middle_of_an_experiment_leaves_nothing(number: signal.Signals, root: Path) -> None:
    here = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", PROVE, here, str(root)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert run.stdout is not None
    directory = Path(run.stdout.readline().strip() or "/nothing was printed")
    assert directory.is_dir()
    children = psutil.Process(run.pid).children(recursive=True)
    assert len(children) > 3
    run.send_signal(number)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == (-number if number != signal.SIGINT else run.returncode), errors
    _, alive = psutil.wait_procs(children, timeout=20)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []
    until = time.monotonic() + 20
    while directory.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not directory.exists()


def test_needs_that_are_not_met_are_said_and_extensions_are_found(root: Path) -> None:
    extension = """await connection.execute('CREATE EXTENSION "uuid-ossp"')"""
    (root / "setup.py").write_text(SETUP.replace("    await connection.close()", f"    {extension}"))
    settings = msgspec.structs.replace(SETTINGS, identities=(), login=LoginSettings())

    async def nothing(bench: Bench) -> None:
        raise AssertionError("must not be tried")

    async def scenario() -> None:
        async with laboratory(root, settings) as lab:
            with pytest.raises(LabError, match="two identities"):
                await lab.conduct(experiment(nothing, needs=(Need.TWO_IDENTITIES,)))
            await lab.survey()
            assert [left.count for left in lab.unexamined] == [3]
            assert [note for note in lab.notes if "the embedded one lacks uuid-ossp" in note]

    asyncio.run(scenario())


def test_a_service_that_does_not_start_leaves_nothing(root: Path) -> None:
    (root / "small.py").write_text("import not_there")

    async def scenario() -> None:
        async with laboratory(root):
            raise AssertionError("must not open")

    before = children()
    with pytest.raises(LaunchError, match="exited with code"):
        asyncio.run(scenario())
    assert not children() - before
