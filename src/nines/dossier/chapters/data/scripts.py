"""What PostgreSQL is given to read: the schema, the queries, the migrations."""

from __future__ import annotations

from nines.model.design import Design, PlannedQuery
from nines.model.design.ddl import schema_script


def schema(design: Design) -> str:
    """Of a service that was read there is none: what its code declares is not all that its database holds."""
    return "" if design.is_recovered or not design.tables else schema_script(design.tables)


def queries(design: Design) -> str:
    if not design.queries:
        return ""
    return "\n\n".join(map(_query, design.queries)) + "\n"


def _query(query: PlannedQuery) -> str:
    lines = [f"-- {query.id}", f"-- sent by {', '.join(query.used_by)}"]
    if query.index:
        lines.append(f"-- by index {query.index}")
    if query.arguments:
        lines += [f"-- ${number} = {argument}" for number, argument in enumerate(query.arguments, start=1)]
    if query.says:
        lines.append(f"-- {' '.join(query.says.split())}")
    return "\n".join([*lines, query.text.rstrip().rstrip(";") + ";"])
