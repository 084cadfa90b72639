"""Group commit: several requests in one statement, and nobody is answered before it is durable."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import asyncpg

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.database import Database


class Batch:
    """Rows of several requests, written by one statement; without a timer: what arrives while a flush is under way
    goes with the next, and two may be under way at once.

    `statement` takes one array for each column, and returns for each row that it wrote the row's place among them,
    from 1, as `place`, with whatever else the caller wants to know:

        WITH asked AS (
            SELECT * FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS asked (id, name, place)
        ), written AS (
            INSERT INTO things (id, name) SELECT id, name FROM asked ON CONFLICT (name) DO NOTHING RETURNING id
        )
        SELECT asked.place FROM written JOIN asked USING (id)
    """

    def __init__(
        self, database: Database, statement: str, *, rows_max: int = 500, waiting_max: int = 5_000, lanes: int = 2
    ) -> None:
        self._database, self._statement = database, statement
        self._rows_max, self._waiting_max, self._lanes = rows_max, waiting_max, lanes

    async def add(
        self, deadline: Deadline, arguments: Sequence[Any], *, alone: Hashable | None = None
    ) -> asyncpg.Record | None:
        """The row that the statement returned for these arguments; None where it wrote nothing (a conflict).

        Two rows with the same `alone` never go into one statement, so that the second sees what the first did.
        A row that breaks a rule fails alone: Violated, or the database's own error. Unavailable where nobody can
        know whether it was written, or where too many wait."""
        raise NotImplementedError
