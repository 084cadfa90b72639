"""Rows whose time is over go in small transactions; partitions go whole."""

from __future__ import annotations

from nines.building import python
from nines.building.resources.code import Code
from nines.building.resources.guards import number
from nines.model.design import PlannedJob, PlannedQuery

_DAY_S = 86_400.0
EVERY_S = 3_600.0
"""Of the runtime, where nothing is said."""


def purged(code: Code, planned: PlannedJob) -> python.Group:
    """The schedule of a job that deletes; the runtime knows how."""
    sent = {query.base: query for id in planned.queries if (query := code.design.query(id))}
    purge, make, drop = (_sent(sent, head) for head in ("purge-", "make-partitions-", "drop-partitions-"))
    if make is not None and drop is not None:
        function, statements, given = "roll_partitions", [make, drop], [_lifetime(code, drop)]
    elif purge is None:
        raise AssertionError(f"{planned.name} deletes nothing")
    elif "after:id" not in purge.parameters:
        function, statements = "purge_expired", [purge]
        given = [_lifetime(code, purge)] if purge.parameters else []
    else:
        function, statements, given = "purge_old", [purge], [_lifetime(code, purge)]
        if "lifetime" in purge.parameters:
            given.append(f"unchanged_for={given[0]}")
        if allow := sent.get("allow-retention"):
            given.append(f"allow={code.statement(allow)}")
    if planned.every_s not in (None, 0.0, EVERY_S):
        given.append(f"every_s={number(planned.every_s or EVERY_S)}")
    code.runtime(function)
    name = python.quoted(planned.name)
    return python.call(function, name, "service.database", *map(code.statement, statements), *given)


def _sent(sent: dict[str, PlannedQuery], head: str) -> PlannedQuery | None:
    return next((query for base, query in sent.items() if base.startswith(head)), None)


def _lifetime(code: Code, query: PlannedQuery) -> str:
    """How long the rows of its table are kept."""
    table = next(each for each in code.design.tables if each.name == query.tables[0])
    seconds = table.retention_s or 0.0
    code.imports.add("datetime", "timedelta")
    if seconds >= _DAY_S and seconds % _DAY_S == 0:
        return f"timedelta(days={number(seconds / _DAY_S)})"
    return f"timedelta(seconds={number(seconds)})"
