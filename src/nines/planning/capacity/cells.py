"""The design as a system of queues: what is simulated of it, and how that is made small enough."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nines.model.design import Promised
from nines.model.record import Record
from nines.planning.capacity import figures
from nines.planning.capacity.pieces import Computing, Piece, Remote, Session
from nines.planning.capacity.simulation import Chance, Hold, Kind, Spread, Station, Step, Use, Wait, simulate
from nines.planning.capacity.workload import PROCESSORS, PURGING, Load, Part, Workload

REQUESTS = 1_200
"""Of one run: 960 are counted after the warm-up, which tells p95 to about one part in ten."""
IN_FLIGHT_MAX = 100
"""A run with more at once would be over before it is full, so that a part of it is simulated instead."""
SERVERS_MIN = 4
"""No station is made smaller than this, for a line before few servers is longer."""
EVENTS_MAX = 40_000
SAMPLES_MIN = 40
"""Below this a p95 is not told."""
PROCESSES_MAX = 1_000
"""Of one cell."""
DATABASE, COMMITS, ROWS = "database processors", "database commits", "rows written"
_ROWS_SHARE_MIN = 0.3
"""Of what one primary takes: below this nobody waits for rows, and the events are saved."""


class Simulated(Record):
    promises: tuple[Promised, ...]
    failed_share: float
    part: float
    """Of the whole, 0 to 1, that was simulated with its share of the load."""

    def p95_s(self, promised_s: float) -> float | None:
        return next((each.p95_s for each in self.promises if each.promised_s == promised_s), None)


def run(work: Workload, factor: float, cells: int, chance: Chance, *, is_capped: bool) -> Simulated:
    """One of several equal cells at its share of a multiple of the peak, with the processes that this takes.

    `is_capped`: with no more of them than the deployment allows."""
    load = Load(factor=factor / cells)
    most = work.replicas_max if is_capped else PROCESSES_MAX
    stations = [station for part in work.parts for station in _stations(work, part, load, most)]
    share = _share(work, load, stations)
    stations += [
        Station(name=DATABASE, servers=figures.DATABASE_CORES),
        Station(name=COMMITS, servers=max(1, math.ceil(figures.SINGLE_HZ * _commit_s(work)))),
    ]
    rows_hz = sum(load.of(piece) * piece.rows for piece in work.pieces)
    row_s = 1 / (figures.GROUPED_HZ * share) if rows_hz > figures.GROUPED_HZ * _ROWS_SHARE_MIN else 0.0
    kinds = [
        Kind(name=_id(part, piece), rate_hz=load.of(piece) * share, steps=tuple(_steps(work, part, piece, row_s)))
        for part in work.parts
        for piece in part.pieces
        if not _is_left_out(piece)
    ]
    small = [Station(name=each.name, servers=max(1, round(each.servers * share))) for each in stations]
    small.append(Station(name=ROWS, servers=1))
    outcome = simulate(small, kinds, requests=REQUESTS, chance=chance, events_max=EVENTS_MAX)
    callers = [(part, piece) for part in work.parts for piece in part.pieces if not piece.is_job]
    found = []
    for promised_s in sorted({piece.promised_s for _, piece in callers if piece.promised_s}):
        names = [_id(part, piece) for part, piece in callers if piece.promised_s == promised_s]
        latencies = sorted(outcome.of(*names))
        if len(latencies) >= SAMPLES_MIN:
            p95_s = latencies[min(len(latencies) - 1, math.ceil(0.95 * len(latencies)) - 1)]
            found.append(Promised(promised_s=promised_s, p95_s=p95_s, operations=len(names), samples=len(latencies)))
    ids = {_id(part, piece) for part, piece in callers}
    failed = sum(count for name, count in outcome.failed if name in ids)
    answered = sum(len(each) for name, each in outcome.latencies_s if name in ids)
    return Simulated(promises=tuple(found), failed_share=failed / max(1, failed + answered), part=share)


def _share(work: Workload, load: Load, stations: list[Station]) -> float:
    flying = sum(load.of(piece) * piece.mean_s for piece in work.pieces if not _is_left_out(piece))
    least = min([figures.DATABASE_CORES, *(station.servers for station in stations)])
    return min(1.0, max(IN_FLIGHT_MAX / max(flying, 1e-9), SERVERS_MIN / least))


def _is_left_out(piece: Piece) -> bool:
    """Scheduled work and purging ask for next to nothing, and would take most of the events."""
    return piece.is_scheduled or piece.name == PURGING


def _commit_s(work: Workload) -> float:
    return max((s.commit_s for piece in work.pieces for s in piece.sessions), default=figures.FLUSH_S)


def _id(part: Part, piece: Piece) -> str:
    return f"{part.name}/{piece.name}"


def _stations(work: Workload, part: Part, load: Load, most: int) -> Iterator[Station]:
    processes = min(work.processes(part, load)[0], most)
    cores = max(1.0, work.design.deploy.cpu)
    yield Station(name=f"{PROCESSORS}{part.suffix}", servers=max(1, round(processes * cores)))
    pool = max(1, work.pool - (figures.LANES if part.has_groups else 0))
    yield Station(name=f"database connections{part.suffix}", servers=processes * pool)
    for dependency in work.design.dependencies:
        if dependency.bulkhead:
            yield Station(name=f"calls to {dependency.name}{part.suffix}", servers=processes * dependency.bulkhead)


def _steps(work: Workload, part: Part, piece: Piece, row_s: float) -> Iterator[Step]:
    processors = f"{PROCESSORS}{part.suffix}"
    # A process that is given a part of a core takes longer for the same.
    speed = min(1.0, work.design.deploy.cpu)
    plain_s = sum(span.cpu_s for span in piece.spans if isinstance(span, Computing) and not span.is_even)
    if plain_s:
        yield Use(station=processors, mean_s=plain_s / speed)
    for span in piece.spans:
        if isinstance(span, Computing) and span.is_even:
            yield Use(station=processors, mean_s=span.cpu_s / speed, spread=Spread.CONSTANT)
        elif isinstance(span, Session):
            yield from _session(part, piece, span, row_s)
        elif isinstance(span, Remote):
            yield from _remote(work, part, piece, span)


def _session(part: Part, piece: Piece, span: Session, row_s: float) -> Iterator[Step]:
    written = [Use(station=ROWS, mean_s=span.rows * row_s)] if span.rows and row_s else []
    if piece.is_grouped and not span.round_trips:
        # Half the time until its group is closed, then the group's own round trips, and its commit.
        yield Wait(mean_s=figures.GROUP_EVERY_S / 2, spread=Spread.EXPONENTIAL)
        yield Wait(mean_s=figures.GROUP_TRIPS * figures.ROUND_TRIP_S + span.commit_s + span.database_s)
        yield from written
        return
    steps: list[Use | Wait] = [
        Wait(mean_s=span.round_trips * figures.ROUND_TRIP_S),
        Use(station=DATABASE, mean_s=span.database_s),
        *written,
    ]
    if span.commits:
        steps.append(Use(station=COMMITS, mean_s=span.commits * span.commit_s, spread=Spread.CONSTANT))
    patience_s = math.inf if piece.is_job else figures.POOL_PATIENCE_S
    yield Hold(station=f"database connections{part.suffix}", steps=tuple(steps), patience_s=patience_s)


def _remote(work: Workload, part: Part, piece: Piece, span: Remote) -> Iterator[Step]:
    wait = Wait(mean_s=span.mean_s, spread=Spread.LOGNORMAL, limit_s=span.timeout_s, attempts_max=span.attempts_max)
    dependency = work.design.dependency(span.target)
    if dependency is None or not dependency.bulkhead:
        yield wait
        return
    patience_s = math.inf if piece.is_job else figures.BULKHEAD_PATIENCE_S
    yield Hold(station=f"calls to {dependency.name}{part.suffix}", steps=(wait,), patience_s=patience_s)
