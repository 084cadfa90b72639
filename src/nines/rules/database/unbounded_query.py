"""A read whose rows grow with the data, all of them at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.model.effect import Effect, Known, Rows
from nines.model.finding import Finding
from nines.model.rule import Confidence, RuleInfo, Severity, Standard, Tier
from nines.model.schema import Table
from nines.model.service import Endpoint, EndpointKind, Service
from nines.model.trace import UNREAD_BASE, Trace, Witness
from nines.rules import reporting, wording
from nines.rules.growth import Growing, Growth, comes_with_use, is_its_list, is_operated, last_word
from nines.rules.selection import Share, conditions, parent, share
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
    r"(?:countr|currenc)(?:y|ies)|\w*(?:categor(?:y|ies)|(?:role|permission|setting|config|type|field|customlink|savedfilter)s?)"
    r"|(?:language|locale|plan|tier|region|platform|timezone|unit|feature|flag|kind|choice|option|enum|provider|plugin|webhook|theme)s?"
    r"|configurations?|status(?:es)?"
    r"|(?:node|server|module|connector|backend|runner|worker|engine|framework|integration|extension|domain|site)s?"
)
"""Last words of the names of tables that people fill by hand: they stay short."""
_FEW_ROWS = re.compile(r"template|version|migration|lookup|integration|status|setting|config")
"""Words anywhere in the name of a table that is probably short."""
_GROWS_FOR_EVER = re.compile(
    r"event|log|histor|message|comment|notification|submission|activit|audit|track|transaction|order|payment|invoice|ping"
    r"|flip|metric|measure|sample|reading|record|visit|view|click|session|job|execution|deliver|attempt|post|finding|alert|change"
)
"""Rows that come with time and use, so that even those of one parent have no end."""
_STREAM = re.compile(
    r"event|log(?!in|ic)|audit|message|ping|metric|measure|sample|reading|activit|tracking|transaction|visit"
    r"|entr(?:y|ies)"
)
"""Rows that machines write: those of one parent alone can be more than one answer holds."""

Weight = tuple[Tier, Severity, Confidence]
_SLOW: Weight = (Tier.PERFORMANCE, Severity.LOW, Confidence.LOW)
"""What grows within bounds, or as far as nobody can read: it costs time, it does not end the process."""


def check(service: Service) -> Iterator[Finding]:
    sites, growing = Sites(service), Growing(service)
    tables = {table.name: table for table in service.tables}
    for endpoint, trace in service.judged():
        is_seen = trace.witness is Witness.OBSERVED
        for _, effect in trace.reads() if endpoint.kind is not EndpointKind.COMMAND else ():
            table = tables.get(effect.target)
            if not _grows(effect, table, is_seen=is_seen):
                continue
            seen = (INFO.tier, INFO.severity, Confidence.HIGH)
            weight = seen if is_seen else _weight(endpoint, effect, table, growing.of(effect.target, table))
            if weight is not None and not is_seen and any(blind.reason == UNREAD_BASE for blind in trace.blind):
                weight = _SLOW
            if weight is not None:
                yield _finding(endpoint, trace, effect, table, weight, sites)


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
        return effect.rows is Rows.MANY and not conditions(effect)
    return effect.reaches_response


def _weight(endpoint: Endpoint, effect: Effect, table: Table | None, growth: Growth) -> Weight | None:
    """How much it matters: whether the table grows with use, how much of it is read, and who asks.

    Only all rows of a table that is seen to grow with use, read in a request, are told to end a process one day."""
    read = share(effect, table)
    if growth is Growth.BY_HAND or read is Share.FEW or _is_catalogue(effect):
        return None
    if read is Share.PARENT:
        return _of_parent(endpoint, effect, growth)
    is_short = growth in (Growth.OPERATORS, Growth.UNKNOWN) or bool(_FEW_ROWS.search(effect.target))
    is_of_operators = is_operated(endpoint) and not endpoint.is_safe
    is_all_of_tenant = is_its_list(endpoint, effect) and comes_with_use(effect.target)
    if is_short or is_of_operators or read is Share.SOME or (read is Share.TENANT and not is_all_of_tenant):
        return _SLOW
    is_sure = growth is Growth.USE
    if endpoint.kind is not EndpointKind.HTTP:
        return _SLOW
    if read is Share.ALL and is_sure:
        return (INFO.tier, INFO.severity, Confidence.HIGH)
    return (Tier.PERFORMANCE, Severity.MEDIUM, Confidence.MEDIUM if is_sure or read is Share.ALL else Confidence.LOW)


def _is_catalogue(effect: Effect) -> bool:
    """What people fill by hand, and what the database says about itself."""
    is_own = effect.target.startswith("pg_") or "information_schema" in effect.text.lower()
    return is_own or bool(_BY_HAND.fullmatch(last_word(effect)))


def _of_parent(endpoint: Endpoint, effect: Effect, growth: Growth) -> Weight | None:
    """Rows of one parent end somewhere, unless machines write them."""
    is_list = is_its_list(endpoint, effect)
    is_of_one = not any(predicate.operator == "in" for predicate in conditions(effect))
    if is_list and is_of_one and _STREAM.search(last_word(effect)):
        return (Tier.PERFORMANCE, Severity.MEDIUM, Confidence.MEDIUM if growth is Growth.USE else Confidence.LOW)
    return _SLOW if is_list or _GROWS_FOR_EVER.search(last_word(effect)) else None


def _finding(  # noqa: PLR0917
    endpoint: Endpoint, trace: Trace, effect: Effect, table: Table | None, weight: Weight, sites: Sites
) -> Finding:
    of_one = parent(effect, table)
    some = f" with one {of_one}" if of_one else " that meet its conditions" if conditions(effect) else ""
    tier, severity, confidence = weight
    end = "it is killed for its memory, and every other request of the process with it."
    return reporting.at(
        endpoint,
        trace,
        effect,
        message=f"all rows of {wording.table(effect)}{some} are read at once",
        consequence=f"Time and memory of one request grow with {wording.table(effect)}"
        + (f"; one day {end}" if tier is INFO.tier else "."),
        tier=tier,
        severity=severity,
        confidence=confidence,
        sites=sites,
    )
