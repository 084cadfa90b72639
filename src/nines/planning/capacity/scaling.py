"""The service at multiples of its peak: what gives way first, what carries it then, and how processes are added."""

from __future__ import annotations

import math

from nines.model.design import CachePlan, ResourceUse, ScalePoint
from nines.model.words import duration
from nines.planning.capacity import cells
from nines.planning.capacity.remedies import cells_needed, remedies
from nines.planning.capacity.simulation import Chance
from nines.planning.capacity.workload import PEAK, STEADY, Load, Part, Workload

FACTORS = (1.0, 10.0, 100.0)
INTERNET_HZ = 1_000_000.0
"""What the largest services of the internet meet."""
_CARRIED = 0.98
"""Above this no line ever empties, and a latency would tell only how long the simulation ran."""
_START_S = 60.0
"""From the wish for a process to its first request: an image that is there, a start, a readiness check."""
_SUDDEN_MAX, _SUDDEN_SAFE = 0.9, 0.8
_ROUND_S = 15.0
"""How often Kubernetes looks."""


def points(
    work: Workload,
    uses: tuple[ResourceUse, ...],
    grouped: tuple[ResourceUse, ...],
    caches: tuple[CachePlan, ...],
    chance: Chance | None,
) -> tuple[ScalePoint, ...]:
    """`grouped` are the same resources with every write in a group that can be."""
    peak_hz = _peak_hz(work)
    if not peak_hz or not uses:
        return ()
    internet = INTERNET_HZ / peak_hz
    factors = [*FACTORS, internet] if internet > FACTORS[-1] else list(FACTORS)
    found = []
    for factor in factors:
        count = min(cells_needed(uses, factor), cells_needed(grouped, factor))
        told = remedies(work, uses, caches, factor, count)
        found.append(_point(work, uses, factor, count, told, chance))
    return tuple(found)


def _peak_hz(work: Workload) -> float:
    return sum(endpoint.peak_hz or 0.0 for endpoint in work.design.endpoints)


def _point(  # noqa: PLR0917 -- each is what the caller of this one function has at hand
    work: Workload,
    uses: tuple[ResourceUse, ...],
    factor: float,
    count: int,
    told: tuple[str, ...],
    chance: Chance | None,
) -> ScalePoint:
    first = max(uses, key=lambda use: use.utilisation(factor) / use.safe)
    is_carried = all(use.utilisation(factor) < _CARRIED for use in uses if not use.is_deferred)
    whole = cells.run(work, factor, 1, chance, is_capped=True) if chance and is_carried else None
    one = cells.run(work, factor, count, chance, is_capped=False) if chance and not is_carried else None
    shown = whole or one
    promised_s = work.design.budgets.latency_p95_s
    is_past = first.utilisation(factor) > first.safe
    return ScalePoint(
        factor=factor,
        rate_hz=factor * _peak_hz(work),
        bottleneck=first.name if is_past else "",
        utilisation=first.utilisation(factor),
        latency_p95_s=whole.p95_s(promised_s) if whole else None,
        replicas=work.processes_of_all(Load(factor=factor)),
        remedies=told,
        promises=shown.promises if shown else (),
        failed_share=shown.failed_share if shown else None,
        cells=count,
        cell_rate_hz=factor * _peak_hz(work) / count,
        cell_latency_p95_s=one.p95_s(promised_s) if one else None,
    )


def replicas(work: Workload) -> tuple[int, int]:
    """Processes on an ordinary day, and at the peak; of all parts together."""
    return work.processes_of_all(STEADY), work.processes_of_all(PEAK)


def scale_reason(work: Workload) -> str:
    """Why processes are added at this utilisation, what decides how many, and what a sudden peak meets."""
    deploy, scale_at = work.design.deploy, work.scale_at()
    if deploy.zones > 1:
        left = scale_at * deploy.zones / (deploy.zones - 1)
        why = (
            f"when one of {deploy.zones} zones goes, the others take over its share and stand at "
            f"{scale_at * 100:.0f} % × {deploy.zones}/{deploy.zones - 1} = {left * 100:.0f} %"
        )
    else:
        why = f"there is one zone, so that only the {duration(_START_S + _ROUND_S)} until help comes are covered"
    told = []
    for part in work.parts:
        (steady, _), (peak, what) = work.processes(part, STEADY), work.processes(part, PEAK)
        busy = sum(PEAK.of(piece) * piece.cpu_s for piece in part.pieces) / (steady * deploy.cpu)
        name = f"{part.name}: " if part.name else ""
        more = f"{_until(steady, peak)}{_least(busy, steady)}{_metric(work, part, peak, what)}"
        told.append(
            f"{name}{steady} on an ordinary day, {peak} at the peak ({what}); a peak that comes at once finds "
            f"{steady}, at {busy * 100:.0f} % of their processors{more}"
        )
    return f"{why}. Processes: {'. '.join(told)}."


def _metric(work: Workload, part: Part, peak: int, what: str) -> str:
    """The processors do not tell of what is waited for."""
    cores = sum(PEAK.of(piece) * piece.cpu_s for piece in part.pieces)
    alone = max(work.replicas_min, math.ceil(cores / (work.design.deploy.cpu * work.scale_at())))
    if alone >= peak:
        return ""
    return f"; the processors alone would ask for {alone}, so that {what} have to be scaled on as well"


def _least(busy: float, steady: int) -> str:
    """What would have to stand by, where a sudden peak would overrun what is there."""
    if busy <= _SUDDEN_MAX:
        return ""
    return (
        f" (a least of {math.ceil(steady * busy / _SUDDEN_SAFE)} would meet it at {_SUDDEN_SAFE * 100:.0f} % or less)"
    )


def _until(steady: int, peak: int) -> str:
    if peak <= steady:
        return ", and nothing has to be added"
    rounds = math.ceil(math.log2(peak / steady))
    return f"; all {peak} are there after {duration(rounds * _ROUND_S + _START_S)}"
