"""From the tables of one design to those of another: expand, migrate, contract, and no lock that writers notice.

Old and new code run side by side between the first and the last phase, so what only the new one keeps (a new check, a
required value) is enforced in the last, and what only the old one needs is dropped there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from nines.model.design import Design, Migration, PlannedColumn, PlannedTable, ddl
from nines.model.design.ddl import quoted
from nines.planning.data.altering import alter
from nines.planning.data.partitioning import as_before
from nines.planning.data.stages import Stages

FIRST = "0001_first"


def migrations(design: Design) -> Design:
    """The design with the migration that makes everything on an empty database."""
    if design.blueprint is None or not design.tables:
        return design
    says = "Makes every table on an empty database, in one transaction."
    first = Migration(name=FIRST, phase="expand", sql=ddl.schema_script(design.tables), says=says)
    return replace(design, migrations=(first,))


def migrate(
    before: Sequence[PlannedTable],
    after: Sequence[PlannedTable],
    *,
    renames: Mapping[str, str] | None = None,
    fills: Mapping[str, str] | None = None,
    number: int = 2,
) -> tuple[Migration, ...]:
    """The steps between two designs, in their order, numbered from `number`.

    `renames` tells columns that only changed their name, `payments.note` to `remark`; without it the old one is
    dropped and a new one added. `fills` tells a constant, as SQL, for the rows that exist when a column becomes
    required; without it the step fails where such rows are, and changes nothing."""
    stages = Stages()
    old = {table.name: table for table in before}
    after = tuple(as_before(old[table.name], table) if table.name in old else table for table in after)
    new = {table.name: table for table in after}
    _make_functions(stages, before, after)
    retyped = _retyped(old, new)
    _make_tables(stages, old, after, retyped)
    for table in after:
        if table.name in old:
            alter(stages, old[table.name], table, renames=renames or {}, fills=fills or {}, retyped=retyped)
    _drop_tables(stages, before, new, retyped)
    _drop_functions(stages, before, after)
    return stages.numbered(number)


def _make_functions(stages: Stages, before: Sequence[PlannedTable], after: Sequence[PlannedTable]) -> None:
    if _only_grow(after) and not _only_grow(before):
        says = "Makes a function; takes no lock on any table."
        stages.expand("make-append-only-function", ddl.append_only_function(), says)
    if _are_cut(after) and not _are_cut(before):
        says = "Makes functions; takes no lock on any table."
        stages.expand("make-partition-functions", ddl.partition_functions(), says)


def _drop_functions(stages: Stages, before: Sequence[PlannedTable], after: Sequence[PlannedTable]) -> None:
    if _only_grow(before) and not _only_grow(after):
        sql = f"DROP FUNCTION {ddl.APPEND_ONLY}();"
        stages.finish("drop-append-only-function", sql, "Drops a function that no trigger uses any more.")
    if _are_cut(before) and not _are_cut(after):
        sql = "DROP FUNCTION make_partitions, drop_partitions, first_identifier;"
        stages.finish("drop-partition-functions", sql, "Drops functions that no job calls any more.")


def _are_cut(tables: Sequence[PlannedTable]) -> bool:
    return any(table.partition_by for table in tables)


def _only_grow(tables: Sequence[PlannedTable]) -> bool:
    return any(table.is_append_only for table in tables)


def _make_tables(
    stages: Stages, old: Mapping[str, PlannedTable], after: Sequence[PlannedTable], retyped: frozenset[str]
) -> None:
    changing = {key.partition(".")[0] for key in retyped}
    known = [table.name for table in after if table.name in old and table.name not in changing]
    made = [table for table in after if table.name not in old]
    for table in made:
        parents = [parent for parent in table.parents if parent in known]
        locks = f"; SHARE ROW EXCLUSIVE on {', '.join(parents)} for an instant" if parents else ""
        stages.expand(
            f"make-{table.name}",
            ddl.table_script(table, known=known),
            f"Makes {table.name}, which nobody uses yet{locks}.",
        )
        known.append(table.name)
    for statement in ddl.late_foreign_keys(made):
        stages.expand("close-ring", statement, "Adds a foreign key between new tables that refer to each other.")
    for table in made:
        for column in table.columns:
            if column.references.partition(".")[0] in changing:
                sql = f"ALTER TABLE {quoted(table.name)} ADD {ddl.foreign_key_clause(table, column)};"
                stages.link(f"refer-{ddl.foreign_key_name(table, column)}", sql, f"{table.name} is new and small.")


def _drop_tables(
    stages: Stages, before: Sequence[PlannedTable], new: Mapping[str, PlannedTable], retyped: frozenset[str]
) -> None:
    for table in before:
        for column in table.columns:
            if table.name not in new and column.references in retyped:
                name = ddl.foreign_key_name(table, column)
                sql = f"ALTER TABLE {quoted(table.name)} DROP CONSTRAINT {quoted(name)};"
                stages.expand(f"free-{name}", sql, f"ACCESS EXCLUSIVE on {table.name} for an instant.")
    gone = [table.name for table in before if table.name not in new]
    if gone:
        stages.finish(
            "drop-tables",
            f"DROP TABLE {', '.join(map(quoted, gone))};",
            f"Drops {', '.join(gone)} with all rows: nothing brings them back. ACCESS EXCLUSIVE, for an instant.",
        )


def _retyped(old: Mapping[str, PlannedTable], new: Mapping[str, PlannedTable]) -> frozenset[str]:
    """The columns, as `table.column`, whose type changes: foreign keys at either end have to step aside."""
    found = set()
    for name, table in new.items():
        for column in table.columns:
            was = _column(old.get(name), column.name)
            if was is not None and was.type != column.type:
                found.add(f"{name}.{column.name}")
    return frozenset(found)


def _column(table: PlannedTable | None, name: str) -> PlannedColumn | None:
    return table.column(name) if table else None
