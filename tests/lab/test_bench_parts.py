"""The small parts between the laboratory's halls: mixes, chronicles, search, discovery and the watch."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import psutil
import pytest

from nines.lab import mix as mixing
from nines.lab.chronicle import Chronicle
from nines.lab.discovery import Discovery, contract_of_endpoints
from nines.lab.launch.cleanup import Premises
from nines.lab.launch.installation import choose
from nines.lab.launch.postgres import Cluster
from nines.lab.load.client import Client
from nines.lab.load.connection import Address
from nines.lab.load.ending import Ending
from nines.lab.load.request import Request, request_of
from nines.lab.mix import Mix, prepare_mix, renewed
from nines.lab.reception import make_sessions
from nines.lab.search import rows_with
from nines.lab.watch import Watch
from nines.model.contract import Contract, Operation
from nines.model.errors import LabError, SourceError
from nines.model.experiment import Call, Load, Share
from nines.model.history import Exchange, Outcome
from nines.model.place import Place
from nines.model.service import Endpoint, EndpointKind
from nines.model.settings import Identity, LoginSettings, ServiceSettings, Settings

READ = Operation(id="read", method="GET", path="/x")
WRITE = Operation(id="write", method="POST", path="/x")
CONTRACT = Contract(operations=(READ, WRITE))


class Maker:
    """Prepares calls with markers that count upwards; "never" cannot be prepared."""

    def __init__(self) -> None:
        self.made = 0

    async def prepare(self, operation: Operation, identity: str) -> Call | None:
        if identity == "never":
            return None
        self.made += 1
        marker = f"n9{self.made:010d}" if operation.method == "POST" else ""
        return Call(
            operation=operation.id,
            method=operation.method,
            path=f"/x?m={marker}",
            headers=(("idempotency-key", f"key-{self.made}"),) if marker else (),
            body=marker.encode(),
            identity=identity,
            marker=marker,
            key=f"key-{self.made}" if marker else "",
        )


async def credentials(identity: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {identity}"),)


def made_mix(load: Load, notes: list[str] | None = None, single: str = "") -> Mix:
    prepared = prepare_mix(
        load,
        CONTRACT,
        prepare=Maker().prepare,
        credentials=credentials,
        note=(notes if notes is not None else []).append,
        host="h",
        seed=5,
        is_single=lambda operation: operation.id == single,
    )
    return asyncio.run(prepared)


def test_what_can_be_sent_once_only_gives_way_when_it_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixing, "WRITES_MAX", 10)
    shares = (Share(operation="read", identity="a"), Share(operation="write", identity="b", weight=3.0))
    notes: list[str] = []
    mix = made_mix(Load(rate_hz=100, duration_s=10, shares=shares), notes, single="write")
    sent = [mix.next(number).call for number in range(200)]
    assert Counter(call.operation for call in sent) == {"read": 190, "write": 10}
    assert len({call.body for call in sent if call.operation == "write"}) == 10
    mix = made_mix(Load(rate_hz=100, duration_s=10, shares=shares[1:]), notes, single="write")
    assert len({mix.next(number).call.body for number in range(20)}) == 20
    monkeypatch.setattr(mixing, "WRITES_MAX", 10_000)


def test_a_mix_keeps_the_weights_and_the_seed() -> None:
    shares = (Share(operation="read", identity="a", weight=3), Share(operation="write", identity="b", weight=1))
    load = Load(rate_hz=100, duration_s=20, shares=shares, phase="p")
    requests = [made_mix(load).next] * 2
    first = [requests[0](index) for index in range(2000)]
    again = made_mix(load)
    assert [each.wire for each in first] == [again.next(index).wire for index in range(2000)]
    counts = Counter(each.call.operation for each in first)
    assert 0.7 < counts["read"] / 2000 < 0.8
    assert {each.call.phase for each in first} == {"p"}
    assert all(b"Bearer b" in each.wire for each in first if each.call.operation == "write")


def test_every_write_is_new_even_when_the_prepared_ones_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixing, "WRITES_MAX", 10)
    mix = made_mix(Load(rate_hz=100, duration_s=10, shares=(Share(operation="write", identity="b"),)))
    sent = [mix.next(index) for index in range(100)]
    assert len({each.call.marker for each in sent}) == 100
    assert len({each.call.key for each in sent}) == 100
    assert all(each.call.body == each.call.marker.encode() for each in sent)
    assert all(each.call.marker in each.call.path for each in sent)
    assert all(f"idempotency-key: {each.call.key}".encode() in each.wire for each in sent)


def test_what_cannot_be_prepared_is_left_out_and_said() -> None:
    notes: list[str] = []
    shares = (Share(operation="read", identity="a"), Share(operation="write", identity="never"), Share(operation="no"))
    mix = made_mix(Load(rate_hz=10, duration_s=1, shares=shares), notes)
    assert mix.next(0).call.operation == "read"
    assert len(notes) == 2
    for hopeless in ((), (Share(operation="write", identity="never"),)):
        with pytest.raises(LabError):
            made_mix(Load(rate_hz=10, duration_s=1, shares=hopeless))


def test_a_call_without_marker_and_key_is_renewed_into_itself() -> None:
    call = Call(operation="read", method="GET", path="/x", body=b"abc")
    assert renewed(call, random.Random(1)) == call


def ending(marker: str, status: int = 201) -> Ending:
    request: Request = request_of(Call(operation="write", method="POST", path="/x", marker=marker), host="h")
    return Ending(request, status=status, error="", was_sent=True, intended_s=11.0, sent_s=11.0, ended_s=11.5)


def test_a_chronicle_keeps_order_and_turns_endings_into_exchanges() -> None:
    chronicle = Chronicle(3, lambda: 4.0, 10.0, lambda request: f"curl {request.call.path} {request.call.marker}")
    chronicle.add(Exchange(operation="read", method="GET", path="/x", outcome=Outcome.OK))
    chronicle.add(ending("a"))
    chronicle.add(ending("b", status=500))
    assert chronicle.last() == 2
    chronicle.mark("killed", "service", "")
    assert [each.marker for each in chronicle.sent_with(["b", "c"])] == ["b"]
    chronicle.add(ending("c"))
    history = chronicle.history(())
    assert [(e.operation, e.marker, e.outcome) for e in history.exchanges] == [
        ("read", "", Outcome.OK),
        ("write", "a", Outcome.OK),
        ("write", "b", Outcome.INDEFINITE),
        ("write", "c", Outcome.OK),
    ]
    # One stands for its kind, and what failed has its own.
    assert history.exchanges[2].curl == "curl /x b"
    assert sum(1 for e in history.exchanges if e.curl) <= 2
    assert history.exchanges[1].intended_s == pytest.approx(1.0)
    assert history.marks[0].time_s == 4.0


@pytest.mark.lab
def test_markers_are_found_in_every_table_and_not_added_up() -> None:
    premises = Premises()
    premises.open()

    async def scenario() -> dict[str, int]:
        cluster = Cluster(premises, choose(()))
        await cluster.open()
        await cluster.create("nines_1")
        for statement in (
            'CREATE TABLE "Odd name" (id serial, body jsonb)',
            "CREATE TABLE log (line text)",
            """INSERT INTO "Odd name" (body) VALUES ('{"a": "n9aaaaaaaaaa"}'), ('{"b": ["x n9aaaaaaaaaa", 1]}')""",
            "INSERT INTO log VALUES ('made n9aaaaaaaaaa and n9bbbbbbbbbb'), ('n9aaaaaaaaaan9aaaaaaaaaa'), ('nothing')",
        ):
            await cluster.execute("nines_1", statement)
        return await rows_with(cluster, "nines_1", ["n9aaaaaaaaaa", "n9bbbbbbbbbb", "n9cccccccccc"])

    try:
        assert asyncio.run(scenario()) == {"n9aaaaaaaaaa": 2, "n9bbbbbbbbbb": 1}
    finally:
        premises.close()


def read_contract(data: bytes, source: str) -> Contract:
    if b"broken" in data:
        raise SourceError("broken", where=source)
    return Contract(source=source, operations=(READ,))


def discovered(
    pages: dict[str, str], root: Path, *, contract: str = "", base_path: str = "", endpoints: tuple[str, ...] = ()
) -> Contract | None:
    async def get(path: str) -> tuple[int | None, bytes]:
        return (200, pages[path].encode()) if path in pages else (404, b"openapi")

    settings = Settings(contract=contract, service=ServiceSettings(base_path=base_path))
    known = [endpoint("GET", path) for path in endpoints]
    return asyncio.run(Discovery(settings, root, read_contract, get).find(known))


def endpoint(method: str, path: str, kind: EndpointKind = EndpointKind.HTTP) -> Endpoint:
    return Endpoint(
        id=f"{method} {path}", kind=kind, function="f", place=Place(file="f", line=1), method=method, path=path
    )


def test_a_contract_is_found_where_services_keep_it(tmp_path: Path) -> None:
    good = '{"openapi": "3.1.0"}'

    def source(pages: dict[str, str], **rest: object) -> str:
        found = discovered(pages, tmp_path, **rest)  # type: ignore[arg-type]
        return found.source if found else ""

    assert source({"/openapi.json": good}) == "/openapi.json"
    assert source({"/api/v1/openapi.json": good, "/openapi.json": "<html>"}) == "/api/v1/openapi.json"
    assert source({"/openapi.json": '"openapi" broken', "/swagger.json": good}) == "/swagger.json"
    assert source({"/deep/openapi.json": good}, base_path="/deep/") == "/deep/openapi.json"
    assert source({"/hidden/my-schema": good}, endpoints=("/hidden/my-schema", "/x")) == "/hidden/my-schema"
    assert source({"/docs": "SwaggerUIBundle({url: '/odd/place.json'})", "/odd/place.json": good}) == "/odd/place.json"
    assert source({"/docs": "url: 'https://elsewhere.example/openapi.json'"}) == ""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "openapi.yaml").write_text("openapi: 3.0.0")
    assert source({}) == "docs/openapi.yaml"
    assert source({"/mine": good}, contract="/mine") == "/mine"
    assert source({}, contract="docs/openapi.yaml") == "docs/openapi.yaml"


@pytest.mark.parametrize("contract", ["nowhere.json", "/nowhere"])
def test_a_configured_contract_that_is_not_there_is_an_error(tmp_path: Path, contract: str) -> None:
    with pytest.raises(LabError, match="contract"):
        discovered({}, tmp_path, contract=contract)


def test_endpoints_alone_make_a_contract_without_schemas() -> None:
    known = (
        endpoint("GET", "/items/{item_id:int}"),
        endpoint("", "/any"),
        endpoint("GET", "task", EndpointKind.TASK),
    )
    contract = contract_of_endpoints("t", known)
    assert [operation.id for operation in contract.operations] == ["GET /items/{item_id:int}"]
    assert contract.operations[0].path == "/items/{item_id}"
    assert contract.operations[0].path_parameters == ("item_id",)


def test_the_watch_sees_work_and_memory() -> None:
    async def scenario() -> Watch:
        watch = Watch(lambda: [psutil.Process()], lambda: 1.5, lambda: 7, interval_s=0.05)
        watch.open()
        until = asyncio.get_running_loop().time() + 60.0
        while len(watch.samples) < 3 and asyncio.get_running_loop().time() < until:
            sum(range(100_000))
            await asyncio.sleep(0.001)
        await watch.close()
        return watch

    samples = asyncio.run(scenario()).samples
    assert len(samples) >= 3
    assert max(sample.cpu_percent for sample in samples) > 0
    assert samples[-1].memory_bytes > 1_000_000
    assert samples[-1].descriptors > 0
    assert (samples[-1].connections, samples[-1].time_s) == (7, 1.5)


def test_the_watch_says_nothing_while_the_service_is_down() -> None:
    assert Watch(list, lambda: 0.0).sample() is None


@pytest.mark.parametrize(
    ("given", "door", "names"),
    [
        ((), "/door", ["owner", "peer"]),
        ((), "", []),
        ((Identity(name="root", is_admin=True),), "/door", ["owner", "peer", "root"]),
        ((Identity(name="owner", is_admin=True),), "/door", ["peer", "owner"]),
        ((Identity(name="root", is_admin=True),), "", ["root"]),
        ((Identity(name="somebody"),), "/door", ["somebody"]),
    ],
)
def test_an_owner_and_a_peer_come_where_everybody_may_register(
    given: tuple[Identity, ...], door: str, names: list[str]
) -> None:
    came: list[str] = []
    settings = Settings(identities=given, register=LoginSettings(path=door), login=LoginSettings(path=door))

    async def scenario() -> None:
        client = Client(Address(host="127.0.0.1", port=1))
        sessions = make_sessions(CONTRACT, settings, client, came.append)
        assert await sessions.open() == (), "nobody answers here"
        await client.close()

    asyncio.run(scenario())
    assert list(dict.fromkeys(text.split(":")[0].removeprefix("identity ") for text in came)) == names
