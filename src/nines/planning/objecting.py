"""What objections are put together from: their words, and the questions that several of them ask a blueprint."""

from __future__ import annotations

from collections.abc import Iterable

from nines.model.blueprint import (
    Action,
    Blueprint,
    Dependency,
    DependencyKind,
    Fallback,
    Field,
    FieldKind,
    Job,
    Operation,
    Resource,
    ResourceKind,
)
from nines.model.design import Choice, Objection

REMOTE = frozenset({DependencyKind.HTTP, DependencyKind.GRPC, DependencyKind.SMTP, DependencyKind.OBJECTS})
"""What is reached over a network that fails in its own ways."""
_BROKERS = frozenset({DependencyKind.KAFKA, DependencyKind.NATS, DependencyKind.RABBITMQ})
_SAFE = frozenset({Action.READ, Action.LIST})
_CHANGING = frozenset({Action.UPDATE, Action.DELETE, Action.TRANSITION})

GUESSABLE = {
    Action.SIGN_IN: "guess passwords",
    Action.VERIFY_CODE: "guess codes",
    Action.RESET_PASSWORD: "guess tokens",
    Action.REQUEST_RESET: "find out which addresses have an account, and fill their mailboxes",
    Action.SIGN_IN_BY_CODE: "guess codes",
    Action.REQUEST_SIGN_IN: "find out which addresses have an account, and fill their mailboxes",
    Action.SEND_CODE: "fill mailboxes, and run up the bill for messages",
}
"""Whoever may try often enough gets it."""


def objection(
    module: str, blueprint: Blueprint, path: str, says: str, options: Iterable[Choice], *, is_fatal: bool = True
) -> Objection:
    """The code is the module's own name; the place is that of the path."""
    place = blueprint.place_of(path)
    where = f"{place.file}:{place.line}:{place.column}" if place else blueprint.source
    code = module.rpartition(".")[2].replace("_", "-")
    return Objection(code=code, says=says, where=where, path=path, options=tuple(options), is_fatal=is_fatal)


def option(name: str, gains: str, costs: str, when: str = "") -> Choice:
    return Choice(name=name, gains=gains, costs=costs, when=when)


def called(blueprint: Blueprint, calls: Iterable[str]) -> tuple[Dependency, ...]:
    """The dependencies that are called, once for each call, in order."""
    found = (blueprint.dependency(call.partition(".")[0]) for call in calls)
    return tuple(each for each in found if each is not None)


def waited_for(blueprint: Blueprint, operation: Operation) -> tuple[Dependency, ...]:
    """The dependencies whose answers the caller waits for."""
    return () if operation.is_asynchronous else called(blueprint, operation.calls)


def promise_s(blueprint: Blueprint, operation: Operation) -> float:
    return operation.latency_p95_s or blueprint.budgets.latency_p95_s


def is_writing(operation: Operation) -> bool:
    return operation.do not in _SAFE


def is_changing(operation: Operation) -> bool:
    """Whether it changes or removes a row that exists."""
    return operation.do in _CHANGING


def needed(blueprint: Blueprint) -> tuple[Dependency, ...]:
    """The hard dependencies without which a critical operation fails while its caller waits; stores always."""
    waited = {
        dependency.name
        for operation in blueprint.operations
        if operation.is_critical and not operation.is_excluded
        for dependency in waited_for(blueprint, operation)
        if dependency.fallback is Fallback.NONE
    }
    return tuple(
        each
        for each in blueprint.dependencies
        if each.is_hard and (each.name in waited or _is_always_needed(blueprint, each))
    )


def _is_always_needed(blueprint: Blueprint, dependency: Dependency) -> bool:
    """Whether nothing goes on without it, although no operation names it in its calls."""
    if dependency.kind in _BROKERS:
        # With an outbox, events wait in the database while their broker is away.
        return blueprint.events.broker == dependency.name and blueprint.events.transport != "outbox"
    return dependency.kind not in REMOTE and dependency.fallback is Fallback.NONE


def arrivals_hz(blueprint: Blueprint, job: Job, *, at_peak: bool = False) -> float:
    """How many pieces come to a job that takes rows in a state: as many as come into that state."""
    resource = blueprint.resource(job.on)
    first = resource.states[0].name if resource and resource.states else ""
    return sum(
        blueprint.rate_hz(operation, at_peak=at_peak)
        for operation in blueprint.operations
        if operation.on == job.on
        and job.from_state
        and ((operation.do is Action.CREATE and job.from_state == first) or operation.to_state == job.from_state)
    )


def jobs_of(blueprint: Blueprint, operation: Operation) -> tuple[Job, ...]:
    """The jobs that may take up what an asynchronous operation leaves."""
    return tuple(job for job in blueprint.jobs if job.on == operation.on)


def personal_fields(blueprint: Blueprint, resource: Resource) -> tuple[str, ...]:
    """The names of its fields that hold personal data, parts of composite types included."""
    return tuple(field.name for field in resource.fields if is_personal(blueprint, field))


def is_personal(blueprint: Blueprint, field: Field) -> bool:
    if field.is_personal or field.kind is not FieldKind.VALUE:
        return field.is_personal
    composite = blueprint.value_type(field.of)
    return composite is not None and any(part.is_personal for part in composite.fields)


def signs_in_here(blueprint: Blueprint) -> bool:
    return any(resource.kind is ResourceKind.ACCOUNT for resource in blueprint.resources)


def listed(words: Iterable[str]) -> str:
    """ "a, b and c"."""
    found = list(words)
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)
