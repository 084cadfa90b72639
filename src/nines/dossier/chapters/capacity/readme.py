"""The chapter of a service whose load is known."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nines.dossier import words
from nines.dossier.chapters.capacity import sections
from nines.dossier.markdown import bullets, code, heading, link, page, table
from nines.model.design import CapacityPlan, Design, ResourceUse, ScalePoint

_PIECES_MAX = 60
_YEARS_MAX = 10


def text(design: Design, plan: CapacityPlan) -> str:
    return page(
        heading(1, "Capacity and bottlenecks"),
        _opening(design, plan),
        *_points(design, plan),
        *_resources(plan),
        *_pieces(design, plan),
        *_connections(plan),
        *_server(plan),
        *_groups(plan),
        *_caches(plan),
        heading(2, "Processes"),
        _processes(design, plan),
        *sections.assumptions(plan),
        *_simulation(plan),
        *sections.measures(plan),
        f"All figures, for tools: {link('capacity.json', 'capacity.json')}.",
    )


def _opening(design: Design, plan: CapacityPlan) -> str:
    demand = design.demand
    assert demand is not None  # The chapter of a design without demand is another.
    start = (
        f"{code(design.name)} is to carry {words.rate(demand.steady_hz)} on an ordinary day and "
        f"{words.rate(demand.peak_hz)} at the peak, {demand.growth_per_year:g} times as much after each year."
    )
    if not plan.points:
        return start
    first, scarcest = plan.points[0], plan.scarcest
    if first.bottleneck:
        return f"{start} At the peak **{first.bottleneck}** stands at {_use(first.utilisation)}, above what is safe."
    if scarcest is None or math.isinf(scarcest.room):
        return f"{start} At the peak every resource stays within its safe use."
    return (
        f"{start} At the peak every resource stays within its safe use. What gives way first is **{scarcest.name}**, "
        f"at {words.amount(scarcest.room)} times the expected load{_when(demand.growth_per_year, scarcest.room)}."
    )


def _when(growth: float, room: float) -> str:
    """When the load has grown so far."""
    if growth <= 1:
        return ", and it is not expected to grow"
    years = math.log(room) / math.log(growth)
    if years > _YEARS_MAX:
        return f", more than {_YEARS_MAX} years from now"
    months = years * 12
    return f": after {round(months)} months" if months >= 2 else ": within two months"


def _use(share: float) -> str:
    """ "58 %", and above all that there is: "5.8 times what there is"."""
    return f"{share * 100:.0f} %" if share < 1.005 else f"{words.amount(share)} times what there is"


def _factor(point: ScalePoint) -> str:
    return f"{words.count(round(point.factor))} ×"


def _points(design: Design, plan: CapacityPlan) -> Iterator[str]:
    if not plan.points:
        return
    rows = [_point(point) for point in plan.points]
    yield heading(2, "What gives way first")
    columns = ("load", "rate", "processes asked for", "first bottleneck", "its use", "p95", "failed", "primaries")
    yield table(columns, rows)
    yield (
        f"The promise is {words.duration(design.budgets.latency_p95_s)}. Where the service as it stands cannot carry "
        "the load, the p95 is what remains once the list below is done: that of one of as many copies as there are "
        "primaries, each with the processes that its share asks for, and whoever it calls answering as usual."
    )
    yield from _promises(plan)
    for point in plan.points:
        if point.remedies:
            yield heading(3, f"At {_factor(point)} the peak ({words.rate(round(point.rate_hz, 6))})")
            yield "The cheapest first:"
            yield bullets(point.remedies)


def _point(point: ScalePoint) -> tuple[str, ...]:
    return (
        f"{_factor(point)} the peak",
        words.rate(round(point.rate_hz, 6)),
        f"{point.replicas:,}",
        point.bottleneck or "none",
        _use(point.utilisation),
        _latency(point),
        "" if point.failed_share is None else words.share(round(point.failed_share, 4)),
        f"{point.cells:,}",
    )


def _latency(point: ScalePoint) -> str:
    if point.latency_p95_s is not None:
        return words.moment(point.latency_p95_s)
    if point.cell_latency_p95_s is not None:
        return f"{words.moment(point.cell_latency_p95_s)} once mended"
    return "not simulated"


def _promises(plan: CapacityPlan) -> Iterator[str]:
    first = plan.points[0]
    if len(first.promises) < 2:
        return
    rows = [
        (words.duration(each.promised_s), f"{each.operations}", words.moment(each.p95_s), f"{each.samples:,}")
        for each in first.promises
    ]
    yield "Operations that promise different times, simulated at the peak:"
    yield table(("promised p95", "operations", "simulated p95", "requests"), rows)


def _resources(plan: CapacityPlan) -> Iterator[str]:
    if not plan.resources:
        return
    yield heading(2, "Resources")
    rows = [_resource(use) for use in plan.resources]
    yield table(("resource", "there is", "ordinary day", "peak", "used at the peak", "safe up to", "room"), rows)
    if any(use.is_deferred for use in plan.resources):
        yield (
            "Marked with *: used by work that can wait, so that the ordinary day decides; what comes above it at the "
            "peak is done later."
        )
    yield "How the figures at the peak come about, rate × time of each piece, the largest first:"
    yield bullets(f"**{use.name}**: {use.says}" for use in plan.resources)


def _resource(use: ResourceUse) -> tuple[str, ...]:
    unit = use.unit if use.unit.startswith("/") else f" {use.unit}"
    mark = "*" if use.is_deferred else ""
    return (
        f"{use.name}{mark}",
        f"{words.amount(use.capacity)}{unit}",
        words.amount(use.at_steady),
        words.amount(use.at_peak),
        f"{words.amount(use.at_peak / use.capacity * 100)} %",
        f"{use.safe * 100:.0f} %",
        "" if math.isinf(use.room) else f"{words.amount(use.room)} ×",
    )


def _pieces(design: Design, plan: CapacityPlan) -> Iterator[str]:
    """What one request takes, so that every sum above can be made again."""
    rates = {e.id: (e.steady_hz, e.peak_hz) for e in design.endpoints}
    rates |= {job.name: (job.steady_hz, job.peak_hz) for job in design.jobs if not job.every_s}
    known = {(time.operation, time.resource): time.mean_s for time in plan.times if not time.is_measured}
    measured = {t.operation: t for t in plan.times if t.is_measured and t.resource == _WHOLE}
    names = [name for name in rates if (name, _WHOLE) in known]
    if not names:
        return
    found = sorted(names, key=lambda name: -(rates[name][1] or 0.0))
    others = sorted({t.resource for t in plan.times} - {_WHOLE, _CORES, *_DATABASE})
    rows = []
    for name in found[:_PIECES_MAX]:
        row = [code(name), words.rate(round(rates[name][0] or 0.0, 6)), words.rate(round(rates[name][1] or 0.0, 6))]
        for resource in (_CORES, *_DATABASE, *others, _WHOLE):
            time_s = known.get((name, resource))
            row.append(words.moment(time_s) if time_s else "")
        if measured:
            row.append(words.moment(measured[name].mean_s) if name in measured else "")
        rows.append(tuple(row))
    yield heading(2, "What one piece takes")
    yield (
        "Each operation and job with nobody else about, the most frequent first: the time of a core of the process, of "
        "a connection, of a core of the database, of whom it waits for, and all together."
    )
    columns = ("piece", "ordinary day", "peak", "process", "connection", "database", *others, "in all")
    yield table((*columns, *(["measured"] if measured else [])), rows)


_WHOLE, _CORES = "whole request", "application processors"
_DATABASE = ("database connection", "database processor")


def _connections(plan: CapacityPlan) -> Iterator[str]:
    if plan.pool is None:
        return
    yield heading(2, "Connections")
    yield plan.pool.says
    if plan.pool.is_pooler_needed:
        yield "That is more than the server allows: a pooler in transaction mode stands between."


def _server(plan: CapacityPlan) -> Iterator[str]:
    if not plan.server:
        return
    yield heading(2, "The database's own settings")
    yield "Those in which PostgreSQL's defaults do not suit this load; fsync and synchronous_commit stay on."
    yield table(("setting", "value", "why"), [(code(each.name), code(each.value), each.says) for each in plan.server])


def _groups(plan: CapacityPlan) -> Iterator[str]:
    if not plan.is_grouped:
        return
    yield heading(2, "Writes in groups")
    yield (
        "Transactions of their own would be more than one primary takes safely, so that small alike writes that come "
        "within a few milliseconds share one: one statement over arrays, one flush. Every caller is answered after the "
        "flush of his group, so that nothing acknowledged is lost; a row that breaks a constraint is told apart by ON "
        f"CONFLICT and answered alone. They are {', '.join(map(code, plan.grouped))}."
    )


def _caches(plan: CapacityPlan) -> Iterator[str]:
    yield heading(2, "Caches")
    rows = [(each.what, each.layer, words.duration(each.ttl_s), each.invalidated_by, each.says) for each in plan.caches]
    yield table(("what", "where", "kept for", "ended by", "why, and how much"), rows) or "No cache earns its keep."
    if plan.uncached:
        yield "Read often, and answered from the database all the same:"
        yield bullets(f"{code(each.operation)}: {each.says}" for each in plan.uncached)


def _processes(design: Design, plan: CapacityPlan) -> str:
    each = " of each part" if _parts(design) > 1 else ""
    return (
        f"A process is added when the processors stand at {plan.scale_at * 100:.0f} %: {plan.scale_reason} The "
        f"deployment allows {plan.replicas_min} to {plan.replicas_max}{each}. Processes are added at once and taken "
        "away after five quiet minutes, for a wrong start costs less than a wrong stop."
    )


def _parts(design: Design) -> int:
    return sum(1 for module in design.modules if module.is_separate)


def _simulation(plan: CapacityPlan) -> list[str]:
    return [heading(2, "The simulation"), plan.simulation] if plan.simulation else []
