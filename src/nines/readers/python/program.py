"""Reads every Python file of a project."""

from __future__ import annotations

from pathlib import Path

from nines.model.code import Module, Program, Unread
from nines.readers.python.facts import Facts, facts_of, quiet
from nines.readers.python.files import FILE_BYTES_MAX, find
from nines.readers.python.names import name_all


def read(
    root: Path,
    *,
    paths: tuple[str, ...] = (".",),
    exclude: tuple[str, ...] = (),
    cache: Path | None = None,
    jobs: int = 0,
) -> Program:
    """The facts of every file below `paths`; what cannot be read is in `unread`, with the reason.

    `cache` is a folder of nines' own; `jobs` 0 means as many processes as pay."""
    found = find(root, paths, exclude)
    unread = list(found.unread)
    facts: dict[str, Facts] = {}
    with quiet():
        for file in found.files:
            try:
                with (root / file).open("rb") as stream:
                    source = stream.read(FILE_BYTES_MAX + 1)
            except OSError as error:
                unread.append(Unread(file=file, reason=f"it cannot be opened: {error.strerror}"))
                continue
            facts[file] = facts_of(source)
    return _program(root, facts, unread, len(facts))


def _program(root: Path, facts: dict[str, Facts], unread: list[Unread], parsed: int) -> Program:
    readable = {file: found for file, found in facts.items() if not found.reason}
    unread += [
        Unread(file=file, reason=found.reason, line=found.reason_line, hint=found.hint)
        for file, found in facts.items()
        if found.reason
    ]
    names = name_all({file: found.imports for file, found in readable.items()})
    modules = tuple(
        Module(
            names[file].name,
            file,
            file.rpartition("/")[2] == "__init__.py",
            found.body,
            found.lines,
            found.allowances,
            prefix=names[file].prefix,
        )
        for file, found in readable.items()
    )
    return Program(
        root=str(root),
        modules=modules,
        unread=tuple(sorted(unread, key=lambda item: (item.file, item.line))),
        lines=sum(module.lines for module in modules),
        parsed=parsed,
    )
