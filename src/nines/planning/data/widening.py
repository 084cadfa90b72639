"""A number that becomes wider while everybody goes on writing: a column beside it, followed, filled and exchanged."""

from __future__ import annotations

import re
from collections.abc import Callable

from nines.model.design import PlannedCheck, PlannedColumn
from nines.model.design.ddl import check_clause, identifier, quoted
from nines.planning.data.change import Change, altered

_WIDER = ("integer", "bigint")
_LITERAL = re.compile(r"('(?:[^']|'')*')")


def is_online(change: Change, was: PlannedColumn, column: PlannedColumn) -> bool:
    """Whether it can be widened beside the writers: nothing but checks may hang on it, and they stay as they are."""
    if (was.type, column.type) != _WIDER or was.references or column.references:
        return False
    indexes = (*change.old.indexes, *change.new.indexes)
    told = " ".join(" ".join((*each.columns, *each.includes, each.where)) for each in indexes)
    before = {check.name: check for check in change.old.checks}
    is_settled = all(before.get(check.name) == check for check in _checks(change, column))
    is_settled = is_settled and (was.is_nullable, was.default) == (column.is_nullable, column.default)
    return is_settled and not _word(column).search(told) and not column.is_personal


def widen(change: Change, column: PlannedColumn, fill: Callable[[str, str, str], None]) -> None:
    """`fill` takes an assignment, the condition of the rows that need it, and a name."""
    stages, table, name = change.stages, change.name, quoted(column.name)
    wide, narrow = (quoted(identifier(column.name, each)) for each in ("wide", "narrow"))
    function = quoted(identifier(change.new.name, column.name, "widens"))
    slug = f"{change.new.name}-{column.name}"
    stages.expand(f"widen-{slug}", f"ALTER TABLE {table} ADD COLUMN {wide} {column.type};", change.instant)
    stages.expand(
        f"follow-{slug}",
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    NEW.{wide} := NEW.{name};\n"
        f"    RETURN NEW;\nEND\n$$;\nCREATE TRIGGER {function} BEFORE INSERT OR UPDATE ON {table}\n"
        f"    FOR EACH ROW EXECUTE FUNCTION {function}();",
        f"SHARE ROW EXCLUSIVE on {change.new.name} for an instant. From here on both hold the same in what is written.",
    )
    fill(f"{wide} = {name}", f"{wide} IS DISTINCT FROM {name}", f"fill-{slug}")
    twins = [(check, _twin(check, column, wide)) for check in _checks(change, column)]
    held = [twin for _, twin in twins]
    if not column.is_nullable:
        held.append(_required(change, column, wide))
    for check in held:
        sql = f"ALTER TABLE {table} ADD {check_clause(check)} NOT VALID;"
        stages.migrate(f"check-{check.name}", sql, change.instant)
        sql = f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted(check.name)};"
        stages.migrate(f"validate-{check.name}", sql, change.validating)
    swap = [f"DROP TRIGGER {function} ON {table};", f"DROP FUNCTION {function}();"]
    for check, twin in twins:
        swap.append(f"ALTER TABLE {table} DROP CONSTRAINT {quoted(check.name)};")
        swap.append(f"ALTER TABLE {table} RENAME CONSTRAINT {quoted(twin.name)} TO {quoted(check.name)};")
    swap += [altered(change, column, what) for what in ("DROP DEFAULT", "DROP NOT NULL")]
    swap.append(f"ALTER TABLE {table} RENAME COLUMN {name} TO {narrow};")
    swap.append(f"ALTER TABLE {table} RENAME COLUMN {wide} TO {name};")
    if column.default:
        swap.append(altered(change, column, f"SET DEFAULT {column.default}"))
    if not column.is_nullable:
        swap.append(altered(change, column, "SET NOT NULL"))
        swap.append(f"ALTER TABLE {table} DROP CONSTRAINT {quoted(_required(change, column, wide).name)};")
    stages.migrate(f"exchange-{slug}", "\n".join(swap), f"{change.instant} From here on it is {column.type}.")
    stages.contract(f"drop-{slug}-narrow", f"ALTER TABLE {table} DROP COLUMN {narrow};", change.instant)


def _required(change: Change, column: PlannedColumn, wide: str) -> PlannedCheck:
    return PlannedCheck(
        name=identifier(change.new.name, column.name, "wide", "required"), expression=f"{wide} IS NOT NULL"
    )


def _word(column: PlannedColumn) -> re.Pattern[str]:
    """Its name, as SQL has it, and as no part of another one."""
    return re.compile(rf"(?<![\w\"]){re.escape(quoted(column.name))}(?![\w\"])")


def _checks(change: Change, column: PlannedColumn) -> list[PlannedCheck]:
    """Those that name it."""
    return [
        check
        for check in change.new.checks
        if any(_word(column).search(text) for text in _LITERAL.split(check.expression)[::2])
    ]


def _twin(check: PlannedCheck, column: PlannedColumn, wide: str) -> PlannedCheck:
    """The same of the column beside it."""
    parts = _LITERAL.split(check.expression)
    parts[::2] = [_word(column).sub(wide, text) for text in parts[::2]]
    return PlannedCheck(name=identifier(check.name, "wide"), expression="".join(parts))
