"""An endpoint that anyone may call although it should ask who is calling."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.model.effect import Effect, EffectKind
from nines.model.finding import Finding
from nines.model.origin import OriginKind
from nines.model.rule import Confidence, RuleInfo, Severity, Standard, Tier
from nines.model.service import Endpoint, EndpointKind, Service
from nines.rules.neighbours import Neighbours, read_by_one
from nines.rules.public import is_public_by_nature, registers

INFO = RuleInfo(
    title="Endpoint without authentication",
    tier=Tier.SECURITY,
    severity=Severity.CRITICAL,
    standards=(
        Standard(id="CWE-306", url="https://cwe.mitre.org/data/definitions/306.html"),
        Standard(
            id="OWASP API2:2023", url="https://owasp.org/API-Security/editions/2023/en/0xa2-broken-authentication/"
        ),
    ),
    decided_by=("security/authentication",),
    needs_code=True,
)
_PRIVATE = re.compile(r"(?:^|[/_-])(?:admin|internal|export|backup|dump|billing|payroll)(?:$|[/_-])", re.IGNORECASE)
_CREDENTIALS = re.compile(r"authori[sz]ation|token|api_?key|signature|secret|credential|otp|hmac|nonce", re.IGNORECASE)
_VERIFIES = re.compile(r"\b\w*(?:verif|signature|hmac|compare_digest|constant_time)\w*\(", re.IGNORECASE)
"""A test that asks a function for the sender's signature."""
_NOBODY = "no endpoint of this service asks who is calling, and"
_SOME = "few endpoints of this service ask who is calling, and"
EXCEPTIONS_MAX = 10
"""Endpoints that are reported one by one although they outnumber those that are guarded."""
_WRITES = (EffectKind.DATABASE_WRITE, EffectKind.PUBLISH, EffectKind.PROCESS)


def check(service: Service) -> Iterator[Finding]:
    guarded = any(endpoint.is_guarded for endpoint in service.endpoints)
    open_ones = [e for e in service.endpoints if _is_open(e) and not _checks_inside(service, e)]
    changing = [e for e in open_ones if not e.is_safe and _changes(service, e) and not registers(service, e)]
    if not guarded:
        if changing and all(endpoint.guards_known for endpoint in service.endpoints):
            yield _finding_for_all(changing, _NOBODY)
        return
    if _are_most(service, changing):
        yield _finding_for_all(changing, _SOME)
        open_ones = [e for e in open_ones if e not in changing]
    alone, neighbours = read_by_one(service), Neighbours(service)
    for endpoint in open_ones:
        is_private = bool(_PRIVATE.search(endpoint.path)) and _does_something(service, endpoint)
        if endpoint in changing or is_private or endpoint.id in alone:
            stands_out = endpoint.id in alone or neighbours.are_guarded(endpoint)
            yield _finding(endpoint, stands_out=stands_out)


def _are_most(service: Service, changing: list[Endpoint]) -> bool:
    """So many that they are no exceptions: what guards them was not understood, or they are open on purpose."""
    guarded = [e for e in service.endpoints if e.kind is EndpointKind.HTTP and e.is_guarded and not e.is_safe]
    return len(changing) > EXCEPTIONS_MAX and len(changing) > len(guarded)


def _is_open(endpoint: Endpoint) -> bool:
    if endpoint.kind is not EndpointKind.HTTP or not endpoint.guards_known or endpoint.is_guarded:
        return False
    if any(_CREDENTIALS.search(parameter.name) for parameter in endpoint.parameters):
        return False
    return not is_public_by_nature(endpoint)


def _checks_inside(service: Service, endpoint: Endpoint) -> bool:
    """Whether the handler itself looks at who is calling, or at a secret."""
    effects = [e for trace in service.traces if trace.endpoint == endpoint.id for e in trace.effects]
    conditions = [condition for effect in effects for condition in effect.conditions]
    asks = any(o.kind is OriginKind.PRINCIPAL for c in conditions for o in c.origins)
    verifies = any(_VERIFIES.search(condition.text) for condition in conditions)
    names = any(_CREDENTIALS.search(o.name) for c in conditions for o in c.origins if o.kind is OriginKind.CALLER)
    return asks or verifies or names or any(e.kind is EffectKind.COMPUTE for e in effects)


def _does_something(service: Service, endpoint: Endpoint) -> bool:
    """Whether there is anything to protect; what was not understood may be it."""
    return any(trace.effects or trace.blind for trace in service.traces if trace.endpoint == endpoint.id)


def _changes(service: Service, endpoint: Endpoint) -> bool:
    traces = (trace for trace in service.traces if trace.endpoint == endpoint.id)
    return any(_is_change(effect) for trace in traces for effect in trace.effects)


def _is_change(effect: Effect) -> bool:
    return effect.kind in _WRITES or (effect.is_remote_write and bool(effect.action))


def _finding(endpoint: Endpoint, *, stands_out: bool) -> Finding:
    is_unguessable = any(
        "uuid" in parameter.type.lower() for parameter in endpoint.parameters if parameter.location == "path"
    )
    return Finding(
        rule="",
        message=f"{endpoint.id} does not ask who is calling, unlike others of this service",
        place=endpoint.place,
        endpoint=endpoint.id,
        consequence="Anyone who can reach the service can call it" + ("." if endpoint.is_safe else " and change data."),
        subject=f"{endpoint.function} {endpoint.id}",
        severity=Severity.HIGH if endpoint.is_safe or is_unguessable else INFO.severity,
        confidence=Confidence.LOW if is_unguessable or not stands_out else Confidence.MEDIUM,
    )


def _finding_for_all(endpoints: list[Endpoint], how: str) -> Finding:
    first = min(endpoints, key=lambda e: (e.place, e.id))
    count = f"{len(endpoints)} endpoints change data" if len(endpoints) > 1 else f"{first.id} changes data"
    return Finding(
        rule="",
        message=f"{how} {count}",
        place=first.place,
        endpoint=first.id,
        endpoints=tuple(sorted(endpoint.id for endpoint in endpoints)),
        consequence="Unless something in front of the service authenticates, anyone who can reach it can change data.",
        subject="no authentication anywhere" if how == _NOBODY else "no authentication at most",
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
    )
