"""The bench that an experiment works on: every method hands over to the part of the laboratory that can do it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec

from nines.lab.busy import Busy, explained
from nines.lab.chronicle import Chronicle
from nines.lab.faults.apply import interfere
from nines.lab.graph import hostile
from nines.lab.graph.finding import FoundGraph
from nines.lab.load import generator
from nines.lab.load.connection import Address
from nines.lab.load.curl import curl_of
from nines.lab.load.ending import Ending
from nines.lab.load.plan import Plan, plan_of
from nines.lab.load.request import Request
from nines.lab.mix import Mix, prepare_mix
from nines.lab.record.observe import observe
from nines.lab.record.settle import settled
from nines.lab.requests.invent import fresh_marker
from nines.lab.requests.planner import Planner
from nines.lab.requests.sessions import Sessions
from nines.lab.search import rows_with
from nines.lab.sending import Sender
from nines.lab.site import DATABASE, Site
from nines.lab.typed.calling import TypedClient
from nines.lab.typed.finding import TypedCalls
from nines.lab.typed.hostile import messages
from nines.lab.watch import Watch
from nines.model.budget import Budgets
from nines.model.contract import Contract, Operation
from nines.model.errors import LabError
from nines.model.experiment import Call, CredentialFlaw, Fault, Load, Mutant, Newcomer, Target
from nines.model.history import Check, Count, Exchange, History, Seen, Skip
from nines.model.settings import Identity, LoadSettings, SecuritySettings
from nines.model.statement import ReadStatement
from nines.model.trace import Trace

PAUSE_S_MAX = 600.0
NEWCOMERS_MAX = 64
"""Whom nines registers for one experiment."""
SET_UP_LIMIT_S = 10.0

Send = Callable[[Call], Awaitable[Exchange]]
MakePlanner = Callable[[Send, Callable[[str], None]], Planner]


class LabBench:
    """Implements nines.model.experiment.Bench for one experiment; `open` before, `close` after it."""

    def __init__(
        self,
        *,
        site: Site,
        contract: Contract,
        identities: tuple[Identity, ...],
        sessions: Sessions,
        dependencies: tuple[str, ...],
        budgets: Budgets,
        make_planner: MakePlanner,
        read_statement: ReadStatement,
        seed: int,
        graph: FoundGraph | None = None,
        typed: TypedCalls | None = None,
    ) -> None:
        self._site = site
        self._graph = graph
        self._typed = typed
        self._contract = contract
        self._identities = identities
        self._sessions = sessions
        self._dependencies = dependencies
        self._budgets = budgets
        self._read_statement = read_statement
        self._seed = seed
        self._loads = 0
        self._handles = random.Random(f"{seed} newcomers")  # noqa: S311 -- repeatable on purpose, not a secret
        self._origin_s = time.monotonic()
        service = site.service
        self._address = Address(host=service.host, port=service.port)
        self._chronicle = Chronicle(seed, self.clock_s, self._origin_s, self._curl)
        client = TypedClient(service.host, site.grpc_port) if typed is not None else None
        self._sender = Sender(self._address, sessions, self._chronicle, self._origin_s, client)
        self._planner = make_planner(self._set_up, self.note)
        self._watch = Watch(service.tree, self.clock_s, self._database_connections)

    def open(self) -> None:
        """Begins to watch the service's processes."""
        self._watch.open()

    async def close(self) -> None:
        """Ends what the bench itself holds."""
        await self._watch.close()
        await self._sender.close()

    # --- what is at hand ------------------------------------------------------------------------------

    @property
    def contract(self) -> Contract:
        return self._contract

    @property
    def identities(self) -> tuple[Identity, ...]:
        return self._identities

    @property
    def dependencies(self) -> tuple[str, ...]:
        return self._dependencies

    @property
    def budgets(self) -> Budgets:
        return self._budgets

    @property
    def load_settings(self) -> LoadSettings:
        return self._site.settings.load

    @property
    def security_settings(self) -> SecuritySettings:
        return self._site.settings.security

    def clock_s(self) -> float:
        return time.monotonic() - self._origin_s

    def _database_connections(self) -> int:
        proxy = self._site.proxies.get(DATABASE)
        return proxy.open_connections if proxy else 0

    # --- requests -------------------------------------------------------------------------------------

    def registration(self) -> Operation | None:
        return self._sessions.registration

    async def newcomers(self, count: int) -> tuple[Newcomer, ...]:
        found: list[Newcomer] = []
        for _ in range(min(count, NEWCOMERS_MAX)):
            sent_s = self.clock_s()
            handle = fresh_marker(self._handles)
            answer = await self._sessions.newcomer(handle)
            if answer is None:
                self.note(f"nobody could be registered beyond {len(found)} newcomers")
                break
            answer = msgspec.structs.replace(
                answer, phase="newcomer", intended_s=sent_s, sent_s=sent_s, ended_s=self.clock_s()
            )
            self._chronicle.add(answer)
            found.append(Newcomer(identity=handle, registered=answer))
        return tuple(found)

    def creators(self) -> tuple[Operation, ...]:
        return self._planner.creators()

    def reader_of(self, operation: Operation) -> Operation | None:
        return self._planner.reader_of(operation)

    def lister_of(self, operation: Operation) -> Operation | None:
        return self._planner.lister_of(operation)

    async def prepare(self, operation: Operation, identity: str, *, like: Call | None = None) -> Call | None:
        return await self._planner.prepare(operation, identity, like=like)

    async def prepare_read(self, created: Exchange, identity: str) -> Call | None:
        return await self._planner.prepare_read(created, identity)

    async def prepare_on(self, operation: Operation, created: Exchange, identity: str) -> Call | None:
        return await self._planner.prepare_on(operation, created, identity)

    def mutants(self, call: Call, limit: int) -> tuple[Mutant, ...]:
        return self._planner.mutants(call, limit)

    def documents(self, identity: str) -> tuple[Mutant, ...]:
        graph = self._graph
        return hostile.documents(graph.schema, graph.endpoint, identity) if graph is not None and graph.schema else ()

    def messages(self, identity: str) -> tuple[Mutant, ...]:
        return messages(self._typed.methods, identity) if self._typed is not None else ()

    async def send(self, call: Call, *, flaw: CredentialFlaw | None = None, timeout_s: float = 30.0) -> Exchange:
        answer = await self._sender.send(call, flaw=flaw, timeout_s=timeout_s)
        if flaw is None:
            self._planner.hear(call, answer)
        return answer

    async def _set_up(self, call: Call) -> Exchange:
        """What is sent only to prepare something else is not worth a long wait for a service that hangs."""
        return await self.send(call, timeout_s=SET_UP_LIMIT_S)

    async def together(self, calls: Sequence[Call]) -> tuple[Exchange, ...]:
        return await self._sender.together(calls)

    # --- load -----------------------------------------------------------------------------------------

    async def load(self, load: Load) -> None:
        mix = await self._mix(load)
        self.mark("load on", load.phase, f"{load.rate_hz:g}/s for {load.duration_s:g} s")
        busy = Busy(self._site.service.tree)
        report = await generator.run(self._plan(load), self._address, mix.next, self._ended)
        self.mark("load off", load.phase)
        self._chronicle.loads.append(explained(report, load.phase, busy))

    def background(self, load: Load) -> AbstractAsyncContextManager[None]:
        return self._background(load)

    @contextlib.asynccontextmanager
    async def _background(self, load: Load) -> AsyncIterator[None]:
        mix = await self._mix(load)
        self.mark("load on", load.phase, f"{load.rate_hz:g}/s")
        running: generator.OpenLoop | None = None
        busy = Busy(self._site.service.tree)
        try:
            async with generator.background(self._plan(load), self._address, mix.next, self._ended) as running:
                yield
        finally:
            self.mark("load off", load.phase)
            if running is not None:
                self._chronicle.loads.append(explained(running.report(), load.phase, busy))

    async def _mix(self, load: Load) -> Mix:
        self._loads += 1
        return await prepare_mix(
            load,
            self._contract,
            prepare=self._planner.prepare,
            is_single=self._planner.is_single,
            credentials=self._sessions.headers,
            note=self.note,
            host=self._address.host_header,
            seed=self._seed + self._loads,
        )

    def _plan(self, load: Load) -> Plan:
        settings = self._site.settings.load
        if load.rate_hz > settings.rate_hz_max:
            self.note(f"the load was limited to load.rate_hz_max = {settings.rate_hz_max:g} requests a second")
            load = msgspec.structs.replace(load, rate_hz=settings.rate_hz_max)
        found = (self._contract.operation(share.operation) for share in load.shares)
        return plan_of(
            load,
            connections_max=settings.connections_max,
            seed=self._seed + self._loads,
            reads_bodies=any(operation is not None and operation.document is not None for operation in found),
        )

    def _ended(self, ending: Ending) -> None:
        self._chronicle.add(ending)

    # --- faults and deaths ----------------------------------------------------------------------------

    def fault(self, fault: Fault) -> AbstractAsyncContextManager[None]:
        return self._fault(fault)

    @contextlib.asynccontextmanager
    async def _fault(self, fault: Fault) -> AsyncIterator[None]:
        proxy = self._site.proxies.get(fault.dependency)
        if proxy is None:
            raise LabError(f"{fault.dependency} is not behind a proxy, so nothing can be done to it")
        async with interfere(proxy, fault) as interference:
            self.mark("fault on", fault.dependency, fault.kind.value)
            try:
                yield
            finally:
                self.mark("fault off", fault.dependency, fault.kind.value)
        if interference.acted == 0:
            self.note(f"the fault {fault.kind.value} at {fault.dependency} met no traffic")

    async def kill(self, target: Target) -> None:
        await self._site.kill(target)
        self.mark("killed", target.value)

    async def start(self, target: Target) -> float | None:
        self.mark("started", target.value)
        took_s = await self._site.start(target)
        if took_s is None:
            self.note(f"the {target.value} did not start again")
        else:
            self.mark("ready", target.value, f"after {took_s:.3f} s")
        return took_s

    async def pause(self, duration_s: float) -> None:
        await asyncio.sleep(min(max(duration_s, 0.0), PAUSE_S_MAX))

    # --- looking --------------------------------------------------------------------------------------

    async def observe(self, call: Call) -> tuple[Exchange, Trace]:
        recorder = self._site.recorder
        proxies = tuple(self._site.proxies.values())
        await settled(recorder, proxies)
        since_s = recorder.clock_s()
        exchange = await self.send(call)
        ended_s = recorder.clock_s()
        if not await settled(recorder, proxies):
            self.note("the proxies did not fall silent, so an observed trace may hold effects of other work")
        trace = observe(
            recorder.window(since_s),
            self._read_statement,
            endpoint=call.operation,
            began_s=since_s,
            duration_s=ended_s - since_s,
            status=exchange.status,
            blind=recorder.blind(since_s),
        )
        self._chronicle.traces.append(trace)
        return exchange, trace

    async def find(self, creator: Operation, markers: Sequence[str], identity: str) -> tuple[Seen, ...] | None:
        found = await self._planner.find(creator, markers, identity, self._chronicle.sent_with(markers))
        counts = {seen.marker: seen.count for seen in found or ()}
        missing = [marker for marker in markers if not counts.get(marker)]
        if missing and self._site.database is not None:
            # A list may be cut or filtered: what the database holds was not lost.
            stored = await rows_with(self._site.database, self._site.database_name, missing)
            counts |= {marker: stored.get(marker, 0) for marker in missing}
        elif found is None:
            self.note(f"{creator.id}: nothing reads back what it creates")
            return None
        seen = tuple(Seen(marker=marker, count=counts.get(marker, 0)) for marker in markers)
        self._chronicle.seen.extend(seen)
        return seen

    # --- keeping --------------------------------------------------------------------------------------

    def _curl(self, request: Request) -> str:
        return curl_of(request, url=self._address.url, secrets=self._sessions.secrets.named)

    def check(self, check: Check) -> None:
        self._chronicle.checks.append(check)

    def count(self, name: str, x: float, y: float) -> None:
        self._chronicle.counts.append(Count(name=name, x=x, y=y))

    def skip(self, subject: str, reason: str) -> None:
        self._chronicle.skips.append(Skip(subject=subject, reason=reason))

    def note(self, text: str) -> None:
        self._chronicle.note(text)

    def mark(self, event: str, name: str = "", detail: str = "") -> None:
        self._chronicle.mark(event, name, detail)

    def last(self) -> int:
        return self._chronicle.last()

    def history(self) -> History:
        return self._chronicle.history(self._watch.samples, self._sessions.secrets.known())
