"""What is to happen instead cannot stand for what was asked."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, Dependency, Fallback, Operation
from nines.model.design import Choice, Objection
from nines.planning.objecting import called, is_writing, objection, option

_QUEUE = option("fallback: queue", "it is done later, once", "callers learn the outcome later")
_FAIL = option("fallback: none", "callers are told that it did not work (503 with Retry-After)", "they ask again")
_CACHE = option("fallback: cache", "callers see the last known value", "it may be old, and says so")


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        for dependency in dict.fromkeys(each.name for each in called(blueprint, operation.calls)):
            found = blueprint.dependency(dependency)
            unfit = _unfit(operation, found) if found else None
            if unfit:
                says, options = unfit
                yield objection(__name__, blueprint, f"dependencies.{dependency}.fallback", says, options)
    for each in blueprint.dependencies:
        is_behind_outbox = each.name == blueprint.events.broker and blueprint.events.transport == "outbox"
        if each.is_hard or each.fallback is not Fallback.NONE or is_behind_outbox:
            continue
        yield objection(
            __name__,
            blueprint,
            f"dependencies.{each.name}.need",
            f"the service is to go on without {each.name}, and nobody says how (fallback is none)",
            (_QUEUE, _CACHE, option("need: hard", "what depends on it fails, and says so", "counts as an outage")),
            is_fatal=False,
        )


def _unfit(operation: Operation, dependency: Dependency) -> tuple[str, tuple[Choice, ...]] | None:
    if is_writing(operation) and dependency.fallback is Fallback.CACHE:
        return (
            f"{operation.name} changes something, and an old answer of {dependency.name} says that it was done",
            (_QUEUE, _FAIL),
        )
    if not is_writing(operation) and dependency.fallback is Fallback.QUEUE:
        return (
            f"{operation.name} reads, and what is asked of {dependency.name} later is of no use to its caller",
            (_CACHE, _FAIL),
        )
    return None
