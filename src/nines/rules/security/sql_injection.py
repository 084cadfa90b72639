"""Text from the caller that becomes text of a statement."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.finding import Finding
from nines.model.origin import Origin, OriginKind
from nines.model.rule import Confidence, RuleInfo, Severity, Standard, Tier
from nines.model.service import EndpointKind, Service
from nines.rules import reporting, wording

INFO = RuleInfo(
    title="SQL injection",
    tier=Tier.SECURITY,
    severity=Severity.CRITICAL,
    standards=(
        Standard(id="CWE-89", url="https://cwe.mitre.org/data/definitions/89.html"),
        Standard(id="OWASP A03:2021", url="https://owasp.org/Top10/A03_2021-Injection/"),
    ),
    decided_by=("security/injection",),
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
            hostile = tuple(origin for origin in effect.text_origins if effect.is_database and _is_hostile(origin))
            if not hostile:
                continue
            is_from_request = endpoint.kind in (EndpointKind.HTTP, EndpointKind.SOCKET)
            where = hostile[0].location or "request"
            names = " and ".join(wording.caller_names(hostile)) or "a value"
            yield reporting.at(
                endpoint,
                trace,
                effect,
                message=f"{names} from the {where} becomes part of the text of a SQL statement",
                consequence="A caller can read, change and delete whatever this database user may.",
                severity=INFO.severity if is_from_request else Severity.MEDIUM,
                confidence=Confidence.HIGH if is_from_request else Confidence.LOW,
                about=names,
            )


def _is_hostile(origin: Origin) -> bool:
    return origin.kind is OriginKind.CALLER and not _HARMLESS & set(origin.sanitised)
