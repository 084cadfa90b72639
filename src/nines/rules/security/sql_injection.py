"""Text from the caller that becomes text of a statement."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.effect import Condition, Effect
from nines.model.finding import Finding
from nines.model.origin import Origin, OriginKind
from nines.model.rule import Confidence, RuleInfo, Severity, Standard, Tier
from nines.model.service import Endpoint, EndpointKind, Service
from nines.model.trace import Trace
from nines.rules import reporting, wording

INFO = RuleInfo(
    title="SQL injection",
    tier=Tier.SECURITY,
    severity=Severity.CRITICAL,
    standards=(
        Standard(id="CWE-89", url="https://cwe.mitre.org/data/definitions/89.html"),
        Standard(id="OWASP A03:2021", url="https://owasp.org/Top10/A03_2021-Injection/"),
    ),
    needs_code=True,
)
_HARMLESS = frozenset(
    {"sql", "int", "float", "decimal", "number", "bool", "uuid", "enum", "choice", "date", "datetime"}
)


def check(service: Service) -> Iterator[Finding]:
    for endpoint, trace in service.judged():
        if endpoint.kind is EndpointKind.COMMAND:
            continue
        for effect in trace.effects:
            hostile = tuple(origin for origin in effect.text_origins if _is_hostile(origin, effect, trace))
            if not hostile or not effect.is_database:
                continue
            is_from_request = endpoint.kind in (EndpointKind.HTTP, EndpointKind.SOCKET)
            where = hostile[0].location or "request"
            names = " and ".join(wording.caller_names(hostile)) or "a value"
            yield reporting.at(
                endpoint,
                trace,
                # Of a general method the spliced text is the defect, whatever table it serves.
                replace(effect, target=""),
                message=f"{names} from the {where} becomes part of the text of a SQL statement",
                consequence="A caller can read, change and delete whatever this database user may.",
                severity=INFO.severity if is_from_request else Severity.MEDIUM,
                confidence=_confidence(endpoint, hostile) if is_from_request else Confidence.LOW,
            )


def _confidence(endpoint: Endpoint, hostile: tuple[Origin, ...]) -> Confidence:
    """Of an object perhaps only the names of its fields are spliced; an unread function may give back other things."""
    if all("unclear" in origin.sanitised for origin in hostile):
        return Confidence.LOW
    objects = {p.name for p in endpoint.parameters if p.type and "str" not in p.type}
    return Confidence.MEDIUM if all(origin.name in objects for origin in hostile) else Confidence.HIGH


def _is_hostile(origin: Origin, effect: Effect, trace: Trace) -> bool:
    is_raw = origin.kind is OriginKind.CALLER and not _HARMLESS & set(origin.sanitised)
    return is_raw and not any(_was_looked_up(origin, condition, trace) for condition in effect.conditions)


def _was_looked_up(origin: Origin, condition: Condition, trace: Trace) -> bool:
    """Whether the statement runs only where a row with exactly this value was found: a list in the database."""
    reads = (trace.effects[index] for index in condition.effects if condition.wants == "present")
    values = (
        o for read in reads for predicate in read.predicates if predicate.operator == "=" for o in predicate.origins
    )
    return bool(origin.name) and any((o.kind, o.name) == (origin.kind, origin.name) for o in values)
