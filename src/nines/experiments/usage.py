"""Which operations use which dependency, seen on a quiet system."""

from __future__ import annotations

import msgspec

from nines.experiments import judging
from nines.experiments.choosing import FORBIDDEN, actors, harms_identity, is_door, is_plumbing
from nines.model.contract import Operation
from nines.model.experiment import Bench, Call
from nines.model.history import Exchange, Outcome
from nines.model.record import Record
from nines.model.trace import Trace

OBSERVED_MAX = 16
PAUSE_S = 0.1


class Use(Record):
    """An operation that answers correctly, and the dependencies that its trace touched."""

    operation: Operation
    call: Call
    dependencies: frozenset[str]


async def uses(bench: Bench) -> tuple[Use, ...]:
    """Observes reads first, then creators; what does not answer correctly is said and left out."""
    creators = [operation for operation in bench.creators() if not is_door(operation)]
    reads = [operation for operation in bench.contract.operations if operation.method == "GET"]
    found: list[Use] = []
    for operation in [*reads[: OBSERVED_MAX - 4], *creators[:4]]:
        if harms_identity(operation) or is_door(operation) or is_plumbing(operation):
            # A probe of readiness pings what it speaks of and should fail with it, which no trace may show.
            continue
        seen = await _observe(bench, operation)
        if seen is None:
            bench.skip(operation.id, "no valid request could be made")
            continue
        call, exchange, trace = seen
        if exchange.outcome is not Outcome.OK:
            bench.skip(operation.id, f"a valid request was answered {judging.answered(exchange)} on the quiet system")
            continue
        if trace.blind and not trace.effects:
            bench.note(
                f"{operation.id}: its effects could not be seen, for {trace.blind[0].reason}: {trace.blind[0].text}"
            )
        touched = frozenset(effect.dependency for effect in trace.effects if effect.dependency)
        found.append(Use(operation=operation, call=call, dependencies=touched))
    return tuple(found)


async def _observe(bench: Bench, operation: Operation) -> tuple[Call, Exchange, Trace] | None:
    """As the first identity to which it is not forbidden."""
    found: tuple[Call, Exchange, Trace] | None = None
    for identity in actors(bench):
        call = await bench.prepare(operation, identity)
        if call is not None:
            call = msgspec.structs.replace(call, phase="observe")
            exchange, trace = await bench.observe(call)
            if found is None or exchange.outcome is Outcome.OK:
                found = (call, exchange, trace)
            if exchange.status not in FORBIDDEN:
                break
    return found


async def again(bench: Bench, use: Use, phase: str) -> Call | None:
    """The same request once more; what creates something is made anew."""
    call = use.call if use.operation.is_safe else await bench.prepare(use.operation, use.call.identity)
    return msgspec.structs.replace(call, phase=phase) if call else None


async def heal(bench: Bench, use: Use, phase: str, limit_s: float) -> float | None:
    """Repeats a request until it succeeds: the seconds that took, None when it never did."""
    began_s = bench.clock_s()
    while bench.clock_s() - began_s < limit_s:
        call = await again(bench, use, phase)
        if call is not None:
            answer = await bench.send(call, timeout_s=max(1.0, min(10.0, limit_s)))
            if answer.outcome is Outcome.OK:
                return bench.clock_s() - began_s
        await bench.pause(PAUSE_S)
    return None
