"""`_generated/constraints.py`: what it means to a caller that a constraint of the database was broken."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.resources.code import Code
from nines.building.resources.facts import Thing, things
from nines.model import words as wording
from nines.model.blueprint import ResourceKind
from nines.model.design import Design, PlannedColumn
from nines.model.design.ddl import foreign_key_name

_INVARIANT = "invariant: "
"""Before the condition, in what planning says of a check."""


def write(design: Design) -> Iterator[File]:
    yield File(path=names.source(design, "_generated/constraints.py"), text=_constraints(design))


def _constraints(design: Design) -> str:
    """What it means to a caller that a constraint of the database was broken."""
    code = Code(design)
    code.runtime("Violation")
    parts = [
        python.Group(head=f"{python.quoted(name)}: Violation", parts=tuple(map(python.quoted, given)))
        for name, given in _violations(design)
    ]
    code.line()
    if parts:
        code.line("CONSTRAINTS = {")
        code.depth += 1
        for each in parts:
            code.put(each, after=",")
        code.depth -= 1
        code.line("}")
    else:
        code.line("CONSTRAINTS: dict[str, Violation] = {}")
    code.line('"""By the name of the constraint; what is not here is no caller\'s fault."""')
    return code.text("What it means to a caller that a constraint of the database was broken.")


def _violations(design: Design) -> Iterator[tuple[str, tuple[str, ...]]]:
    own = {thing.table.name: thing for thing in things(design)}
    for table in design.tables:
        thing = own.get(table.name)
        if thing is None or thing.resource.kind is ResourceKind.LEDGER:
            continue
        yield from _keys(thing)
        invariants = " and ".join(thing.resource.invariants)
        named = {f"{table.name}_{column.name}_check": column for column in table.columns}
        for check in table.checks:
            column = named.get(check.name)
            if column is not None and is_sent(thing, column):
                yield check.name, ("invalid-request", "It cannot be taken.", f"/{column.member.replace('.', '/')}")
            elif column is None and invariants:
                broken = check.says.removeprefix(_INVARIANT) if check.says.startswith(_INVARIANT) else invariants
                yield check.name, ("invariant-broken", f"{broken} would no longer hold.")
        for column in table.columns:
            if column.references and is_sent(thing, column):
                pointer = f"/{column.member.replace('.', '/')}"
                yield foreign_key_name(table, column), ("invalid-request", "There is no such object.", pointer)
    yield from _others(design, own)


def _others(design: Design, own: dict[str, Thing]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """References from tables of lists, and to tenants and owners: what they refer to is in use."""
    for table in design.tables:
        for column in table.columns:
            is_known = table.name in own and column.member
            is_refused = column.on_delete == "RESTRICT" and not table.is_append_only
            if column.references and not is_known and is_refused:
                yield foreign_key_name(table, column), ("invalid-request", "There is no such object.")


def is_sent(thing: Thing, column: PlannedColumn) -> bool:
    """Whether a caller sets it."""
    field = thing.field_of(column)
    return field is not None and not field.is_read_only and bool(column.member)


def _keys(thing: Thing) -> Iterator[tuple[str, tuple[str, ...]]]:
    said = _with_article(thing.spoken)
    for index in thing.table.indexes:
        if index.is_unique and not index.is_primary:
            told = [name for name in index.names if name not in (thing.tenant, "owner_id")]
            members = [
                c.member.replace("_digest", "") if (c := thing.table.column(n)) and c.member else n for n in told
            ]
            same = f"with the same {' and '.join(members)}" if members else "of yours"
            yield index.name, ("already-exists", f"{said} {same} exists already.")


def _with_article(spoken: str) -> str:
    return f"A{wording.an(spoken)[1:]}"
