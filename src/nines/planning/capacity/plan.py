"""The part of the plan that tells how much the service carries."""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.design import CapacityPlan, Design, Measure, ResourceUse, RuntimeUse, ServiceTime
from nines.model.words import amount, duration, moment
from nines.planning.capacity import cells, figures
from nines.planning.capacity.caching import caches
from nines.planning.capacity.gauges import gauges
from nines.planning.capacity.measured import WHOLE
from nines.planning.capacity.needs import needs
from nines.planning.capacity.pieces import Piece
from nines.planning.capacity.pooling import pool
from nines.planning.capacity.runtimes import RUNTIMES
from nines.planning.capacity.scaling import points, replicas, scale_reason
from nines.planning.capacity.server import server_settings
from nines.planning.capacity.simulation import Chance
from nines.planning.capacity.workload import PROCESSORS, Workload, grouped, needs_by, workload

_DATABASE_LEAST = 2
"""Cores of a server that shall also vacuum, copy and be backed up."""


def capacity(
    design: Design, *, chance: Chance | None = None, times: tuple[ServiceTime, ...] = (), seed: int = 0
) -> Design:
    """The design with its capacity; without `chance` nothing is simulated, without a demand it tells needs only."""
    if design.demand is None:
        return replace(design, capacity=_unknown(design))
    work = workload(design, times)
    uses = gauges(work)
    used, left = caches(design)
    found = points(work, uses, gauges(grouped(work, times)), used, chance)
    steady, peak = replicas(work)
    plan = CapacityPlan(
        resources=uses,
        times=(*_times(work), *times),
        points=found,
        pool=pool(work, uses),
        server=server_settings(design.blueprint, design.tables, uses),
        caches=used,
        uncached=left,
        replicas_min=design.deploy.replicas_min,
        replicas_max=design.deploy.replicas_max,
        replicas_steady=steady,
        replicas_peak=peak,
        scale_at=work.scale_at(),
        scale_reason=scale_reason(work),
        is_grouped=work.is_grouped,
        grouped=tuple(piece.name for piece in work.pieces if piece.is_grouped),
        assumptions=_assumptions(work, uses, times),
        simulation=_simulation(seed) if chance else "",
        seed=seed,
        runtime="" if work.is_measured else work.runtime,
        runtimes=tuple(_runtimes(work)),
        measures=_measures(design),
    )
    return replace(design, capacity=plan)


def _runtimes(work: Workload) -> Iterator[RuntimeUse]:
    for each in RUNTIMES:
        found = needs_by(work, each)
        if found is not None:
            rate_hz = each.grouped_hz if work.is_grouped and each.grouped_hz else each.single_hz
            yield RuntimeUse(name=each.name, core_hz=rate_hz, cores_at_peak=found[0], replicas_in_a_year=found[1])


def _unknown(design: Design) -> CapacityPlan:
    return CapacityPlan(
        needs=needs(design),
        assumptions=tuple(_told()),
        measures=_measures(design),
        replicas_min=0,
        replicas_max=0,
    )


def _times(work: Workload) -> list[ServiceTime]:
    """What one piece takes of each resource, reckoned."""
    found = []
    for piece in work.pieces:
        for resource, mean_s in _parts(piece):
            if mean_s:
                found.append(ServiceTime(operation=piece.name, resource=resource, mean_s=mean_s, source="reckoned"))
    return found


def _parts(piece: Piece) -> list[tuple[str, float]]:
    remotes: dict[str, float] = {}
    for remote in piece.remotes:
        remotes[remote.target] = remotes.get(remote.target, 0.0) + remote.mean_s
    return [
        (PROCESSORS, piece.cpu_s),
        ("database connection", piece.held_s),
        ("database processor", piece.database_s),
        *remotes.items(),
        (WHOLE, piece.mean_s),
    ]


def _told() -> list[str]:
    return [f"{each.says}: {each.value} ({each.source})" for each in figures.TOLD]


def _assumptions(work: Workload, uses: tuple[ResourceUse, ...], times: tuple[ServiceTime, ...]) -> tuple[str, ...]:
    names = {piece.name for piece in work.pieces}
    found = [
        f"measured: {t.operation or 'the mixture'}, {t.resource}: {moment(t.mean_s)} ({t.source})"
        for t in times
        if t.operation in names or (work.is_measured and not t.operation)
    ]
    found += _told()
    if not work.is_measured:
        found.append(f"the figures of the process are those of {work.runtime} ({figures.OWN})")
    longest = max(
        ((s.held_s, p.name) for p in work.pieces if "{" in p.path and not p.is_grouped for s in p.sessions if s.rows),
        default=None,
    )
    if longest:
        found.append(
            f"no single row is hot: one that every {longest[1]} had to lock would take at most "
            f"1 / {moment(longest[0])} = {amount(1 / longest[0])} changes a second, whatever the machine"
        )
    database = next((use for use in uses if use.kind == "database-processors"), None)
    if database:
        wanted = max(_DATABASE_LEAST, 2 ** math.ceil(math.log2(max(database.at_peak / database.safe, 1e-9))))
        found.append(
            f"the database server has {figures.DATABASE_CORES} cores in this chapter, for that is how far one goes; "
            f"{amount(database.at_peak)} are busy at the peak, so that {wanted} do to begin with"
        )
    if len(work.parts) > 1 and work.database:
        found.append(
            f"the databases of the {len(work.parts)} parts stand on one server ({work.database.name}); each can "
            f"move to one of its own, for no statement spans two"
        )
    if work.design.deploy.cpu > 1:
        found.append(
            f"a process has {work.design.deploy.cpu:g} cores; where the runtime uses one, it runs as several workers "
            f"that divide its pool of {work.pool}"
        )
    if any(cache.layer == "edge" for cache in caches(work.design)[0]):
        found.append("the table of resources reckons without the edge: it must hold on a day when the CDN is passed by")
    return tuple(found)


def _simulation(seed: int) -> str:
    return (
        f"Poisson arrivals of the mixture, {cells.REQUESTS:,} requests a point, the first fifth not counted, which "
        "tells a p95 to about one part in ten; "
        "processors and statements exponential, password hashes and commits even, remote calls lognormal; a request "
        f"waits {duration(figures.POOL_PATIENCE_S)} for a connection and "
        f"{duration(figures.BULKHEAD_PATIENCE_S)} for a slot, then it fails. Where more than "
        f"{cells.IN_FLIGHT_MAX} would be under way at once, a part of the processes and of the database is simulated "
        f"with its share of the load, no station with fewer than {cells.SERVERS_MIN} servers: lines before few servers "
        f"are longer, so that the truth is rather better. Seed {seed}."
    )


def _measures(design: Design) -> tuple[Measure, ...]:
    found = [
        Measure(
            what="the time of each operation, and what a request takes of the processors",
            command="nines prove --only load/steady --format json --output report.json",
            says="then `nines design BLUEPRINT --measured report.json`: what was measured replaces what was assumed"
            if not design.is_recovered
            else "its rate is set under [tool.nines.load]",
        ),
        Measure(
            what="that no list sends more statements as it grows",
            command="nines prove --only database/n-plus-one",
            says="the arithmetic counts the statements that are planned",
        ),
    ]
    if any(dependency.timeout_s for dependency in design.dependencies):
        found.append(
            Measure(
                what="that a dependency which hangs holds up only what needs it",
                command="nines prove --only dependencies/dependency-stall",
                says="the bulkheads and timeouts above are what contains it",
            )
        )
    return tuple(found)
