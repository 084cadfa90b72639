"""Looking at every operation once, one request at a time on a quiet system: the observed traces."""

from __future__ import annotations

from collections.abc import Callable

from nines.lab.requests.graph import asks_password
from nines.model.contract import Operation
from nines.model.experiment import Bench, Call
from nines.model.history import Outcome
from nines.model.record import Record
from nines.model.trace import Trace

SURVEY_S_MAX = 120.0
SURVEY_TIMES = 2
"""The first request of an operation may fill caches and prepare statements; the second is what callers get."""


class Surveyed(Record):
    traces: tuple[Trace, ...]
    left_out: tuple[str, ...]
    """Operations for which no request could be made, or none succeeded."""


async def survey(bench: Bench, remember: Callable[[Call, Trace], None]) -> Surveyed:
    """What reads comes first, and what deletes or changes passwords last, for it may end the sessions.

    `remember` is told of every call that succeeded."""
    traces: list[Trace] = []
    left_out: list[str] = []
    for operation in sorted(bench.contract.operations, key=_harm):
        trace = await _look(bench, operation, remember) if bench.clock_s() < SURVEY_S_MAX else None
        if trace is None:
            left_out.append(operation.id)
        else:
            traces.append(trace)
    return Surveyed(traces=tuple(traces), left_out=tuple(left_out))


async def _look(bench: Bench, operation: Operation, remember: Callable[[Call, Trace], None]) -> Trace | None:
    """As the first identity that is let in: the owner, then those with more rights, then the others."""
    ranked = sorted(bench.identities[1:], key=lambda identity: not identity.is_admin)
    for name in [*(identity.name for identity in (*bench.identities[:1], *ranked)), ""]:
        trace = await _look_as(bench, operation, name, remember)
        if trace is not None:
            return trace
    return None


async def _look_as(
    bench: Bench, operation: Operation, identity: str, remember: Callable[[Call, Trace], None]
) -> Trace | None:
    trace: Trace | None = None
    for _ in range(SURVEY_TIMES):
        call = await bench.prepare(operation, identity)
        if call is None:
            return trace
        exchange, seen = await bench.observe(call)
        if exchange.outcome is not Outcome.OK:
            return trace
        trace = seen
        remember(call, seen)
    return trace


def _harm(operation: Operation) -> int:
    """How much a successful request may take away from those after it."""
    if operation.is_safe:
        return 0
    if operation.method == "DELETE":
        return 3
    return 2 if operation.method != "POST" and asks_password(operation) else 1
