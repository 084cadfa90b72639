"""The steps for what goes over several columns or tables: indexes, unique keys, foreign keys."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.design import PlannedColumn, PlannedIndex, PlannedTable, ddl
from nines.model.design.ddl import identifier, quoted
from nines.planning.data import looking
from nines.planning.data.change import Change


def make_indexes(change: Change) -> None:
    """Built beside the writers; a constraint takes over the index that is there."""
    old = {index.name: index for index in change.old.indexes}
    for index in change.new.indexes:
        if is_same(old.get(index.name), index):
            continue
        # What the owner wants unique old code knows nothing of; the statements of the service's own tables name their
        # keys, so that new code cannot do without.
        is_demand = index.is_unique and not index.is_primary and bool(change.new.resource)
        if is_demand:
            looking.look_for_twins(change, index)
        stage = change.stages.contract if is_demand else change.stages.migrate
        is_taken = index.name in old and not (ddl.is_constraint(old[index.name]) and not index.is_primary)
        name = identifier(index.name, "next") if is_taken else index.name
        plain = replace(index, is_primary=False, is_unique=index.is_unique, name=name)
        if change.new.partition_by:
            stage(
                f"index-{index.name}",
                ddl.create_index(change.new, plain),
                f"SHARE on {change.new.name} while every partition is read: writers wait. Where that is long, build "
                "the index on each partition CONCURRENTLY first; this step then only joins them.",
                is_blocking=True,
            )
            continue
        stage(
            f"index-{index.name}",
            ddl.create_index(change.new, plain, is_concurrent=True),
            f"Reads {change.new.name} twice under SHARE UPDATE EXCLUSIVE: readers and writers go on. Outside of a "
            "transaction; when it fails it leaves an invalid index, which is dropped before it is run again.",
            is_alone=True,
        )
        if index.is_primary:
            continue
        if ddl.is_constraint(index):
            sql = f"ALTER TABLE {change.name} ADD CONSTRAINT {quoted(name)} UNIQUE USING INDEX {quoted(name)};"
            stage(f"constrain-{index.name}", sql, change.instant)


def drop_indexes(change: Change) -> None:
    new = {index.name: index for index in change.new.indexes}
    for index in change.old.indexes:
        after = new.get(index.name)
        if is_same(after, index) or (ddl.is_constraint(index) and not index.is_primary):
            continue
        next_name = quoted(identifier(index.name, "next"))
        if index.is_primary:
            drop = f"ALTER TABLE {change.name} DROP CONSTRAINT {quoted(index.name)}"
            add = f"ADD CONSTRAINT {quoted(index.name)} PRIMARY KEY USING INDEX {next_name}" if after else ""
            sql = f"{drop}{f', {add}' if add else ''};"
            change.stages.contract(f"rekey-{index.name}", sql, change.instant)
            continue
        how, says = "CONCURRENTLY ", "Waits for those who use it, and nobody waits for it. Outside of a transaction."
        if change.new.partition_by:
            how, says = "", change.instant
        sql = f"DROP INDEX {how}{quoted(index.name)};"
        change.stages.contract(f"unindex-{index.name}", sql, says, is_alone=bool(how))
        if after is not None:
            sql = f"ALTER INDEX {next_name} RENAME TO {quoted(index.name)};"
            change.stages.contract(f"name-{index.name}", sql, "SHARE UPDATE EXCLUSIVE on the index for an instant.")


def make_foreign_keys(change: Change) -> None:
    for column in keys_to_renew(change, change.new):
        name = ddl.foreign_key_name(change.new, column)
        parent = column.references.partition(".")[0]
        clause = ddl.foreign_key_clause(change.new, column)
        change.stages.link(
            f"refer-{name}",
            f"ALTER TABLE {change.name} ADD {clause} NOT VALID;",
            f"SHARE ROW EXCLUSIVE on {change.new.name} and {parent} for an instant; holds for new rows.",
        )
        sql = f"ALTER TABLE {change.name} VALIDATE CONSTRAINT {quoted(name)};"
        change.stages.link(f"validate-{name}", sql, f"{change.validating} ROW SHARE on {parent}.")


def keys_to_renew(change: Change, table: PlannedTable) -> Iterator[PlannedColumn]:
    """The foreign keys of one side that the other has not, or not like this."""
    other = change.new if table is change.old else change.old
    for column in table.columns:
        if not column.references:
            continue
        its = other.column(column.name)
        is_equal = its is not None and (its.references, its.on_delete) == (column.references, column.on_delete)
        is_retyped = {f"{table.name}.{column.name}", column.references} & change.retyped
        if not is_equal or is_retyped:
            yield column


def is_same(one: PlannedIndex | None, other: PlannedIndex) -> bool:
    return one is not None and (one.columns, one.is_unique, one.is_primary, one.where, one.includes) == (
        other.columns,
        other.is_unique,
        other.is_primary,
        other.where,
        other.includes,
    )
