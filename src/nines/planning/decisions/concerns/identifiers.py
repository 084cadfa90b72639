"""What names a thing."""

from __future__ import annotations

from nines.model.blueprint import FieldKind
from nines.model.design import Decision, Design, PlannedTable
from nines.model.words import size
from nines.planning.decisions.deciding import is_said, option

NUMBER = 8
_TIMED, _RANDOM, _COUNTED = "UUID of version 7 (RFC 9562)", "random UUID (version 4)", "a counter (bigint)"
_CHOSEN = {
    FieldKind.UUID7: _TIMED,
    FieldKind.UUID: _RANDOM,
    FieldKind.INT64: _COUNTED,
    FieldKind.INT32: _COUNTED,
}
_SAVED_BYTES = 8
"""A bigint is half of a UUID."""


def decide(design: Design) -> Decision | None:
    types = [column.type for table in design.tables for column in table.columns if column.name == "id"]
    if not types:
        return None
    chosen = _chosen(design, types)
    if chosen is None:
        return None
    rows = sum(table.growth.rows[-1] * _copies(table) for table in design.tables if table.growth)
    whole = sum(table.growth.bytes[-1] for table in design.tables if table.growth)
    copies = f"about {size(rows * _SAVED_BYTES)} of {size(whole)}"
    saved = f"; after three years a counter would have saved {copies}, references and indexes included" if rows else ""
    prefixes = (
        [r.identifier.prefix for r in design.blueprint.resources if r.identifier.prefix] if design.blueprint else []
    )
    return Decision(
        id="identifiers",
        number=NUMBER,
        concern="Identifiers",
        context=f"{len(types)} tables have an identifier of their own{saved}.",
        options=(
            option(
                _TIMED,
                "made anywhere without asking; new ones stand side by side in the index, and sort by time",
                "16 bytes; whoever sees one can tell when it was made",
                "rows are made by several processes, and pages follow time",
            ),
            option(
                _COUNTED,
                "8 bytes, easy to say on the telephone",
                "tells callers how many there are, invites to try the next one, and needs the database to be made",
                "nobody outside ever sees it",
            ),
            option(
                _RANDOM,
                "tells nothing at all",
                "each insert hits another page of the index, which must then all be in memory",
                "the time of making is a secret",
            ),
        ),
        chosen=chosen,
        because=_because(chosen),
        consequences=(
            "An identifier is no permission: every access is checked, known or guessed.",
            *(
                [f"Callers see it with a prefix ({', '.join(prefixes)}), so that a wrong one is seen at a glance."]
                if prefixes
                else []
            ),
        ),
        changes_when="The moment at which something was made must not be known to those who see its identifier."
        if chosen == _TIMED
        else "Identifiers are shown to callers, or rows are made in more than one place.",
        is_given=design.is_recovered or _is_said(design),
    )


def _chosen(design: Design, types: list[str]) -> str | None:
    if design.blueprint is not None:
        kinds = [each.identifier.kind for each in design.blueprint.resources]
        return _CHOSEN.get(max(set(kinds), key=lambda kind: (kinds.count(kind), kind.value))) if kinds else None
    common = max(sorted(set(types)), key=types.count)
    # Of a UUID that was found in code it is not known which kind it is.
    return _COUNTED if "int" in common or "serial" in common else None


def _is_said(design: Design) -> bool:
    return (
        any(is_said(design, f"resources.{each.name}.id") for each in design.blueprint.resources)
        if design.blueprint
        else False
    )


def _copies(table: PlannedTable) -> int:
    """How often a row holds an identifier: its own and each reference, in the table and in an index."""
    return 2 * (1 + sum(1 for column in table.columns if column.references))


def _because(chosen: str) -> str:
    if chosen == _TIMED:
        return (
            "Rows are made by several processes at once, lists go by time, and an index that grows at its end stays in "
            "memory"
        )
    if chosen == _COUNTED:
        return "The identifiers are made by one database and are the smallest there are"
    return "Nothing may be told by an identifier, and the index is small enough to be in memory"
