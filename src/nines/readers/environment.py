"""The environment that a backend expects: variables named in its code, and the values of its example files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nines.model.code import (
    Assign,
    Attribute,
    Call,
    Class,
    Constant,
    Expression,
    If,
    Module,
    Name,
    Opaque,
    Program,
    Subscript,
)
from nines.model.record import Record
from nines.readers.python.walk import nodes_of

_FILES = (".env.example", ".env.sample", ".env.template", ".env.dist", "example.env", ".env.dev", ".env.test", ".env")
"""Tried in this order in the project and in its parent; the first that exists is read."""
_FILE_BYTES_MAX = 65_536
_SECRET = re.compile(r"secret|password|passwd|token|api_?key|private|credential|dsn", re.IGNORECASE)
_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")
_QUOTED = re.compile(r"""(["'])(.*?)\1\s*(?:#.*)?$""")
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
    """What settings classes and modules at their import ask the environment for."""
    found: dict[str, Variable] = {}
    for module in program.modules:
        for name, default in (*_fields(module), *_looked_up(module)):
            is_secret = bool(_SECRET.search(name))
            if default is None:
                found.setdefault(name, Variable(name=name, is_secret=is_secret, is_declared=True))
            elif default:
                found.setdefault(name, Variable(name=name, value=default, is_secret=is_secret, is_default=True))
    return list(found.values())


_Asked = tuple[str, str | None]
"""A variable and its default: None where there is none, "" where it is no plain text."""


def _fields(module: Module) -> Iterator[_Asked]:
    """Fields of settings classes."""
    for statement in module.body:
        if not isinstance(statement, Class) or not any(
            isinstance(base, Name) and (base.id in _SETTINGS_BASES or base.id.endswith("Settings"))
            for base in statement.bases
        ):
            continue
        prefix = _prefix(statement)
        for field in statement.body:
            if isinstance(field, Assign) and field.annotation is not None and not _is_class_variable(field):
                for target in field.targets:
                    if isinstance(target, Name) and not target.id.startswith("_"):
                        yield (prefix + target.id).upper(), _default(field.value)


def _is_class_variable(field: Assign) -> bool:
    return any(isinstance(node, Name) and node.id == "ClassVar" for node in nodes_of(field.annotation))


def _prefix(settings: Class) -> str:
    """pydantic's env_prefix."""
    for field in settings.body:
        if isinstance(field, Assign) and isinstance(field.value, Call):
            for keyword in field.value.keywords:
                if keyword.name == "env_prefix" and isinstance(keyword.value, Constant):
                    return str(keyword.value.value)
    return ""


def _default(value: Expression | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, Call):
        # `Field(...)` and `Field(min_length=1)` give no default.
        given = [keyword.value for keyword in value.keywords if keyword.name == "default"]
        given += [item for item in value.arguments[:1] if not isinstance(item, Opaque)]
        has_factory = any(keyword.name == "default_factory" for keyword in value.keywords)
        if not given:
            return "" if has_factory or not _is_field(value) else None
        value = given[0]
    return value.value if isinstance(value, Constant) and isinstance(value.value, str) else ""


def _is_field(call: Call) -> bool:
    function = call.function
    name = function.name if isinstance(function, Attribute) else function.id if isinstance(function, Name) else ""
    return name == "Field"


def _looked_up(module: Module) -> Iterator[_Asked]:
    """`os.environ[...]`, `os.environ.get(...)` and `os.getenv(...)` that run when the module is imported."""
    for statement in module.body:
        if isinstance(statement, If) and any(
            isinstance(n, Name) and n.id == "__name__" for n in nodes_of(statement.test)
        ):
            continue
        written = {id(target) for node in nodes_of(statement) if isinstance(node, Assign) for target in node.targets}
        for node in nodes_of(statement):
            if isinstance(node, Subscript) and id(node) not in written and _is_environ(node.value):
                if isinstance(node.key, Constant) and isinstance(node.key.value, str):
                    yield node.key.value, None
            elif isinstance(node, Call) and node.arguments and _is_get(node.function):
                name = node.arguments[0]
                if isinstance(name, Constant) and isinstance(name.value, str):
                    yield name.value, _default(node.arguments[1]) or "" if len(node.arguments) > 1 else ""


def _asks_for_main(statement: If) -> bool:
    return any(isinstance(node, Name) and node.id == "__name__" for node in nodes_of(statement.test))


def _is_environ(value: Expression) -> bool:
    return (isinstance(value, Attribute) and value.name == "environ") or (
        isinstance(value, Name) and value.id == "environ"
    )


def _is_get(function: Expression) -> bool:
    if isinstance(function, Name):
        return function.id == "getenv"
    return isinstance(function, Attribute) and (
        function.name == "getenv" or (function.name == "get" and _is_environ(function.value))
    )
