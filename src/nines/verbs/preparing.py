"""Finds a project's own module that brings a fresh database to its schema, where no migration tool does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from nines.model.code import Call, Compare, Evaluate, If, Module, Name, Program

NAMES = ("migrate", "migrations", "init_db", "initdb", "create_db", "create_tables", "setup_db", "prestart")
"""Best first; a module counts only if running it does something."""
_MAIN = "__main__"


def prepared_by(program: Program, directory: str) -> tuple[str, ...]:
    """The command that runs it from `directory`, () where there is none or several of one name."""
    found = dict[str, list[str]]()
    for module, name in _runnable(program, directory):
        found.setdefault(name.rsplit(".", 1)[-1], []).append(module)
    for name in NAMES:
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
