"""Everything that an operation may answer, the successes first, each with an example."""

from __future__ import annotations

from nines.model.blueprint import Blueprint, Operation
from nines.model.design import PlannedAnswer, PlannedEndpoint
from nines.planning.interface import shapes
from nines.planning.interface.failures import failure, failures
from nines.planning.interface.successes import success, successes


def answers(
    operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint, status_path: str
) -> tuple[PlannedAnswer, ...]:
    """`status_path` is where the caller learns how work ended that outlives the request."""
    found = [*successes(operation, endpoint, blueprint, status_path), *failures(operation, endpoint, blueprint)]
    return tuple(sorted(found, key=_order))


def of_progress(operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint) -> tuple[PlannedAnswer, ...]:
    """What the status resource of asynchronous work answers."""
    headers = ("Cache-Control", "Retry-After")
    known = success(endpoint, 200, "How it went so far.", shapes.of_progress(), headers=headers)
    gone = failure(endpoint, "not-found", "There is no such operation, or it is not yours.", ())
    return tuple(sorted((known, gone, *failures(operation, endpoint, blueprint)), key=_order))


def _order(answer: PlannedAnswer) -> tuple[bool, int]:
    return answer.status >= 400, answer.status
