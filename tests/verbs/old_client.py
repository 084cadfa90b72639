"""A client of the contract that was: it asks every operation, again and again, whichever version answers.

Where people register, each sitting has people of its own, because some end their sessions or close their accounts;
somebody who was there before keeps a password and tokens (`Keeper`), which have to go on working."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shlex
import socket
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from nines.lab.launch.post import Post
from nines.lab.launch.stubs import Stub
from nines.lab.launch.templates import fill
from nines.lab.load.client import Client
from nines.lab.load.connection import Address
from nines.lab.load.ending import exchange_of_answer
from nines.lab.load.request import request_of
from nines.lab.reception import make_sessions
from nines.lab.requests.planner import Planner
from nines.lab.requests.sessions import Sessions, with_credentials
from nines.lab.requests.validate import allows
from nines.model.change import ContractChange, Impact
from nines.model.contract import Contract, Operation
from nines.model.experiment import Call
from nines.model.history import Exchange
from nines.model.record import Record
from nines.model.settings import Identity, Settings
from nines.readers import openapi
from nines.readers import settings as settings_reader

TODAY = date(2030, 1, 31)
START_S_MAX = 60.0
TRIES = 2
"""Of one operation by one identity: a value that chance made may stand in its own way."""
_SAID_MAX = 4_000
KEPT = "kept"
_CONTENT = range(200, 300)
_UNAUTHORIZED, _FORBIDDEN = 401, 403


class Told(Record):
    """What one operation answered to the old client at its best."""

    status: int | None
    call: Call
    body: str = ""
    is_understood: bool = True
    """Whether the old contract's schema takes the body."""


class Upstreams:
    """Stubs of what the service calls, as its own nines.toml has them answer, and the post that takes its letters."""

    def __init__(self, settings: Settings) -> None:
        # They answer at once: how long others take is no part of what is tried here.
        self._stubs = {
            name: Stub(name, tuple(msgspec.structs.replace(each, delay_s=0.0) for each in told.answers))
            for name, told in settings.upstreams.items()
        }
        self.post = Post()

    async def open(self) -> None:
        await self.post.open()
        for stub in self._stubs.values():
            await stub.open()

    async def close(self) -> None:
        for stub in self._stubs.values():
            await stub.close()
        await self.post.close()

    def values(self) -> dict[str, str]:
        stubs = {f"upstream.{name}.url": f"http://{stub.host}:{stub.port}" for name, stub in self._stubs.items()}
        return {**stubs, "mail.url": f"smtp://{self.post.host}:{self.post.port}"}


class Service:
    """One version of a service in its folder; every process of it is a real one."""

    def __init__(self, folder: Path, package: str, values: Mapping[str, str]) -> None:
        self.folder, self.package, self.log = folder, package, folder
        self.settings = settings_reader.load(folder)
        # What a later version calls beside is nobody here.
        nobody = {f"upstream.{name}.url": "http://127.0.0.1:9" for name in self.settings.upstreams}
        known = {**nobody, **values, "grpc.port": str(_free_port())}
        given = {name: fill(text, known, name) for name, text in self.settings.service.env.items()}
        path = os.pathsep.join(filter(None, (str(folder / "src"), os.environ.get("PYTHONPATH", ""))))
        # No balancer has to hear of its end.
        self._environment = {**os.environ, **given, "PYTHONPATH": path, "DRAIN_S": "0"}

    async def _started(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, *words,
            cwd=self.folder, env=self._environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip

    async def migrate(self, *options: str) -> tuple[int, str]:
        process = await self._started("-m", f"{self.package}.migrate", *options)
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode(errors="replace")[-_SAID_MAX:]

    def troubles(self) -> str:
        """What the last process told of its own defects."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.is_file() else []
        return "\n".join(line for line in lines if "rror" in line)[-_SAID_MAX:]

    async def set_up(self, *, again: tuple[str, str] = ("", "")) -> None:
        """What its nines.toml asks for on a fresh database; or once more what it asks for somebody, by a new name."""
        whom, name = again
        for line in (
            line.replace(whom, name) if whom else line for line in self.settings.service.setup if whom in line
        ):
            process = await self._started(*shlex.split(line)[1:])
            said, _ = await process.communicate()
            assert process.returncode == 0, said.decode(errors="replace")[-_SAID_MAX:]

    async def output(self, words: Sequence[str]) -> str:
        """What a command of the service prints."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words[1:],
            cwd=self.folder, env=self._environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        said, _ = await process.communicate()
        return said.decode()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Address]:
        """A process that is ready, and that ends in order afterwards."""
        port = _free_port()
        log = self.log = self.folder / f"log-{port}"
        with log.open("wb") as stream:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self.package, "--port", str(port),
                cwd=self.folder, env=self._environment, stdout=stream, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
        try:
            assert await asyncio.to_thread(_is_ready, port, process), log.read_text()[-_SAID_MAX:]
            yield Address(host="127.0.0.1", port=port)
            process.terminate()
            assert await process.wait() == 0, log.read_text()[-_SAID_MAX:]
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


class OldClient:
    """Knows one contract for ever, and keeps its tokens."""

    def __init__(self, service: Service, post: Post) -> None:
        self.settings = service.settings
        self.contract: Contract = openapi.read((service.folder / "openapi.yaml").read_bytes(), "openapi.yaml")
        self._service = service
        self._post = post
        self._headers: dict[str, tuple[tuple[str, str], ...]] = {}
        self._sittings = 0
        self._came = 0
        self._best: dict[str, str] = {}
        """Who got furthest with an operation at first, and is asked first from then on."""
        self._kept: dict[str, Told] = {}
        self._first: dict[str, Told] = {}
        self._said: dict[str, Told] = {}
        self._keeper: Keeper | None = None
        self.registers = any(operation.id == "register" for operation in self.contract.operations)

    async def come(self, address: Address) -> None:
        """Signs in, asks everything for the first time, and remembers what was answered."""
        await self._arrive(address, self.settings.identities)
        assert self._headers
        self._keeper = Keeper(self) if self.registers else None
        self._kept = await self._keeper.ask(address) if self._keeper else {}
        assert all(told.status in _CONTENT for told in self._kept.values()), self._kept
        self._first = await self.sit(address)
        assert any(told.status in _CONTENT for told in self._first.values())
        self._said = await self.repeat(address, self._first.values())

    def turn_to(self, service: Service) -> None:
        """By whose commands people come from now on: those of a version that is gone write what it knew."""
        self._service = service

    async def met(self, address: Address, changes: Iterable[ContractChange] = ()) -> list[str]:
        """What is otherwise than at first, without its having been announced: of what it keeps, of what it asks anew,
        and of what it had asked before."""
        changes = tuple(changes)
        kept = await self._keeper.ask(address) if self._keeper else {}
        anew, again = await self.sit(address), await self.repeat(address, self._said.values())
        both = ((self._kept, kept), (self._first, anew), (self._said, again))
        return [each for was, now in both for each in differences(was, now, changes, self)]

    async def _arrive(self, address: Address, identities: Sequence[Identity]) -> None:
        """Those who can sign in have their headers from then on; the others keep what they had."""
        client = Client(address, keeps_connections=False)
        settings = msgspec.structs.replace(self.settings, identities=tuple(identities))
        sessions: Sessions = make_sessions(
            self.contract, settings, client, lambda _: None, run=self._service.output, mail=self._post
        )
        for each in await sessions.open():
            self._headers[each.name] = await sessions.headers(each.name)

    async def _newcomers(self, address: Address, *names: str) -> None:
        """The people of this sitting, an administrator among them, for who may lock accounts may lock their own."""
        self._came += 1
        people = [each for each in self.settings.identities if each.name in (names or (each.name,))]
        renamed = [msgspec.structs.replace(each, username=f"n{self._came}-{each.username}") for each in people]
        for was, now in zip(people, renamed, strict=True):
            self._headers.pop(was.name, None)
            if was.is_admin:
                await self._service.set_up(again=(was.username, now.username))
        await self._arrive(address, renamed)

    async def sit(self, address: Address) -> dict[str, Told]:
        """Asks every operation anew, each until it succeeded once, and keeps its best answer."""
        self._sittings += 1
        if self.registers:
            await self._newcomers(address)
        plain = [each.name for each in self.settings.identities if not each.is_admin]
        planner = Planner(
            self.contract,
            send=lambda call: self._send(address, call),
            note=lambda _: None,
            seed=self._sittings,
            today=TODAY,
            values=self.settings.values,
            admin=next((each.name for each in self.settings.identities if each.is_admin), ""),
            helpers=tuple(plain[2:]),
        )
        found: dict[str, Told] = {}
        for operation in self.contract.operations:
            for identity in self._asking(operation):
                if self._spares(identity, found.get(operation.id)):
                    continue
                call = await planner.prepare(operation, identity)
                if call is None:
                    continue
                told = self._heard(operation, await self._send(address, call), call)
                if operation.id not in found or told.status in _CONTENT:
                    found[operation.id] = told
                if told.status in _CONTENT:
                    self._best[operation.id] = identity
                    break
                if self.registers and told.status == _UNAUTHORIZED and operation.is_secured:
                    await self._newcomers(address, identity)
        return found

    def _spares(self, identity: str, told: Told | None) -> bool:
        """An administrator whose account is one among others asks only what others may not: the rest could end it."""
        is_admin = any(each.name == identity and each.is_admin for each in self.settings.identities)
        return self.registers and is_admin and told is not None and told.status != _FORBIDDEN

    def _asking(self, operation: Operation) -> list[str]:
        """Everybody, and whoever succeeded before comes first; where nobody did at first, one is enough later."""
        everybody = [name for name in self._headers for _ in range(TRIES)]
        if self._first and operation.id not in self._best:
            return everybody[:1]
        return sorted(everybody, key=lambda name: name != self._best.get(operation.id))

    async def repeat(self, address: Address, said: Iterable[Told]) -> dict[str, Told]:
        """The very same requests once more: reads, and writes under the key that they had."""
        found = {}
        for each in said:
            operation = self.contract.operation(each.call.operation)
            if operation is not None and (operation.is_safe or each.call.key):
                found[operation.id] = self._heard(operation, await self._send(address, each.call), each.call)
        return found

    def named(self, operation: str) -> str:
        """As changes of a contract name it."""
        found = self.contract.operation(operation)
        return f"{found.method} {found.path}" if found else operation

    async def tell(self, address: Address, call: Call) -> Told:
        """One request as it is, of nobody of a sitting."""
        operation = self.contract.operation(call.operation)
        assert operation is not None, call.operation
        return self._heard(operation, await self._send(address, call), call)

    async def _send(self, address: Address, call: Call) -> Exchange:
        client = Client(address, keeps_connections=False)
        given = with_credentials(call, self._headers.get(call.identity, ()))
        request = request_of(given, host=address.host_header)
        return exchange_of_answer(request, await client.send(request), url=address.url)

    def _heard(self, operation: Operation, exchange: Exchange, call: Call) -> Told:
        promised = operation.answer(exchange.status or 0)
        is_understood = promised is not None
        if promised is not None and promised.schema and exchange.body:
            try:
                body = msgspec.json.decode(exchange.body)
            except msgspec.DecodeError:
                is_understood = False
            else:
                is_understood = allows(promised.schema, body) is not False
        return Told(status=exchange.status, call=call, body=exchange.body, is_understood=is_understood)


class Keeper:
    """Somebody who registered before anything changed: the password works, the first token too, and so on."""

    def __init__(self, client: OldClient) -> None:
        self._client = client
        self._token = self._refresh = ""
        self._person = next(each for each in client.settings.identities if not each.is_admin)

    async def ask(self, address: Address) -> dict[str, Told]:
        """Signs in by password, reads with the first token that there was, and goes on with the last one given."""
        signed = await self._post(address, "signIn", email=self._person.username, password=self._person.password)
        found = {"signIn": signed}
        if signed.status in _CONTENT and not self._token:
            tokens = msgspec.json.decode(signed.body)
            self._token, self._refresh = tokens["access_token"], tokens["refresh_token"]
        refreshed = found["refreshTokens"] = await self._post(address, "refreshTokens", refresh_token=self._refresh)
        if refreshed.status in _CONTENT:
            self._refresh = msgspec.json.decode(refreshed.body)["refresh_token"]
        found["getAccount"] = await self._read(address)
        return found

    async def _read(self, address: Address) -> Told:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(self._token.split(".")[1] + "=="))
        operation = self._client.contract.operation("getAccount")
        assert operation is not None
        path = operation.path.replace("{account_id}", claims["sub"])
        bearer = (("authorization", f"Bearer {self._token}"),)
        return await self._client.tell(
            address, Call(operation=operation.id, method="GET", path=path, headers=bearer, phase=KEPT)
        )

    async def _post(self, address: Address, name: str, **body: str) -> Told:
        operation = self._client.contract.operation(name)
        assert operation is not None
        headers = (("content-type", "application/json"),)
        return await self._client.tell(
            address,
            Call(operation=name, method="POST", path=operation.path, headers=headers, body=msgspec.json.encode(body),
                 phase=KEPT),
        )  # fmt: skip


def differences(
    before: Mapping[str, Told], after: Mapping[str, Told], changes: Iterable[ContractChange], client: OldClient
) -> list[str]:
    """What an old client meets otherwise than before, without its having been announced."""
    changes = tuple(changes)
    broken = {each.operation for each in changes if each.impact is Impact.BREAKING}
    told = broken | {each.operation for each in changes if each.impact is Impact.RISKY}
    # Nobody comes any more where registering is what was broken; who was there before stays.
    is_empty = client.registers and client.named("register") in broken
    found = []
    for operation, was in before.items():
        # What is said of the whole document is said of each operation.
        name, now = client.named(operation) if "" not in broken else "", after.get(operation)
        # What an operation acts on may be made by one that was broken, so that there is nothing for it to act on.
        is_bereft = "{" in client.named(operation) or (is_empty and was.call.phase != KEPT)
        is_bereft = bool(broken) and is_bereft and (now is None or _class(now) == "4")
        if now is None or is_bereft:
            if not broken:
                found.append(f"{name}: can no longer be asked")
        elif _class(now) != _class(was) and name not in broken and not (_class(was) == "4" and _class(now) != "5"):
            found.append(f"{name}: {was.status} became {now.status}: {now.body[:400]}")
        elif was.is_understood and not now.is_understood and name not in told:
            found.append(f"{name}: {now.status} is not what was promised: {now.body[:400]}")
    return found


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _class(told: Told) -> str:
    return str(told.status or 0)[:1]


def _is_ready(port: int, process: asyncio.subprocess.Process) -> bool:
    until_s = time.monotonic() + START_S_MAX
    while time.monotonic() < until_s and process.returncode is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
            return bool(answer.status == 200)
        time.sleep(0.05)
    return False
