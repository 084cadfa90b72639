"""The database: connections, copies, archive, space."""

from __future__ import annotations

from nines.dossier.chapters.operation.runbooks.runbook import Runbook, owner, sql
from nines.dossier.markdown import code, link, table
from nines.dossier.words import duration, size
from nines.model.design import Alert, Design

_BUSY = (
    "SELECT pid, state, now() - xact_start AS open_for, wait_event_type, left(query, 80) AS query\n"
    "FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL\n"
    "ORDER BY xact_start LIMIT 20;"
)
_BLOCKED = (
    "SELECT pid, pg_blocking_pids(pid) AS blocked_by, left(query, 80) AS query\n"
    "FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0;"
)
_COPIES = (
    "SELECT application_name, state, sync_state, replay_lag,\n"
    "       pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) AS bytes_behind\nFROM pg_stat_replication;"
)
_ARCHIVE = "SELECT last_archived_wal, last_archived_time, last_failed_wal, last_failed_time FROM pg_stat_archiver;"
_SLOTS = (
    "SELECT slot_name, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) AS bytes_kept\n"
    "FROM pg_replication_slots;"
)
_LARGEST = (
    "SELECT relname, pg_size_pretty(pg_total_relation_size(relid)) AS size, n_dead_tup\n"
    "FROM pg_stat_user_tables ORDER BY pg_total_relation_size(relid) DESC LIMIT 10;"
)


def pool(design: Design, alert: Alert) -> Runbook:
    dependency = design.dependency(alert.about)
    plan = design.capacity.pool if design.capacity else None
    size_of = f"{dependency.pool} in each process" if dependency and dependency.pool else "a number that is not known"
    counted = f" {plan.says}" if plan and plan.says else ""
    stop = [
        "A transaction has been open for longer than its request can last: `SELECT pg_terminate_backend(pid)` for "
        "that one.",
        "One statement waits for a lock: end the one that holds it, and find out why it holds it so long.",
        "It is load: more replicas bring more connections, as long as the server allows them." + counted,
    ]
    return Runbook(
        means=f"Connections to {code(alert.about)}: {size_of}. When all are taken, a request waits for one before its "
        + (
            "first statement."
            if design.is_recovered
            else "first statement, and is answered with 503 when that takes too long."
        ),
        see=("What has been open longest, and who holds up whom:", sql(_BUSY), sql(_BLOCKED)),
        first=(
            "Is something open for seconds? Transactions here hold no call to others, so each ends within "
            "milliseconds.",
            "Is a migration, a backup or a query by hand running? End it.",
            "Is the database itself slow (`wait_event_type` is `IO` or `LWLock` throughout)? Then the pool is the "
            "symptom.",
        ),
        stop=tuple(stop),
        escalate=(f"Requests fail with 503: it is an outage; {owner(design)} and whoever runs the database.",),
    )


def standby(design: Design, alert: Alert) -> Runbook:
    dependency = design.dependency(alert.about)
    is_sync = dependency is not None and dependency.replication == "synchronous"
    loss = duration(design.budgets.loss_s)
    stop: tuple[str, ...]
    if is_sync:
        means = (
            f"{code(alert.about)} promises that {loss} of acknowledged writes may be lost, and keeps that by a "
            "copy that has "
            "each commit before it is acknowledged. Without one, writes stand still; or, where the server was told "
            "to go on "
            "alone, the promise is broken with the next failure."
        )
        stop = (
            "Bring the copy back, or make a new one from a base backup; it catches up by itself.",
            "Writes stand still and no copy will come back soon: `ALTER SYSTEM SET synchronous_standby_names = "
            "''` and "
            f"`SELECT pg_reload_conf()` let them go on without the promise of {loss}. That is a decision of "
            f"{owner(design)}, is written down with its time, and is taken back first.",
        )
    else:
        means = (
            f"{code(alert.about)} has no copy left. It works; when it fails, the service is away for as long as a "
            "restore "
            f"takes ({link('how long that is', '../recovery.md')})."
        )
        stop = ("Bring the copy back, or make a new one from a base backup; it catches up by itself.",)
    return Runbook(
        means=means,
        see=("On the primary:", sql(_COPIES, _SLOTS)),
        first=(
            "Does the primary answer? If not, this is a failover: see the page on recovery.",
            "Is the copy gone, or only its exporter? Look on the primary, as above: it knows who follows it.",
            "Are commits waiting? `wait_event = 'SyncRep'` in `pg_stat_activity`.",
        ),
        stop=stop,
        escalate=(f"Commits wait: whoever runs the database, at once; {owner(design)} decides about going on alone.",),
    )


def lag(design: Design, alert: Alert) -> Runbook:
    dependency = design.dependency(alert.about)
    is_async = dependency is not None and dependency.replication == "asynchronous"
    limit = duration(alert.threshold or 0.0)
    told = (
        f"What the copy does not have yet is lost if the primary fails now; {duration(design.budgets.loss_s)} may "
        "be, and "
        f"this is {limit}."
        if is_async and design.budgets.loss_s
        else "The log itself is on the copy before a commit is acknowledged; what is late is that it is applied. A "
        "failover would "
        f"take that much longer, out of a recovery budget of {duration(design.budgets.recovery_s)}."
        if not is_async
        else "What the copy does not have yet is lost if the primary fails now."
    )
    return Runbook(
        means=f"A copy of {code(alert.about)} is more than {limit} behind. {told}",
        see=("On the primary:", sql(_COPIES)),
        first=(
            "Does a long query on the copy hold up what is applied? `SELECT pid, query_start, query FROM "
            "pg_stat_activity` there.",
            "Is a migration or a large delete running on the primary? Slow it down: smaller batches.",
            "Is the copy's disk or network at its limit?",
        ),
        stop=("End the query on the copy, pause the batch job, or give the copy a faster disk.",),
        escalate=("It grows for an hour: whoever runs the database.",),
    )


def archive(_design: Design, alert: Alert) -> Runbook:
    return Runbook(
        means=f"Every backup of {code(alert.about)} is a base backup and the log since then. The log is no longer "
        "copied away: "
        "a restore would end where it stopped, and the server keeps what it could not copy until the disk is full.",
        see=(sql(_ARCHIVE, _SLOTS),),
        first=(
            "`last_failed_time` is newer than `last_archived_time`: the server's log has the command's own message.",
            "Usual reasons: the object store refuses (a key that ended, a bucket that is full), or cannot be reached.",
        ),
        stop=(
            "Mend the reason: the server tries again by itself, oldest first. Delete nothing from `pg_wal`, ever.",
            f"Then take a base backup, if the gap was longer than a day ({link('how', '../recovery.md')}).",
        ),
        escalate=(
            "The volume will be full before it is mended: the alert on the disk takes over, and that one is a page.",
        ),
    )


def disk(design: Design, alert: Alert) -> Runbook:
    return Runbook(
        means=f"{code(alert.about)} keeps tables, indexes and log on one volume. When that is full the server "
        "stops, and it "
        "does not start again without room.",
        see=("What is large, and what keeps the log:", sql(_LARGEST), sql(_SLOTS), _growth(design)),
        first=(
            "Does a slot that nothing reads keep the log (`active` is false and `bytes_kept` grows)? That is the "
            "fastest way "
            "to lose a disk.",
            "Has the archive stopped? Then the log is kept until it works again.",
            "Is it a table? Compare with the growth that was expected, above; the log of the last releases says "
            "what changed.",
        ),
        stop=(
            "Enlarge the volume first, then look for the reason: room is cheaper than an outage.",
            "A forgotten slot: `SELECT pg_drop_replication_slot('name')`, once it is certain that its reader is gone.",
            "A table that nobody purges: its job in the alert on overdue tasks. `VACUUM FULL` needs as much room "
            "again, and locks.",
        ),
        escalate=("Less than an hour is left: an incident, before the database stops.",),
    )


def _growth(design: Design) -> str:
    grown = [(each.name, each.growth) for each in design.tables if each.growth and len(each.growth.bytes) > 1]
    largest = sorted(grown, key=lambda each: -each[1].bytes[1])[:5]
    rows = [
        (code(name), size(growth.per_day * growth.row_bytes), size(growth.bytes[0]), size(growth.bytes[1]))
        for name, growth in largest
        if growth.bytes[1]
    ]
    return table(("table", "expected new a day", "at the start", "after a year"), rows)
