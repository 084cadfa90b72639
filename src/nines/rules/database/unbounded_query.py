"""A read whose rows grow with the data, all of them at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.model.effect import Effect, Known, Predicate, Rows
from nines.model.finding import Finding
from nines.model.origin import OriginKind
from nines.model.rule import Confidence, RuleInfo, Severity, Standard, Tier
from nines.model.schema import Table
from nines.model.service import Endpoint, EndpointKind, Service
from nines.model.trace import Trace, Witness
from nines.rules import reporting, wording
from nines.rules.sites import Sites

INFO = RuleInfo(
    title="Query without a limit",
    tier=Tier.RELIABILITY,
    severity=Severity.HIGH,
    standards=(
        Standard(id="CWE-770", url="https://cwe.mitre.org/data/definitions/770.html"),
        Standard(
            id="OWASP API4:2023",
            url="https://owasp.org/API-Security/editions/2023/en/0xa4-unrestricted-resource-consumption/",
        ),
    ),
)
_BY_HAND = re.compile(
    r"(?:countr|currenc|categor)(?:y|ies)|\w*(?:role|permission|setting|config|type|field|customlink|savedfilter)s?"
    r"|(?:language|locale|plan|tier|region|timezone|unit|feature|flag|kind|choice|option|enum|provider|plugin)s?"
    r"|configurations?|status(?:es)?"
)
"""Last words of the names of tables that people fill by hand: they stay short."""
_FEW_ROWS = re.compile(r"template|version|migration|lookup|integration|status|setting|config")
"""Words anywhere in the name of a table that is probably short."""
_GROWS_FOR_EVER = re.compile(
    r"event|log|histor|message|comment|notification|submission|activit|audit|track|transaction|order|payment|invoice|ping"
    r"|flip|metric|measure|sample|reading|record|visit|view|click|session|job|execution|deliver|attempt|post|finding|alert|change"
)
"""Rows that come with time and use, so that even those of one parent have no end."""
_KEY = re.compile(r"_id$|key|code|token|slug|e?mail|uuid|hash|username|number$|^name$")
"""Columns of which one value selects a few rows."""
_SECRET = re.compile(r"key|token|hash|secret")
"""Columns of which even the beginning does; the beginning of a name does not."""


def check(service: Service) -> Iterator[Finding]:
    sites = Sites(service)
    tables = {table.name: table for table in service.tables}
    for endpoint, trace in service.judged():
        if endpoint.kind is EndpointKind.COMMAND:
            continue
        for _, effect in trace.reads():
            is_seen = trace.witness is Witness.OBSERVED
            table = tables.get(effect.target)
            if _grows(effect, table, is_seen=is_seen) and (is_seen or not _is_short(endpoint, effect, table)):
                yield _finding(endpoint, trace, effect, tables.get(effect.target), sites)


def _grows(effect: Effect, table: Table | None, *, is_seen: bool) -> bool:
    """Whether nothing bounds the rows, and all of them are held at once."""
    if effect.limit is not Known.MISSING or effect.rows is Rows.ONE or effect.is_lazy or not effect.target:
        return False
    if not effect.predicates_known:
        return False
    fixed = {p.column for p in effect.predicates if p.operator == "in" or (p.operator in ("=", "is") and p.origins)}
    if "id" in fixed or (table is not None and table.is_unique_over(frozenset(fixed))):
        return False
    if is_seen:
        return effect.rows is Rows.MANY and not _conditions(effect)
    return effect.reaches_response


def _is_short(endpoint: Endpoint, effect: Effect, table: Table | None) -> bool:
    """Whether people fill the table by hand, or the rows are the children of one parent and not what this lists."""
    words = effect.target.split("_")
    if _BY_HAND.fullmatch(words[-1]) or words[0] == "pg":
        return True
    if not any(_is_narrow(predicate, table) for predicate in effect.predicates) or _GROWS_FOR_EVER.search(
        effect.target
    ):
        return False
    last = endpoint.path.strip("/").rpartition("/")[2].lower().replace("-", "_").removesuffix("s")
    is_its_list = endpoint.is_safe and bool(last) and last in {w.removesuffix("s") for w in (*words, effect.target)}
    return endpoint.kind is not EndpointKind.HTTP or not is_its_list


def _finding(endpoint: Endpoint, trace: Trace, effect: Effect, table: Table | None, sites: Sites) -> Finding:
    parent = _parent(effect, table)
    is_small = bool(_FEW_ROWS.search(effect.target))
    severity, confidence = INFO.severity, Confidence.HIGH
    if is_small or parent or endpoint.kind is not EndpointKind.HTTP:
        severity = Severity.LOW if is_small or parent else Severity.MEDIUM
        confidence = Confidence.LOW
    elif _conditions(effect):
        severity, confidence = Severity.MEDIUM, Confidence.MEDIUM
    which = f"all rows of {wording.table(effect)}" + (f" with one {parent}" if parent else "")
    which += " that meet its conditions" if _conditions(effect) and not parent else ""
    return reporting.at(
        endpoint,
        trace,
        effect,
        message=f"{which} are read at once",
        consequence=f"Time and memory of one request grow with {wording.table(effect)}; one day it is killed for its "
        "memory, and every other request of the process with it.",
        severity=severity,
        confidence=confidence,
        sites=sites,
    )


def _conditions(effect: Effect) -> list[Predicate]:
    """Those of the statement; what is checked after the rows were fetched narrows nothing."""
    return [predicate for predicate in effect.predicates if predicate.operator != "checked"]


def _parent(effect: Effect, table: Table | None) -> str:
    """A column that narrows the rows to those of one parent, or of the caller."""
    narrow = (p.column for p in effect.predicates if p.operator == "=" and _is_narrow(p, table))
    return next(narrow, "")


def _is_narrow(predicate: Predicate, table: Table | None) -> bool:
    """Whether it selects by a parent, a key or the caller, by one of them or by several."""
    column = table.column(predicate.column) if table else None
    is_relation = any(r.name == predicate.column and not r.is_many for r in table.relationships) if table else False
    is_principal = any(origin.kind is OriginKind.PRINCIPAL for origin in predicate.origins)
    is_key = bool(_KEY.search(predicate.column)) or (column is not None and bool(column.references))
    if predicate.operator == "exists":
        return bool(predicate.origins)
    is_start_of_secret = predicate.operator == "like" and bool(_SECRET.search(predicate.column))
    return is_start_of_secret or (predicate.operator in ("=", "in") and (is_key or is_relation or is_principal))
