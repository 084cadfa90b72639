"""The environment that a backend expects: variables named in its code, and the values of its example files."""

from __future__ import annotations

import re
from pathlib import Path

from nines.model.code import Program
from nines.model.record import Record
from nines.readers.python.asked import asked_at_start, asked_later

_FILES = (".env.example", ".env.sample", ".env.template", ".env.dist", "example.env", ".env.dev", ".env.test", ".env")
"""Tried in this order in the project and in its parent; the first that exists is read."""
_FILE_BYTES_MAX = 65_536
_SECRET = re.compile(r"secret|password|passwd|token|api_?key|private|credential|dsn", re.IGNORECASE)
_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")
_QUOTED = re.compile(r"""(["'])(.*?)\1\s*(?:#.*)?$""")


class Variable(Record):
    """One environment variable."""

    name: str
    value: str = ""
    """From an example file, or the code's own default; "" for what is only named in the code."""
    is_secret: bool = False
    """By its name; the value of a secret is never copied out of a file that may be real."""
    is_declared: bool = False
    """The code names it without a default."""
    is_default: bool = False
    """The value is the code's own default."""


class Environment(Record):
    variables: tuple[Variable, ...] = ()
    file: str = ""
    """The example file, relative to the project, or "" when there is none."""
    is_example: bool = False

    def get(self, name: str) -> Variable | None:
        return next((v for v in self.variables if v.name.upper() == name.upper()), None)


def read(root: Path, program: Program) -> Environment:
    """What the example file sets, then what the code asks for."""
    found = next(
        (folder / name for name in _FILES for folder in (root, root.parent) if (folder / name).is_file()), None
    )
    declared = _declared(program)
    if found is None:
        return Environment(variables=tuple(declared))
    is_example = found.name != ".env"
    variables = _parse(found)
    known = {variable.name.upper() for variable in variables}
    return Environment(
        variables=(*variables, *(variable for variable in declared if variable.name.upper() not in known)),
        file=found.name if found.parent == root else f"../{found.name}",
        is_example=is_example,
    )


def _parse(path: Path) -> list[Variable]:
    try:
        text = path.read_bytes()[:_FILE_BYTES_MAX].decode("utf-8", "replace")
    except OSError:
        return []
    values: dict[str, str] = {}
    for line in text.splitlines():
        matched = _LINE.match(line)
        if matched and not line.lstrip().startswith("#"):
            value = matched[2]
            quoted = _QUOTED.match(value)
            value = quoted[2] if quoted else value.split(" #")[0].strip()
            values[matched[1]] = re.sub(r"\$\{(\w+)\}", lambda m: values.get(m[1], ""), value)
    return [
        Variable(name=name, value=value, is_secret=bool(_SECRET.search(name)) and "://" not in value)
        for name, value in values.items()
    ]


def _declared(program: Program) -> list[Variable]:
    """What settings classes and modules at their import ask the environment for, then what functions do."""
    found: dict[str, Variable] = {}
    for name, default in asked_at_start(program):
        is_secret = bool(_SECRET.search(name))
        if default is None:
            found.setdefault(name, Variable(name=name, is_secret=is_secret, is_declared=True))
        else:
            found.setdefault(name, Variable(name=name, value=default, is_secret=is_secret, is_default=bool(default)))
    for name in asked_later(program):
        found.setdefault(name, Variable(name=name, is_secret=bool(_SECRET.search(name))))
    return list(found.values())
