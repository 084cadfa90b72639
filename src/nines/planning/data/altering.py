"""The steps that make one table of another."""

# ruff: noqa: S608 -- Names are quoted and values are constants of the design; nothing of a caller is part of a text.

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from msgspec.structs import replace

from nines.model.design import PlannedCheck, PlannedTable, ddl
from nines.model.design.ddl import identifier, literal, quoted
from nines.planning.data import linking, looking, widening
from nines.planning.data.change import Change, altered
from nines.planning.data.stages import Stages

BATCH_ROWS = 1_000
"""Of one transaction of a backfill: its locks are gone before anybody waits for them."""
NARROWING = ("bigint", "integer")


def alter(
    stages: Stages,
    old: PlannedTable,
    new: PlannedTable,
    *,
    renames: Mapping[str, str],
    fills: Mapping[str, str],
    retyped: frozenset[str],
) -> None:
    """Adds the steps from the one to the other."""
    change = Change(stages, old, new, renames=renames, fills=fills, retyped=retyped)
    _let_go(change)
    _add_columns(change)
    _follow_renames(change)
    _change_types(change)
    _change_defaults(change)
    linking.make_indexes(change)
    linking.make_foreign_keys(change)
    _change_trigger(change)
    _require(change)
    linking.drop_indexes(change)
    _drop_columns(change)
    _move_values(change)
    _make_checks(change)
    _comment(change)


def _let_go(change: Change) -> None:
    """What new code may break, and what stands in the way of another type: dropped before the new code runs."""
    after = {check.name: check for check in change.new.checks}
    for check in change.old.checks:
        if after.get(check.name) != check:
            sql = f"ALTER TABLE {change.name} DROP CONSTRAINT {quoted(check.name)};"
            change.stages.expand(f"free-{check.name}", sql, change.instant)
    for column in linking.keys_to_renew(change, change.old):
        name = ddl.foreign_key_name(change.old, column)
        sql = f"ALTER TABLE {change.name} DROP CONSTRAINT {quoted(name)};"
        change.stages.expand(f"free-{name}", sql, change.instant)
    kept = {index.name: index for index in change.new.indexes}
    for index in change.old.indexes:
        if ddl.is_constraint(index) and not index.is_primary and not linking.is_same(kept.get(index.name), index):
            sql = f"ALTER TABLE {change.name} DROP CONSTRAINT {quoted(index.name)};"
            change.stages.expand(f"free-{index.name}", sql, change.instant)
    for was, column in change.kept:
        if column.is_nullable and not was.is_nullable:
            change.stages.expand(
                f"free-{change.new.name}-{column.name}", altered(change, column, "DROP NOT NULL"), change.instant
            )
    for column in change.gone:
        is_filled = column.is_nullable or column.default or column.name in change.renamed
        if not is_filled and column.name not in change.old.primary_key:
            sql, says = altered(change, column, "DROP NOT NULL"), f"{change.instant} New code no longer fills it."
            change.stages.expand(f"free-{change.new.name}-{column.name}", sql, says)


def _add_columns(change: Change) -> None:
    """A constant default is kept in the catalogue, so that no row is written, however many there are."""
    for column in change.added:
        fill = change.fills.get(column.name, "")
        default = column.default or fill
        is_free = bool(column.is_nullable or not default)
        clause = ddl.column_clause(replace(column, is_nullable=is_free, default=default))
        says = change.instant
        if not column.is_nullable and not default and column.name not in change.renamed.values():
            says += f" No value is known for the rows that exist: name one for {change.new.name}.{column.name}."
        change.stages.expand(
            f"add-{change.new.name}-{column.name}", f"ALTER TABLE {change.name} ADD COLUMN {clause};", says
        )
        if fill and not column.default:
            sql = altered(change, column, "DROP DEFAULT")
            change.stages.contract(f"unfill-{change.new.name}-{column.name}", sql, change.instant)


def _follow_renames(change: Change) -> None:
    """Old code writes the old column and new code the new one: a trigger keeps both equal until the old is dropped."""
    for before, after in change.renamed.items():
        function = identifier(change.new.name, before, "to", after)
        old, new, name = quoted(before), quoted(after), quoted(function)
        change.stages.expand(
            f"follow-{function}",
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n"
            f"    IF TG_OP = 'INSERT' THEN\n"
            f"        NEW.{new} := coalesce(NEW.{new}, NEW.{old});\n"
            f"        NEW.{old} := coalesce(NEW.{old}, NEW.{new});\n"
            f"    ELSIF NEW.{old} IS DISTINCT FROM OLD.{old} THEN\n        NEW.{new} := NEW.{old};\n"
            f"    ELSIF NEW.{new} IS DISTINCT FROM OLD.{new} THEN\n        NEW.{old} := NEW.{new};\n    END IF;\n"
            f"    RETURN NEW;\nEND\n$$;\n"
            f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {change.name}\n"
            f"    FOR EACH ROW EXECUTE FUNCTION {name}();",
            f"SHARE ROW EXCLUSIVE on {change.new.name} for an instant. From here on {before} and {after} are equal in "
            "every row that is written.",
        )
        _backfill(change, f"{new} = {old}", f"{new} IS DISTINCT FROM {old}", f"copy-{function}")
        sql = f"DROP TRIGGER {name} ON {change.name};\nDROP FUNCTION {name}();"
        change.stages.contract(f"unfollow-{function}", sql, change.instant)


def _backfill(change: Change, assignment: str, condition: str, name: str, *, is_last: bool = False) -> None:
    """In batches that are committed one by one; a table that only grows opens for as long."""
    stage = change.stages.contract if is_last else change.stages.migrate
    trigger = quoted(identifier(change.old.name, "append_only"))
    opened = change.old.is_append_only and change.new.is_append_only
    if opened:
        stage(f"open-{name}", f"ALTER TABLE {change.name} DISABLE TRIGGER {trigger};", change.instant)
    stage(
        name,
        "DO $$\nBEGIN\n    LOOP\n"
        f"        UPDATE {change.name} SET {assignment}\n        WHERE ctid = ANY (ARRAY(\n"
        f"            SELECT ctid FROM {change.name} WHERE {condition} LIMIT {BATCH_ROWS}\n        ));\n"
        "        EXIT WHEN NOT FOUND;\n        COMMIT;\n    END LOOP;\nEND\n$$;",
        f"Locks {BATCH_ROWS:,} rows of {change.new.name} at a time and commits; run alone, outside of a transaction. "
        "It may be stopped and run again.",
        is_alone=True,
    )
    if opened:
        stage(f"close-{name}", f"ALTER TABLE {change.name} ENABLE TRIGGER {trigger};", change.instant)


def _change_types(change: Change) -> None:
    for was, column in change.kept:
        if was.type == column.type:
            continue
        if widening.is_online(change, was, column):
            widening.widen(change, column, partial(_backfill, change))
            continue
        name = quoted(column.name)
        drop = altered(change, column, "DROP DEFAULT")
        sql = f"{drop}\n{altered(change, column, f'TYPE {column.type} USING {name}::text::{column.type}')}"
        if (was.type, column.type) == NARROWING:
            rows = f"SELECT 1 FROM {change.name} WHERE {name} NOT BETWEEN {-(2**31)} AND {2**31 - 1}"
            looking.look(
                change, f"{change.new.name}-{column.name}", rows, f"rows of {change.new.name} hold larger numbers"
            )
        # What old code may still write has to fit until it is gone.
        stage = change.stages.contract if (was.type, column.type) == NARROWING else change.stages.migrate
        stage(
            f"retype-{change.new.name}-{column.name}",
            sql,
            f"Writes all of {change.new.name} anew under ACCESS EXCLUSIVE: nobody reads or writes it meanwhile. Where "
            "it is large, add a column of the new type under another name instead, and rename it.",
            is_blocking=True,
        )


def _change_defaults(change: Change) -> None:
    for was, column in change.kept:
        if widening.is_online(change, was, column):
            continue
        if was.default != column.default or was.type != column.type:
            what = f"SET DEFAULT {column.default}" if column.default else "DROP DEFAULT"
            # Old code may leave the value to the default until it is gone.
            is_relied_on = not column.default and was.type == column.type
            stage = change.stages.contract if is_relied_on else change.stages.migrate
            stage(f"default-{change.new.name}-{column.name}", altered(change, column, what), change.instant)


def _change_trigger(change: Change) -> None:
    name = quoted(identifier(change.new.name, "append_only"))
    if change.new.is_append_only and not change.old.is_append_only:
        sql = ddl.append_only_trigger(change.new)
        change.stages.contract(
            f"close-{change.new.name}", sql, f"SHARE ROW EXCLUSIVE on {change.new.name} for an instant."
        )
    if change.old.is_append_only and not change.new.is_append_only:
        change.stages.expand(f"open-{change.new.name}", f"DROP TRIGGER {name} ON {change.name};", change.instant)


def _require(change: Change) -> None:
    """NOT NULL by way of a check that is validated beside the writers: SET NOT NULL believes it and reads no row."""
    required = [c for c in change.added if not c.is_nullable and not (c.default or change.fills.get(c.name))]
    for was, column in change.kept:
        if was.is_nullable and not column.is_nullable:
            required.append(column)
            fill = change.fills.get(column.name) or column.default
            if fill:
                name = quoted(column.name)
                _backfill(
                    change, f"{name} = {fill}", f"{name} IS NULL", f"fill-{change.new.name}-{column.name}", is_last=True
                )
    for column in required:
        check = quoted(identifier(change.new.name, column.name, "required"))
        slug = f"{change.new.name}-{column.name}"
        is_null = f"CHECK ({quoted(column.name)} IS NOT NULL)"
        sql = f"ALTER TABLE {change.name} ADD CONSTRAINT {check} {is_null} NOT VALID;"
        change.stages.contract(f"require-{slug}", sql, change.instant)
        sql = f"ALTER TABLE {change.name} VALIDATE CONSTRAINT {check};"
        change.stages.contract(f"validate-{slug}", sql, change.validating)
        sql = f"{altered(change, column, 'SET NOT NULL')}\nALTER TABLE {change.name} DROP CONSTRAINT {check};"
        change.stages.contract(f"keep-{slug}", sql, change.instant)


def _drop_columns(change: Change) -> None:
    for column in change.gone:
        sql = f"ALTER TABLE {change.name} DROP COLUMN {quoted(column.name)};"
        lost = "its values are in the new column" if column.name in change.renamed else "its values are lost"
        change.stages.contract(f"drop-{change.new.name}-{column.name}", sql, f"{change.instant[:-1]}; {lost}.")


def _move_values(change: Change) -> None:
    """When nobody writes them any more."""
    for column, value in looking.lost_values(change.old, change.new):
        becomes = change.moved.get(column, {}).get(value)
        if becomes:
            name = quoted(column)
            slug = f"move-{identifier(change.new.name, column, 'from', value)}"
            _backfill(change, f"{name} = {becomes}", f"{name} = {literal(value)}", slug, is_last=True)


def _make_checks(change: Change) -> None:
    """In the last phase, for old code knows nothing of them; a check that only became wider holds at once."""
    before = {check.name: check for check in change.old.checks}
    for check in change.new.checks:
        if before.get(check.name) == check:
            continue
        sql = f"ALTER TABLE {change.name} ADD {ddl.check_clause(check)} NOT VALID;"
        validate = f"ALTER TABLE {change.name} VALIDATE CONSTRAINT {quoted(check.name)};"
        is_wider = _is_wider(before.get(check.name), check)
        if not is_wider:
            looking.look_for_breaches(change, check)
        stage = change.stages.expand if is_wider else change.stages.contract
        stage(f"check-{check.name}", sql, f"{change.instant} Holds for what is written from now on.")
        stage(f"validate-{check.name}", validate, change.validating)


def _is_wider(old: PlannedCheck | None, new: PlannedCheck) -> bool:
    """A list of values that only got more: a state was added."""
    column, had = looking.values_of(old)
    its_column, has = looking.values_of(new)
    return bool(column) and column == its_column and set(had) <= set(has)


def _comment(change: Change) -> None:
    before, after = set(ddl.comments(change.old)), list(ddl.comments(change.new))
    for text in after:
        if text not in before:
            change.stages.finish(
                f"comment-{change.new.name}", text, "Says what it is; SHARE UPDATE EXCLUSIVE for an instant."
            )
