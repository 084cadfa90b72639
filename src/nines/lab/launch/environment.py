"""The environment that a service starts in: what it is given, and nothing of the caller's own secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from nines.lab.launch.cleanup import MARK, Premises
from nines.lab.launch.interpreter import Interpreter
from nines.lab.launch.templates import fill, mentions
from nines.model.settings import Settings

INHERITED = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
"""Taken over from the shell that runs nines, with LC_*. Everything else, credentials above all, stays behind: a
service that needs a variable gets it in `service.env`, where `${NAME}` takes one from the shell by name."""


def service_environment(
    settings: Settings,
    values: Mapping[str, str],
    interpreter: Interpreter,
    premises: Premises,
    directory: Path,
) -> dict[str, str]:
    """Every variable that the service and its setup commands see."""
    env = {name: value for name, value in os.environ.items() if name in INHERITED or name.startswith("LC_")}
    env["PATH"] = os.pathsep.join([interpreter.bin, env.get("PATH", os.defpath)])
    prefix = Path(interpreter.bin).parent
    if (prefix / "pyvenv.cfg").is_file():
        env["VIRTUAL_ENV"] = str(prefix)
    env |= {
        "PYTHONUNBUFFERED": "1",
        # Servers put their working directory on the import path by themselves; setup commands do not, and must not
        # depend on the owner having installed the service as a package.
        "PYTHONPATH": str(directory),
        # Compiled files are kept, so that a restart is as fast as in production, but not in the owner's folders.
        "PYTHONPYCACHEPREFIX": str(premises.directory / "bytecode"),
        "HOST": values["host"],
        "PORT": values["port"],
        MARK: premises.run,
    }
    env |= _dependencies(settings, values)
    for name, text in settings.service.env.items():
        env[name] = fill(_from_shell(text), values, f"service.env.{name}")
    return env


def _dependencies(settings: Settings, values: Mapping[str, str]) -> dict[str, str]:
    """The usual variables, for families of placeholders that no variable of `service.env` mentions."""
    given = settings.service.env.values()
    env: dict[str, str] = {}
    for family, variable in (("database", settings.database.env), ("redis", settings.redis.env)):
        is_told = any(mentions(text, family) for text in given)
        if variable and f"{family}.url" in values and not is_told:
            env[variable] = values[f"{family}.url"]
    for name, upstream in settings.upstreams.items():
        if upstream.env and f"upstream.{name}.url" in values:
            env[upstream.env] = values[f"upstream.{name}.url"]
    return env


def _from_shell(text: str) -> str:
    """A value that is `${NAME}` and nothing else is taken from the shell that runs nines."""
    if text.startswith("${") and text.endswith("}"):
        return os.environ.get(text[2:-1], "")
    return text
