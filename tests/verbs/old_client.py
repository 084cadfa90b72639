"""A client of the contract that was: it asks every operation, again and again, whichever version answers."""

from __future__ import annotations

import asyncio
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

from nines.lab.launch.stubs import Stub
from nines.lab.launch.templates import fill
from nines.lab.load.client import Client
from nines.lab.load.connection import Address
from nines.lab.load.ending import exchange_of_answer
from nines.lab.load.request import request_of
from nines.lab.reception import make_sessions
from nines.lab.requests.planner import Planner
from nines.lab.requests.sessions import with_credentials
from nines.lab.requests.validate import allows
from nines.model.change import ContractChange, Impact
from nines.model.contract import Contract, Operation
from nines.model.experiment import Call
from nines.model.history import Exchange
from nines.model.record import Record
from nines.model.settings import Settings
from nines.readers import openapi
from nines.readers import settings as settings_reader

TODAY = date(2030, 1, 31)
START_S_MAX = 60.0
TRIES = 2
"""Of one operation by one identity: a value that chance made may stand in its own way."""
_SAID_MAX = 4_000
_CONTENT = range(200, 300)


class Told(Record):
    """What one operation answered to the old client at its best."""

    status: int | None
    call: Call
    body: str = ""
    is_understood: bool = True
    """Whether the old contract's schema takes the body."""


class Upstreams:
    """Stubs of what the service calls, as its own nines.toml has them answer."""

    def __init__(self, settings: Settings) -> None:
        # They answer at once: how long others take is no part of what is tried here.
        self._stubs = {
            name: Stub(name, tuple(msgspec.structs.replace(each, delay_s=0.0) for each in told.answers))
            for name, told in settings.upstreams.items()
        }

    async def open(self) -> None:
        for stub in self._stubs.values():
            await stub.open()

    async def close(self) -> None:
        for stub in self._stubs.values():
            await stub.close()

    def values(self) -> dict[str, str]:
        return {f"upstream.{name}.url": f"http://{stub.host}:{stub.port}" for name, stub in self._stubs.items()}


class Service:
    """One version of a service in its folder; every process of it is a real one."""

    def __init__(self, folder: Path, package: str, values: Mapping[str, str]) -> None:
        self.folder, self.package, self.log = folder, package, folder
        self.settings = settings_reader.load(folder)
        # What a later version calls beside is nobody here.
        nobody = {f"upstream.{name}.url": "http://127.0.0.1:9" for name in self.settings.upstreams}
        known = {**nobody, **values}
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

    async def set_up(self) -> None:
        """What its nines.toml asks for on a fresh database."""
        for line in self.settings.service.setup:
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
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
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

    def __init__(self, service: Service) -> None:
        self.settings = service.settings
        self.contract: Contract = openapi.read((service.folder / "openapi.yaml").read_bytes(), "openapi.yaml")
        self._service = service
        self._headers: dict[str, tuple[tuple[str, str], ...]] = {}
        self._sittings = 0

    async def sign_in(self, address: Address) -> None:
        client = Client(address, keeps_connections=False)
        notes: list[str] = []
        sessions = make_sessions(self.contract, self.settings, client, notes.append, run=self._service.output)
        identities = await sessions.open()
        self._headers = {each.name: await sessions.headers(each.name) for each in identities}
        assert self._headers, notes

    async def sit(self, address: Address) -> dict[str, Told]:
        """Asks every operation anew, each until it succeeded once, and keeps its best answer."""
        self._sittings += 1
        plain = [each.name for each in self.settings.identities if not each.is_admin]
        planner = Planner(
            self.contract,
            send=lambda call: self._send(address, call),
            note=lambda _: None,
            seed=self._sittings,
            today=TODAY,
            admin=next((each.name for each in self.settings.identities if each.is_admin), ""),
            helpers=tuple(plain[2:]),
        )
        found: dict[str, Told] = {}
        for operation in self.contract.operations:
            for identity in [name for name in self._headers for _ in range(TRIES)]:
                call = await planner.prepare(operation, identity)
                if call is None:
                    continue
                told = self._heard(operation, await self._send(address, call), call)
                if operation.id not in found or told.status in _CONTENT:
                    found[operation.id] = told
                if told.status in _CONTENT:
                    break
        return found

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


def differences(
    before: Mapping[str, Told], after: Mapping[str, Told], changes: Iterable[ContractChange], client: OldClient
) -> list[str]:
    """What an old client meets otherwise than before, without its having been announced."""
    changes = tuple(changes)
    broken = {each.operation for each in changes if each.impact is Impact.BREAKING}
    told = broken | {each.operation for each in changes if each.impact is Impact.RISKY}
    found = []
    for operation, was in before.items():
        # What is said of the whole document is said of each operation.
        name, now = client.named(operation) if "" not in broken else "", after.get(operation)
        # What an operation acts on may be made by one that was broken, so that there is nothing for it to act on.
        is_bereft = bool(broken) and "{" in client.named(operation) and (now is None or _class(now) == "4")
        if now is None or is_bereft:
            if not broken:
                found.append(f"{name}: can no longer be asked")
        elif _class(now) != _class(was) and name not in broken and not (_class(was) == "4" and _class(now) != "5"):
            found.append(f"{name}: {was.status} became {now.status}: {now.body[:400]}")
        elif was.is_understood and not now.is_understood and name not in told:
            found.append(f"{name}: {now.status} is not what was promised: {now.body[:400]}")
    return found


def _class(told: Told) -> str:
    return str(told.status or 0)[:1]


def _is_ready(port: int, process: asyncio.subprocess.Process) -> bool:
    until_s = time.monotonic() + START_S_MAX
    while time.monotonic() < until_s and process.returncode is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
            return bool(answer.status == 200)
        time.sleep(0.05)
    return False
