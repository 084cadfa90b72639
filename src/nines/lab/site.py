"""What stands while experiments run: database, Redis, stubs, the proxies before them, and the service."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psutil

from nines.lab.launch.cleanup import Premises
from nines.lab.launch.grpc_stub import GrpcStub
from nines.lab.launch.installation import choose, unavailable_extensions
from nines.lab.launch.ports import LOOPBACK, free_port
from nines.lab.launch.post import Post
from nines.lab.launch.postgres import Cluster, open_database
from nines.lab.launch.redis import Redis, find_program
from nines.lab.launch.server import GivenServer
from nines.lab.launch.service import Service
from nines.lab.launch.strangers import database_files, strange_stores
from nines.lab.launch.stubs import Stub
from nines.lab.launch.templates import mentions
from nines.lab.record.http import HttpWire
from nines.lab.record.postgres import postgres_wires
from nines.lab.record.proxy import Proxy
from nines.lab.record.recorder import Recorder
from nines.lab.record.redis import RedisWire
from nines.lab.record.wire import Session, Wire
from nines.model.contract import Contract
from nines.model.errors import LabError, LaunchError, NinesError
from nines.model.experiment import Target
from nines.model.report import Unexamined
from nines.model.service import Application
from nines.model.settings import Settings, UpstreamSettings

GRPC = "grpc"
DATABASE, REDIS, MAIL = "database", "redis", "mail"
ANSWER_LIMIT_S = 5.0
"""A service that gives no answer for so long between two experiments is started again."""

ReadContract = Callable[[bytes, str], Contract]


class Site:
    """Opened once; `fresh` gives the next experiment a new copy of the base database and a new service process."""

    def __init__(
        self,
        *,
        settings: Settings,
        root: Path,
        applications: tuple[Application, ...],
        read_contract: ReadContract,
        premises: Premises,
        recorder: Recorder,
    ) -> None:
        self.settings = settings
        self.root = root
        self.recorder = recorder
        self.unexamined: list[Unexamined] = []
        self.proxies: dict[str, Proxy] = {}
        self.stubs: dict[str, Stub | GrpcStub] = {}
        self.database: Cluster | GivenServer | None = None
        self.redis: Redis | None = None
        self.post: Post | None = None
        """Where the service's letters arrive, where its configuration names it."""
        self.service = Service(premises, settings, root, applications)
        self.database_name = ""
        self.grpc_port = 0
        """Where the service listens for gRPC, if its configuration names such a port."""
        self._premises = premises
        self._read_contract = read_contract
        self._copies = 0
        self._killed: set[Target] = set()

    async def open(self) -> None:
        """Starts everything; a PostgreSQL that lacks an extension is exchanged, once, for one that has it."""
        await self._open_redis()
        await self._open_stubs()
        await self._open_post()
        extensions = self.settings.database.extensions
        lacking = await self._open_or_lack(extensions)
        if lacking:
            await self._close_database()
            await self._open_service((*extensions, *lacking))

    async def _open_or_lack(self, extensions: tuple[str, ...]) -> tuple[str, ...]:
        """The extensions for want of which a setup command or the service failed; () when all went well."""
        try:
            await self._open_service(extensions)
        except LaunchError as error:
            lacking = unavailable_extensions(error.detail)
            if not lacking or not isinstance(self.database, Cluster):
                raise
            return lacking
        return ()

    async def _open_service(self, extensions: tuple[str, ...]) -> None:
        await self._open_database(extensions)
        await self.service.set_up(self.values(), lambda process: self.refuse_strangers(process.tree()))
        if self.settings.service.setup and self.database and not self.recorder.tally(DATABASE).connections:
            self._leave_out("the setup", "no setup command opened a connection to the laboratory's database")
        if self.database is not None:
            await self._copy()
        await self.service.start(self.values())
        self.refuse_strangers(self.service.tree())

    def refuse_strangers(self, processes: list[psutil.Process]) -> None:
        """Raises LaunchError when these processes keep their data somewhere that is not the laboratory's."""
        ours = {proxy.port for proxy in self.proxies.values()}
        named = (*self.settings.service.env.values(), self.settings.service.command)
        for peer in strange_stores(processes, ours, named):
            self._leave_out(str(peer), "the service uses it, but no proxy sees it, and no copy protects its data")
        for file in database_files(processes, self.root):
            reason = "the service keeps its data in a file of the project, which no proxy sees and no copy protects"
            hint = "Give it a PostgreSQL by {database.url}, or a copy of the file, in service.env."
            self._leave_out(f"the database {file}", reason, hint)

    def _leave_out(self, what: str, reason: str, hint: str = "") -> None:
        left = Unexamined(what=what, reason=reason, hint=hint)
        if left not in self.unexamined:
            self.unexamined.append(left)

    async def fresh(self) -> None:
        """A new copy of the base database, an empty Redis, and a new process of the service on its old port."""
        await self.service.kill()
        earlier = self.database_name
        if self.database is not None:
            await self._copy()
            with contextlib.suppress(LabError):
                await self.database.drop(earlier)
        if self.redis is not None:
            await self.redis.empty()
        await self.service.start(self.values())

    async def heal(self) -> None:
        """Whatever an experiment left broken runs again."""
        for proxy in self.proxies.values():
            if proxy.interferences:
                raise LabError(f"a fault on {proxy.dependency} was left on", hint="This is a defect of the experiment.")
        self._killed.clear()
        if isinstance(self.database, Cluster):
            await self.database.start()
        if self.redis is not None and not self.redis.is_running:
            await self.redis.open()
        if self.service.is_running and not await self.service.answers(ANSWER_LIMIT_S):
            await self.service.kill()
        await self.service.start()
        if self.service.process is not None:
            self.service.process.trim()

    async def restart(self) -> None:
        """A new process of the service on the same data."""
        await self.service.kill()
        await self.service.start()

    def last_words(self) -> str:
        """How the service ended, when nobody killed it; "" while it runs."""
        process = self.service.process
        if process is None or process.is_running or Target.SERVICE in self._killed:
            return ""
        return f"the service exited by itself with code {process.returncode}; its last line: {process.tail(1)[:500]}"

    async def kill(self, target: Target) -> None:
        """SIGKILL."""
        self._killed.add(target)
        if target is Target.SERVICE:
            await self.service.kill()
        elif isinstance(self.database, Cluster):
            await self.database.kill()
        else:
            raise LabError("the database is not one that nines started, so it cannot be killed")

    async def start(self, target: Target) -> float | None:
        """The seconds until it was ready, None when it never was."""
        self._killed.discard(target)
        try:
            if target is Target.SERVICE:
                return await self.service.start()
            return await self.database.start() if isinstance(self.database, Cluster) else None
        except LaunchError:
            # The failed start left no process, so there is nothing that could have ended by itself.
            self._killed.add(target)
            return None

    async def close(self) -> None:
        """Stops everything; what does not stop in order is killed with the premises."""
        with contextlib.suppress(NinesError, OSError):
            await self.service.kill()
        for proxy in self.proxies.values():
            with contextlib.suppress(NinesError, OSError):
                await proxy.stop()
        for stub in self.stubs.values():
            await stub.close()
        if self.post is not None:
            await self.post.close()
        for part in (self.redis, self.database):
            if part is not None:
                with contextlib.suppress(NinesError, OSError):
                    await part.close()

    def values(self) -> dict[str, str]:
        """The placeholders of the configuration."""
        found: dict[str, str] = {}
        if self.database is not None:
            found |= self._database_values(self.database)
        if self.redis is not None:
            port = self.proxies[REDIS].port
            found |= {"redis.host": LOOPBACK, "redis.port": str(port), "redis.url": self.redis.url(LOOPBACK, port)}
        if self.post is not None:
            host, port = self.post.host, self.post.port
            found |= {"mail.host": host, "mail.port": str(port), "mail.url": f"smtp://{host}:{port}"}
        if any(mentions(value, "grpc") for value in self.settings.service.env.values()):
            self.grpc_port = self.grpc_port or free_port()
            found["grpc.port"] = str(self.grpc_port)
        for name in self.stubs:
            port = self.proxies[name].port
            found[f"upstream.{name}.host"] = LOOPBACK
            found[f"upstream.{name}.port"] = str(port)
            upstream = self.settings.upstreams[name]
            found[f"upstream.{name}.url"] = f"{upstream.speaks}://{LOOPBACK}:{port}{upstream.path}"
        return found

    def _database_values(self, database: Cluster | GivenServer) -> dict[str, str]:
        port = self.proxies[DATABASE].port
        login = quote(database.user, safe="")
        if database.password:
            login += ":" + quote(database.password, safe="")
        return {
            "database.host": LOOPBACK,
            "database.port": str(port),
            "database.user": database.user,
            "database.password": database.password,
            "database.name": self.database_name,
            "database.url": f"{self.settings.database.scheme}://{login}@{LOOPBACK}:{port}/{self.database_name}",
        }

    async def _open_database(self, extensions: tuple[str, ...]) -> None:
        wanted = self.settings.database
        if wanted.needed is False:
            return
        try:
            installation = None if wanted.url else choose(extensions)
        except LaunchError as error:
            if wanted.needed:
                raise
            self._leave_out(DATABASE, error.what, error.hint)
            return
        if installation is not None and not installation.is_embedded:
            self.service.notes.append(
                f"{installation.name} is used, for the embedded one lacks {', '.join(extensions)}"
            )
        self.database = await open_database(self._premises, wanted.url, installation)
        await self._proxy(DATABASE, self.database.host, self.database.port)
        self.database_name = self._named("base")
        await self.database.create(self.database_name)

    async def _close_database(self) -> None:
        await self.service.kill()
        await self.proxies.pop(DATABASE).stop()
        assert self.database is not None
        await self.database.close()
        self.database = None

    async def _copy(self) -> None:
        assert self.database is not None
        self._copies += 1
        name = self._named(str(self._copies))
        await self.database.create(name, self._named("base"))
        self.database_name = name

    def _named(self, part: str) -> str:
        return f"nines_{self._premises.run}_{part}"

    async def _open_redis(self) -> None:
        wanted = self.settings.redis
        is_asked = bool(wanted.needed or wanted.url or self._is_named(REDIS))
        if wanted.needed is False or (not is_asked and find_program() is None):
            return
        redis = Redis(self._premises, wanted.url)
        await redis.open()
        self.redis = redis
        await self._proxy(REDIS, redis.host, redis.port)

    def _is_named(self, what: str) -> bool:
        """Whether the configuration tells the service where it is."""
        texts = (*self.settings.service.env.values(), *self.settings.service.setup, self.settings.service.command)
        return any(mentions(text, what) for text in texts)

    async def _open_post(self) -> None:
        if self._is_named(MAIL):
            self.post = Post()
            await self.post.open()

    async def _open_stubs(self) -> None:
        for name, upstream in self.settings.upstreams.items():
            stub = self._stub(name, upstream)
            await stub.open()
            self.stubs[name] = stub
            await self._proxy(name, stub.host, stub.port)

    def _stub(self, name: str, upstream: UpstreamSettings) -> Stub | GrpcStub:
        if upstream.speaks == GRPC:
            return GrpcStub(name, upstream.answers[0].delay_s if upstream.answers else 0.0)
        return Stub(name, upstream.answers, self._contract_of(upstream))

    def _contract_of(self, upstream: UpstreamSettings) -> Contract | None:
        if not upstream.contract:
            return None
        path = self.root / upstream.contract
        try:
            return self._read_contract(path.read_bytes(), upstream.contract)
        except OSError as error:
            raise LaunchError(
                f"the contract of an upstream cannot be read: {error.strerror}",
                where=upstream.contract,
                hint="Correct the upstream's contract in the configuration of nines.",
            ) from error

    async def _proxy(self, dependency: str, host: str, port: int) -> None:
        wires: dict[str, Callable[[Session], Wire]] = {DATABASE: postgres_wires(), REDIS: RedisWire}
        # What is said over gRPC is passed on as it is: slowness, silence and resets are felt all the same.
        wires |= {name: Wire for name, stub in self.stubs.items() if isinstance(stub, GrpcStub)}
        wire = wires.get(dependency, HttpWire)
        proxy = Proxy(dependency=dependency, host=host, port=port, recorder=self.recorder, wire=wire)
        await proxy.start()
        self.proxies[dependency] = proxy
