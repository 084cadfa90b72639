"""What has to be done to carry a load, the cheapest first: index, cache, pool, replica, partition, shard, cell."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nines.model import words
from nines.model.design import CachePlan, ResourceUse
from nines.model.words import share
from nines.planning.capacity import figures
from nines.planning.capacity.asking import groups
from nines.planning.capacity.pieces import Computing, Piece
from nines.planning.capacity.workload import Load, Workload
from nines.planning.data.growth import PARTITION_ROWS_PER_DAY

INDEX, CACHE, POOL, REPLICA, PARTITION, SHARD, CELL, OTHERS = range(8)
"""The ladder: each rung costs more, and can be taken back less, than the one before."""
Remedy = tuple[int, str]
CELLS_MIN = 5
"""Fewer primaries are divided behind one service; more become cells, so that no failure reaches everybody."""
_SLOTS_GROWTH_MAX = 4.0
_HASHING_SHARE = 0.5
_READS_SHARE = 0.3
_NAMED_MAX = 3
_CACHED = ("processors", "connections", "database-processors", "network")


def remedies(
    work: Workload, uses: tuple[ResourceUse, ...], caches: tuple[CachePlan, ...], factor: float, cells: int
) -> tuple[str, ...]:
    """Nothing where every resource stays at its safe utilisation."""
    exceeded = [use for use in uses if use.utilisation(factor) > use.safe]
    if not exceeded:
        return ()
    found = [*_index(work, exceeded), *_cache(work, exceeded, caches, factor), *_grouping(work, exceeded)]
    found += [
        *_later(work, exceeded, factor),
        *_slots(exceeded, factor),
        *_processes(work, factor),
        *_sessions(work, factor),
    ]
    found += [*_replicas(work, exceeded, factor), *_partitions(work, exceeded, factor), *_primaries(work, cells)]
    if cells >= CELLS_MIN:
        found.append((CELL, _cells(work, cells, factor)))
    found += _others(exceeded, factor)
    return tuple(text for _, text in sorted(found, key=lambda pair: pair[0]))


def cells_needed(uses: tuple[ResourceUse, ...], factor: float) -> int:
    """How many primaries keep to their safe utilisation: what no further process, pool or cache has more of."""
    shared = [use for use in uses if use.kind in ("writes", "database-processors")]
    return max([1, *(math.ceil(use.utilisation(factor) / use.safe - 1e-9) for use in shared)])


def _index(work: Workload, exceeded: list[ResourceUse]) -> Iterator[Remedy]:
    ids = {endpoint.id for endpoint in work.design.endpoints}
    slow = [q.id for q in work.design.queries if not q.index and not q.is_write and q.tables and ids & {*q.used_by}]
    if slow and any(use.kind == "database-processors" for use in exceeded):
        yield INDEX, f"an index for {_some(slow)}"


def _cache(
    work: Workload, exceeded: list[ResourceUse], caches: tuple[CachePlan, ...], factor: float
) -> Iterator[Remedy]:
    edge = [cache for cache in caches if cache.layer == "edge" and cache.hit_share is not None]
    if not edge or not any(use.kind in _CACHED for use in exceeded):
        return
    rates = {e.id: e.peak_hz or 0.0 for e in work.design.endpoints}
    saved_hz = factor * sum(rates.get(o, 0.0) * (c.hit_share or 0.0) for c in edge for o in c.operations)
    names = _some([o for cache in edge for o in cache.operations])
    yield CACHE, f"a CDN in front of {names} takes {words.rate(saved_hz)} away"


def _grouping(work: Workload, exceeded: list[ResourceUse]) -> Iterator[Remedy]:
    if work.is_grouped or not any(use.kind == "writes" for use in exceeded):
        return
    flows = [(e.id, e.flow) for e in work.design.endpoints] + [(j.name, j.flow) for j in work.design.jobs]
    able = {name for name, flow in flows if groups(work.design, flow)}
    found = sorted((p for p in work.pieces if p.name in able and p.commits), key=lambda p: -p.peak_hz * p.commits)
    if found:
        names = _some([piece.name for piece in found])
        yield POOL, f"group commit for {names}: one flush for what comes within {figures.GROUP_EVERY_S * 1e3:.0f} ms"


def _later(work: Workload, exceeded: list[ResourceUse], factor: float) -> Iterator[Remedy]:
    """Jobs that keep to their ordinary pace while the peak lasts."""
    use = next((use for use in exceeded if use.name == "rows written"), None)
    if use is None:
        return
    peak, steady = Load(factor=factor), Load(factor=factor, is_peak=False)
    rows = sum((steady if piece.is_job else peak).of(piece) * piece.rows for piece in work.pieces)
    if rows <= use.capacity * use.safe:
        saved = words.share(round(1 - rows / (factor * use.at_peak), 2))
        yield (
            POOL,
            f"jobs that keep to their ordinary pace while the peak lasts: {saved} of the rows come later, and "
            f"one primary stands at {words.share(round(rows / use.capacity, 2))}",
        )


def _slots(exceeded: list[ResourceUse], factor: float) -> Iterator[Remedy]:
    """What each process may do at once; worth a thought only while it stays of the same order."""
    for use in exceeded:
        if use.kind not in ("calls", "workers"):
            continue
        busy = factor * (use.at_steady if use.is_deferred else use.at_peak)
        growth = busy / use.safe / use.capacity
        if growth <= _SLOTS_GROWTH_MAX:
            yield POOL, f"{use.name}: {growth:.1f} times as many at once in each process"


def _processes(work: Workload, factor: float) -> Iterator[Remedy]:
    cpu = work.design.deploy.cpu
    cores = f"{cpu:g} core{'' if cpu == 1 else 's'}"
    for part in work.parts:
        count, what = work.processes(part, Load(factor=factor))
        if count <= work.replicas_max:
            continue
        yield REPLICA, f"{count:,} processes{part.suffix} of {cores} instead of at most {work.replicas_max}, for {what}"
        hashed = sum(piece.peak_hz * _hashing_s(piece) for piece in part.pieces)
        whole = sum(piece.peak_hz * piece.cpu_s for piece in part.pieces)
        if hashed > whole * _HASHING_SHARE:
            yield (
                REPLICA,
                f"machines of their own for argon2id, which takes {share(round(hashed / whole, 2))} of the "
                "processors: then a rush of sign-ins does not slow the others down",
            )


def _hashing_s(piece: Piece) -> float:
    return sum(span.cpu_s for span in piece.spans if isinstance(span, Computing) and span.is_even)


def _replicas(work: Workload, exceeded: list[ResourceUse], factor: float) -> Iterator[Remedy]:
    use = next((use for use in exceeded if use.kind == "database-processors"), None)
    if use is None:
        return
    reads = sorted((p for p in work.pieces if p.is_read and not p.rows), key=lambda p: -p.peak_hz * p.database_s)
    read = factor * sum(piece.peak_hz * piece.database_s for piece in reads)
    if read > factor * use.at_peak * _READS_SHARE:
        names = _some([piece.name for piece in reads])
        count = math.ceil(read / (use.capacity * use.safe))
        yield REPLICA, f"read replicas ({count}) for {names}, which may be a moment behind"


def _primaries(work: Workload, cells: int) -> Iterator[Remedy]:
    if not 1 < cells < CELLS_MIN:
        return
    tenancy = work.design.tenancy
    key = f"divided by {tenancy.key}" if tenancy else "divided by a hash of the owner's id"
    parts = len(work.parts)
    how = f"the {parts} parts spread over them" if cells <= parts else key
    yield SHARD, f"{cells} primaries, {how}"


def _others(exceeded: list[ResourceUse], factor: float) -> Iterator[Remedy]:
    for use in exceeded:
        busy = factor * (use.at_steady if use.is_deferred else use.at_peak)
        if use.kind == "broker":
            yield (
                SHARD,
                f"{use.of}: partitions over {math.ceil(busy / (use.capacity * use.safe))} times as many servers",
            )
        elif use.kind == "rate":
            wanted = words.rate(math.ceil(busy / use.safe))
            yield OTHERS, f"{wanted} agreed with {use.of}, several providers, or fewer calls: no machine of ours helps"


def _sessions(work: Workload, factor: float) -> Iterator[Remedy]:
    """More processes hold more connections, whether they use them or not."""
    database = work.database
    if database is None:
        return
    processes = work.processes_of_all(Load(factor=factor))
    held = round(processes * work.pool * figures.SURGE)
    allowed = (database.connections_max or figures.CONNECTIONS_USUAL) - figures.SERVER_RESERVED
    if held > allowed:
        yield (
            POOL,
            f"a pooler in transaction mode: {processes:,} processes × {work.pool} × "
            f"{figures.SURGE:g} = {held:,} connections, and {database.name} allows {allowed}",
        )


def _partitions(work: Workload, exceeded: list[ResourceUse], factor: float) -> Iterator[Remedy]:
    """Tables from which so much is deleted that dropping a day's partition becomes cheaper."""
    if not any(use.kind in ("writes", "database-processors") for use in exceeded):
        return
    large = [
        table.name
        for table in work.design.tables
        if table.growth
        and table.growth.per_day * factor >= PARTITION_ROWS_PER_DAY
        and not table.partition_by
        and table.retention_s is not None
        and not math.isinf(table.retention_s)
    ]
    if large:
        yield PARTITION, f"{_some(large)} in partitions by time, dropped whole when their time is over"


def _cells(work: Workload, cells: int, factor: float) -> str:
    tenancy = work.design.tenancy
    key = tenancy.key if tenancy else "the owner"
    rate = words.rate(factor * sum(e.peak_hz or 0.0 for e in work.design.endpoints) / cells)
    return (
        f"{cells:,} cells, each the whole service with a primary of its own at {rate}; {key} decides which, and what "
        "breaks in one stays in it"
    )


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED_MAX
    shown = names[:_NAMED_MAX]
    return (
        f"{', '.join(shown)} and {more} more"
        if more > 0
        else " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
    )
