"""Which commands bring a fresh database to what the code expects: migrations, tables, first rows."""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from nines.model.code import Assign, Attribute, Call, Compare, Evaluate, If, Module, Name, Program
from nines.model.record import Record
from nines.model.service import Application
from nines.readers.python.walk import functions_of, nodes_of

MODULES = ("migrate", "migrations", "init_db", "initdb", "create_db", "create_tables", "setup_db", "prestart")
"""Modules that make the tables, best first; one counts only if running it does something."""
SEEDS = (
    "initial_data", "init_data", "create_initial_data", "seed", "seeds", "seed_db", "seed_data", "seed_database",
    "create_first_superuser", "create_superuser", "create_admin",
)  # fmt: skip
"""Modules that add the first rows."""
_FIXTURES = ("initial_data", "initial", "seed")
_MAIN = "__main__"
_ELSEWHERE = frozenset(("node_modules", "venv", "env", "site-packages", "tests", "test", "docs", "examples"))
_LEVELS = ("*", "*/*")
"""How deep a manage.py or an alembic.ini is looked for."""


class Preparation(Record):
    commands: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What was found, one sentence each."""


def preparation(folder: Path, program: Program, directory: str, application: Application | None) -> Preparation:
    """The setup commands, to be run in `folder`, which is `directory` of the program."""
    found = _migrations(folder, application) or _own_module(program, directory) or _tables(program, application)
    if found is None:
        return Preparation()
    commands, note = found
    notes = [note]
    seeds = (*_fixture(folder, commands[0]), *prepared_by(program, directory, SEEDS))
    notes += [f"first rows: {seed}" for seed in seeds]
    return Preparation(commands=(*commands, *seeds), notes=tuple(notes))


_Found = tuple[tuple[str, ...], str]


def _migrations(folder: Path, application: Application | None) -> _Found | None:
    framework = application.framework.lower() if application else ""
    if (folder / "alembic.ini").is_file():
        return ("alembic upgrade head",), "Alembic migrations: alembic upgrade head"
    if framework == "flask" and (folder / "migrations" / "alembic.ini").is_file():
        assert application is not None
        command = f"flask --app {application.module}:{application.name} db upgrade"
        return (command,), f"Flask-Migrate: {command}"
    if framework in ("", "django"):
        command = _managed(folder)
        if command:
            return (f"{command} migrate --noinput",), f"Django migrations: {command} migrate"
    deeper = _only(folder, "alembic.ini")
    if deeper is not None and _finds_its_scripts(folder, deeper):
        command = f"alembic -c {deeper.relative_to(folder).as_posix()} upgrade head"
        return (command,), f"Alembic migrations: {command}"
    return None


def _managed(folder: Path) -> str:
    """How Django's commands are run: by manage.py here or further below, in a package or not."""
    if (folder / "manage.py").is_file():
        return "python manage.py"
    found = _only(folder, "manage.py")
    if found is None:
        return ""
    path = found.relative_to(folder)
    is_packaged = (found.parent / "__init__.py").is_file()
    return f"python -m {'.'.join(path.with_suffix('').parts)}" if is_packaged else f"python {path.as_posix()}"


def _only(folder: Path, name: str) -> Path | None:
    """The only file of this name below; None where there are several."""
    found = [path for level in _LEVELS for path in folder.glob(f"{level}/{name}")]
    own = [path for path in found if not any(_is_elsewhere(part) for part in path.relative_to(folder).parts)]
    return own[0] if len(own) == 1 else None


def _is_elsewhere(part: str) -> bool:
    return part.startswith(".") or part in _ELSEWHERE


def _finds_its_scripts(folder: Path, config: Path) -> bool:
    """Whether Alembic finds its scripts when it is run in `folder`."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(config, encoding="utf-8")
        location = parser.get("alembic", "script_location", fallback="")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return False
    return location.startswith("%(here)s") or bool(location and (folder / location).is_dir())


def _fixture(folder: Path, command: str) -> tuple[str, ...]:
    """Django's first rows, where exactly one file holds them."""
    if not command.endswith(" migrate --noinput"):
        return ()
    for name in _FIXTURES:
        found = [path for level in _LEVELS for path in folder.glob(f"{level}/fixtures/{name}.*") if path.is_file()]
        if len(found) == 1:
            return (f"{command.removesuffix(' migrate --noinput')} loaddata {name}",)
    return ()


def _own_module(program: Program, directory: str) -> _Found | None:
    commands = prepared_by(program, directory)
    return (commands, f"a fresh database is prepared by: {commands[0]}") if commands else None


def prepared_by(program: Program, directory: str, names: tuple[str, ...] = MODULES) -> tuple[str, ...]:
    """The command that runs the project's own module of one of these names from `directory`.

    () where there is none or several of one name."""
    found = dict[str, list[str]]()
    for module, name in _runnable(program, directory):
        found.setdefault(name.rsplit(".", 1)[-1], []).append(module)
    for name in names:
        if len(found.get(name, [])) == 1:
            return (f"python -m {found[name][0]}",)
    return ()


def _runnable(program: Program, directory: str) -> Iterator[tuple[str, str]]:
    base = PurePosixPath(directory)
    for module in program.modules:
        path = PurePosixPath(module.file)
        if not path.is_relative_to(base):
            continue
        parts = path.relative_to(base).with_suffix("").parts
        is_main = parts[-1] == _MAIN
        name = ".".join(parts[:-1] if is_main else parts)
        if name and name.isascii() and name.replace(".", "_").isidentifier() and (is_main or _does_something(module)):
            yield name, name


def _does_something(module: Module) -> bool:
    """It calls something when it is run: at its top level, or where it asks whether it is the program."""
    return any(
        (isinstance(statement, Evaluate) and isinstance(statement.value, Call))
        or (isinstance(statement, If) and _asks_for_main(statement))
        for statement in module.body
    )


def _asks_for_main(statement: If) -> bool:
    test = statement.test
    return isinstance(test, Compare) and isinstance(test.left, Name) and test.left.id == "__name__"


def _tables(program: Program, application: Application | None) -> _Found | None:
    """Flask-SQLAlchemy without migrations: its tables are made by one call, where the service does not make it."""
    if application is None or application.framework.lower() != "flask" or _creates_tables(program):
        return None
    holders = [found for module in program.modules for found in _holders(module)]
    if len(holders) != 1:
        return None
    module, name = holders[0]
    made = f"{application.name}()" if application.is_factory else application.name
    command = (
        f'python -c "from {application.module} import {application.name}; from {module} import {name}; '
        f'{made}.app_context().push(); {name}.create_all()"'
    )
    return (command,), f"tables of Flask-SQLAlchemy, without migrations: {name}.create_all() of {module}"


def _holders(module: Module) -> Iterator[tuple[str, str]]:
    for statement in module.body:
        if isinstance(statement, Assign) and isinstance(statement.value, Call) and len(statement.targets) == 1:
            target, function = statement.targets[0], statement.value.function
            called = function.name if isinstance(function, Attribute) else getattr(function, "id", "")
            if isinstance(target, Name) and called == "SQLAlchemy":
                yield module.name, target.id


def _creates_tables(program: Program) -> bool:
    bodies = (body for module in program.modules for body in (module.body, *(b for _, b in functions_of(module))))
    return any(isinstance(node, Attribute) and node.name == "create_all" for body in bodies for node in nodes_of(body))
