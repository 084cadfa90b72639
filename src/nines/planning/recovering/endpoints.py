"""The endpoints of code, as callers see them; what the contract documents is taken from there."""

from __future__ import annotations

from collections.abc import Iterable

from nines.model.blueprint import Action
from nines.model.contract import Contract, Operation
from nines.model.design import PlannedAnswer, PlannedEndpoint, PlannedParameter, Shape
from nines.model.effect import EffectKind, Rows
from nines.model.service import Endpoint
from nines.model.trace import Trace
from nines.planning.recovering.steps import flow

_IN_PATH = ("path", "query", "header")
_ACTIONS = {"POST": Action.CREATE, "PUT": Action.UPDATE, "PATCH": Action.UPDATE, "DELETE": Action.DELETE}


def endpoint(found: Endpoint, operation: Operation | None, trace: Trace | None) -> PlannedEndpoint:
    """One endpoint, with what the contract documents of it; what nobody said stays empty."""
    isolations = sorted({t.isolation for t in trace.transactions if t.isolation}) if trace else []
    return PlannedEndpoint(
        id=operation.id if operation and " " not in operation.id else found.id,
        method=found.method,
        path=found.path,
        action=_action(found, trace),
        summary=(operation.summary if operation else "") or found.summary,
        resource=_resource(found, trace),
        parameters=_parameters(found, operation),
        request=_body_name(found) if operation and operation.body else "",
        answers=_answers(operation),
        is_public=found.guards_known and not found.is_guarded,
        is_critical=not found.is_safe,
        flow=flow(found, trace),
        isolation=", ".join(isolations).lower(),
        guards_known=found.guards_known,
        place=found.place,
    )


def shapes(documented: Iterable[tuple[Endpoint, Operation | None]]) -> tuple[Shape, ...]:
    """The bodies that the contract documents."""
    return tuple(
        Shape(name=_body_name(endpoint), schema=operation.body.schema)
        for endpoint, operation in documented
        if operation is not None and operation.body is not None
    )


def operation_of(found: Endpoint, contract: Contract | None) -> Operation | None:
    """What the contract says of the endpoint."""
    if contract is None:
        return None
    return next((each for each in contract.operations if found.serves(each.method, each.path)), None)


def _action(found: Endpoint, trace: Trace | None) -> Action:
    if not found.is_safe:
        return _ACTIONS.get(found.method, Action.CUSTOM)
    if found.path.rstrip("/").endswith(("}", ">")):
        return Action.READ
    is_list = trace is not None and any(
        effect.reaches_response and effect.rows is Rows.MANY for effect in trace.effects
    )
    return Action.LIST if is_list else Action.READ


def _resource(found: Endpoint, trace: Trace | None) -> str:
    """The table that the endpoint is about: the one that its path names, else what it writes, else what it answers."""
    effects = trace.effects if trace else ()
    written = [e.target for e in effects if e.kind is EffectKind.DATABASE_WRITE and e.target]
    shown = [e.target for e in effects if e.kind is EffectKind.DATABASE_READ and e.reaches_response and e.target]
    read = [e.target for e in effects if e.kind is EffectKind.DATABASE_READ and e.target]
    segments = [_stem(part) for part in found.path.split("/") if part and not part.startswith(("{", "<", ":"))]
    for segment in reversed(segments):
        for target in (*written, *shown, *read):
            if segment and _stem(target).endswith(segment):
                return target
    return next(iter((*written, *reversed(shown))), "")


def _stem(word: str) -> str:
    """A word by which a path and a table may know one another: without case, separators and a plural's ending."""
    return word.lower().replace("-", "").replace("_", "").removesuffix("s").removesuffix("ie").removesuffix("y")


def _parameters(found: Endpoint, operation: Operation | None) -> tuple[PlannedParameter, ...]:
    if operation is not None:
        return tuple(
            PlannedParameter(
                name=each.name,
                location=each.location,
                schema=each.schema,
                is_required=each.is_required,
                example=each.example,
            )
            for each in operation.parameters
            if each.location in _IN_PATH
        )
    return tuple(
        PlannedParameter(name=each.name, location=each.location, schema={}, is_required=each.location == "path")
        for each in found.parameters
        if each.location in _IN_PATH
    )


def _answers(operation: Operation | None) -> tuple[PlannedAnswer, ...]:
    """Those with a status of their own; a range or a default tells no status."""
    answers = operation.answers if operation else ()
    known = [answer for answer in answers if answer.status.isdecimal()]
    return tuple(
        PlannedAnswer(status=int(answer.status), says="", media_type=answer.media_type, headers=answer.headers)
        for answer in sorted(known, key=lambda answer: int(answer.status))
    )


def _body_name(found: Endpoint) -> str:
    words = f"{found.method.lower()} {found.path}".replace("{", " by ").replace("}", " ")
    parts = "".join(character if character.isalnum() else " " for character in words).split()
    return "".join(part.capitalize() for part in parts) + "Body"
