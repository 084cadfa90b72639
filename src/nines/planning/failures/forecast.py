"""The availability that the failure modes leave, as a sum; and what to do where it is too little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from nines.model.blueprint import Fallback
from nines.model.design import Choice, Design, FailureMode, Forecast, Objection
from nines.model.words import duration, share
from nines.planning.failures import assumptions, own, places
from nines.planning.failures.assumptions import YEAR_S, part

_STEPS = (0.9999, 0.9995, 0.999, 0.998, 0.995, 0.99, 0.98, 0.95, 0.9, 0.5)


def cost(mode: FailureMode) -> float:
    """The share of a year's requests that the mode fails."""
    return mode.per_year * mode.lasts_s * mode.share / YEAR_S


def forecast(design: Design, modes: Sequence[FailureMode]) -> Forecast | None:
    """None where nothing tells how often anything is called: then any figure would be made up."""
    if design.is_recovered:
        return None
    costs = sorted(((each.id, cost(each)) for each in modes if cost(each) > 0), key=lambda pair: -pair[1])
    lost = min(1.0, sum(value for _, value in costs))
    left, target = 1.0 - lost, design.budgets.availability
    made = Forecast(
        availability=left,
        target=target,
        contributions=tuple(costs),
        assumptions=tuple(_assumptions(design)),
        says=_says(modes, costs, left),
    )
    if left >= target:
        return made
    return replace(made, objection=_objection(design, modes, made))


def _says(modes: Sequence[FailureMode], costs: Sequence[tuple[str, float]], left: float) -> str:
    by_id = {each.id: each for each in modes}
    parts = []
    for id, value in costs[:_SHOWN]:
        each = by_id[id]
        parts.append(
            f"{id} {each.per_year:.3g} × {duration(each.lasts_s)} × {part(each.share)} = {duration(value * YEAR_S)}"
        )
    others = sum(value for _, value in costs[_SHOWN:])
    if others:
        parts.append(f"{len(costs) - _SHOWN} others {duration(others * YEAR_S)}")
    if not parts:
        return "No failure mode fails a request."
    return (
        f"{' + '.join(parts)}: {duration((1 - left) * YEAR_S)} of failing everything in 365 d, which leaves "
        f"{share(left)}."
    )


_SHOWN = 6


def _assumptions(design: Design) -> Iterator[str]:
    for each in design.dependencies:
        known, source = assumptions.availability(each)
        yield f"availability of {each.name}: {share(known)}, {source}; how the rest divides into modes is assumed"
    yield (
        "an answer of 500 or more is a failure, 429 is not; requests count by how often each operation is "
        "called in a steady hour"
    )
    yield "what never arrives (a region, a certificate) counts as failed, though no metric of the service sees it"
    yield "modes do not overlap: where they do, the true figure is better"
    yield "parts fail independently of one another, and of how busy it is; where they do not, the true figure is worse"
    yield (
        f"attempts at a dependency that resets or is overloaded fail with {share(assumptions.CUT_SHARE)}, each "
        "for itself"
    )
    yield "planned work stops nothing: releases and migrations are made while requests are answered"


def _objection(design: Design, modes: Sequence[FailureMode], made: Forecast) -> Objection:
    by_id = {each.id: each for each in modes}
    sums: dict[str, float] = {}
    for id, value in made.contributions:
        sums[by_id[id].dependency] = sums.get(by_id[id].dependency, 0.0) + value
    worst = sorted(sums.items(), key=lambda pair: -pair[1])[:3]
    named = ", ".join(f"{name} {duration(value * YEAR_S)}" for name, value in worst)
    return Objection(
        code="availability-above-forecast",
        says=f"{share(made.target)} is promised, which leaves {duration((1 - made.target) * YEAR_S)} a year; the "
        f"failure modes add up to {duration((1 - made.availability) * YEAR_S)}: {share(made.availability)}. Most of "
        f"it: {named}",
        path="budgets.availability",
        where=design.where,
        options=(
            *(option for name, _ in worst for option in _remedies(design, name)),
            Choice(
                name=f"promise {share(next((s for s in _STEPS if s < made.availability), made.availability * 0.9))}",
                gains="can be kept, if the assumptions hold",
                costs="callers plan with less",
            ),
        ),
        is_fatal=False,
    )


def _remedies(design: Design, name: str) -> Iterator[Choice]:
    dependency = design.dependency(name)
    if dependency is not None and dependency.fallback is Fallback.NONE and dependency is not _database(design):
        yield Choice(
            name=f"a fallback for {name} (queue, cache or default)",
            gains="its failures are no failures of this service",
            costs="answers are late, old or incomplete meanwhile",
        )
    elif dependency is not None and dependency is _database(design):
        yield Choice(
            name=f"a better promise for {name}, or a cache for the reads that may be old",
            gains="less of its time away is felt",
            costs="a dearer database; answers that are old",
        )
    elif name == own.PROCESS:
        yield Choice(
            name="more replicas (deploy.replicas.min), and a canary before each release",
            gains="one process that fails is a smaller part",
            costs="processes that idle; releases that take longer",
        )
    elif name == places.REGION:
        yield Choice(
            name="a second region that can take over",
            gains="a region that goes is minutes, not hours",
            costs="twice the price, and an rpo above 0 between them or slow commits",
        )
    elif name == places.ZONE:
        yield Choice(name="three zones", gains="a zone may go while two serve", costs="a millisecond between them")


def _database(design: Design) -> object:
    return design.blueprint.database if design.blueprint else None
