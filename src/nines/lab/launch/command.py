"""The command line that starts a service: the owner's own, or a server for an application that was found."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from nines.lab.launch.interpreter import Interpreter
from nines.lab.launch.templates import fill
from nines.model.errors import LaunchError, SettingsError
from nines.model.place import Place
from nines.model.record import Record
from nines.model.service import Application
from nines.model.settings import ServiceSettings

_SERVERS = ("uvicorn", "hypercorn", "granian", "daphne", "gunicorn", "waitress", "flask", "django")
_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)=(.*)$", re.DOTALL)
_THREADS = 8
_PLAIN_WSGI = (
    "import importlib, sys, socketserver\n"
    "from wsgiref.simple_server import WSGIServer, make_server\n"
    "class Server(socketserver.ThreadingMixIn, WSGIServer):\n"
    "    daemon_threads = True\n"
    "    request_queue_size = 128\n"
    "sys.path.insert(0, '')\n"
    "module, name, host, port, call = sys.argv[1:]\n"
    "application = getattr(importlib.import_module(module), name)\n"
    "application = application() if call == 'call' else application\n"
    "make_server(host, int(port), application, server_class=Server).serve_forever()\n"
)


class Command(Record):
    """A command line with the environment that it sets, and what there is to say about the choice."""

    words: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    directory: str = "."
    """Relative to the project's root."""
    note: str = ""


def split(line: str, values: Mapping[str, str], where: str) -> Command:
    """A shell-like line as words; leading NAME=value words become environment variables."""
    try:
        words = [fill(word, values, where) for word in shlex.split(line)]
    except ValueError as error:
        raise SettingsError(f"cannot be split into words: {error}", where=where) from error
    env: list[tuple[str, str]] = []
    while words and (assignment := _ASSIGNMENT.match(words[0])):
        env.append((assignment[1], assignment[2]))
        words.pop(0)
    if not words:
        raise SettingsError("names no program", where=where)
    return Command(words=tuple(words), env=tuple(env))


def choose_command(
    settings: ServiceSettings,
    applications: tuple[Application, ...],
    interpreter: Interpreter,
    values: Mapping[str, str],
    root: Path,
) -> Command:
    """`service.command`, else `service.app`, else the application found in the code."""
    if settings.command:
        told = split(settings.command, values, "service.command")
        return Command(words=told.words, env=told.env, directory=settings.directory)
    found = interpreter.installed(_SERVERS)
    candidates = _candidates(settings, applications)
    served = [(each, _serve(each, interpreter, found, values, settings.workers)) for each in candidates]
    # A real server before one that is only good for a trial, for Django offers both interfaces.
    for application, command in sorted(served, key=lambda pair: bool(pair[1] and pair[1].note)):
        if command is not None:
            directory = settings.directory if settings.directory != "." else application.directory
            name = application.settings_module
            env = (("DJANGO_SETTINGS_MODULE", name),) if name else ()
            return Command(words=command.words, env=env, directory=directory, note=command.note)
    named = candidates[0]
    raise LaunchError(
        f"no server for the {named.interface.upper()} application {named.module}:{named.name} "
        f"is installed in {interpreter.path} ({interpreter.source})",
        where="service",
        hint=_missing_hint(named, root),
    )


def _candidates(settings: ServiceSettings, applications: tuple[Application, ...]) -> tuple[Application, ...]:
    """The application that is meant: several only where they are one project's two interfaces, WSGI first."""
    if settings.app:
        return (_named(settings.app, applications),)
    if not applications:
        raise LaunchError(
            "nines does not know how to start this service",
            where="service",
            hint='Set service.command (such as "uvicorn app.main:app --port {port}") or service.app.',
        )
    projects = {(each.directory, each.settings_module or f"{each.module}:{each.name}") for each in applications}
    if len(projects) > 1:
        names = ", ".join(f"{found.module}:{found.name}" for found in applications)
        raise LaunchError(
            f"several applications were found: {names}",
            where="service",
            hint="Set service.app to the one that is meant, or service.command.",
        )
    return tuple(sorted(applications, key=lambda each: each.interface, reverse=True))


def _named(app: str, applications: tuple[Application, ...]) -> Application:
    module, _, written = app.partition(":")
    name = written.removesuffix("()") or "app"
    for found in applications:
        if found.module == module and found.name == name:
            return found
    # What reading did not find is taken for ASGI, the interface of most services that uvicorn starts by such a name.
    interface = "wsgi" if "wsgi" in module else "asgi"
    return Application(
        module=module,
        name=name,
        interface=interface,
        framework="",
        place=Place(file="", line=0),
        is_factory=written.endswith("()"),
    )


def _missing_hint(application: Application, root: Path) -> str:
    server = "uvicorn" if application.interface == "asgi" else "gunicorn or waitress"
    return (
        f"Install {server} there, or set service.python to the interpreter that has the service's dependencies "
        f"(relative to {root.name or root}), or set service.command."
    )


def _serve(
    application: Application,
    interpreter: Interpreter,
    found: frozenset[str],
    values: Mapping[str, str],
    workers: int,
) -> Command | None:
    serve = _asgi if application.interface == "asgi" else _wsgi
    return serve(application, interpreter, found, values, workers)


def _asgi(
    application: Application,
    interpreter: Interpreter,
    found: frozenset[str],
    values: Mapping[str, str],
    workers: int,
) -> Command | None:
    target = f"{application.module}:{application.name}"
    host, port = values["host"], values["port"]
    python = interpreter.path
    if "uvicorn" in found:
        words = [python, "-m", "uvicorn", target, "--host", host, "--port", port]
        words += ["--workers", str(workers)] if workers > 1 else []
        words += ["--factory"] if application.is_factory else []
        return Command(words=tuple(words))
    if "granian" in found:
        words = [
            python,
            "-m",
            "granian",
            "--interface",
            "asgi",
            "--host",
            host,
            "--port",
            port,
            "--workers",
            str(workers),
        ]
        return Command(words=(*words, *(["--factory"] if application.is_factory else []), target))
    if "hypercorn" in found:
        suffix = "()" if application.is_factory else ""
        return Command(words=(python, "-m", "hypercorn", target + suffix, "-b", f"{host}:{port}", "-w", str(workers)))
    if "daphne" in found and not application.is_factory:
        return Command(words=(python, "-m", "daphne", "-b", host, "-p", port, target))
    return None


def _wsgi(
    application: Application,
    interpreter: Interpreter,
    found: frozenset[str],
    values: Mapping[str, str],
    workers: int,
) -> Command | None:
    host, port = values["host"], values["port"]
    python = interpreter.path
    call = "()" if application.is_factory else ""
    target = f"{application.module}:{application.name}"
    if "gunicorn" in found:
        shape = ("-b", f"{host}:{port}", "-w", str(workers), "--threads", str(_THREADS))
        return Command(words=(python, "-m", "gunicorn", *shape, target + call))
    if "waitress" in found:
        flags = (f"--listen={host}:{port}", f"--threads={_THREADS}", *(["--call"] if call else []))
        return Command(words=(python, "-m", "waitress", *flags, target))
    if "flask" in found or "django" in found:
        mode = "call" if call else "plain"
        return Command(
            words=(python, "-c", _PLAIN_WSGI, application.module, application.name, host, port, mode),
            note="no WSGI server (gunicorn, waitress) is installed with the service, so the plain threaded server of "
            "Python's library serves it; its figures say little about production",
        )
    return None
