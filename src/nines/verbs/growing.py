"""The migrations of a built service: append-only, the next ones found from the tables that the last build knew."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from nines.model.design import Design, Migration, PlannedTable
from nines.model.errors import SettingsError, UsageError
from nines.model.record import Record, StrictRecord
from nines.planning.data import looking, migrate
from nines.planning.data.partitioning import as_before
from nines.verbs.handover import Item

FOLDER = "migrations"
TABLES = f"{FOLDER}/tables.json"
CHANGES = f"{FOLDER}/changes.yaml"
_BYTES_MAX = 20_000_000
_NUMBERS = frozenset({"integer", "bigint"})
"""The types of which one becomes the other while both versions run."""
_FILES_MAX = 5_000
_NUMBERED = re.compile(r"(\d{4,})_[a-z0-9_]+\.sql")
_CHANGES = """# What nines cannot know of a change of the blueprint; it is read by `nines build` and written by you.
#
# renames: {payments.note: remark}          a column that only changes its name keeps its values
# fills: {payments.country: "'DE'"}         a constant, as SQL, for the rows that exist when a column becomes required
#        {payments.status.void: "'failed'"} what becomes of rows with a value that is no longer there
renames: {}
fills: {}
"""


class Told(StrictRecord):
    """What the owner tells of a change, in `migrations/changes.yaml` or as options."""

    renames: dict[str, str] = {}
    """`payments.note` to `remark`."""
    fills: dict[str, str] = {}
    """`payments.country` to `'DE'`; `payments.status.void`, a value that rows may no longer have, to `'failed'`."""


class Grown(Record):
    """The migrations that stand and those that are new."""

    items: tuple[Item, ...]
    added: tuple[Migration, ...] = ()
    is_first: bool = False


def told(folder: Path, *, renames: Mapping[str, str], fills: Mapping[str, str]) -> Told:
    """The owner's file with the options over it; raises SettingsError where the file cannot be used."""
    path = folder / CHANGES
    found = Told()
    if path.is_file():
        try:
            content = path.read_bytes()[: _BYTES_MAX + 1]
            found = msgspec.yaml.decode(content or b"{}", type=Told | None) or found
        except (OSError, ValueError, msgspec.DecodeError) as error:
            hint = "It holds two tables of texts: renames and fills."
            raise SettingsError(f"it cannot be used: {error}", where=str(path), hint=hint) from None
    return Told(renames={**found.renames, **renames}, fills={**found.fills, **fills})


def grow(design: Design, folder: Path, known: Told) -> Grown:
    """Every file below `migrations/`; raises UsageError where rows that exist would have no value."""
    standing = dict(_standing(folder))
    kept = [Item(path=path, content=content, is_continued=True) for path, content in standing.items()]
    before = _tables(folder)
    old = {table.name: table for table in before or ()}
    # How a table is cut stays as it was, for nothing cuts it anew without a pause.
    wanted = (as_before(old[table.name], table) if table.name in old else table for table in design.tables)
    after = tuple(map(_bare, wanted))
    if before is None and standing:
        hint = "Bring it back from version control; without it the next migration cannot be found."
        raise UsageError(f"migrations stand here, and {TABLES} does not", where=str(folder), hint=hint)
    if before is None:
        added = design.migrations
    else:
        for table in after:
            if table.name in old:
                _check_values(old[table.name], table, known)
        _check_fills(before, after, known)
        added = migrate(before, after, renames=known.renames, fills=known.fills, number=_next(standing))
    fresh = [Item(path=f"{FOLDER}/{each.name}.sql", content=each.script.encode()) for each in added]
    tables = Item(path=TABLES, content=msgspec.json.format(msgspec.json.encode(after), indent=1) + b"\n")
    own = Item(path=CHANGES, content=_CHANGES.encode(), is_owned=True)
    return Grown(items=(*kept, *fresh, tables, own), added=added, is_first=before is None)


def _standing(folder: Path) -> Iterator[tuple[str, bytes]]:
    """What was written is never written again, whoever changed it since."""
    paths = sorted((folder / FOLDER).glob("*.sql"))
    if len(paths) > _FILES_MAX:
        raise UsageError(f"there are more than {_FILES_MAX:,} migrations", where=str(folder / FOLDER))
    for path in paths:
        yield f"{FOLDER}/{path.name}", path.read_bytes()


def _tables(folder: Path) -> tuple[PlannedTable, ...] | None:
    path = folder / TABLES
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes()[:_BYTES_MAX], type=tuple[PlannedTable, ...])
    except (OSError, msgspec.DecodeError) as error:
        hint = "Bring it back from version control; it says which tables the last build knew."
        raise UsageError(f"it cannot be read: {error}", where=str(path), hint=hint) from None


def _bare(table: PlannedTable) -> PlannedTable:
    """Without what says nothing of the database."""
    columns = tuple(replace(column, says="", width_bytes=8, place=None) for column in table.columns)
    indexes = tuple(replace(index, serves=(), says="") for index in table.indexes)
    checks = tuple(replace(check, says="") for check in table.checks)
    return replace(
        table, columns=columns, indexes=indexes, checks=checks, growth=None, denormalised=(), place=None, module=""
    )


def _next(standing: Mapping[str, bytes]) -> int:
    numbers = [int(found[1]) for path in standing if (found := _NUMBERED.fullmatch(path.rpartition("/")[2]))]
    return max(numbers, default=0) + 1


def _check_fills(before: Sequence[PlannedTable], after: Sequence[PlannedTable], known: Told) -> None:
    """Raises UsageError for what the owner tells of columns that are not there, and for what is left untold."""
    old = {table.name: table for table in before}
    _check_renames(before, known)
    lacking = [
        f"{table.name}.{column.name}"
        for table in after
        if table.name in old
        for column in table.columns
        if not (column.is_nullable or column.default or f"{table.name}.{column.name}" in known.fills)
        and not _is_kept(old[table.name], column.name, known.renames)
    ]
    if lacking:
        first = lacking[0]
        raise UsageError(
            f"rows that exist would have no value for {', '.join(lacking)}",
            hint=f"Name one: --fill \"{first}='...'\", or under `fills` of {CHANGES}. If a column only has a new name: "
            f"--rename {first.partition('.')[0]}.OLD={first.partition('.')[2]}. Or give the field a default, or make "
            "it optional. Nothing was written.",
        )


def _check_values(old: PlannedTable, new: PlannedTable, known: Told) -> None:
    """Raises UsageError where values that exist would have no place any more, or could not be read."""
    lost = [f"{new.name}.{column}.{value}" for column, value in looking.demanded(old, new)]
    untold = [key for key in lost if key not in known.fills]
    if untold:
        raise UsageError(
            f"rows that exist may hold a value that is gone: {', '.join(untold)}",
            hint=f"Name what becomes of them: --fill \"{untold[0]}='...'\", or under `fills` of {CHANGES}. Nothing was "
            "written.",
        )
    for column in new.columns:
        was = old.column(column.name)
        if was is None or (was.type == column.type and was.is_encrypted == column.is_encrypted):
            continue
        if was.is_encrypted or column.is_encrypted:
            how = "encrypted" if column.is_encrypted else "in the clear"
            says = f"{new.name}.{column.name} would be {how}, and no migration has the keys"
        elif {was.type, column.type} <= _NUMBERS:
            continue
        else:
            says = f"{new.name}.{column.name} would be {column.type} and was {was.type}: old processes could not go on"
        raise UsageError(
            says,
            hint="Add a field of another name beside it, let the service fill it while both are there, and take the "
            "old one away with a later build. Nothing was written.",
        )


def _is_kept(old: PlannedTable, name: str, renames: Mapping[str, str]) -> bool:
    """Whether every row that exists has a value for it."""
    sources = [key.partition(".")[2] for key, new in renames.items() if key.startswith(f"{old.name}.") and new == name]
    found = old.column(name) or next((column for each in sources if (column := old.column(each))), None)
    return found is not None and not found.is_nullable


def _check_renames(before: Sequence[PlannedTable], known: Told) -> None:
    """A rename that names nothing would drop a column with its values; one that was carried out before may stay."""
    names = {f"{table.name}.{column.name}" for table in before for column in table.columns}
    for old, new in known.renames.items():
        if not names & {old, f"{old.partition('.')[0]}.{new}"}:
            near = difflib.get_close_matches(old, sorted(names), n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Write TABLE.COLUMN, as in {TABLES}."
            raise UsageError(f"there is no column {old} that could be renamed to {new}", where=CHANGES, hint=hint)
