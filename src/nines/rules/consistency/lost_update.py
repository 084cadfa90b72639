"""A value computed from a row that nothing protects between reading and writing."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.effect import Assignment, Effect, EffectKind
from nines.model.finding import Finding
from nines.model.origin import OriginKind
from nines.model.rule import Confidence, RuleInfo, Severity, Standard, Tier
from nines.model.service import EndpointKind, Service
from nines.model.trace import Trace
from nines.rules import reporting
from nines.rules.accumulating import adds_up, is_completed
from nines.rules.sites import Sites

INFO = RuleInfo(
    title="Lost update",
    tier=Tier.RELIABILITY,
    severity=Severity.HIGH,
    standards=(
        Standard(id="CWE-362", url="https://cwe.mitre.org/data/definitions/362.html"),
        Standard(
            id="PostgreSQL, 13.2 Transaction Isolation",
            url="https://www.postgresql.org/docs/current/transaction-iso.html",
        ),
    ),
    needs_code=True,
)
_REFUSING = ("serializable", "repeatable read")
"""Isolation in which PostgreSQL refuses the second of two writers of one row."""


def check(service: Service) -> Iterator[Finding]:
    sites = Sites(service)
    tables = {table.name: table for table in service.tables}
    for endpoint, trace in service.judged():
        for index, write in trace.writes() if endpoint.kind is not EndpointKind.COMMAND else ():
            if write.action.upper() != "UPDATE" or write.handles_conflict or not write.target:
                continue
            table = tables.get(write.target)
            for assignment in write.assignments:
                source = _source(trace, index, assignment)
                is_column = table is None or not table.is_complete or table.column(assignment.column) is not None
                if source is None or not is_column or _is_protected(trace, index, source):
                    continue
                read = trace.effects[source]
                yield reporting.at(
                    endpoint,
                    trace,
                    write,
                    message=f"the new {write.target}.{assignment.column} is computed from a row that was read "
                    "without a lock",
                    consequence="Of two requests at once the second erases what the first wrote; nobody gets an error.",
                    severity=INFO.severity,
                    confidence=Confidence.HIGH if adds_up(assignment, source, table) else Confidence.LOW,
                    related=(("the old value is read here", read.place),),
                    about=assignment.column,
                    sites=sites,
                )


def _source(trace: Trace, index: int, assignment: Assignment) -> int | None:
    """The read of the same row whose same column the new value is computed from."""
    write = trace.effects[index]
    if assignment.is_atomic:
        return None
    for origin in assignment.origins:
        read = origin.effect
        if origin.kind is not OriginKind.DATABASE or not origin.is_calculated or read is None or read >= index:
            continue
        if origin.name not in ("", assignment.column) or trace.effects[read].target != write.target:
            continue
        if is_completed(write, assignment):
            continue
        if trace.effects[read].action.upper() == "INSERT":
            # Nobody else knows the row that this request has just made.
            continue
        if read == next(iter(write.row_origins), read) and _may_be_one(trace.effects[read], read, write):
            return read
    return None


def _may_be_one(read: Effect, index: int, write: Effect) -> bool:
    """Whether the statement writes the row that was read: an object, or what plain statements choose alike."""
    if write.row_origins and not write.predicates:
        return True
    if not write.row_origins and not (read.predicates_known and write.predicates_known):
        return False
    reads = {(p.column, origin) for p in read.predicates for origin in p.origins}
    return any(
        origin.effect == index or (predicate.column, origin) in reads
        for predicate in write.predicates
        for origin in predicate.origins
    )


def _is_protected(trace: Trace, index: int, source: int) -> bool:
    """By a lock, a refusing isolation, or a condition that fails when the row has changed meanwhile."""
    write, read = trace.effects[index], trace.effects[source]
    transaction = trace.transaction_of(write)
    # What this transaction wrote is its own until it ends: INSERT ... ON CONFLICT DO UPDATE ... RETURNING.
    is_own = read.kind is EffectKind.DATABASE_WRITE and read.transaction is not None
    if is_own and read.transaction == write.transaction:
        return True
    if read.locks_rows or (transaction and transaction.isolation.lower().replace("_", " ") in _REFUSING):
        return True
    if any(
        e.kind is EffectKind.LOCK or (e.locks_rows and e.transaction == write.transaction)
        for _, e in trace.before(index)
    ):
        return True
    keys = {predicate.column for predicate in read.predicates}
    compared = (p for p in write.predicates if p.column not in keys and p.column != "id")
    return any(o.kind is OriginKind.DATABASE for p in compared for o in p.origins)
