"""What the service is written in and runs on."""

from __future__ import annotations

from nines.model.design import Choice, Decision, Design, RuntimeUse
from nines.model.words import amount, moment, rate
from nines.planning.capacity.telling import cores
from nines.planning.decisions.deciding import option

NUMBER = 11
_TOLD = {
    "FastAPI and SQLAlchemy's ORM": (
        "known to most, with the most examples; models instead of statements",
        "statements that nobody wrote: lists of lists become one statement for each row unless somebody looks",
    ),
    "FastAPI and asyncpg": (
        "known to most; statements stand in the code as they are sent",
        "validation and dependency injection for each request",
    ),
    "Litestar and asyncpg": (
        "a whole framework that is lean; msgspec validates in C",
        "fewer people know it",
    ),
    "ASGI with msgspec and asyncpg": (
        "the leanest that Python offers; group commits at their full rate",
        "routing, errors and middleware have to be kept right: `nines build` generates the operations, and a small "
        "runtime with tests of its own carries them; FastAPI stands behind for routes that the owner adds",
    ),
}


def decide(design: Design) -> Decision | None:
    plan = design.capacity
    if plan is None or not plan.runtime or len(plan.runtimes) < 2:
        return None
    chosen = next((each for each in plan.runtimes if each.name == plan.runtime), None)
    if chosen is None:
        return None
    leanest = plan.runtimes[-1]
    unable = [name for name in _TOLD if name not in {each.name for each in plan.runtimes}]
    left_out = f" {', '.join(unable)} offers no group commit and is left out." if unable else ""
    return Decision(
        id="runtime",
        number=NUMBER,
        concern="Runtime and framework",
        context=f"Measured by us on one core with one small durable write each, PostgreSQL 18: "
        f"{', '.join(f'{each.name} {rate(each.core_hz)}' for each in plan.runtimes)}.{left_out} The table of capacity "
        "reckons with the one that is chosen.",
        options=tuple(_option(each, leanest) for each in plan.runtimes),
        chosen=chosen.name,
        because=_because(chosen, plan.runtimes),
        consequences=(
            "No middleware that wraps the body or opens a span on the hot path: five of them took 516 µs, as much as "
            "two requests.",
            "The process is started with its garbage frozen, stops accepting before it stops, and has a limit on both.",
            "Routes that the owner adds by FastAPI cost the generated ones nothing: these are looked up first.",
        ),
        changes_when="The operations are written by hand, or a measured request takes twice what is reckoned here.",
    )


def _option(use: RuntimeUse, leanest: RuntimeUse) -> Choice:
    gains, costs = _TOLD[use.name]
    more_s = 1 / use.core_hz - 1 / leanest.core_hz
    more = f"{moment(more_s)} of a core more for each request than the leanest; " if more_s > 0 else ""
    return option(
        use.name,
        gains,
        f"{costs}; {more}{cores(use.cores_at_peak)} at the peak, {use.replicas_in_a_year} processes a year from now",
        f"{rate(use.core_hz)} a core is enough",
    )


def _because(chosen: RuntimeUse, others: tuple[RuntimeUse, ...]) -> str:
    """Convenience is for those who write operations by hand, and here nobody does."""
    usual = others[0]
    return (
        "The operations are generated, so that nobody writes them by hand and nothing is gained by a framework that is "
        f"more convenient: it would ask for {cores(usual.cores_at_peak)} at the peak instead of "
        f"{amount(chosen.cores_at_peak)}, and for {usual.replicas_in_a_year} processes a year from now instead of "
        f"{chosen.replicas_in_a_year} ({usual.name})"
    )
