"""Looking for markers in every table of a database, past the service and past every proxy."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nines.lab.launch.postgres import Cluster
from nines.lab.launch.server import GivenServer
from nines.model.errors import LabError

TABLES_MAX = 300
MARKERS_MAX = 20_000
_TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1 LIMIT $1
"""
# The table's name was quoted by the database itself. Every row is read once, whatever the number of markers.
_COUNT = """
SELECT hit[1], count(DISTINCT searched.ctid)::int FROM {table} AS searched,
LATERAL regexp_matches(searched::text, $2, 'g') AS hit WHERE hit[1] = ANY($1::text[]) GROUP BY 1
"""


async def rows_with(database: Cluster | GivenServer, name: str, markers: Sequence[str]) -> dict[str, int]:
    """How many rows hold each marker, in the table that holds it most often.

    The sum over all tables would count a log or an outbox entry as a second object."""
    found: dict[str, int] = {}
    wanted = list(markers[:MARKERS_MAX])
    tables = await database.execute(name, _TABLES, TABLES_MAX)
    for (table,) in tables:
        try:
            rows = await database.execute(name, _COUNT.format(table=table), wanted, _pattern(wanted))
        except LabError:
            # A table may vanish or be locked while it is searched; the others can still answer.
            continue
        for marker, count in rows:
            found[marker] = max(found.get(marker, 0), count)
    return found


def _pattern(markers: Sequence[str]) -> str:
    """Matches what looks like these markers: their common start, then as many word characters as they have."""
    first = min(markers, key=len)
    start = first[:2] if all(marker.startswith(first[:2]) for marker in markers) else ""
    shortest, longest = len(first) - len(start), max(map(len, markers)) - len(start)
    return f"({re.escape(start)}[0-9A-Za-z_-]{{{shortest},{longest}}})"
