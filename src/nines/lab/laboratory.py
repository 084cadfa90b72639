"""The laboratory: everything that must stand for experiments, opened once, and a bench for each experiment."""

from __future__ import annotations

import asyncio
import hashlib
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from nines.lab.bench import LabBench
from nines.lab.discovery import Discovery, contract_of_endpoints
from nines.lab.graph.finding import GraphReader
from nines.lab.interfaces import Interfaces
from nines.lab.launch.cleanup import Premises, ending_on_signals
from nines.lab.load.client import Client
from nines.lab.load.connection import Address
from nines.lab.load.document import ACCEPT
from nines.lab.load.ending import exchange_of_answer
from nines.lab.load.request import Request, encode, request_of
from nines.lab.pulse import HEAL_LIMIT_S, Pulse
from nines.lab.reception import make_sessions
from nines.lab.record.recorder import Recorder
from nines.lab.requests.planner import Planner
from nines.lab.requests.sessions import Sessions, with_credentials
from nines.lab.requests.variety import Variety
from nines.lab.site import DATABASE, REDIS, Site
from nines.lab.survey import survey
from nines.model.contract import Contract, Operation
from nines.model.errors import LabError, NinesError
from nines.model.experiment import Call, Experiment, Need, Target
from nines.model.history import Exchange, History
from nines.model.progress import Progress
from nines.model.report import Unexamined
from nines.model.service import Application, Service
from nines.model.settings import Identity, Settings, budgets_of
from nines.model.statement import ReadStatement
from nines.model.trace import Trace

TIME_FACTOR = 5.0
"""An experiment may take so many times its usual duration ..."""
TIME_MIN_S = 90.0
"""... or this, whichever is longer, beside the time that its load may take."""
GET_LIMIT_S = 10.0
NO_CONTRACT = "the contract"
_FRAMES_MAX = 3
PEERS = 2
"""The first two identities are equals; whoever comes after them has a role of their own."""
CONTRACT_BYTES_MAX = 32 * 1024 * 1024


class Laboratory:
    """An async context manager; leaving it stops and removes everything, however that happens."""

    def __init__(
        self,
        *,
        settings: Settings,
        root: Path,
        service: Service,
        applications: tuple[Application, ...],
        read_contract: Callable[[bytes, str], Contract],
        read_statement: ReadStatement,
        seed: int,
        progress: Progress,
        graphs: GraphReader | None = None,
    ) -> None:
        self.settings = settings
        self.contract = Contract()
        self.identities: tuple[Identity, ...] = ()
        self.unexamined: list[Unexamined] = []
        self.notes: list[str] = []
        self._service = service
        self._root = root
        self._read_contract = read_contract
        self._read_statement = read_statement
        self._seed = seed
        self._progress = progress
        self.interfaces = Interfaces(root, self._post, graphs)
        self._doors = settings
        """How somebody signs in, found out where the settings do not say."""
        self._recorder = Recorder()
        self._premises = Premises()
        self._site = Site(
            settings=settings,
            root=root,
            applications=applications,
            read_contract=read_contract,
            premises=self._premises,
            recorder=self._recorder,
        )
        self._sessions: Sessions | None = None
        self._stack = AsyncExitStack()
        self._pulse = Pulse(self._send)
        self._is_worn = False
        self._benches: Counter[str] = Counter()
        self._variety = Variety(seed, datetime.now(UTC).date())

    async def __aenter__(self) -> Self:
        try:
            self._stack.enter_context(ending_on_signals())
            self._stack.callback(self._premises.close)
            self._premises.open()
            self._stack.push_async_callback(self._site.close)
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _open(self) -> None:
        self._progress.stage("starting the service and what it needs")
        begun_s = time.monotonic()
        await self._site.open()
        self._progress.note(f"the service and its dependencies were ready after {time.monotonic() - begun_s:.1f} s")
        for note in self._site.service.notes:
            self._note(note)
        self._client = Client(self._address(), keeps_connections=False)
        self._stack.push_async_callback(self._client.close)
        await self._find_contract()
        endpoints = self._service.endpoints
        self._doors = await self.interfaces.doors(self.settings, self.contract, endpoints)
        await self._sign_in()
        found = await self.interfaces.open(self.contract, endpoints, self._attempt, self._site.grpc_port)
        for told in found:
            self._note(told)
        if self.interfaces.has_graph:
            # Then the rest of the service need not have a contract.
            self.unexamined = [left for left in self.unexamined if left.what != NO_CONTRACT]
        self.unexamined += self.interfaces.unexamined

    def _address(self) -> Address:
        return Address(host=self._site.service.host, port=self._site.service.port)

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
            self._progress.note(text)

    # --- the contract ---------------------------------------------------------------------------------

    async def _find_contract(self) -> None:
        discovery = Discovery(self.settings, self._root, self._read_contract, self._get)
        found = await discovery.find(self._service.endpoints) or self._service.contract
        if found is None:
            found = contract_of_endpoints(self._service.name, self._service.endpoints)
            self.unexamined.append(
                Unexamined(
                    what=NO_CONTRACT,
                    reason="the service serves no OpenAPI document where nines looked, and the project holds none; "
                    "only what the code shows of its endpoints is tried",
                    hint="Set `contract` to a file of the project or to the path that serves it.",
                )
            )
        self.contract = found
        for problem in found.problems:
            self._note(f"contract: {problem}")

    async def _get(self, path: str) -> tuple[int | None, bytes]:
        call = Call(operation="", method="GET", path=path)
        wire = encode("GET", path, (("accept", "application/json, */*;q=0.5"),), b"", self._client.address.host_header)
        answer = await self._client.send(Request(call, wire), GET_LIMIT_S)
        is_whole = not answer.error and answer.body_bytes <= CONTRACT_BYTES_MAX
        return (answer.status, answer.body) if is_whole else (None, b"")

    async def _post(self, path: str, body: bytes) -> tuple[int | None, bytes]:
        who = next((identity.name for identity in self.identities), "")
        credentials = self._sessions.known_headers(who) if self._sessions is not None else ()
        headers = (("content-type", "application/json"), ("accept", ACCEPT), *credentials)
        wire = encode("POST", path, headers, body, self._client.address.host_header)
        answer = await self._client.send(Request(Call(operation="", method="POST", path=path), wire), GET_LIMIT_S)
        return (None, b"") if answer.error else (answer.status, answer.body)

    async def _attempt(self, operation: Operation) -> int | None:
        who = next((identity.name for identity in self.identities), "")
        call = Call(
            operation=operation.id, method="GET", path=operation.path, identity=who, document=operation.document
        )
        return (await self._send(call, GET_LIMIT_S)).status

    # --- identities -----------------------------------------------------------------------------------

    async def _sign_in(self) -> None:
        """Registers and signs in on the present database."""
        self._sessions = make_sessions(
            self.contract,
            self._doors,
            self._client,
            self._note,
            run=self._site.service.output,
            mail=self._site.post,
        )
        self.identities = await self._sessions.open()

    # --- experiments ----------------------------------------------------------------------------------

    async def survey(self) -> tuple[Trace, ...]:
        """The observed trace of every operation; the next experiment starts from a fresh database anyway."""
        self._progress.stage("looking at one request at a time", len(self.interfaces.tried.operations) * 0.3)
        bench = self._bench("survey")
        try:
            found = await survey(bench, self._pulse.remember)
        finally:
            self._is_worn = True
            await bench.close()
        self._site.refuse_strangers(self._site.service.tree())
        self.unexamined += [left for left in self._site.unexamined if left not in self.unexamined]
        if found.left_out:
            listed = ", ".join(found.left_out[:8])
            reason = f"no valid request could be made, or it was not answered with success: {listed}"
            self.unexamined.append(
                Unexamined(what="operations without an observed trace", reason=reason, count=len(found.left_out))
            )
        by_graph = {operation.id for operation in self.interfaces.tried.operations if operation.document is not None}
        # Rules judge by endpoint, and all of a graph is one; its statements are judged by the experiments.
        return tuple(trace for trace in found.traces if trace.endpoint not in by_graph)

    async def _send(self, call: Call, limit_s: float) -> Exchange:
        """A request outside every experiment."""
        assert self._sessions is not None
        credentials = self._sessions.known_headers(call.identity)
        request = request_of(with_credentials(call, credentials), host=self._client.address.host_header)
        return exchange_of_answer(request, await self._client.send(request, limit_s), url=self._client.address.url)

    async def conduct(self, experiment: Experiment) -> History:
        """Carries out one experiment and leaves everything healed; LabError when it could not be carried out."""
        self._demand(experiment)
        if experiment.info.fresh_database or self._is_worn:
            await self._renew()
        bench = self._bench(experiment.id)
        bench.open()
        # Whatever ends an experiment early may leave data behind that the next one must not meet.
        self._is_worn = True
        try:
            await self._run(experiment, bench)
        except asyncio.CancelledError:
            # The whole run is being ended, so there is nothing to heal for.
            await bench.close()
            raise
        except NinesError:
            await self._finish(bench)
            raise
        await self._finish(bench)
        return bench.history()

    async def _run(self, experiment: Experiment, bench: LabBench) -> None:
        limit_s = self._limit_s(experiment)
        limit = asyncio.timeout(limit_s)
        try:
            async with limit:
                await experiment.run(bench)
            self._is_worn = experiment.info.is_destructive
        except NinesError:
            raise
        except Exception as error:
            if limit.expired():
                bench.note(f"ended by the time limit of {limit_s:.0f} s; what was seen until then counts")
                return
            raise LabError(
                f"the experiment failed in itself: {error!r}",
                where=experiment.id,
                detail=_own_frames(error),
                hint="This is a defect of nines; please report it.",
            ) from error

    async def _finish(self, bench: LabBench) -> None:
        """Keeps how the service ended, closes the bench, and heals what the experiment left."""
        if self._site.last_words():
            bench.mark("died", Target.SERVICE.value)
            bench.note(self._site.last_words())
        await bench.close()
        await self._heal(bench)

    async def _renew(self) -> None:
        await self._client.close()
        await self._site.fresh()
        self._client.address = self._address()
        await self._sign_in()
        self._variety.renew()
        self._is_worn = False

    async def _heal(self, bench: LabBench) -> None:
        try:
            await self._site.heal()
            weakness = await self._pulse.weakness()
            if weakness:
                bench.note(f"afterwards {weakness} was not answered for {HEAL_LIMIT_S:.0f} s, until nines restarted it")
                await self._site.restart()
                await self._pulse.prune()
        except NinesError as error:
            # A new copy of everything is the last resort, taken before the next experiment.
            self._is_worn = True
            self._note(f"after the experiment: {error.what}")

    def _limit_s(self, experiment: Experiment) -> float:
        usual_s = experiment.info.duration_s * TIME_FACTOR
        return max(usual_s, TIME_MIN_S) + self.settings.load.duration_s_max

    def concerns(self, experiment: Experiment) -> bool:
        """Whether the service has the interface of which an experiment speaks."""
        return not self.interfaces.missing & set(experiment.info.needs)

    def _demand(self, experiment: Experiment) -> None:
        dependencies = self._dependencies()
        is_met = {
            Need.DATABASE: DATABASE in dependencies,
            Need.DEPENDENCY: bool(dependencies),
            Need.IDENTITY: bool(self.identities),
            Need.TWO_IDENTITIES: len(self.identities) > 1,
            Need.MUTATION: any(True for _ in self.interfaces.tried.mutations()),
            Need.OWNED_PROCESS: True,
        }
        missing = self.interfaces.missing
        lacking = [each.value for each in experiment.info.needs if each in missing or not is_met.get(each, True)]
        if lacking:
            raise LabError(f"not tried, for want of: {', '.join(lacking)}")

    def _dependencies(self) -> tuple[str, ...]:
        """Those that the service uses: declared upstreams, and what it has opened a connection to."""
        needed = {DATABASE: self.settings.database.needed, REDIS: self.settings.redis.needed}
        return tuple(
            name
            for name in self._site.proxies
            if name not in needed or needed[name] or self._recorder.tally(name).connections
        )

    def _bench(self, name: str) -> LabBench:
        assert self._sessions is not None
        self._benches[name] += 1
        seed = _derived(self._seed, f"{name} {self._benches[name]}")
        return LabBench(
            site=self._site,
            contract=self.interfaces.tried,
            identities=self.identities,
            sessions=self._sessions,
            dependencies=self._dependencies(),
            budgets=budgets_of(self.settings.budgets),
            make_planner=lambda send, note: self._planner(send, note, seed),
            read_statement=self._read_statement,
            seed=seed,
            graph=self.interfaces.graph,
            typed=self.interfaces.typed,
        )

    def _planner(self, send: Callable[[Call], Awaitable[Exchange]], note: Callable[[str], None], seed: int) -> Planner:
        assert self._sessions is not None
        admin = next((identity.name for identity in self.identities if identity.is_admin), "")
        plain = [identity for identity in self.identities if not identity.is_admin]
        return Planner(
            self.interfaces.tried,
            send=send,
            note=note,
            seed=seed,
            today=datetime.now(UTC).date(),
            values=self.settings.values,
            admin=admin,
            helpers=tuple(identity.name for identity in plain[PEERS:]),
            subject=self._sessions.subject,
            variety=self._variety,
        )


def _own_frames(error: Exception) -> str:
    """Where in nines an error came from, innermost last."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "nines" in Path(frame.filename).parts]
    named = (f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames[-_FRAMES_MAX:])
    return " > ".join(named)


def _derived(seed: int, name: str) -> int:
    """A seed of its own for each experiment, the same in every run with the same seed."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:4], "big")
