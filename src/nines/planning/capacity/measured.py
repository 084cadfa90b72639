"""Service times out of the JSON of `nines prove` and `nines check`, in the place of assumptions."""

from __future__ import annotations

import statistics

from nines.model.design import ServiceTime
from nines.model.experiment import Trial
from nines.model.report import Report
from nines.planning.capacity.workload import PROCESSORS

STEADY = "load/steady"
WHOLE = "whole request"
_SAMPLES_MIN = 20
_WARM_UP = "warm-up"
_ALL = ""
"""The operation of a figure that is about all of them."""


def measured(report: Report) -> tuple[ServiceTime, ...]:
    """What the steady load of a report tells: the time of each operation, and the processors' time of a request."""
    found: list[ServiceTime] = []
    for trial in report.trials:
        if trial.experiment == STEADY:
            found += _whole(trial)
            found += _processors(trial)
    return tuple(found)


def _whole(trial: Trial) -> list[ServiceTime]:
    by_operation: dict[str, list[float]] = {}
    for exchange in trial.history.exchanges:
        is_good = exchange.status is not None and exchange.status < 400
        if is_good and exchange.phase != _WARM_UP:
            by_operation.setdefault(exchange.operation, []).append(exchange.latency_ms / 1_000)
    return [
        ServiceTime(
            operation=operation,
            resource=WHOLE,
            mean_s=statistics.fmean(times),
            is_measured=True,
            source=f"{STEADY}: {len(times):,} requests, seed {trial.seed}",
            samples=len(times),
        )
        for operation, times in sorted(by_operation.items())
        if len(times) >= _SAMPLES_MIN
    ]


def _processors(trial: Trial) -> list[ServiceTime]:
    """The processors' time while the load ran, over the rate that was kept: of one request of the mixture."""
    rate_hz = next((figure.value for figure in trial.figures if figure.name == "rate"), 0.0)
    counted = [exchange for exchange in trial.history.exchanges if exchange.phase != _WARM_UP]
    if len(counted) < _SAMPLES_MIN or rate_hz <= 0:
        return []
    first_s, last_s = min(e.sent_s for e in counted), max(e.ended_s for e in counted)
    busy = [each.cpu_percent / 100 for each in trial.history.samples if first_s <= each.time_s <= last_s]
    if not any(busy):
        return []
    mean_s = statistics.fmean(busy) / rate_hz
    source = f"{STEADY}: {statistics.fmean(busy):.2f} cores at {rate_hz:.0f}/s"
    return [
        ServiceTime(
            operation=_ALL, resource=PROCESSORS, mean_s=mean_s, is_measured=True, source=source, samples=len(busy)
        )
    ]
