"""`_generated/sql.py`: every statement that the service sends, with what it is for."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.model.design import Design, PlannedQuery

WIDTH = 110
_QUOTED = re.compile(r"('(?:[^']|'')*')")


def constant(query: PlannedQuery) -> str:
    return names.constant(query.id)


def write(design: Design) -> Iterator[File]:
    lines: list[str] = []
    told: dict[str, str] = {}
    for query in design.queries:
        lines += ["", *_head(query)]
        # What several operations send for different reasons is written once.
        same = told.setdefault(query.text, constant(query))
        if same != constant(query):
            lines.append(f"{constant(query)} = {same}")
        else:
            lines += [f'{same} = """\\', *_text(query), '"""']
    text = python.module(
        "Every statement that the service sends; PostgreSQL sees the same text each time, and values apart from it.",
        python.Imports(names.package(design)),
        lines[1:] if lines else [],
    )
    yield File(path=names.source(design, "_generated/sql.py"), text=text)


def _head(query: PlannedQuery) -> Iterator[str]:
    told = f"Sent by {', '.join(query.used_by)}{f'; by index {query.index}' if query.index else ''}."
    yield from python.comment(told)
    if query.parameters:
        given = ", ".join(f"${number} {name}" for number, name in enumerate(query.parameters, 1))
        yield from python.comment(f"{given}.")
    if query.says:
        said = query.says[:1].upper() + query.says[1:]
        yield from python.comment(said if said.endswith(".") else f"{said}.")


def _text(query: PlannedQuery) -> Iterator[str]:
    for line in query.text.replace("\\", "\\\\").splitlines():
        yield from wrapped(line)


def wrapped(line: str) -> list[str]:
    """Broken at blanks where it is too long, but never within a literal."""
    if len(line) <= WIDTH:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    # A blank within a literal is hidden from the filling.
    shielded = _QUOTED.sub(lambda found: found[0].replace(" ", "\0"), line)
    filled = textwrap.wrap(
        shielded,
        WIDTH,
        subsequent_indent=f"{indent}    ",
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
        initial_indent="",
        expand_tabs=False,
        replace_whitespace=False,
    )
    return [each.replace("\0", " ") for each in filled]
