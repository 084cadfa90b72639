"""How many rows and bytes each table holds over three years, and what becomes due when."""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.blueprint import Action, Blueprint, Consumer, Job, Operation, Resource, ResourceKind
from nines.model.design import Design, Growth, PlannedIndex, PlannedTable
from nines.model.record import Record
from nines.planning.data import accounts, consuming, facts, ledgers, own
from nines.planning.data.columns import is_child
from nines.planning.data.lists import list_name
from nines.planning.data.names import table_name

YEARS = 3
DAY_S = 86_400.0
_YEAR_DAYS = 365.0
_ROW_HEADER_BYTES = 24 + 4
"""HeapTupleHeader, aligned, and the line pointer."""
_INDEX_HEADER_BYTES = 8 + 4
_INDEX_FILL = 0.7
"""Of B-tree pages in the steady state of random insertions (ln 2); 0.9 where keys only grow."""
_INDEX_FILL_ASCENDING = 0.9
_ALIGN_BYTES = 8
PARTITION_ROWS_MAX = 500_000_000
"""Above this, vacuum and index builds take hours, and what holds them up holds up everything."""
PARTITION_ROWS_PER_DAY = 5_000_000
"""Rows a day that are deleted again: above this, dropping a day's partition replaces the deleting."""
DISK_BYTES = 4 * 1024**4
"""What one server is given before its data is spread over several; restoring it takes hours."""
READS_HZ_MAX = 20_000
"""Reads of one table by its index that a server of four processors answers with half of them idle."""
LIST_LENGTH = 3
"""Members of a list on average, where nobody said."""
_SHOWN_MAX = 4
_BIRTHS = (Action.CREATE, Action.REGISTER)
_READS = (Action.READ, Action.LIST)
LINGER_S = 1.0
"""How long a row of a queue is there when everything works."""


class Inflow(Record):
    """New rows a second at the start, and where they come from."""

    rate_hz: float
    says: str
    lives_s: float | None = None
    """How long a row stays; None: for ever."""


def growth(design: Design) -> Design:
    """The design with the growth of every table; of a recovered one nothing is known."""
    blueprint = design.blueprint
    if blueprint is None or not design.tables:
        return design
    inflows = _inflows(design, blueprint)
    factor = blueprint.load.growth_per_year
    tables = tuple(replace(table, growth=_growth(blueprint, table, inflows, factor)) for table in design.tables)
    return replace(design, tables=tables)


def _growth(blueprint: Blueprint, table: PlannedTable, inflows: dict[str, Inflow], factor: float) -> Growth:
    inflow = inflows.get(table.name)
    resource = blueprint.resource(table.resource)
    initial = resource.rows_initial if resource else 0
    row_bytes = bytes_of_row(table)
    if inflow is None:
        constant = (initial,) * (YEARS + 1)
        return Growth(rows=constant, bytes=tuple(each * row_bytes for each in constant), row_bytes=row_bytes)
    per_day = inflow.rate_hz * DAY_S
    rows = tuple(
        _initial_left(initial, inflow, year) + accumulated(per_day, factor, year, inflow.lives_s)
        for year in range(YEARS + 1)
    )
    return Growth(
        rows=rows,
        bytes=tuple(each * row_bytes for each in rows),
        row_bytes=row_bytes,
        per_day=per_day,
        says=_arithmetic(inflow, per_day, factor, initial),
        remedy="; ".join([*_remedies(table, inflow, per_day, factor, row_bytes), *_replica(blueprint, table)]),
    )


def _arithmetic(inflow: Inflow, per_day: float, factor: float, initial: int) -> str:
    start = f"{initial:,} at the start, and " if initial else ""
    total = f" = {inflow.rate_hz:.4g}/s" if " + " in inflow.says else ""
    text = f"{start}{inflow.says}{total}; x 86,400 s = {per_day:,.0f} a day"
    if factor != 1:
        text += f" at first, {factor:g} times as many after a year"
    if inflow.lives_s is not None:
        text += f"; each stays for {_time(inflow.lives_s)}"
    return text


def _remedies(table: PlannedTable, inflow: Inflow, per_day: float, factor: float, row_bytes: int) -> Iterator[str]:
    """What one server can no longer do with one heap, and when."""
    if not table.partition_by:
        when = reached(per_day, factor, inflow.lives_s, PARTITION_ROWS_MAX)
        if when is not None and table.retention_s is not None:
            yield f"{_cut_by(table)} {_after(when)}, at {PARTITION_ROWS_MAX:,} rows"
    when = reached(per_day, factor, inflow.lives_s, DISK_BYTES / row_bytes)
    if when is not None:
        yield f"a second server that shares the rows {_after(when)}, at {DISK_BYTES // 1024**4} TiB"


def _replica(blueprint: Blueprint, table: PlannedTable) -> Iterator[str]:
    """When the reads of the peak are more than one server should answer beside its writes."""
    reads = (each for each in blueprint.operations if each.on == table.resource and each.do in _READS)
    rate_hz = sum(blueprint.rate_hz(each, at_peak=True) for each in reads)
    factor = blueprint.load.growth_per_year
    found = (month for month in range(YEARS * 12 + 1) if rate_hz * factor ** (month / 12) >= READS_HZ_MAX)
    month = next(found, None)
    if rate_hz and month is not None:
        yield f"a replica for reads that may be a second old {_after(month / 12)}, at {READS_HZ_MAX:,} reads/s"


def _cut_by(table: PlannedTable) -> str:
    """A key holds over all partitions only where it names what they are cut by."""
    if "id" not in table.primary_key:
        return f"partitions by hash of {table.primary_key[-1]}"
    keys = [", ".join(index.names) for index in table.indexes if index.is_unique and not index.is_primary]
    beside = f", with a narrow table beside it that keeps ({'), ('.join(keys)}) unique," if keys else ""
    return f"a copy of it that is partitioned by time{beside}"


def reached(per_day: float, factor: float, lives_s: float | None, rows: float) -> float | None:
    """The years until so many rows are there; None: not within the years that are looked at."""
    steps = YEARS * 52
    weeks = (week for week in range(steps + 1) if accumulated(per_day, factor, week / 52, lives_s) >= rows)
    found = next(weeks, None)
    return None if found is None else found / 52


def _after(years: float) -> str:
    months = round(years * 12)
    return "from the first month" if months < 1 else f"after {months} month{'s' if months > 1 else ''}"


def _time(seconds: float) -> str:
    for size, word in ((_YEAR_DAYS * DAY_S, "year"), (DAY_S, "day"), (3_600.0, "hour"), (1.0, "second")):
        if seconds >= size:
            count = seconds / size
            return f"{count:.4g} {word}{'' if count == 1 else 's'}"
    return f"{seconds:g} seconds"


def _initial_left(initial: int, inflow: Inflow, year: int) -> int:
    """The rows that were there at the start, until their time is over."""
    return initial if inflow.lives_s is None or year * _YEAR_DAYS * DAY_S < inflow.lives_s else 0


def accumulated(per_day: float, factor: float, year: float, lives_s: float | None) -> int:
    """The rows that came until the end of the year and are still there, when the rate grows by the factor in a year."""
    lived = math.inf if lives_s is None else lives_s / DAY_S / _YEAR_DAYS
    start = max(0.0, year - lived)
    return round(per_day * _YEAR_DAYS * (_integral(factor, year) - _integral(factor, start)))


def _integral(factor: float, years: float) -> float:
    """Of factor ** t from 0 to `years`."""
    if abs(factor - 1.0) < 1e-9 or factor <= 0:
        return years
    return float((factor**years - 1) / math.log(factor))


def bytes_of_row(table: PlannedTable) -> int:
    """What one row takes on disk, its entries in all indexes included."""
    width = sum(column.width_bytes for column in table.columns)
    heap = _ROW_HEADER_BYTES + _aligned(width)
    return heap + round(sum(_entry(table, index) for index in table.indexes))


def _entry(table: PlannedTable, index: PlannedIndex) -> float:
    if index.where and "IS NOT NULL" not in index.where:
        return 0.0
    widths = (table.column(name) for name in index.names)
    key = _aligned(sum(column.width_bytes for column in widths if column))
    is_ascending = index.names[0] in ("id", "created_at", "expires_at", "received_at")
    return (_INDEX_HEADER_BYTES + key) / (_INDEX_FILL_ASCENDING if is_ascending else _INDEX_FILL)


def _aligned(width: int) -> int:
    return -(-width // _ALIGN_BYTES) * _ALIGN_BYTES


def _inflows(design: Design, blueprint: Blueprint) -> dict[str, Inflow]:
    """Where the rows of each table come from; tables that are not named hold few rows, or nobody knows how many."""
    found: dict[str, Inflow] = {}
    for resource in blueprint.resources:
        found |= _of_resource(blueprint, resource)
    found |= _of_service(design, blueprint)
    lives = {table.name: table.retention_s for table in design.tables}
    return {
        name: replace(inflow, lives_s=_finite(lives.get(name)) if inflow.lives_s is None else inflow.lives_s)
        for name, inflow in found.items()
    }


def _finite(seconds: float | None) -> float | None:
    return None if seconds is None or math.isinf(seconds) else seconds


def _of_resource(blueprint: Blueprint, resource: Resource) -> dict[str, Inflow]:
    name = table_name(resource.name)
    if resource.kind is ResourceKind.LEDGER:
        posted = _sum([_rate(blueprint, each) for each in blueprint.operations if each.posts == resource.name])
        return {name: posted, ledgers.postings_name(resource): posted} if posted else {}
    births = [each for each in blueprint.operations if each.on == resource.name and each.do in _BIRTHS]
    events = [each for each in blueprint.consumers if each.on == resource.name and each.do is Action.CREATE]
    made = [_event_rate(blueprint, each) for each in events]
    born = _sum([*(_rate(blueprint, each) for each in births), *made])
    if born is None:
        return {}
    found = {name: born}
    for field in resource.fields:
        if is_child(field):
            says = f"{LIST_LENGTH} of each {name.replace('_', ' ')}"
            found[list_name(blueprint, resource, field)] = Inflow(
                rate_hz=LIST_LENGTH * born.rate_hz, says=f"{says}, taken as {LIST_LENGTH} on average"
            )
    if resource.kind is ResourceKind.ACCOUNT:
        found[accounts.credentials_name(resource)] = replace(born, lives_s=_finite(resource.retention_s))
        found |= _of_account(blueprint, resource)
    return found


def _of_account(blueprint: Blueprint, resource: Resource) -> dict[str, Inflow]:
    pairs = (
        (accounts.sessions_name(resource), accounts.OPENING, None),
        (accounts.refresh_tokens_name(resource), (*accounts.OPENING, Action.REFRESH), None),
        (
            accounts.codes_name(resource),
            (Action.REGISTER, Action.SEND_CODE, Action.REQUEST_RESET, Action.REQUEST_SIGN_IN),
            accounts.CODE_TTL_S,
        ),
    )
    found = {}
    for name, actions, lives_s in pairs:
        inflow = _sum([_rate(blueprint, each) for each in blueprint.operations if each.do in actions])
        if inflow:
            found[name] = replace(inflow, lives_s=lives_s)
    return found


def _of_service(design: Design, blueprint: Blueprint) -> dict[str, Inflow]:
    operations = list(blueprint.operations)
    audit = facts.own_name(blueprint, own.AUDIT)
    auditing = {user for query in design.queries if query.is_write and audit in query.tables for user in query.used_by}
    written = [_rate(blueprint, each) for each in operations if each.name in auditing]
    written += [_job_rate(blueprint, job) for job in blueprint.jobs if job.name in auditing]
    told = [_rate(blueprint, each) for each in operations for _ in each.emits]
    told += [_job_rate(blueprint, job) for job in blueprint.jobs for _ in job.emits]
    written += [_event_rate(blueprint, each) for each in blueprint.consumers if each.name in auditing]
    told += [_event_rate(blueprint, each) for each in blueprint.consumers for _ in each.emits]
    taken = [_event_rate(blueprint, each) for each in blueprint.consumers]
    job = own.mail_job(blueprint)
    mailed = [_rate(blueprint, each) for each in operations if each.do in accounts.MAILING]
    wanted = (
        (own.IDEMPOTENCY, [_rate(blueprint, each) for each in operations if each.idempotency], None),
        (own.OUTBOX, told, LINGER_S),
        (own.AUDIT, written, None),
        (own.INBOX, taken, None),
        (own.SAGAS, [_rate(blueprint, each) for each in operations if each.saga], None),
    )
    found = {}
    for name, senders, lives_s in wanted:
        inflow = _sum(senders)
        if inflow:
            found[facts.own_name(blueprint, name)] = replace(inflow, lives_s=lives_s)
    if job:
        inflow = _sum(mailed)
        if inflow:
            found[own.queue_name(job)] = replace(inflow, lives_s=LINGER_S)
    return found


def _rate(blueprint: Blueprint, operation: Operation) -> tuple[str, float]:
    return operation.name, blueprint.rate_hz(operation)


def _job_rate(blueprint: Blueprint, job: Job) -> tuple[str, float]:
    """A job does as many pieces of work as the operations leave for it."""
    return job.name, sum(blueprint.rate_hz(each) for each in facts.feeding(blueprint, job))


def _event_rate(blueprint: Blueprint, consumer: Consumer) -> tuple[str, float]:
    return consumer.name, consuming.rate_hz(blueprint, consumer)


def _sum(senders: list[tuple[str, float]]) -> Inflow | None:
    """One row for each call; None: nothing makes such rows."""
    if not senders:
        return None
    rates: dict[str, float] = {}
    for name, rate in senders:
        rates[name] = rates.get(name, 0.0) + rate
    largest = sorted(rates.items(), key=lambda pair: -pair[1])
    parts = [f"{name} {rate:.4g}/s" for name, rate in largest[:_SHOWN_MAX]]
    rest = sum(rate for _, rate in largest[_SHOWN_MAX:])
    if rest:
        parts.append(f"{len(largest) - _SHOWN_MAX} others {rest:.4g}/s")
    return Inflow(rate_hz=sum(rates.values()), says=" + ".join(parts))
