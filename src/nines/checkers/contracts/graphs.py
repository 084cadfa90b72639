"""What a new graph means for those who ask by the one that stands, beside what the contract of paths says already.

Both texts are written by nines, a field a line, so that lines are enough to read them. What becomes of operations and
of the members of bodies is told by the other contract; here it is what only a graph has: that it is there, which
operations are its fields, and what objects lead to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from nines.model.change import ContractChange, Impact

_TYPE = re.compile(r"type (\w+) \{")
_FIELD = re.compile(r"  (\w+)(?:\(.*\))?: (\S+)(.*)")
_ROOTS = ("Query", "Mutation")
_WHOM = "whoever asks for a graph"


def changes_of(before: str, after: str, operations: Collection[str]) -> Iterator[ContractChange]:
    """Those that break callers; `operations` are the ids of all that there still are. No text: there is no graph."""
    if not before:
        return
    if not after:
        yield _change("graph-removed", "POST /graphql", "there is no graph any more")
        return
    old, new = _fields(before), _fields(after)
    for type, fields in old.items():
        for name, (kind, is_link) in fields.items():
            is_told = name not in operations if type in _ROOTS else not is_link or type not in new
            now = new.get(type, {}).get(name)
            if is_told or (now is not None and now[0] == kind):
                continue
            says = f"it is {now[0]}, and was {kind}" if now else "it is there no longer"
            yield _change("graph-field-changed" if now else "graph-field-removed", f"{type}.{name}", says)


def _fields(text: str) -> dict[str, dict[str, tuple[str, bool]]]:
    """The fields of every type with what they are, and whether they lead to other objects."""
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    fields: dict[str, tuple[str, bool]] | None = None
    for line in text.splitlines():
        if opened := _TYPE.fullmatch(line):
            fields = found.setdefault(opened[1], {})
        elif line == "}":
            fields = None
        elif fields is not None and (field := _FIELD.fullmatch(line)):
            fields[field[1]] = (field[2], "@cost" in field[3])
    return found


def _change(rule: str, where: str, says: str) -> ContractChange:
    is_whole = where.startswith("POST")
    return ContractChange(
        rule=rule,
        impact=Impact.BREAKING,
        operation=where if is_whole else "POST /graphql",
        where="" if is_whole else where,
        says=says,
        whom=_WHOM,
    )
