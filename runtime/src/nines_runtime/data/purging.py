"""Schedules that delete rows whose time is over: one small transaction after the other, until none is left."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.database import Database
from nines_runtime.data.identifiers import first_identifier
from nines_runtime.data.tasks import Schedule

EVERY_S = 3_600.0
"""A run is bounded by the `limit_s` of its Schedule; what it left, the next one deletes."""


def purge_expired(
    name: str, database: Database, statement: str, *arguments: object, every_s: float = EVERY_S
) -> Schedule:
    """`statement` deletes some of the rows that are over, and none when there are no more."""

    async def run(deadline: Deadline) -> None:
        while await database.execute(deadline, statement, *arguments) > 0:
            continue

    return Schedule(name=name, every_s=every_s, run=run)


def purge_old(
    name: str,
    database: Database,
    statement: str,
    age: timedelta,
    *,
    unchanged_for: timedelta | None = None,
    allow: str = "",
    every_s: float = EVERY_S,
) -> Schedule:
    """Rows whose identifier (UUID version 7) tells that they are older than `age`; what is still needed is passed.

    `statement` takes the identifier before which rows are old, the one that was looked at last and, where it is given,
    `unchanged_for`; it answers with the last identifier that it looked at, NULL when there are no more. `allow` is sent
    first in each transaction, for tables that let nobody else delete."""
    more = () if unchanged_for is None else (unchanged_for,)

    async def run(deadline: Deadline) -> None:
        before, last = first_identifier(age), UUID(int=0)
        while last is not None:
            async with database.transaction(deadline) as tx:
                if allow:
                    await tx.execute(allow)
                last = await tx.fetchval(statement, before, last, *more)

    return Schedule(name=name, every_s=every_s, run=run)


def roll_partitions(
    name: str, database: Database, make: str, drop: str, age: timedelta, *, every_s: float = EVERY_S
) -> Schedule:
    """Makes the partitions of the time to come, and drops those whose rows are all older than `age`."""

    async def run(deadline: Deadline) -> None:
        await database.execute(deadline, make)
        await database.execute(deadline, drop, age)

    return Schedule(name=name, every_s=every_s, run=run)
