"""The settings of the database's server that follow from how much is written, and from how soon it must be back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from nines.model.blueprint import Blueprint
from nines.model.design import PlannedTable, ResourceUse, ServerSetting
from nines.model.words import amount, duration
from nines.planning.capacity import figures

_MB, _GB = 10**6, 10**9
_OVERHEAD_BYTES = 60
"""Of a record of the log, beside the row and its entries in indexes."""


def server_settings(
    blueprint: Blueprint | None, tables: Sequence[PlannedTable], uses: Sequence[ResourceUse]
) -> tuple[ServerSetting, ...]:
    """Those in which PostgreSQL's own defaults do not suit the load; none where nothing is known to be written."""
    rows_hz = next((use.at_peak for use in uses if use.name == "rows written"), 0.0)
    if blueprint is None or not rows_hz:
        return ()
    bytes_hz = rows_hz * (_row_bytes(tables) + _OVERHEAD_BYTES) * figures.LOG_WHOLE_PAGES
    return tuple(_settings(bytes_hz, blueprint.budgets.recovery_s))


def _settings(bytes_hz: float, recovery_s: float) -> Iterator[ServerSetting]:
    told = f"at the peak about {amount(bytes_hz / _MB)} MB/s are logged"
    apart_s = figures.CHECKPOINT_S
    between = 2 * apart_s * bytes_hz
    replay_s = figures.REPLAY_SHARE * recovery_s
    replayed = replay_s * figures.REPLAY_BYTES
    yield ServerSetting(
        name="max_wal_size",
        value=f"{max(1, math.ceil(min(between, replayed, figures.LOG_BYTES_MAX) / _GB))}GB",
        says=f"{told}, so that two checkpoints {duration(apart_s)} apart have {amount(between / _GB)} GB between them; "
        f"after a crash at most {amount(replayed / _GB)} GB are replayed in {duration(replay_s)} at "
        f" {figures.REPLAY_BYTES // _MB} MB/s, half of what recovery may take",
    )
    yield ServerSetting(
        name="checkpoint_timeout",
        value=f"{round(apart_s / 60)}min",
        says="after each checkpoint the first change of every page logs the whole page: seldom is cheaper",
    )
    if bytes_hz < figures.EVEN_BYTES:
        return
    yield ServerSetting(
        name="backend_flush_after",
        value="256kB",
        says="what is written leaves for the disk at once: else the system writes what gathered in half a minute in "
        "one go, and commits wait behind it (measured with 10,000 requests a second: p95 26 ms instead of 85 ms)",
    )
    yield ServerSetting(name="bgwriter_delay", value="20ms", says="pages are written before a statement has to do so")
    yield ServerSetting(name="bgwriter_lru_maxpages", value="1000", says="the same: up to 400 MB/s")


def _row_bytes(tables: Sequence[PlannedTable]) -> float:
    """Of a row that is written, its entries in indexes included: those of busy tables weigh more."""
    known = [table.growth for table in tables if table.growth is not None and table.growth.row_bytes]
    weight = sum(each.per_day for each in known)
    if not weight:
        return max((float(each.row_bytes) for each in known), default=0.0)
    return sum(each.row_bytes * each.per_day for each in known) / weight
