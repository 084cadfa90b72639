"""A bench in virtual time over the service in memory, with the real planner and the real sessions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date

import msgspec

from nines.lab.requests.planner import Planner
from nines.lab.requests.sessions import Sessions, with_credentials
from nines.model.budget import Budgets
from nines.model.contract import Contract, Operation
from nines.model.effect import Effect, EffectKind
from nines.model.experiment import Call, CredentialFlaw, Fault, FaultKind, Load, Mutant, Newcomer, Target
from nines.model.history import Check, Count, Exchange, History, LoadReport, Mark, Outcome, Seen, Skip
from nines.model.settings import Identity, LoadSettings, LoginSettings, SecuritySettings
from nines.model.trace import Trace, Witness
from tests.experiments.service import CONTRACT, Service

LATENCY_S = 0.004
RESTART_S = 1.5
PASSWORD = "long enough"
IDENTITIES = tuple(Identity(name=n, username=f"{n}@example.com", password=PASSWORD) for n in ("owner", "peer"))
DOOR = {"email": "{username}", "password": "{password}"}


class FakeBench:
    """Implements nines.model.experiment.Bench; make it with `opened`."""

    def __init__(
        self,
        service: Service,
        *,
        contract: Contract = CONTRACT,
        load: LoadSettings | None = None,
        security: SecuritySettings | None = None,
        late_phases: tuple[str, ...] = (),
        identities: tuple[Identity, ...] = IDENTITIES,
    ) -> None:
        self.late_phases = late_phases
        self.service = service
        self.contract = contract
        self.budgets = Budgets()
        self.dependencies: tuple[str, ...] = ("database",)
        self.load_settings = load or LoadSettings(rate_hz=200.0)
        self.security_settings = security or SecuritySettings()
        self.identities: tuple[Identity, ...] = ()
        self.now_s = 0.0
        self.fault_now: Fault | None = None
        self.is_stale = False
        self.handles = 0
        self._running: list[tuple[Load, float]] = []
        """Loads in the background, and until when each of them lasts."""
        self.kept = History()
        self.sessions = Sessions(
            contract,
            identities,
            register=LoginSettings(path="/users", json=DOOR),
            login=LoginSettings(path="/login", json=DOOR, token="access_token"),
            send=self._plain,
            note=self.note,
            now_s=lambda: 1_800_000_000.0,
        )
        self.planner = Planner(
            contract, send=self.send, note=self.note, seed=1, today=date(2026, 1, 1), subject=self.sessions.subject
        )

    @classmethod
    async def opened(cls, *faults: str, **options: object) -> FakeBench:
        bench = cls(Service(*faults), **options)  # type: ignore[arg-type]
        bench.identities = await bench.sessions.open()
        assert len(bench.identities) >= 2
        bench.kept = History(seed=1)
        return bench

    def _keep(self, **added: object) -> None:
        found = {name: (*getattr(self.kept, name), value) for name, value in added.items()}
        self.kept = msgspec.structs.replace(self.kept, **found)

    def clock_s(self) -> float:
        return self.now_s

    def registration(self) -> Operation | None:
        return self.sessions.registration

    async def newcomers(self, count: int) -> tuple[Newcomer, ...]:
        found: list[Newcomer] = []
        for _ in range(count):
            self.handles += 1
            handle = f"n9newcomer{self.handles:03d}"
            answer = await self.sessions.newcomer(handle)
            if answer is None:
                break
            answer = msgspec.structs.replace(answer, phase="newcomer")
            self._keep(exchanges=answer)
            found.append(Newcomer(identity=handle, registered=answer))
        return tuple(found)

    def creators(self) -> tuple[Operation, ...]:
        return self.planner.creators()

    def reader_of(self, operation: Operation) -> Operation | None:
        return self.planner.reader_of(operation)

    def lister_of(self, operation: Operation) -> Operation | None:
        return self.planner.lister_of(operation)

    async def prepare(self, operation: Operation, identity: str, *, like: Call | None = None) -> Call | None:
        return await self.planner.prepare(operation, identity, like=like)

    async def prepare_read(self, created: Exchange, identity: str) -> Call | None:
        return await self.planner.prepare_read(created, identity)

    async def prepare_on(self, operation: Operation, created: Exchange, identity: str) -> Call | None:
        return await self.planner.prepare_on(operation, created, identity)

    def mutants(self, call: Call, limit: int) -> tuple[Mutant, ...]:
        return self.planner.mutants(call, limit)

    def documents(self, identity: str) -> tuple[Mutant, ...]:
        if not self.contract.operations:
            return ()
        call = Call(operation="the graph", method="POST", path="/graphql", identity=identity)
        named = (("the plain question", b"{}"), ("doubling", b'{"n":22}'), ("wide", b'{"n":500}'), ("nul", b'{"n":0}'))
        return tuple(
            Mutant(call=msgspec.structs.replace(call, body=body), variant=name, is_invalid=name == "nul")
            for name, body in named
        )

    def messages(self, identity: str) -> tuple[Mutant, ...]:
        if not self.contract.operations:
            return ()
        call = Call(operation="rpc ListItems", method="POST", path="/rpc", identity=identity)
        return tuple(Mutant(call=msgspec.structs.replace(call, body=body), variant=repr(body)) for body in (b"", b"7"))

    async def _plain(self, call: Call) -> Exchange:
        status, body = self.service.answer(call)
        return _exchange(call, status, body, self.now_s, self.now_s + LATENCY_S)

    async def send(self, call: Call, *, flaw: CredentialFlaw | None = None, timeout_s: float = 30.0) -> Exchange:
        credentials = (
            self.sessions.flawed_headers(call.identity, flaw) if flaw else await self.sessions.headers(call.identity)
        )
        exchange = self._exchange(with_credentials(call, credentials), self.now_s, timeout_s)
        self.now_s = max(self.now_s, exchange.ended_s)
        self._keep(exchanges=exchange)
        if flaw is None:
            self.planner.hear(call, exchange)
        return exchange

    def _exchange(self, call: Call, at_s: float, timeout_s: float) -> Exchange:
        touches = self.service.uses_database(call)
        if not self.service.is_up:
            return _exchange(call, None, None, at_s, at_s + 0.001, error="refused")
        hangs = touches or "starves" in self.service.faults
        if self.fault_now is not None and self.fault_now.kind is FaultKind.STALL and hangs:
            if "unbounded" in self.service.faults or "starves" in self.service.faults:
                return _exchange(call, None, None, at_s, at_s + timeout_s, error="timeout")
            return _exchange(call, 503, {"detail": "later"}, at_s, at_s + 1.0)
        if self.is_stale and touches:
            self.is_stale = False
            return _exchange(call, 500, {"detail": "oops"}, at_s, at_s + LATENCY_S)
        status, body = self.service.answer(call)
        latency_s = 0.9 if "slow" in self.service.faults and call.operation == "listItems" else LATENCY_S
        return _exchange(call, status, body, at_s, at_s + latency_s)

    async def together(self, calls: Sequence[Call]) -> tuple[Exchange, ...]:
        began_s = self.now_s
        answers = []
        for number, call in enumerate(calls):
            self.now_s = began_s
            self.service.looks_away = bool({"race", "tells"} & self.service.faults) and number == 1
            self.service.is_strained = "overloads" in self.service.faults and number > 5
            answers.append(await self.send(call))
        self.service.is_strained = False
        return tuple(answers)

    async def load(self, load: Load) -> None:
        await self._drive(load, self.now_s, self.now_s + load.duration_s)
        self._keep(loads=LoadReport(rate_hz=load.rate_hz, duration_s=load.duration_s))

    async def _drive(self, load: Load, since_s: float, until_s: float) -> None:
        number = 0
        self.service.rate_hz = (
            0.0 if load.phase == "warm-up" and "narrow later" in self.service.faults else load.rate_hz
        )
        while since_s + number / load.rate_hz < until_s:
            share = load.shares[number % len(load.shares)]
            operation = self.contract.operation(share.operation)
            assert operation is not None
            call = await self.planner.prepare(operation, share.identity)
            assert call is not None
            headed = with_credentials(call, await self.sessions.headers(share.identity))
            at_s = since_s + number / load.rate_hz
            phased = msgspec.structs.replace(headed, phase=load.phase)
            self._keep(exchanges=self._exchange(phased, at_s, load.timeout_s))
            number += 1
        self.service.rate_hz = 0.0
        self.now_s = max(self.now_s, until_s)

    def background(self, load: Load) -> AbstractAsyncContextManager[None]:
        return self._background(load)

    @asynccontextmanager
    async def _background(self, load: Load) -> AsyncIterator[None]:
        running = (load, self.now_s + load.duration_s)
        self._running.append(running)
        try:
            yield
        finally:
            self._running.remove(running)
            is_late = load.phase in self.late_phases
            self._keep(loads=LoadReport(rate_hz=load.rate_hz, duration_s=1.0, is_spoiled=is_late, phase=load.phase))

    late_phases: tuple[str, ...] = ()
    """Loads during which the generator is late."""

    def fault(self, fault: Fault) -> AbstractAsyncContextManager[None]:
        return self._fault(fault)

    @asynccontextmanager
    async def _fault(self, fault: Fault) -> AsyncIterator[None]:
        self.fault_now = fault
        self.mark("fault on", fault.dependency, fault.kind.value)
        yield
        self.fault_now = None
        self.mark("fault off", fault.dependency, fault.kind.value)
        self.is_stale = fault.kind is FaultKind.RESET and "stale" in self.service.faults

    async def kill(self, target: Target) -> None:
        self.service.is_up = False
        self.service.crash()
        self.mark("killed", target.value)

    async def start(self, target: Target) -> float | None:
        if "dead" in self.service.faults:
            return None
        self.now_s += RESTART_S
        self.service.is_up = True
        return RESTART_S

    async def pause(self, duration_s: float) -> None:
        began_s, running = self.now_s, self._running
        self._running = []
        for load, until_s in running if duration_s >= 0.3 else ():
            await self._drive(load, began_s, min(began_s + duration_s, until_s))
        self._running = running
        self.now_s = max(self.now_s, began_s + duration_s)

    async def observe(self, call: Call) -> tuple[Exchange, Trace]:
        exchange = await self.send(call)
        headed = with_credentials(call, await self.sessions.headers(call.identity))
        number = self.service.statements(headed) if self.service.uses_database(call) else 0
        effect = Effect(kind=EffectKind.DATABASE_READ, dependency="database")
        trace = Trace(endpoint=call.operation, witness=Witness.OBSERVED, effects=(effect,) * number)
        return exchange, trace

    async def find(self, creator: Operation, markers: Sequence[str], identity: str) -> tuple[Seen, ...] | None:
        sent = [exchange for exchange in self.kept.exchanges if exchange.marker in set(markers)]
        found = await self.planner.find(creator, markers, identity, sent)
        for seen in found or ():
            self._keep(seen=seen)
        return found

    def check(self, check: Check) -> None:
        self._keep(checks=check)

    def count(self, name: str, x: float, y: float) -> None:
        self._keep(counts=Count(name=name, x=x, y=y))

    def skip(self, subject: str, reason: str) -> None:
        self._keep(skips=Skip(subject=subject, reason=reason))

    def note(self, text: str) -> None:
        self._keep(notes=text)

    def mark(self, event: str, name: str = "", detail: str = "") -> None:
        self._keep(marks=Mark(time_s=self.now_s, event=event, name=name, detail=detail))

    def last(self) -> int:
        return len(self.kept.exchanges) - 1

    def history(self) -> History:
        return self.kept


def _exchange(
    call: Call, status: int | None, body: object, at_s: float, ended_s: float, *, error: str = ""
) -> Exchange:
    outcome = Outcome.INDEFINITE
    if status is not None and status < 500:
        outcome = Outcome.OK if status < 400 else Outcome.FAILED
    elif error == "refused":
        outcome = Outcome.FAILED
    return Exchange(
        operation=call.operation,
        method=call.method,
        path=call.path,
        outcome=outcome,
        status=status,
        identity=call.identity,
        marker=call.marker,
        key=call.key,
        group=call.group,
        phase=call.phase,
        intended_s=at_s,
        sent_s=at_s,
        ended_s=ended_s,
        error=error,
        request_body=call.body.decode("utf-8", "replace")[:2_000],
        body="" if body is None else json.dumps(body),
    )
