"""Operations of nines_runtime: entry points with their guards, transactions, calls, and what comes from whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from nines.model.effect import EffectKind, Known
from nines.model.service import GuardKind
from tests.effects.reading import service, trace

SHOP = """
from __future__ import annotations
from dataclasses import dataclass
from typing import Protocol
import msgspec
from nines_runtime import Answer, Call, Client, Database, Deadline, Key, Limit, Operations, Problem, new_id

class Gateway(Protocol):
    async def capture(self, deadline: Deadline, note: str, *, key: str) -> str: ...

class HttpGateway:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def capture(self, deadline: Deadline, note: str, *, key: str) -> str:
        return await self._client.post(deadline, "/captures", {"note": note}, key=key)

@dataclass(frozen=True, kw_only=True)
class Service:
    database: Database
    gateway: Gateway

operations: Operations[Service] = Operations()

class NoteCreate(msgspec.Struct, forbid_unknown_fields=True):
    title: str

@operations.post("/v1/notes", id="createNote", roles=("writer",), limit=Limit(20), key=Key())
async def create_note(service: Service, call: Call, body: NoteCreate) -> Answer:
    async with service.database.transaction(call.deadline) as tx:
        row = await tx.fetchrow("INSERT INTO notes (id, title, owner_id) VALUES ($1, $2, $3) RETURNING id",
                                new_id(), body.title, call.subject)
        await service.gateway.capture(call.deadline, str(row["id"]), key=str(row["id"]))
    return Answer.of(row, status=201)

@operations.get("/v1/notes/{note_id}", id="getNote")
async def get_note(service: Service, call: Call) -> Answer:
    row = await service.database.fetchrow(
        call.deadline, "SELECT id FROM notes WHERE id = $1 AND owner_id = $2", call.identifier("note_id"), call.subject)
    if row is None:
        raise Problem("not-found")
    return Answer.of(row)

@operations.get("/v1/open", id="open", is_public=True)
async def anybody(service: Service, call: Call) -> Answer:
    text = "SELECT id FROM notes WHERE title = '%s' LIMIT 9" % call.query["q"]
    return Answer.of(await service.database.fetch(call.deadline, text))
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return tmp_path


def test_every_operation_is_an_endpoint_and_its_arguments_are_its_guards(shop: Path) -> None:
    read = service(shop, {"app/main.py": SHOP})
    guards = {each.id: {guard.kind for guard in each.guards} for each in read.endpoints}
    assert guards == {
        "POST /v1/notes": {GuardKind.AUTHENTICATION, GuardKind.AUTHORISATION, GuardKind.RATE_LIMIT},
        "GET /v1/notes/{note_id}": {GuardKind.AUTHENTICATION},
        "GET /v1/open": set(),
    }
    assert all(each.guards_known for each in read.endpoints)
    create = next(each for each in read.endpoints if each.method == "POST")
    assert {each.name: each.location for each in create.parameters} == {"body": "body"}


def test_a_transaction_holds_what_happens_in_it_and_a_call_has_its_deadline_and_key(shop: Path) -> None:
    read = service(shop, {"app/main.py": SHOP})
    effects = trace(read, "POST /v1/notes").effects
    assert [each.kind for each in effects] == [
        EffectKind.BEGIN, EffectKind.DATABASE_WRITE, EffectKind.REMOTE_CALL, EffectKind.COMMIT
    ]  # fmt: skip
    call = effects[2]
    assert call.transaction is not None, "the call happens while the transaction is open"
    assert (call.deadline.known, call.deadline.duration_s) == (Known.SET, 2.0)
    alone = trace(read, "GET /v1/notes/{note_id}").effects
    assert [each.kind for each in alone] == [EffectKind.DATABASE_READ]


JOBS = """
from __future__ import annotations
from dataclasses import dataclass
from functools import partial
from typing import Any, Mapping
from nines_runtime import Database, Deadline, Queue, Schedule

@dataclass(frozen=True, kw_only=True)
class Service:
    database: Database

def queues(service: Service) -> tuple[Queue, ...]:
    return (Queue(name="send", claim="SELECT 1", work=partial(send_one, service)),)

def schedules(service: Service) -> tuple[Schedule, ...]:
    return (Schedule(name="purge", every_s=60, run=partial(purge, service)),)

async def send_one(service: Service, row: Mapping[str, Any], deadline: Deadline) -> None:
    async with service.database.transaction(deadline) as tx:
        await tx.execute("UPDATE letters SET sent_at = now() WHERE id = $1", row["id"])

async def purge(service: Service, deadline: Deadline) -> None:
    await service.database.execute(deadline, "DELETE FROM letters WHERE sent_at < now() - interval '1 day'")
"""


def test_jobs_are_entry_points_whose_service_is_known(tmp_path: Path) -> None:
    read = service(tmp_path, {"app/jobs.py": JOBS})
    assert [each.id for each in read.endpoints] == ["task send", "schedule purge"]
    effects = trace(read, "task send").effects
    assert [each.kind for each in effects] == [EffectKind.BEGIN, EffectKind.DATABASE_WRITE, EffectKind.COMMIT]
    assert [each.kind for each in trace(read, "schedule purge").effects] == [EffectKind.DATABASE_WRITE]


def test_a_call_over_grpc_has_its_deadline_and_key_too(shop: Path) -> None:
    text = SHOP.replace("Client, Database", "Database").replace(
        "\nclass Gateway(Protocol)", "from nines_runtime.grpc import GrpcClient\n\nclass Gateway(Protocol)"
    )
    text = text.replace("client: Client", "client: GrpcClient").replace(
        'self._client.post(deadline, "/captures", {"note": note}, key=key)',
        'self._client.ask(deadline, "Capture", {"note": note}, key=key)',
    )
    call = trace(service(shop, {"app/main.py": text}), "POST /v1/notes").effects[2]
    assert call.kind is EffectKind.REMOTE_CALL
    assert (call.deadline.known, call.deadline.duration_s) == (Known.SET, 2.0)
