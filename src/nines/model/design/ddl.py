"""A planned table written in the words of PostgreSQL: the same text for the dossier, for migrations and for build."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from nines.model.design.data import PlannedCheck, PlannedColumn, PlannedIndex, PlannedTable

_RESERVED = (
    "all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case "
    "cast char character check coalesce collate collation column concurrently constraint create cross current_catalog "
    "current_date current_role current_schema current_time current_timestamp current_user dec decimal default "
    "deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full grant "
    "greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join "
    "lateral leading least left like limit localtime localtimestamp national natural nchar none normalize not notnull "
    "null nullif numeric offset on only or order out outer overlaps overlay placing precision primary real "
    "references returning right row select session_user setof similar smallint some substring symmetric "
    "system_user table tablesample then time timestamp to trailing treat trim true union unique user using values "
    "varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest "
    "xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable"
)
"""What the grammar of PostgreSQL does not take as a bare name everywhere."""
RESERVED = frozenset(_RESERVED.split())
APPEND_ONLY = "refuse_change"
"""The function behind the triggers of append-only tables."""
RETENTION = "service.retention"
"""The setting under which an append-only table lets go of rows whose time is over, for one transaction."""
PARTITIONS_AHEAD = 7
"""Periods for which partitions are there before their rows come; a job that stands still for as long harms nothing."""
DAILY_S_MAX = 60 * 86_400.0
NAME_LENGTH_MAX = 63
"""PostgreSQL cuts longer names off silently (NAMEDATALEN - 1)."""
_DIGEST_LENGTH = 8
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def identifier(*parts: str) -> str:
    """The parts joined by underscores; what would be cut off is replaced by a digest, so that names stay distinct."""
    name = "_".join(part for part in parts if part)
    if len(name) <= NAME_LENGTH_MAX:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{name[: NAME_LENGTH_MAX - _DIGEST_LENGTH - 1]}_{digest}"


def quoted(name: str) -> str:
    """The name as SQL takes it; in quotes only where it must be."""
    if _PLAIN.fullmatch(name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def part(column: str) -> str:
    """A column of an index, with its direction: "created_at DESC"; an expression stands as it is."""
    if "(" in column:
        return column
    name, _, direction = column.partition(" ")
    return f"{quoted(name)} {direction}".rstrip()


def column_clause(column: PlannedColumn) -> str:
    words = [quoted(column.name), column.type]
    if not column.is_nullable:
        words.append("NOT NULL")
    if column.default:
        words.append(f"DEFAULT {column.default}")
    return " ".join(words)


def foreign_key_name(table: PlannedTable, column: PlannedColumn) -> str:
    return identifier(table.name, column.name, "fkey")


def foreign_key_clause(table: PlannedTable, column: PlannedColumn) -> str:
    parent, _, key = column.references.partition(".")
    action = f" ON DELETE {column.on_delete}" if column.on_delete else ""
    return (
        f"CONSTRAINT {quoted(foreign_key_name(table, column))} FOREIGN KEY ({quoted(column.name)}) "
        f"REFERENCES {quoted(parent)} ({quoted(key)}){action}"
    )


def check_clause(check: PlannedCheck) -> str:
    return f"CONSTRAINT {quoted(check.name)} CHECK ({check.expression})"


def is_constraint(index: PlannedIndex) -> bool:
    """Whether it is written as PRIMARY KEY or UNIQUE in the table rather than as an index of its own."""
    is_plain = not index.where and not index.includes and all(_PLAIN.fullmatch(column) for column in index.columns)
    return index.is_primary or (index.is_unique and is_plain)


def key_clause(index: PlannedIndex) -> str:
    kind = "PRIMARY KEY" if index.is_primary else "UNIQUE"
    return f"CONSTRAINT {quoted(index.name)} {kind} ({', '.join(map(part, index.columns))})"


def create_index(table: PlannedTable, index: PlannedIndex, *, is_concurrent: bool = False) -> str:
    kind = "UNIQUE INDEX" if index.is_unique else "INDEX"
    how = " CONCURRENTLY" if is_concurrent else ""
    text = f"CREATE {kind}{how} {quoted(index.name)} ON {quoted(table.name)} ({', '.join(map(part, index.columns))})"
    if index.includes:
        text += f" INCLUDE ({', '.join(map(quoted, index.includes))})"
    return f"{text} WHERE {index.where};" if index.where else f"{text};"


def create_table(table: PlannedTable, *, known: Sequence[str] = ()) -> str:
    """The table with its keys and checks; foreign keys only to itself and to the tables that are `known` already."""
    clauses = [column_clause(column) for column in table.columns]
    clauses += [key_clause(index) for index in table.indexes if is_constraint(index)]
    clauses += [
        foreign_key_clause(table, column)
        for column in table.columns
        if column.references and column.references.partition(".")[0] in (*known, table.name)
    ]
    clauses += [check_clause(check) for check in table.checks]
    partition = f" PARTITION BY {table.partition_by}" if table.partition_by else ""
    body = ",\n    ".join(clauses)
    return f"CREATE TABLE {quoted(table.name)} (\n    {body}\n){partition};"


def late_foreign_keys(tables: Sequence[PlannedTable]) -> Iterator[str]:
    """Foreign keys that close a ring of tables, for after the last table was made."""
    made: set[str] = set()
    names = {table.name for table in tables}
    for table in tables:
        made.add(table.name)
        for column in table.columns:
            parent = column.references.partition(".")[0]
            if parent in names - made:
                yield f"ALTER TABLE {quoted(table.name)} ADD {foreign_key_clause(table, column)};"


def comments(table: PlannedTable) -> Iterator[str]:
    if table.says:
        yield f"COMMENT ON TABLE {quoted(table.name)} IS {literal(table.says)};"
    for column in table.columns:
        marks = ["personal data"] if column.is_personal else []
        marks += ["encrypted by the service"] if column.is_encrypted else []
        if marks:
            text = ", ".join(marks).capitalize() + "."
            yield f"COMMENT ON COLUMN {quoted(table.name)}.{quoted(column.name)} IS {literal(text)};"


def append_only_function() -> str:
    """Made once for all tables that only grow."""
    return (
        f"CREATE FUNCTION {APPEND_ONLY}() RETURNS trigger LANGUAGE plpgsql AS $$\n"
        "BEGIN\n"
        f"    IF TG_OP = 'DELETE' AND current_setting('{RETENTION}', true) = 'on' THEN\n"
        "        RETURN NULL;\n"
        "    END IF;\n"
        "    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP\n"
        "        USING ERRCODE = 'restrict_violation';\n"
        "END\n"
        "$$;"
    )


def append_only_trigger(table: PlannedTable) -> str:
    name = identifier(table.name, "append_only")
    return (
        f"CREATE TRIGGER {quoted(name)} BEFORE UPDATE OR DELETE OR TRUNCATE ON {quoted(table.name)}\n"
        f"    FOR EACH STATEMENT EXECUTE FUNCTION {APPEND_ONLY}();"
    )


def partition_functions() -> str:
    """Made once for all tables that are cut by time; whoever uses the tables need not own them to cut them further."""
    return (
        "CREATE FUNCTION first_identifier(moment timestamp) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$\n"
        "    SELECT rpad(lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0'), 32, '0')::uuid\n$$;\n\n"
        "CREATE FUNCTION make_partitions(parent text, period text, ahead integer) RETURNS void LANGUAGE plpgsql\n"
        "SECURITY DEFINER SET search_path FROM CURRENT AS $$\n"
        "DECLARE\n    start timestamp := date_trunc(period, now() AT TIME ZONE 'UTC');\n"
        "    step interval := ('1 ' || period)::interval;\nBEGIN\n    FOR number IN 0..ahead LOOP\n        BEGIN\n"
        "            EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',\n"
        "                left(parent, 53) || to_char(start, '_\"p\"YYYYMMDD'), parent,\n"
        "                first_identifier(start), first_identifier(start + step));\n"
        "        EXCEPTION WHEN invalid_object_definition THEN\n"
        "            -- Cut otherwise before; until that is over, its rows go to the default partition.\n"
        "            RAISE WARNING 'partition of % at % overlaps', parent, start;\n        END;\n"
        "        start := start + step;\n    END LOOP;\nEND\n$$;\n\n"
        "CREATE FUNCTION drop_partitions(parent text, period text, before timestamptz) RETURNS void LANGUAGE plpgsql\n"
        "SECURITY DEFINER SET search_path FROM CURRENT AS $$\nDECLARE\n    child text;\nBEGIN\n    FOR child IN\n"
        "        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid\n"
        "        WHERE inhparent = parent::regclass AND relname ~ '_p[0-9]{8}$'\n"
        "          AND to_date(right(relname, 8), 'YYYYMMDD') + ('1 ' || period)::interval <= before\n"
        "    LOOP\n        EXECUTE format('DROP TABLE %I', child);\n    END LOOP;\nEND\n$$;\n\n"
        "REVOKE EXECUTE ON FUNCTION make_partitions, drop_partitions FROM PUBLIC;"
    )


def partition_period(table: PlannedTable) -> str:
    """Days or months, so that there are some dozens of partitions and not thousands."""
    return "day" if (table.retention_s or 0.0) <= DAILY_S_MAX else "month"


def first_partitions(table: PlannedTable) -> str:
    """The next ones, and one for what belongs to none of them."""
    default = quoted(identifier(table.name, "default"))
    return (
        f"CREATE TABLE {default} PARTITION OF {quoted(table.name)} DEFAULT;\n"
        f"SELECT make_partitions({literal(table.name)}, {literal(partition_period(table))}, {PARTITIONS_AHEAD});"
    )


def table_script(table: PlannedTable, *, known: Sequence[str] = ()) -> str:
    """Everything that makes one table: itself, its indexes, its trigger, its comments."""
    parts = [create_table(table, known=known)]
    parts += [create_index(table, index) for index in table.indexes if not is_constraint(index)]
    if table.partition_by:
        parts.append(first_partitions(table))
    if table.is_append_only:
        parts.append(append_only_trigger(table))
    return "\n".join([*parts, *comments(table)])


def schema_script(tables: Sequence[PlannedTable]) -> str:
    """Runs on an empty PostgreSQL in one go."""
    blocks: list[str] = []
    if any(table.is_append_only for table in tables):
        blocks.append(append_only_function())
    if any(table.partition_by for table in tables):
        blocks.append(partition_functions())
    known: list[str] = []
    for table in tables:
        blocks.append(table_script(table, known=known))
        known.append(table.name)
    blocks += late_foreign_keys(tables)
    return "\n\n".join(blocks) + "\n"
