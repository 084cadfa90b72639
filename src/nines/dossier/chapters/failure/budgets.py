"""Arithmetic of time and of repetitions along each call: what one request costs a dependency when all goes badly."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier.markdown import code, table
from nines.dossier.words import duration
from nines.model.blueprint import Fallback
from nines.model.design import Design, FlowStep, PlannedEndpoint

PATIENCE_S = 30.0
"""Clients and balancers give up after 30 to 60 s."""
CLIENT_ATTEMPTS = 4
"""One, and the three repetitions that the contract allows a caller."""


def times(design: Design) -> str:
    """Each call that a caller waits for, against the latency that the operation promises."""
    waiting = [endpoint for endpoint in design.endpoints if _waited(endpoint)]
    if design.is_recovered:
        waiting = [endpoint for endpoint in waiting if _is_long(endpoint)]
    rows = [(code(endpoint.id), _time_row(design, endpoint)) for endpoint in waiting]
    return table(("operation", "waits for", "usually (p95)", "at worst", "promised (p95)", "so"), _together(rows))


def amplification(design: Design) -> str:
    """How many calls one request becomes when a dependency fails: the layers multiply."""
    rows = [*_of_endpoints(design), *_of_jobs(design)]
    return table(("what", "asks", "sum", "calls at most"), _together(rows))


def _together(rows: list[tuple[str, tuple[str, ...]]]) -> list[tuple[str, ...]]:
    """Operations of which the same is told share a row."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, told in rows:
        names = groups.setdefault(told, [])
        if name not in names:
            names.append(name)
    return [(", ".join(names), *told) for told, names in groups.items()]


def _is_long(endpoint: PlannedEndpoint) -> bool:
    """Without an end, or longer than callers and balancers usually wait."""
    times = [step.timeout_s * step.attempts_max for step in _waited(endpoint) if step.timeout_s]
    return len(times) < len(_waited(endpoint)) or sum(times) > PATIENCE_S


def _waited(endpoint: PlannedEndpoint) -> list[FlowStep]:
    return [step for step in endpoint.flow.calls if not step.after_response]


def _time_row(design: Design, endpoint: PlannedEndpoint) -> tuple[str, ...]:
    steps = _waited(endpoint)
    names = ", ".join(dict.fromkeys(step.target for step in steps))
    usual = [_usual(design, step) for step in steps]
    worst = [step.timeout_s * step.attempts_max for step in steps if step.timeout_s]
    bounded = len(worst) == len(steps)
    sums = _sums(steps)
    whole = f"{sums} = {duration(sum(worst))}" if bounded else "no deadline is known for every call"
    promised = endpoint.latency_p95_s
    return (
        names,
        duration(sum(each for each in usual if each)) if all(usual) else "not said",
        whole,
        duration(promised) if promised else "not known",
        _verdict(usual, sum(worst) if bounded else None, promised),
    )


def _sums(steps: list[FlowStep]) -> str:
    """ "3 × 2 s", equal calls counted together."""
    counts: dict[float, int] = {}
    for step in steps:
        if step.timeout_s:
            counts[step.timeout_s] = counts.get(step.timeout_s, 0) + step.attempts_max
    return " + ".join(f"{count} × {duration(timeout_s)}" for timeout_s, count in counts.items())


def _usual(design: Design, step: FlowStep) -> float | None:
    dependency = design.dependency(step.target)
    return dependency.latency_p95_s if dependency else None


def _verdict(usual: list[float | None], worst_s: float | None, promised_s: float | None) -> str:
    if worst_s is None:
        return "a stalled dependency holds the caller, unless something else ends it"
    if promised_s is None:
        return "bounded; what was promised is not known"
    if worst_s <= promised_s:
        return "within the promise even then"
    if all(usual) and sum(each for each in usual if each) <= promised_s:
        return (
            f"within the promise while it is well; {duration(worst_s - promised_s)} beyond it at worst, until "
            "the breaker opens"
        )
    return "beyond the promise when it is slow"


def _of_endpoints(design: Design) -> Iterator[tuple[str, tuple[str, ...]]]:
    for endpoint in design.endpoints:
        for step in _waited(endpoint):
            if step.attempts_max > 1:
                layers, most = _layers(design, step)
                yield code(endpoint.id), (step.target, layers, f"{most}")


def _layers(design: Design, step: FlowStep) -> tuple[str, int]:
    """What multiplies, and what it comes to; of code that was read nothing is known of its callers."""
    dependency = design.dependency(step.target)
    here = f"{step.attempts_max} attempts here"
    if design.is_recovered:
        return f"{here}; what callers repeat is not known", step.attempts_max
    if dependency is not None and dependency.fallback is Fallback.QUEUE:
        return f"{here}; the caller has 202 and does not repeat", step.attempts_max
    repeated = f"{here} × {CLIENT_ATTEMPTS} requests of a caller that repeats as the contract allows"
    return repeated, step.attempts_max * CLIENT_ATTEMPTS


def _of_jobs(design: Design) -> Iterator[tuple[str, tuple[str, ...]]]:
    for job in design.jobs:
        for step in job.flow.calls:
            if job.attempts_max * step.attempts_max > 1:
                waits = (
                    f"{job.attempts_max} attempts of the job, further apart each time × {step.attempts_max} of the call"
                )
                yield code(job.name), (step.target, waits, f"{job.attempts_max * step.attempts_max}")
