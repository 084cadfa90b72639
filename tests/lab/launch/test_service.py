"""The service: started as its owner would, made ready, killed and started again, and clear words when it fails."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from nines.lab.launch.cleanup import Premises
from nines.lab.launch.service import Service
from nines.model.errors import LaunchError, SettingsError
from nines.model.place import Place
from nines.model.service import Application
from nines.model.settings import ServiceSettings, Settings

pytestmark = pytest.mark.lab

ASGI = Application(
    module="small", name="app", interface="asgi", framework="plain", place=Place(file="small.py", line=1)
)


def get(service: Service, path: str = "/") -> dict[str, Any]:
    with urllib.request.urlopen(service.url + path, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def test_an_application_is_started_killed_and_started_again_on_its_port(
    premises: Premises, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "x")
    monkeypatch.setenv("NAMED_BY_THE_OWNER", "y")
    env = {"DB": "pg://{database.host}/{database.name}", "TAKEN": "${NAMED_BY_THE_OWNER}", "JSON": '{"a": {"b": 1}}'}
    settings = Settings(service=ServiceSettings(env=env, python=sys.executable))
    values = {"database.host": "there", "database.name": "one", "database.url": "pg://url"}

    async def scenario() -> None:
        service = Service(premises, settings, project, (ASGI,))
        assert await service.start(values) > 0
        port = service.port
        first = await asyncio.to_thread(get, service)
        assert first["env"]["DB"] == "pg://there/one"
        assert first["env"]["TAKEN"] == "y"
        assert first["env"]["JSON"] == '{"a": {"b": 1}}'
        assert "SECRET_OF_THE_SHELL" not in first["env"]
        assert "DATABASE_URL" not in first["env"], "service.env told the service already"
        await service.kill()
        assert not psutil.pid_exists(first["pid"])
        await service.start({**values, "database.name": "two"})
        second = await asyncio.to_thread(get, service)
        assert (service.port, second["env"]["DB"]) == (port, "pg://there/two")
        took = await service.terminate()
        assert took is not None
        assert not psutil.pid_exists(second["pid"])

    asyncio.run(scenario())


def test_workers_die_with_their_service(premises: Premises, project: Path) -> None:
    settings = Settings(service=ServiceSettings(app="small:make()", workers=2, python=sys.executable))

    async def scenario() -> None:
        service = Service(premises, settings, project)
        await service.start({"database.url": "pg://url"})
        tree = service.tree()
        assert len(tree) >= 3
        assert (await asyncio.to_thread(get, service))["env"]["DATABASE_URL"] == "pg://url"
        await service.kill()
        assert not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in tree)

    asyncio.run(scenario())


def test_a_service_that_exits_shows_its_last_words(premises: Premises, project: Path) -> None:
    (project / "bad.py").write_text("import not_there_at_all\n")
    service = Service(premises, Settings(service=ServiceSettings(command="python bad.py")), project)
    with pytest.raises(LaunchError) as caught:
        asyncio.run(service.start({}))
    assert "exited with code 1" in str(caught.value)
    assert "No module named 'not_there_at_all'" in str(caught.value)
    assert "service.python" in caught.value.hint


def test_a_service_that_never_gets_ready_is_ended(premises: Premises, project: Path) -> None:
    command = f"{sys.executable} -m uvicorn small:app --host {{host}} --port {{port}}"
    settings = Settings(service=ServiceSettings(command=command, ready="/never", ready_timeout_s=3.0))
    service = Service(premises, settings, project)
    with pytest.raises(LaunchError, match=r"not ready within 3 s: /never answered 503"):
        asyncio.run(service.start({}))
    assert not service.is_running


def test_a_program_that_ignores_the_port_is_met_where_it_listens(premises: Premises, project: Path) -> None:
    command = f"{sys.executable} -m uvicorn small:app --port 0"
    service = Service(premises, Settings(service=ServiceSettings(command=command, python=sys.executable)), project)

    async def scenario() -> None:
        await service.start({})
        assert (await asyncio.to_thread(get, service))["path"] == "/"
        await service.kill()

    asyncio.run(scenario())
    assert "ignores the port" in service.notes[0]


def test_a_stranger_on_the_port_is_never_taken_for_the_service(premises: Premises, project: Path) -> None:
    async def scenario() -> None:
        service = Service(premises, Settings(service=ServiceSettings(command="sleep 60")), project)

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", service.port):
            with pytest.raises(LaunchError, match="nines did not start"):
                await service.start({})
        assert not service.is_running

    asyncio.run(scenario())


def test_a_taken_port_is_changed_when_the_service_is_told_its_port(premises: Premises, project: Path) -> None:
    async def scenario() -> None:
        service = Service(premises, Settings(service=ServiceSettings(python=sys.executable)), project, (ASGI,))
        first = service.port
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", first))
            holder.listen()
            await service.start({})
            assert service.port != first
            assert (await asyncio.to_thread(get, service))["path"] == "/"
            await service.kill()

    asyncio.run(scenario())


def test_setup_runs_in_order_with_the_same_environment(premises: Premises, project: Path) -> None:
    (project / "step.py").write_text("import os, sys\nopen('seen', 'a').write(os.environ['X'] + sys.argv[1])\n")
    setup = ("python step.py 1", "EXTRA=1 python step.py {database.name}")
    settings = Settings(service=ServiceSettings(setup=setup, env={"X": "x"}))
    asyncio.run(Service(premises, settings, project).set_up({"database.name": "base"}))
    assert (project / "seen").read_text() == "x1xbase"


def test_a_failing_setup_shows_its_output(premises: Premises, project: Path) -> None:
    settings = Settings(service=ServiceSettings(setup=("python -c \"print('what went wrong'); raise SystemExit(3)\"",)))
    with pytest.raises(LaunchError) as caught:
        asyncio.run(Service(premises, settings, project).set_up({}))
    assert "exit code 3" in str(caught.value)
    assert "what went wrong" in caught.value.detail
    assert caught.value.where == "service.setup[1]"


@pytest.mark.parametrize(
    ("service", "error", "says"),
    [
        (ServiceSettings(), LaunchError, "does not know how to start"),
        (ServiceSettings(command="not-a-program-at-all"), LaunchError, "not-a-program-at-all was not found"),
        (ServiceSettings(command="python 'x"), SettingsError, "cannot be split"),
        (ServiceSettings(command="A=b"), SettingsError, "names no program"),
        (ServiceSettings(command="python x.py", directory="nowhere"), LaunchError, "nowhere was not found"),
        (ServiceSettings(command="python x.py", env={"A": "{database.naem}"}), SettingsError, "{database.naem}"),
        (ServiceSettings(command="python x.py", python="no-such-python"), SettingsError, "not a Python interpreter"),
    ],
)
def test_settings_that_cannot_work_are_clear_errors(
    premises: Premises, project: Path, service: ServiceSettings, error: type[Exception], says: str
) -> None:
    async def scenario() -> None:
        await Service(premises, Settings(service=service), project).start({"database.name": "x"})

    with pytest.raises(error, match=says.replace("{", r"\{")):
        asyncio.run(scenario())


def test_what_a_command_prints_is_given_back_and_its_failure_has_its_own_words(
    premises: Premises, project: Path
) -> None:
    settings = Settings(service=ServiceSettings(env={"SEED": "for the laboratory"}, python=sys.executable))
    service = Service(premises, settings, project)
    told = "import os, sys; print(os.environ['SEED']); sys.exit(int(sys.argv[1]))"
    assert asyncio.run(service.output(["python", "-c", told, "0"])) == "for the laboratory\n"
    with pytest.raises(LaunchError, match="exit code 1") as caught:
        asyncio.run(service.output(["python", "-c", "raise SystemExit('no key')"]))
    assert "no key" in caught.value.detail
    with pytest.raises(LaunchError, match="cannot be run"):
        asyncio.run(service.output(["there-is-no-such-program"]))
