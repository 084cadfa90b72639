"""A caller waits for a dependency that takes longer than the operation promises."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, Dependency, Operation
from nines.model.design import Choice, Objection
from nines.model.words import duration
from nines.planning.objecting import objection, option, promise_s, waited_for

_OWN_S = 0.015
"""What the service does itself beside the call: reserving and settling, each with a commit that is flushed."""


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        waited = waited_for(blueprint, operation)
        times = [_time_s(dependency) for dependency in waited]
        called_s = sum(time for time in times if time is not None)
        total_s = called_s + _OWN_S
        promised_s = promise_s(blueprint, operation)
        if operation.is_excluded or total_s <= promised_s or not called_s:
            continue
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}.calls",
            f"{operation.name} promises an answer within {duration(promised_s)} (p95) and waits for "
            f"{_sum(waited)}; with {duration(_OWN_S)} of its own that makes {duration(total_s)}",
            _options(operation, total_s),
        )


def _time_s(dependency: Dependency) -> float | None:
    return dependency.latency_p95_s or dependency.timeout_s


def _sum(waited: tuple[Dependency, ...]) -> str:
    return " + ".join(
        f"{each.name} {duration(time)} ({'p95' if each.latency_p95_s else 'its timeout; no p95 is said'})"
        for each in waited
        if (time := _time_s(each)) is not None
    )


def _options(operation: Operation, total_s: float) -> tuple[Choice, ...]:
    return (
        option(
            "answer 202 and let a job call (async: true)",
            "the promise holds whatever the dependency does, and a failure of it delays instead of failing",
            "callers ask for the outcome, or are told by an event",
            "the caller can go on without the outcome",
        ),
        option(
            "say the dependency's p95, or lower its timeout",
            "nothing changes for callers",
            "calls that would have succeeded late are given up; the provider must really be that fast",
            "its measured p95 is well below the promise",
        ),
        option(
            f"promise more time for it alone (p95: {duration(total_s * 1.25)})",
            "the answer is final when it comes",
            "each waiting caller holds a connection and a slot",
            "the caller cannot go on without the outcome",
        ),
        option(
            "stand outside the budget (excluded: true)",
            f"the other operations keep theirs; callers are told that {operation.name} is slow",
            "nobody is alerted when it becomes slower",
        ),
    )
