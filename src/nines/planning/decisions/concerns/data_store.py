"""Where the data is kept."""

from __future__ import annotations

from nines.model.design import Decision, Design, ResourceUse
from nines.model.words import amount, count, many
from nines.planning.decisions.deciding import database, is_said, option, resource

NUMBER = 1
_POSTGRES = "PostgreSQL"


def decide(design: Design) -> Decision | None:
    found = database(design)
    if not design.tables or (design.is_recovered and found is None):
        return None
    rows = resource(design, "rows written")
    keys = sum(1 for table in design.tables for column in table.columns if column.references)
    checks = sum(len(table.checks) for table in design.tables)
    spanning = [each.id for each in design.endpoints if _tables_written(design, each.id) > 1]
    load = (
        f"At the peak {count(rows.at_peak)} rows are written a second, {rows.at_peak / rows.capacity * 100:.0f} % of "
        "what one "
        "primary takes. "
        if rows
        else ""
    )
    context = f"{many(len(design.tables), 'table')} with {many(keys, 'foreign key')} and {many(checks, 'check')}"
    if design.is_recovered:
        context += " are declared in the code."
    else:
        context += (
            f"; more than one table is changed by {many(len(spanning), 'operation')}, wholly or not at all. {load}"
        )
    strict = "several tables in one transaction, with foreign keys and checks that hold whatever the code does"
    return Decision(
        id="data-store",
        number=NUMBER,
        concern="Data store",
        context=context.strip(),
        options=(
            option(
                _POSTGRES,
                strict,
                "one primary takes all writes; beyond it the data has to be divided",
                "rules span rows, and one server carries the writes",
            ),
            option(
                "a document store (MongoDB)",
                "an object is read and written as a whole, its shape changes without a migration",
                f"{many(keys, 'reference')} and {many(checks, 'check')} become code of this service, tried by nobody "
                "else",
                "objects are changed one at a time and are read as they were written",
            ),
            option(
                "a key-value store that divides itself (DynamoDB, ScyllaDB)",
                "writes grow with the number of nodes, and no node is special",
                "each way to read must be known beforehand; transactions over several keys are few and small",
                f"far more than {count(rows.capacity if rows else 50_000)} rows are written a second, each found by "
                "one key",
            ),
        ),
        chosen=_POSTGRES,
        because=_because(design, len(spanning), keys) + (_primary(rows) if rows else ""),
        consequences=(
            "One primary is the limit of all writes; capacity tells when it is reached.",
            f"Migrations are written to be applied while the service runs: {count(len(design.tables))} tables, expand "
            "and contract.",
        ),
        changes_when="The rows written pass what one primary takes and no key divides the data, or transactions over "
        "several tables are no longer needed.",
        is_given=found is not None and is_said(design, f"dependencies.{found.name}"),
    )


def _primary(rows: ResourceUse) -> str:
    if rows.room <= 1:
        return "; the writes need more than one primary at the peak, and the data can be divided by its key"
    return f", and one primary carries the writes until the load is {amount(rows.room)} times the expected"


def _because(design: Design, spanning: int, keys: int) -> str:
    if design.is_recovered:
        return "It is what the code talks to"
    if any(table.name.endswith("entries") and table.is_append_only for table in design.tables):
        return "A ledger whose sides must balance asks for transactions and constraints"
    if spanning:
        return f"{many(spanning, 'operation')} with several tables in one transaction"
    return f"What the tables refer to ({many(keys, 'reference')}) is held by the database instead of by code"


def _tables_written(design: Design, operation: str) -> int:
    queries = [query for query in design.queries if operation in query.used_by and query.is_write]
    return len({query.tables[0] for query in queries if query.tables})
