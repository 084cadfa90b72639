"""A query that runs once for each row of another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from nines.model.effect import Effect, Loop, Rows
from nines.model.finding import Finding
from nines.model.origin import OriginKind
from nines.model.place import Place
from nines.model.rule import Confidence, RuleInfo, Severity, Standard, Tier
from nines.model.service import Endpoint, EndpointKind, Service
from nines.model.trace import Trace, Witness
from nines.rules import reporting, wording
from nines.rules.sites import Sites

INFO = RuleInfo(
    title="One query per row",
    tier=Tier.PERFORMANCE,
    severity=Severity.HIGH,
    standards=(
        Standard(id="CWE-1050", url="https://cwe.mitre.org/data/definitions/1050.html"),
        Standard(
            id="SQLAlchemy, Relationship Loading Techniques",
            url="https://docs.sqlalchemy.org/en/20/orm/queryhelp/relationships.html",
        ),
        Standard(id="Django, select_related", url="https://docs.djangoproject.com/en/stable/ref/models/querysets/"),
    ),
    decided_by=("database/n-plus-one",),
)
_BACKGROUND = (EndpointKind.COMMAND, EndpointKind.TASK, EndpointKind.SCHEDULE)
_MANY = re.compile(r"\b(?:list|sequence|set|tuple|iterable|collection)\[", re.IGNORECASE)
FEW = 10
"""A loop that is bounded by a constant up to this is no growth."""
SEEN_MIN = 3
"""Equal statements of one observed request, as many as an earlier one had rows, from which a loop is assumed."""


def check(service: Service) -> Iterator[Finding]:
    sites = Sites(service)
    for endpoint, trace in service.judged():
        is_seen = trace.witness is Witness.OBSERVED
        yield from _seen(endpoint, trace) if is_seen else _read(endpoint, trace, sites)


def _read(endpoint: Endpoint, trace: Trace, sites: Sites) -> Iterator[Finding]:
    for _, effect in trace.reads():
        for loop in reversed(effect.loops):
            walked = _walked(trace, loop)
            is_bounded = loop.iterations_max is not None and loop.iterations_max <= FEW
            if not walked or is_bounded or (effect.is_lazy and not _belongs_to_row(trace, effect, loop)):
                continue
            what = f"{effect.target or 'a relationship'} is loaded" if effect.is_lazy else _statement(effect)
            severity, confidence = _weight(endpoint, effect, loop)
            yield reporting.at(
                endpoint,
                trace,
                effect,
                message=f"{what} once for each {walked}",
                consequence="The number of round trips, and the time a connection is held, grow with the data.",
                severity=severity,
                confidence=confidence,
                related=(("the loop", loop.place), ("its rows come from here", _origin(trace, loop))),
                sites=sites,
            )
            break


def _weight(endpoint: Endpoint, effect: Effect, loop: Loop) -> tuple[Severity, Confidence]:
    """Rows grow with the data; what a caller sends is usually short, unless it is declared as a list."""
    if loop.effect is None:
        sent = {origin.name for origin in loop.origins}
        is_list = any(_MANY.search(p.type) for p in endpoint.parameters if p.name in sent and p.location == "body")
        return (Severity.MEDIUM, Confidence.MEDIUM) if is_list else (Severity.LOW, Confidence.LOW)
    is_background = effect.after_response or endpoint.kind in _BACKGROUND
    confidence = Confidence.HIGH if effect.target else Confidence.MEDIUM
    return Severity.LOW if is_background else INFO.severity, confidence


def _belongs_to_row(trace: Trace, effect: Effect, loop: Loop) -> bool:
    """Whether the object whose attribute is touched is another one in each round; the same one loads only once."""
    owners = [o.effect for p in effect.predicates for o in p.origins if o.effect is not None]
    return any(
        owner == loop.effect or loop.ordinal in {around.ordinal for around in trace.effects[owner].loops}
        for owner in owners
    )


def _walked(trace: Trace, loop: Loop) -> str:
    """What the loop walks over, in words; "" when that is not known to grow."""
    if loop.effect is not None and loop.effect < len(trace.effects):
        rows = trace.effects[loop.effect]
        is_growing = rows.is_database and rows.rows is not Rows.ONE and (rows.limit_max is None or rows.limit_max > FEW)
        return f"row of {wording.table(rows)}" if is_growing else ""
    names = wording.caller_names(loop.origins)
    is_from_caller = loop.origins and all(origin.kind is OriginKind.CALLER for origin in loop.origins)
    return f"item of {', '.join(names)}" if names and is_from_caller else ""


def _origin(trace: Trace, loop: Loop) -> Place | None:
    return trace.effects[loop.effect].place if loop.effect is not None else None


def _statement(effect: Effect) -> str:
    return f"{effect.action or 'a query'} of {wording.table(effect)} runs"


def _seen(endpoint: Endpoint, trace: Trace) -> Iterator[Finding]:
    """Equal statements of one request on the wire, one after the other."""
    rounds: Counter[tuple[int, str, str]] = Counter()
    firsts: dict[tuple[int, str, str], Effect] = {}
    for _, effect in trace.reads():
        if effect.loops and effect.target:
            key = (effect.loops[-1].ordinal, effect.dependency, effect.target)
            rounds[key] += 1
            firsts.setdefault(key, effect)
    for key, count in rounds.items():
        walked = _walked(trace, firsts[key].loops[-1])
        if count < (SEEN_MIN if walked else FEW):
            continue
        why = f", once for each {walked}" if walked else ""
        yield reporting.at(
            endpoint,
            trace,
            firsts[key],
            message=f"SELECT of {key[2]} ran {count} times in one request{why}",
            consequence="The number of round trips, and the time a connection is held, grow with the data.",
            severity=INFO.severity,
            confidence=Confidence.HIGH if walked else Confidence.MEDIUM,
        )
