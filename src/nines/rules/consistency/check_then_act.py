"""A row that is created because a look-up found none, with nothing to stop a second request in between."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.model.effect import Effect, EffectKind
from nines.model.finding import Finding
from nines.model.rule import Confidence, RuleInfo, Severity, Standard, Tier
from nines.model.schema import Table
from nines.model.service import Endpoint, EndpointKind, Service
from nines.model.trace import Trace
from nines.rules import reporting
from nines.rules.keys import asks_for_more, collides, is_by_number, is_filled, names_one
from nines.rules.sites import Sites

INFO = RuleInfo(
    title="Check, then act",
    tier=Tier.RELIABILITY,
    severity=Severity.HIGH,
    standards=(
        Standard(id="CWE-367", url="https://cwe.mitre.org/data/definitions/367.html"),
        Standard(id="Feral Concurrency Control, SIGMOD 2015", url="https://doi.org/10.1145/2723372.2737784"),
    ),
    decided_by=("consistency/unique-race",),
    needs_code=True,
)
_CONFLICT = re.compile(
    r"(?:Integrity|Database|DBAPI|Postgres|SQLAlchemy|UniqueViolation|IntegrityConstraintViolation)(?:Error)?"
    r"|UniqueViolation|Error|Exception|BaseException"
)
"""Errors that a handler for the loser of the race may name."""


def check(service: Service) -> Iterator[Finding]:
    sites = Sites(service)
    tables = {table.name: table for table in service.tables}
    for endpoint, trace in service.judged():
        for index, write in trace.writes() if endpoint.kind is not EndpointKind.COMMAND else ():
            if write.action.upper() != "INSERT" or write.handles_conflict or not write.target:
                continue
            look = _lookup(trace, index)
            is_race = look is not None and not _is_covered(trace, index, look)
            if look is not None and is_race and not is_by_number(trace.effects[look], tables.get(write.target)):
                yield _finding(endpoint, trace, (index, look), tables.get(write.target), sites)


def _lookup(trace: Trace, index: int) -> int | None:
    """The read that had to find nothing for the row to be created, by a column that the new row fills."""
    write = trace.effects[index]
    for condition in write.conditions:
        for look in condition.effects if condition.wants == "absent" else ():
            read = trace.effects[look] if look < index else write
            is_same_table = read.kind is EffectKind.DATABASE_READ and read.target == write.target
            is_key = any(is_filled(predicate, write) for predicate in read.predicates)
            if is_same_table and is_key and not asks_for_more(read, write) and not _is_of_new_row(trace, read):
                return look
    return None


def _is_of_new_row(trace: Trace, read: Effect) -> bool:
    """Whether it looks for the children of a row that this request has just made: nobody else knows that row."""
    parents = ([o.effect for o in p.origins if o.effect is not None] for p in read.predicates if p.operator == "=")
    return any(rows and all(trace.effects[r].action.upper() == "INSERT" for r in rows) for rows in parents)


def _is_covered(trace: Trace, index: int, look: int) -> bool:
    """A lock before looking, a serialisable transaction, or a handler for the loser of the race."""
    write, read = trace.effects[index], trace.effects[look]
    transaction = trace.transaction_of(write)
    if read.locks_rows or (transaction and transaction.isolation.lower() == "serializable"):
        return True
    if any(e.kind is EffectKind.LOCK or e.locks_rows for _, e in trace.before(look)):
        return True
    commits = (e for _, e in trace.after(index) if e.kind is EffectKind.COMMIT and e.transaction == write.transaction)
    return any(_handles(effect) for effect in (write, *commits))


def _handles(effect: Effect) -> bool:
    names = [name.rpartition(".")[2] for handler in effect.handlers for name in handler.errors or ("Exception",)]
    return any(_CONFLICT.fullmatch(name) for name in names)


def _finding(endpoint: Endpoint, trace: Trace, race: tuple[int, int], table: Table | None, sites: Sites) -> Finding:
    write, read = (trace.effects[index] for index in race)
    keys = frozenset(predicate.column for predicate in read.predicates if predicate.operator == "=")
    column = ", ".join(sorted({p.column for p in read.predicates if is_filled(p, write)}))
    is_known = table is not None and table.is_complete
    if table is not None and (table.may_be_unique_over(keys) or collides(table, write, read)):
        message = f"two requests at once both find no row of {write.target} with this {column}; the second gets a 500"
        consequence = "The unique constraint keeps the data right, but its error is handled nowhere."
        severity, confidence = Severity.LOW, Confidence.MEDIUM
    else:
        message = (
            f"a row of {write.target} is created when a look-up by {column} found none; two requests at once both do"
        )
        consequence = f"There will be two rows of {write.target} with the same {column}" + (
            "." if is_known else ", or, if the database has a constraint that was not seen, a 500 for the second."
        )
        is_sure = table is not None and is_known and names_one(table, write, read)
        severity = INFO.severity if is_known else Severity.MEDIUM
        confidence = Confidence.HIGH if is_sure else Confidence.LOW
    return reporting.at(
        endpoint,
        trace,
        write,
        message=message,
        consequence=consequence,
        severity=severity,
        confidence=confidence,
        related=(("looked up here", read.place),),
        about=column,
        sites=sites,
    )
