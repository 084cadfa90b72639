"""Small services put together by hand."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from nines import rules
from nines.model.effect import Effect, EffectKind
from nines.model.finding import Finding
from nines.model.origin import Origin, OriginKind
from nines.model.place import Place
from nines.model.schema import Table
from nines.model.service import Endpoint, EndpointKind, Guard, GuardKind, Service
from nines.model.trace import Trace, Transaction, Witness

SIGNED_IN = (Guard(kind=GuardKind.AUTHENTICATION, name="get_current_user"),)


def origin(kind: str, name: str = "", effect: int | None = None, location: str = "", **fields: Any) -> Origin:
    return Origin(kind=OriginKind(kind), name=name, effect=effect, location=location, **fields)


def effect(kind: str, target: str = "", action: str = "", line: int = 1, **fields: Any) -> Effect:
    return Effect(
        kind=EffectKind(kind), target=target, action=action, place=Place(file="app/main.py", line=line), **fields
    )


def endpoint(id: str = "POST /orders", **fields: Any) -> Endpoint:
    method, _, path = id.partition(" ")
    return replace(
        Endpoint(
            id=id,
            kind=EndpointKind.HTTP,
            function="app.main.handler",
            place=Place(file="app/main.py", line=1),
            method=method,
            path=path,
        ),
        **fields,
    )


def service(
    *effects: Effect,
    entry: Endpoint | None = None,
    transactions: tuple[Transaction, ...] = (),
    tables: tuple[Table, ...] = (),
    others: tuple[tuple[Endpoint, Trace], ...] = (),
    witness: Witness = Witness.PREDICTED,
) -> Service:
    """One endpoint with one trace, and others on demand."""
    entry = entry or endpoint()
    trace = Trace(endpoint=entry.id, witness=witness, effects=effects, transactions=transactions)
    return Service(
        name="test",
        endpoints=(entry, *(other for other, _ in others)),
        traces=(trace, *(trace for _, trace in others)),
        tables=tables,
    )


def found(rule: str, service: Service) -> tuple[Finding, ...]:
    """What the rule with this id reports; a failing rule fails the test."""
    judged = rules.judge(next(each for each in rules.discover() if each.id == rule), service)
    assert judged.failures == ()
    return judged.findings
