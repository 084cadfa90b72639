"""Alerts on the database: connections, copies, the archive of its log, and space."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Alert, Deployable, Design
from nines.model.words import duration, share
from nines.planning.running import names
from nines.planning.running.causes import alert, fires, silent, steady
from nines.planning.running.promql import among, equal, number, selector

POOL_SHARE = 0.9
POOL_FOR_S = 300.0
LAG_SYNCHRONOUS_S = 30.0
"""A copy that every commit waits for is never this far behind while it works."""
LAG_FOR_S = 120.0
STANDBY_FOR_S = 120.0
ARCHIVE_S = 60.0
"""How often the log is copied away at the latest (archive_timeout)."""
ARCHIVE_AGE_S = 900.0
DISK_SHARE = 0.1
DISK_AHEAD_S = 4 * 3_600.0
DISK_TREND_S = 6 * 3_600.0
DISK_FOR_S = 600.0
LAG = "pg_replication_lag_seconds"
IS_REPLICA = "pg_replication_is_replica"
ARCHIVE_AGE = "pg_stat_archiver_last_archive_age"
DISK_FREE = {"kubernetes": "kubelet_volume_stats_available_bytes"}
DISK_SIZE = {"kubernetes": "kubelet_volume_stats_capacity_bytes"}
NODE_FREE, NODE_SIZE = "node_filesystem_avail_bytes", "node_filesystem_size_bytes"


def databases(design: Design) -> tuple[Dependency, ...]:
    return tuple(each for each in design.dependencies if each.kind is DependencyKind.POSTGRES)


def server(design: Design, dependency: Dependency) -> str:
    """What the database's own metrics are scraped as, and how its volume is called."""
    return f"{design.name}-{dependency.name}"


def lag_max_s(design: Design, dependency: Dependency) -> float:
    """Half of what may be lost where copies follow later."""
    if dependency.replication == "asynchronous" and design.budgets.loss_s > 0:
        return design.budgets.loss_s / 2
    return LAG_SYNCHRONOUS_S


def alerts(design: Design, deployables: tuple[Deployable, ...]) -> Iterator[Alert]:
    for dependency in databases(design):
        yield _pool(design, dependency, deployables)
        if design.is_recovered:
            continue
        if dependency.replication in ("synchronous", "asynchronous"):
            yield _standby(design, dependency)
            yield _lag(design, dependency)
        yield _archive(design, dependency)
        yield _disk(design, dependency)


def _pool(design: Design, dependency: Dependency, deployables: tuple[Deployable, ...]) -> Alert:
    jobs, of = among("job", [each.name for each in deployables]), equal("dependency", dependency.name)
    used, most = selector(names.POOL_IN_USE, jobs, of), selector(names.POOL_MAX, jobs, of)
    size = dependency.pool or 10
    one = (equal("job", deployables[0].name), 'instance="10.0.0.1:8000"', of)

    def series(value: float) -> tuple[tuple[str, str], ...]:
        return ((selector(names.POOL_IN_USE, *one), steady(value)), (selector(names.POOL_MAX, *one), steady(size)))

    held = f" of {dependency.pool}" if dependency.pool else ""
    return alert(
        names.pool_exhausted(design.name, dependency.name),
        kind="pool",
        about=dependency.name,
        severity="ticket",
        expression=f"sum by (job) ({used}) / sum by (job) ({most}) > {POOL_SHARE}",
        for_s=POOL_FOR_S,
        threshold=POOL_SHARE,
        says=f"For {duration(POOL_FOR_S)} over {share(POOL_SHARE)} of the connections to {dependency.name}{held} in "
        "each process have been taken: requests wait for one before they do anything.",
        metric=names.POOL_IN_USE,
        cases=(
            fires("all are taken", series(size), POOL_FOR_S + 120, job=deployables[0].name),
            silent("half are taken", series(size / 2), POOL_FOR_S + 120),
            silent("for a moment", series(size), POOL_FOR_S - 60),
        ),
    )


def _standby(design: Design, dependency: Dependency) -> Alert:
    job = equal("job", server(design, dependency))
    count = selector(IS_REPLICA, job)
    lost = (
        "commits wait for a copy that is not there, or the next failure of the primary loses what was acknowledged"
        if dependency.replication == "synchronous"
        else "the next failure of the primary is an outage for as long as a restore takes"
    )

    def series(*values: int) -> tuple[tuple[str, str], ...]:
        return tuple(
            (selector(IS_REPLICA, job, equal("instance", f"10.0.1.{at}:9187")), steady(value))
            for at, value in enumerate(values)
        )

    return alert(
        names.standby_missing(design.name, dependency.name),
        kind="standby",
        about=dependency.name,
        severity="page",
        expression=f"(sum({count}) or vector(0)) < 1",
        for_s=STANDBY_FOR_S,
        threshold=1,
        says=f"For {duration(STANDBY_FOR_S)} no copy of {dependency.name} has been seen: {lost}.",
        metric=IS_REPLICA,
        cases=(
            fires("only the primary is left", series(0), STANDBY_FOR_S + 120),
            fires("nothing is known of the database", (), STANDBY_FOR_S + 120),
            silent("one copy follows", series(0, 1), STANDBY_FOR_S + 120),
        ),
    )


def _lag(design: Design, dependency: Dependency) -> Alert:
    job, limit_s = equal("job", server(design, dependency)), lag_max_s(design, dependency)
    lag, replica = selector(LAG, job), selector(IS_REPLICA, job)
    is_late = dependency.replication == "asynchronous"

    def series(value: float) -> tuple[tuple[str, str], ...]:
        one = (job, 'instance="10.0.1.1:9187"')
        return ((selector(LAG, *one), steady(value)), (selector(IS_REPLICA, *one), steady(1)))

    return alert(
        names.replication_lags(design.name, dependency.name),
        kind="lag",
        about=dependency.name,
        severity="page" if is_late else "ticket",
        expression=f"max({lag} and {replica} == 1) > {number(limit_s)}",
        for_s=LAG_FOR_S,
        threshold=limit_s,
        says=f"For {duration(LAG_FOR_S)} a copy of {dependency.name} has been more than {duration(limit_s)} behind"
        + (
            f": half of the {duration(design.budgets.loss_s)} that may be lost."
            if is_late and design.budgets.loss_s
            else "."
        ),
        metric=LAG,
        cases=(
            fires("twice the limit behind", series(2 * limit_s), LAG_FOR_S + 120),
            silent("half the limit behind", series(limit_s / 2), LAG_FOR_S + 120),
        ),
    )


def _archive(design: Design, dependency: Dependency) -> Alert:
    job = equal("job", server(design, dependency))
    age = selector(ARCHIVE_AGE, job)
    one = selector(ARCHIVE_AGE, job, 'instance="10.0.1.0:9187"')
    return alert(
        names.archive_stopped(design.name, dependency.name),
        kind="archive",
        about=dependency.name,
        severity="ticket",
        expression=f"min({age}) > {number(ARCHIVE_AGE_S)}",
        for_s=60.0,
        threshold=ARCHIVE_AGE_S,
        says=f"The log of {dependency.name} was last copied away over {duration(ARCHIVE_AGE_S)} ago, and it is due "
        f"every {duration(ARCHIVE_S)}: a restore would end there, and the log fills the disk.",
        metric=ARCHIVE_AGE,
        cases=(
            fires("an hour old", ((one, steady(3_600)),), 300),
            silent("a minute old", ((one, steady(60)),), 300),
        ),
    )


def _disk(design: Design, dependency: Dependency) -> Alert:
    name = server(design, dependency)
    platform = design.deploy.platform
    is_kept = platform in DISK_FREE
    chosen = (
        f'persistentvolumeclaim=~"{name}.*"' if is_kept else f'instance=~"{name}.*",mountpoint="/var/lib/postgresql"'
    )
    one = f'persistentvolumeclaim="{name}-0"' if is_kept else f'instance="{name}:9100",mountpoint="/var/lib/postgresql"'
    label = {"persistentvolumeclaim": f"{name}-0"} if is_kept else {"instance": f"{name}:9100"}
    by = next(iter(label))
    free_name, size_name = DISK_FREE.get(platform, NODE_FREE), DISK_SIZE.get(platform, NODE_SIZE)
    free, size = selector(free_name, chosen), selector(size_name, chosen)
    trend, ahead = f"[{int(DISK_TREND_S // 3_600)}h]", int(DISK_AHEAD_S)

    def series(first: float, step: float) -> tuple[tuple[str, str], ...]:
        left = f"{first:g}{'-' if step < 0 else '+'}{abs(step):g}x240"
        return (selector(free_name, one), left), (selector(size_name, one), steady(100))

    return alert(
        names.disk_fills(design.name, dependency.name),
        kind="disk",
        about=dependency.name,
        severity="page",
        expression=f"max by ({by}) ({free}) / max by ({by}) ({size}) < {DISK_SHARE}\n"
        f"or max by ({by}) (predict_linear({free}{trend}, {ahead})) < 0",
        for_s=DISK_FOR_S,
        threshold=DISK_SHARE,
        says=f"Less than {share(DISK_SHARE)} of the volume of {dependency.name} is free, or it will be full within "
        f"{duration(DISK_AHEAD_S)} at the pace of the last {duration(DISK_TREND_S)}; a database without space stops.",
        metric=free_name,
        cases=(
            fires("one twentieth is free", series(5, 0), DISK_FOR_S + 300, **label),
            fires("half is free, and goes within two hours", series(50, -0.4), DISK_FOR_S + 900, **label),
            silent("half is free, and stays", series(50, 0), DISK_FOR_S + 900),
            silent("half is free, and goes within days", series(50, -0.01), DISK_FOR_S + 900),
        ),
    )
