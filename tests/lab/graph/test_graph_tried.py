"""A service that has nothing but a graph, tried by the experiments that every service is tried by."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from nines import experiments
from nines.lab.graph.finding import GraphReader
from nines.lab.laboratory import Laboratory
from nines.model.budget import Budgets
from nines.model.contract import Operation
from nines.model.experiment import Bench, Call, Experiment, ExperimentInfo, Load, Share
from nines.model.place import Place
from nines.model.progress import Silent
from nines.model.rule import Tier
from nines.model.service import Application, Service
from nines.model.settings import DatabaseSettings, Identity, LoadSettings, ServiceSettings, Settings
from nines.model.verdict import Verdict
from nines.readers import graphql, openapi, sql
from tests.lab.graph import shelves

pytestmark = pytest.mark.lab
KNOWN = {experiment.id: experiment for experiment in experiments.discover()}
BOTH = (
    "security/authentication",
    "security/object-authorization",
    "contract/hostile-documents",
    "contract/hostile-messages",
    "contract/no-5xx",
)
PLANTED = {
    "security/authentication": ("query books", ""),
    "security/object-authorization": ("query book", ""),
    "contract/hostile-documents": ("the graph", ""),
    "contract/hostile-messages": ("rpc CountBooks", ""),
    "contract/no-5xx": ("query book", "mutation createAuthor"),
    "database/n-plus-one": ("query books", ""),
}
"""What breaks by the planted faults, and what does not."""
PROTOCOL = """
syntax = "proto3";
package shelves.v1;
// rpc Nothing(Nothing) returns (Nothing);
message Asked { string of = 1; }
service Shelves {
  rpc CountBooks(Asked) returns (Asked) { option deprecated = false; }
  rpc WatchBooks(Asked) returns (stream Asked);
}
"""
SETUP = """
import asyncio, os
import asyncpg
from small import TABLES

async def main():
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    await connection.execute(TABLES)
    await connection.close()

asyncio.run(main())
"""


def laboratory(root: Path) -> Laboratory:
    (root / "small.py").write_text(Path(shelves.__file__).read_text())
    (root / "setup.py").write_text(SETUP)
    (root / "shelves.proto").write_text(PROTOCOL)
    settings = Settings(
        service=ServiceSettings(
            setup=("python setup.py",), python=sys.executable, ready="/health", env={"GRPC_PORT": "{grpc.port}"}
        ),
        database=DatabaseSettings(needed=True),
        identities=tuple(
            Identity(name=name, headers={"authorization": f"Bearer token-of-{name}"}) for name in ("owner", "peer")
        ),
        load=LoadSettings(duration_s_max=10.0),
    )
    place = Place(file="small.py", line=1)
    return Laboratory(
        settings=settings,
        root=root,
        service=Service(name="shelves"),
        applications=(Application(module="small", name="app", interface="asgi", framework="starlette", place=place),),
        read_contract=openapi.read,
        read_statement=sql.read,
        seed=7,
        progress=Silent(),
        graphs=GraphReader(question=graphql.QUERY, read_answer=graphql.read_answer, read_text=graphql.read_text),
    )


async def holds(lab: Laboratory) -> None:
    for id in BOTH:
        history = await lab.conduct(KNOWN[id])
        judgement = KNOWN[id].judge(history, Budgets())
        assert judgement.verdict is Verdict.HOLDS, (id, judgement.says, history.skips, history.notes)
        if id == "security/object-authorization":
            subjects = dict(judgement.subjects)
            assert subjects["query book"] is subjects["mutation renameBook"] is Verdict.HOLDS


async def breaks(lab: Laboratory) -> None:
    """Each planted fault is found where it is, and nowhere else."""
    for id, (subject, sound) in PLANTED.items():
        history = await lab.conduct(KNOWN[id])
        judgement = KNOWN[id].judge(history, Budgets())
        assert judgement.verdict is Verdict.BROKEN, (id, judgement.says, history.skips, history.notes)
        subjects = dict(judgement.subjects)
        assert subjects[subject] is Verdict.BROKEN, (id, subjects)
        assert not sound or subjects[sound] is Verdict.HOLDS, (id, subjects)
        assert "curl -i" in history.exchanges[judgement.offending[0]].curl


async def drives(lab: Laboratory) -> None:
    """Under load too an answer of 200 that holds an error is no success."""

    async def run(bench: Bench) -> None:
        found = {operation.id: operation for operation in bench.contract.operations}
        created = await bench.send(await _prepared(bench, found["mutation createBook"]))
        assert created.status == 200
        shares = tuple(Share(operation=id, identity="owner") for id in ("query books", "mutation createBook"))
        nobody = (Share(operation="query me"),)
        await bench.load(Load(rate_hz=20.0, duration_s=1.0, shares=shares, phase="signed in"))
        await bench.load(Load(rate_hz=20.0, duration_s=0.5, shares=nobody, phase="nobody"))

    info = ExperimentInfo(title="t", claim="c", tier=Tier.RELIABILITY)
    tried = Experiment(id="topic/trial", info=info, run=run, judge=KNOWN[BOTH[0]].judge, page="")
    history = await lab.conduct(tried)
    assert {exchange.status for exchange in history.during("signed in")} == {200}
    assert {exchange.status for exchange in history.during("nobody")} == {401}
    assert not any(exchange.body for exchange in history.during("signed in"))
    assert len({exchange.marker for exchange in history.during("signed in") if exchange.marker}) > 5


async def _prepared(bench: Bench, operation: Operation) -> Call:
    call = await bench.prepare(operation, "owner")
    assert call is not None
    return call


def test_a_graph_is_tried_like_every_interface(tmp_path: Path) -> None:
    async def all_of_it() -> None:
        async with laboratory(tmp_path) as lab:
            assert lab.interfaces.graph is not None
            assert (lab.interfaces.graph.endpoint, lab.interfaces.graph.source) == ("/graphql", "/graphql")
            assert lab.interfaces.typed is not None
            assert [method.path for method in lab.interfaces.typed.methods] == ["/shelves.v1.Shelves/CountBooks"]
            assert not lab.unexamined, lab.unexamined
            await drives(lab)
            await holds(lab)
            (tmp_path / "faults").write_text("n-plus-one,foreign,forged,unbounded,raises")
            await breaks(lab)

    asyncio.run(all_of_it())
