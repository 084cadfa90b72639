"""Rows whose time is over go in small transactions; partitions go whole."""

from __future__ import annotations

from nines.building import names, python
from nines.building.resources.code import Code
from nines.building.resources.facts import find
from nines.building.resources.guards import number
from nines.model.design import PlannedJob, PlannedQuery

_DAY_S = 86_400.0


def purged(code: Code, planned: PlannedJob) -> python.Group:
    """Writes the function of a turn, and tells its schedule."""
    name = names.snake(planned.name)
    found = [
        q for id in planned.queries if (q := code.design.query(id)) and q.base not in ("take-turn", "allow-retention")
    ]
    code.imports.add("functools", "partial")
    code.gap()
    code.runtime("Deadline")
    with code.block(f"async def {name}(service: Service, deadline: Deadline) -> None:"):
        code.doc(planned.says)
        table = next((t for q in found for t in code.design.tables if t.name == q.tables[0]), None)
        life = _lifetime(code, table.retention_s if table else None)
        for query in found:
            if query.base.startswith("purge-"):
                allow = find(code.design, planned.name, "allow-retention")
                _purge(code, query, allow, life)
            else:
                given = [code.statement(query), *([life] if query.parameters else [])]
                code.put(python.call("await service.database.execute", "deadline", *given))
    every = f"every_s={number(planned.every_s or 3_600.0)}"
    return python.call("Schedule", f"name={python.quoted(planned.name)}", every, f"run=partial({name}, service)")


def _lifetime(code: Code, retention_s: float | None) -> str:
    code.imports.add("datetime", "timedelta")
    seconds = retention_s or 0.0
    if seconds >= _DAY_S and seconds % _DAY_S == 0:
        return f"timedelta(days={number(seconds / _DAY_S)})"
    return f"timedelta(seconds={number(seconds)})"


def _purge(code: Code, query: PlannedQuery, allow: PlannedQuery | None, life: str) -> None:
    if "after:id" in query.parameters:
        code.runtime("first_identifier")
        code.imports.add("uuid", "UUID")
        code.line(f"before, last = first_identifier({life}), UUID(int=0)")
        given = {"before:id": "before", "after:id": "last", "lifetime": life}
        values_of = [given[name] for name in query.parameters]
        with code.block("while True:"):
            if allow is not None:
                with code.block("async with service.database.transaction(deadline) as tx:"):
                    code.put(python.call("await tx.execute", code.statement(allow)))
                    code.put(python.call("await tx.fetchrow", code.statement(query), *values_of), before="row = ")
            else:
                sent = python.call("await service.database.fetchrow", "deadline", code.statement(query), *values_of)
                code.put(sent, before="row = ")
            with code.block('if row is None or row["last"] is None:'):
                code.line("return")
            code.line('last = row["last"]')
        return
    sent = python.call(
        "await service.database.execute", "deadline", code.statement(query), *([life] if query.parameters else [])
    )
    with code.block(sent, before="while ", after=" > 0:"):
        code.line("continue")
