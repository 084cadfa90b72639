"""The environment that a backend expects: variables named in its code, and the values of its example files."""

from __future__ import annotations

import re
from pathlib import Path

from nines.model.code import Assign, Class, Module, Name, Program
from nines.model.record import Record

_FILES = (".env.example", ".env.sample", ".env.template", ".env.dist", "example.env", ".env.dev", ".env.test", ".env")
"""Tried in this order in the project and in its parent; the first that exists is read."""
_FILE_BYTES_MAX = 65_536
_SECRET = re.compile(r"secret|password|passwd|token|api_?key|private|credential|dsn", re.IGNORECASE)
_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")
_SETTINGS_BASES = ("BaseSettings", "BaseAppSettings")


class Variable(Record):
    """One environment variable."""

    name: str
    value: str = ""
    """From an example file; "" for what is only named in the code."""
    is_secret: bool = False
    """By its name; the value of a secret is never copied out of a file that may be real."""
    is_declared: bool = False
    """The code names it without a default."""


class Environment(Record):
    variables: tuple[Variable, ...] = ()
    file: str = ""
    """The example file, relative to the project, or "" when there is none."""
    is_example: bool = False

    def get(self, name: str) -> Variable | None:
        return next((v for v in self.variables if v.name.upper() == name.upper()), None)


def read(root: Path, program: Program) -> Environment:
    """What the example file sets, then what settings classes name without a default."""
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
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
            value = value[1:-1] if quoted else value.split(" #")[0].strip()
            values[matched[1]] = re.sub(r"\$\{(\w+)\}", lambda m: values.get(m[1], ""), value)
    return [
        Variable(name=name, value=value, is_secret=bool(_SECRET.search(name)) and "://" not in value)
        for name, value in values.items()
    ]


def _declared(program: Program) -> list[Variable]:
    """Fields of settings classes that have no default, by name."""
    fields: dict[str, Variable] = {}
    for module in program.modules:
        for name in _fields(module):
            fields.setdefault(name, Variable(name=name, is_secret=bool(_SECRET.search(name)), is_declared=True))
    return list(fields.values())


def _fields(module: Module) -> list[str]:
    found = []
    for statement in module.body:
        if isinstance(statement, Class) and any(
            isinstance(base, Name) and (base.id in _SETTINGS_BASES or base.id.endswith("Settings"))
            for base in statement.bases
        ):
            found += [
                target.id.upper()
                for field in statement.body
                if isinstance(field, Assign) and field.annotation is not None and field.value is None
                for target in field.targets
                if isinstance(target, Name)
            ]
    return found
