"""Every resource that can be used up: how much of it there is, how much is used, and how that comes about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from nines.model.blueprint import Dependency
from nines.model.design import ResourceUse
from nines.model.words import amount, count, duration, moment, rate
from nines.planning.capacity import figures
from nines.planning.capacity.pieces import Piece
from nines.planning.capacity.telling import Term, cores, terms
from nines.planning.capacity.workload import PEAK, PROCESSORS, STEADY, Part, Workload, in_flight_s


def gauges(work: Workload) -> tuple[ResourceUse, ...]:
    """In the order in which a request meets them."""
    found = [*_network(work)]
    for part in work.parts:
        found += _processors(work, part)
        found += _connections(work, part)
    found += _database(work)
    for dependency in work.design.dependencies:
        found += _dependency(work, dependency)
    found += _workers(work)
    found += _broker(work)
    return tuple(found)


def group_commits_hz(work: Workload, *, is_peak: bool) -> float:
    """Commits of groups: one for all that gathered in a process, never more than there are pieces."""
    load = PEAK if is_peak else STEADY
    total = 0.0
    for part in work.parts:
        pieces_hz = sum(load.of(piece) for piece in part.pieces if piece.is_grouped)
        processes = min(work.processes(part, load)[0], work.replicas_max)
        total += min(pieces_hz, processes / figures.GROUP_EVERY_S)
    return total


def _network(work: Workload) -> Iterator[ResourceUse]:
    carried = [piece for piece in work.pieces if piece.bytes]
    if not carried:
        return
    steady, peak = (sum(load.of(piece) * piece.bytes for piece in carried) / 1e6 for load in (STEADY, PEAK))
    capacity = work.replicas_max * figures.NETWORK_BYTES / 1e6
    found = [Term(name=p.name, rate_hz=PEAK.of(p), each=p.bytes / 1e6, text=f"{p.bytes / 1e3:.3g} kB") for p in carried]
    yield ResourceUse(
        name="network",
        unit="MB/s",
        kind="network",
        capacity=capacity,
        at_steady=steady,
        at_peak=peak,
        says=f"{terms(found)} = {amount(peak)} MB/s; {work.replicas_max} processes × 1 Gbit/s = "
        f"{amount(capacity)} MB/s",
        remedy="smaller pages, sparse fieldsets, compression above 1 KiB",
    )


def _processors(work: Workload, part: Part) -> Iterator[ResourceUse]:
    cpu, most = work.design.deploy.cpu, work.replicas_max
    steady, peak = (sum(load.of(piece) * piece.cpu_s for piece in part.pieces) for load in (STEADY, PEAK))
    yield ResourceUse(
        name=f"{PROCESSORS}{part.suffix}",
        unit="cores",
        kind="processors",
        of=part.name,
        capacity=most * cpu,
        at_steady=steady,
        at_peak=peak,
        safe=figures.SAFE_PROCESSORS,
        says=f"{terms(_timed(part.pieces, lambda p: p.cpu_s))} = {cores(peak)}; "
        f"{most} processes × {cpu:g} = {cores(most * cpu)}",
        remedy="more processes",
    )


def _connections(work: Workload, part: Part) -> Iterator[ResourceUse]:
    if work.database is None:
        return
    lanes = [figures.LANES * min(work.processes(part, load)[0], work.replicas_max) for load in (STEADY, PEAK)]
    kept = lanes if part.has_groups else [0, 0]
    steady, peak = (
        sum(load.of(piece) * piece.held_s for piece in part.pieces) + extra
        for load, extra in zip((STEADY, PEAK), kept, strict=True)
    )
    capacity = work.pool * work.replicas_max
    group = f" + {kept[1]} that carry groups ({figures.LANES} in each process)" if kept[1] else ""
    yield ResourceUse(
        name=f"database connections{part.suffix}",
        unit="connections",
        kind="connections",
        of=part.name,
        capacity=float(capacity),
        at_steady=steady,
        at_peak=peak,
        safe=figures.SAFE_POOL,
        says=f"{terms(_timed(part.pieces, lambda p: p.held_s))}{group} = {amount(peak)} busy (Little's law); "
        f"{work.replicas_max} processes × {work.pool} = {capacity}",
        remedy="a larger pool",
    )


def _database(work: Workload) -> Iterator[ResourceUse]:
    if work.database is None:
        return
    steady, peak = (sum(load.of(p) * p.database_s for p in work.pieces) for load in (STEADY, PEAK))
    yield ResourceUse(
        name="database processors",
        unit="cores",
        kind="database-processors",
        of=work.database.name,
        capacity=float(figures.DATABASE_CORES),
        at_steady=steady,
        at_peak=peak,
        safe=figures.SAFE_PROCESSORS,
        says=f"{terms(_timed(work.pieces, lambda p: p.database_s))} = {cores(peak)}; the server is taken to "
        f"have {figures.DATABASE_CORES}",
        remedy="reads on a replica, then a larger server",
    )
    yield from _writes(work, work.database.name)


def _writes(work: Workload, server: str) -> Iterator[ResourceUse]:
    grouped = [group_commits_hz(work, is_peak=is_peak) for is_peak in (False, True)]
    commits = [sum(load.of(p) * p.commits for p in work.pieces) for load in (STEADY, PEAK)]
    group = f" + {rate(grouped[1])} of groups, one each {duration(figures.GROUP_EVERY_S)} a process"
    yield ResourceUse(
        name="database commits",
        unit="/s",
        kind="writes",
        of=server,
        capacity=figures.SINGLE_HZ,
        at_steady=commits[0] + grouped[0],
        at_peak=commits[1] + grouped[1],
        safe=figures.SAFE_PROCESSORS,
        says=f"{terms(_counted(work.pieces, lambda p: p.commits))}{group if grouped[1] else ''} = "
        f"{amount(commits[1] + grouped[1])}/s; one primary takes about {rate(figures.SINGLE_HZ)}",
        remedy="group commit, then a second primary",
    )
    rows = [sum(load.of(p) * p.rows for p in work.pieces) for load in (STEADY, PEAK)]
    yield ResourceUse(
        name="rows written",
        unit="/s",
        kind="writes",
        of=server,
        capacity=figures.GROUPED_HZ,
        at_steady=rows[0],
        at_peak=rows[1],
        safe=figures.SAFE_PROCESSORS,
        says=f"{terms(_counted(work.pieces, lambda p: p.rows))} = {amount(rows[1])}/s, updates and deletes included; "
        f"one primary takes about {rate(figures.GROUPED_HZ)} small rows",
        remedy="a second primary",
    )


def _dependency(work: Workload, dependency: Dependency) -> Iterator[ResourceUse]:
    callers = [piece for piece in work.pieces if in_flight_s(piece, dependency.name)]
    if not callers:
        return
    is_deferred = all(piece.is_job for piece in callers)
    if dependency.bulkhead:
        steady, peak = (sum(load.of(p) * in_flight_s(p, dependency.name) for p in callers) for load in (STEADY, PEAK))
        parts = sum(1 for part in work.parts if any(piece in callers for piece in part.pieces))
        capacity = dependency.bulkhead * work.replicas_max * parts
        yield ResourceUse(
            name=f"calls to {dependency.name}",
            unit="in flight",
            kind="calls",
            of=dependency.name,
            capacity=float(capacity),
            at_steady=steady,
            at_peak=peak,
            safe=figures.SAFE_POOL,
            is_deferred=is_deferred,
            says=f"{terms(_timed(callers, lambda p: in_flight_s(p, dependency.name)))} = {amount(peak)} in flight; "
            f"{work.replicas_max * parts} processes × {dependency.bulkhead} = {capacity}",
            remedy="a larger bulkhead, or more processes",
        )
    if dependency.rate_max_hz:
        steady, peak = _calls_hz(callers, dependency.name)
        later = f"; what comes above waits in its table: {_backlog(steady, peak, dependency.rate_max_hz)}"
        is_above = is_deferred and peak > dependency.rate_max_hz
        yield ResourceUse(
            name=f"rate of {dependency.name}",
            unit="/s",
            kind="rate",
            of=dependency.name,
            capacity=dependency.rate_max_hz,
            at_steady=steady,
            at_peak=peak,
            safe=figures.SAFE_RATE,
            is_deferred=is_deferred,
            says=f"{' + '.join(f'{p.name} {rate(_arriving(p))}' for p in callers)} = {amount(peak)}/s at the "
            f"peak, {amount(steady)}/s on an ordinary day; its provider allows {rate(dependency.rate_max_hz)}"
            f"{later if is_above else ''}",
            remedy=f"agree on more with {dependency.name}, or spread the calls",
        )


def _arriving(piece: Piece) -> float:
    return piece.arriving_hz if piece.is_job else piece.peak_hz


def _calls_hz(callers: Sequence[Piece], name: str) -> tuple[float, float]:
    times = [(piece, sum(1 for remote in piece.remotes if remote.target == name)) for piece in callers]
    return sum(p.steady_hz * n for p, n in times), sum(_arriving(p) * n for p, n in times)


def _backlog(steady_hz: float, peak_hz: float, allowed_hz: float) -> str:
    """What an hour of the peak leaves, and how long an ordinary day takes to work it off."""
    left = (peak_hz - allowed_hz) * 3_600
    if allowed_hz <= steady_hz:
        return f"an hour of the peak leaves {count(left)}, and they are never worked off"
    return f"an hour of the peak leaves {count(left)}, worked off in {duration(left / (allowed_hz - steady_hz))}"


def _workers(work: Workload) -> Iterator[ResourceUse]:
    for piece in work.pieces:
        if not piece.is_job or not piece.concurrency or piece.is_scheduled or not piece.arriving_hz:
            continue
        capacity = piece.concurrency * work.replicas_max
        steady, peak = piece.steady_hz * piece.mean_s, piece.peak_hz * piece.mean_s
        yield ResourceUse(
            name=f"workers of {piece.name}",
            unit="workers",
            kind="workers",
            of=piece.name,
            capacity=float(capacity),
            at_steady=steady,
            at_peak=peak,
            safe=figures.SAFE_POOL,
            is_deferred=True,
            says=f"{rate(piece.peak_hz)} × {moment(piece.mean_s)} = {amount(peak)} busy; "
            f"{work.replicas_max} processes × {piece.concurrency} = {capacity}",
            remedy="more at once, or several pieces in one call",
        )


def _broker(work: Workload) -> Iterator[ResourceUse]:
    for dependency in work.design.dependencies:
        capacity_hz = figures.BROKER_HZ.get(dependency.kind.value)
        tellers = [p for p in work.pieces for remote in p.remotes if remote.target == dependency.name]
        if capacity_hz is None or not tellers:
            continue
        steady, peak = (sum(load.of(p) for p in tellers) for load in (STEADY, PEAK))
        yield ResourceUse(
            name=f"events through {dependency.name}",
            unit="/s",
            kind="broker",
            of=dependency.name,
            capacity=capacity_hz,
            at_steady=steady,
            at_peak=peak,
            safe=figures.SAFE_PROCESSORS,
            is_deferred=all(piece.is_job for piece in tellers),
            says=f"{' + '.join(f'{p.name} {rate(PEAK.of(p))}' for p in tellers)}; {dependency.kind} on three "
            f"small servers takes about {rate(capacity_hz)} acknowledged",
            remedy="partitions over more servers",
        )


def _timed(pieces: Sequence[Piece], of: Callable[[Piece], float]) -> list[Term]:
    return [Term(name=p.name, rate_hz=PEAK.of(p), each=of(p), text=moment(of(p))) for p in pieces]


def _counted(pieces: Sequence[Piece], of: Callable[[Piece], float]) -> list[Term]:
    return [Term(name=p.name, rate_hz=PEAK.of(p), each=of(p), text=amount(of(p))) for p in pieces]
