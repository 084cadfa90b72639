"""How a service is started: placeholders, interpreters, command lines and ports."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines.lab.launch.command import choose_command, split
from nines.lab.launch.interpreter import Interpreter, find_interpreter
from nines.lab.launch.ports import free_port, is_free, listening_ports, refuse_stranger
from nines.lab.launch.templates import fill, literal, mentions
from nines.model.errors import LaunchError, SettingsError
from nines.model.place import Place
from nines.model.service import Application
from nines.model.settings import ServiceSettings

VALUES = {"host": "127.0.0.1", "port": "8000", "database.url": "pg://x", "upstream.pay-ment.url": "http://y"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{host}:{port}", "127.0.0.1:8000"),
        ("{database.url}?a=b", "pg://x?a=b"),
        ("{upstream.pay-ment.url}/v1", "http://y/v1"),
        ('{"json": {"a": 1}, "b": []}', '{"json": {"a": 1}, "b": []}'),
        ('{{"port": {port}}}', '{"port": 8000}'),
        ("{}", "{}"),
        ("${HOME}", "${HOME}"),
    ],
)
def test_placeholders_are_filled_and_other_braces_stay(text: str, filled: str) -> None:
    if text == "${HOME}":
        with pytest.raises(SettingsError):
            fill(text, VALUES, "service.env.X")
    else:
        assert fill(text, VALUES, "service.env.X") == filled


def test_an_unknown_placeholder_names_the_known_ones() -> None:
    with pytest.raises(SettingsError) as caught:
        fill("{databse.url}", VALUES, "service.env.X")
    assert caught.value.where == "service.env.X"
    assert "{database.url}" in caught.value.hint


@given(st.text(alphabet=st.characters(exclude_characters="{}")))
def test_a_text_without_braces_is_never_changed(text: str) -> None:
    assert fill(text, VALUES, "x") == text
    assert not mentions(text, "database")


@given(st.text(alphabet='{}$".:ab1 -'))
def test_what_is_written_literally_comes_back(text: str) -> None:
    assert fill(literal(text), VALUES, "x") == text
    assert not mentions(literal(text), "host")


def test_a_word_in_doubled_braces_is_no_placeholder() -> None:
    assert fill("{{level}} {{message}}", VALUES, "x") == "{level} {message}"
    assert fill('{"a":{"b":1}}', VALUES, "x") == '{"a":{"b":1}}'


def test_a_family_is_mentioned_by_its_members_only() -> None:
    assert mentions("x {database.host} y", "database")
    assert mentions("{port}", "port")
    assert not mentions("{databases.host}", "database")


def interpreter(folder: Path, *modules: str) -> Interpreter:
    """A Python that has exactly these modules beside the library's."""
    site = folder / "modules"
    site.mkdir(parents=True)
    for name in modules:
        (site / f"{name}.py").write_text("raise AssertionError('must not be imported')")
    made = folder / "python"
    made.write_text(f'#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} -S "$@"\n')
    made.chmod(0o755)
    return Interpreter(path=str(made), source="the test")


def application(interface: str, **rest: object) -> Application:
    place = Place(file="x.py", line=1)
    return Application(module="pkg.web", name="app", interface=interface, framework="x", place=place, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("interface", "modules", "expected"),
    [
        ("asgi", ("uvicorn",), "-m uvicorn pkg.web:app --host 127.0.0.1 --port 8000 --workers 2"),
        ("asgi", ("hypercorn",), "-m hypercorn pkg.web:app -b 127.0.0.1:8000 -w 2"),
        ("asgi", ("granian",), "-m granian --interface asgi --host 127.0.0.1 --port 8000 --workers 2 pkg.web:app"),
        ("asgi", ("daphne",), "-m daphne -b 127.0.0.1 -p 8000 pkg.web:app"),
        ("wsgi", ("gunicorn", "flask"), "-m gunicorn -b 127.0.0.1:8000 -w 2 --threads 8 pkg.web:app"),
        ("wsgi", ("waitress",), "-m waitress --listen=127.0.0.1:8000 --threads=8 pkg.web:app"),
        ("wsgi", ("django",), "pkg.web app 127.0.0.1 8000 plain"),
    ],
)
def test_the_server_that_is_installed_serves_the_application(
    tmp_path: Path, interface: str, modules: tuple[str, ...], expected: str
) -> None:
    found = interpreter(tmp_path, *modules)
    service = ServiceSettings(workers=2)
    command = choose_command(service, (application(interface, directory="src"),), found, VALUES, tmp_path)
    assert command.words[0] == found.path
    assert " ".join(command.words).endswith(expected)
    assert command.directory == "src"
    assert bool(command.note) == (modules == ("django",))


def test_a_factory_is_called_and_django_gets_its_settings(tmp_path: Path) -> None:
    found = interpreter(tmp_path, "uvicorn", "gunicorn")
    made = choose_command(ServiceSettings(app="pkg.web:make()"), (), found, VALUES, tmp_path)
    assert made.words[-1] == "--factory"
    assert made.words[3] == "pkg.web:make"
    django = application("wsgi", settings_module="pkg.settings")
    made = choose_command(ServiceSettings(), (django,), found, VALUES, tmp_path)
    assert made.env == (("DJANGO_SETTINGS_MODULE", "pkg.settings"),)


@pytest.mark.parametrize(
    ("modules", "server"),
    [
        (("django", "uvicorn"), "uvicorn"),
        (("django", "gunicorn", "uvicorn"), "gunicorn"),
        (("django",), "-c"),
    ],
)
def test_of_two_interfaces_of_one_project_the_one_with_a_server_is_started(
    tmp_path: Path, modules: tuple[str, ...], server: str
) -> None:
    both = tuple(application(kind, settings_module="shop.settings") for kind in ("asgi", "wsgi"))
    command = choose_command(ServiceSettings(), both, interpreter(tmp_path, *modules), VALUES, tmp_path)
    assert server in command.words[1:3]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    found = interpreter(tmp_path)
    with pytest.raises(LaunchError, match=r"no server for the ASGI application pkg\.web:app") as caught:
        choose_command(ServiceSettings(), (application("asgi"),), found, VALUES, tmp_path)
    assert "Install uvicorn" in caught.value.hint
    other = msgspec.structs.replace(application("asgi"), module="pkg.other")
    with pytest.raises(LaunchError, match="several applications"):
        choose_command(ServiceSettings(), (application("asgi"), other), found, VALUES, tmp_path)


def test_a_command_line_is_split_like_a_shell_would_without_being_one() -> None:
    command = split("A=1 B='x y' serve --port {port} '$HOME;' a=b", VALUES, "service.command")
    assert command.env == (("A", "1"), ("B", "x y"))
    assert command.words == ("serve", "--port", "8000", "$HOME;", "a=b")


def test_the_nearest_virtual_environment_is_found(tmp_path: Path) -> None:
    directory = tmp_path / "backend" / "src"
    directory.mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True, timeout=60)
    found = find_interpreter(tmp_path, directory, "")
    assert found.path == str(tmp_path / "venv" / "bin" / "python")
    assert "venv" in found.source
    assert find_interpreter(tmp_path, directory, "venv").path == found.path
    assert find_interpreter(tmp_path, directory, "venv/bin/python").path == found.path
    assert find_interpreter(tmp_path, directory, "python3").source == "service.python"
    assert found.installed(["json", "nines_has_no_such_module"]) == {"json"}


def test_poetry_keeps_the_environment_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text('[tool.poetry]\nname = "My Shop"\n')
    assert "nines itself" in find_interpreter(project, project, "").source
    cache = tmp_path / "home" / ".cache" / "pypoetry" / "virtualenvs" / "my_shop-abcd1234-py3.11" / "bin"
    cache.mkdir(parents=True)
    (cache / "python").symlink_to(sys.executable)
    assert find_interpreter(project, project, "").path == str(cache / "python")


def test_an_interpreter_that_does_not_answer_is_one_clear_error(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(LaunchError, match="does not answer"):
        Interpreter(path=str(broken), source="x").installed(["json"])


def test_ports_are_free_different_and_outside_the_range_of_clients() -> None:
    first, second = free_port(), free_port()
    assert first != second
    assert is_free(first)
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert first < lowest or lowest <= 16_000
    with socket.socket() as holder:
        holder.bind(("0.0.0.0", first))
        holder.listen()
        assert not is_free(first)
        own = [psutil.Process()]
        assert first in (listening_ports(own) or ())
        refuse_stranger(first, own, "service")
        with pytest.raises(LaunchError, match="nines did not start"):
            refuse_stranger(second, own, "service")
