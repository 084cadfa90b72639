"""Statements that steer a session or a transaction: recognised by their first words, for they are half of the wire."""

from __future__ import annotations

from nines.model.effect import Rows
from nines.model.statement import Statement
from nines.readers.sql.scan import Scan

_BY_WORD = {
    "begin": "BEGIN",
    "commit": "COMMIT",
    "end": "COMMIT",
    "abort": "ROLLBACK",
    "savepoint": "SAVEPOINT",
    "release": "SAVEPOINT",
    "set": "SET",
    "reset": "SET",
    "show": "SET",
    "discard": "SET",
    "deallocate": "SET",
    "close": "SET",
    "listen": "SET",
    "unlisten": "SET",
    "pragma": "SET",
    "create": "DDL",
    "alter": "DDL",
    "drop": "DDL",
    "truncate": "DDL",
    "comment": "DDL",
    "grant": "DDL",
    "revoke": "DDL",
    "reindex": "DDL",
    "vacuum": "DDL",
    "analyze": "DDL",
    "cluster": "DDL",
    "refresh": "DDL",
}
_NO_TABLE = frozenset(
    {"if", "exists", "not", "only", "concurrently", "table", "unique", "temp", "temporary", "unlogged", "or", "replace"}
)


def session_statement(scanned: Scan) -> Statement | None:
    """The statement, if its first words say all there is to know; else None."""
    words = scanned.words
    if not words or scanned.statements > 1:
        return None
    first = words[0]
    second = words[1] if len(words) > 1 else ""
    if first == "rollback":
        # `ROLLBACK TO SAVEPOINT` undoes a part and leaves the transaction open.
        action = "SAVEPOINT" if "to" in words else "ROLLBACK"
    elif first == "start" and second == "transaction":
        action = "BEGIN"
    elif first == "prepare" and second == "transaction":
        action = "COMMIT"
    elif first == "copy":
        is_write = "from" in words
        return Statement(
            action="INSERT" if is_write else "SELECT",
            tables=_table_after(scanned) if second else (),
            rows=Rows.MANY,
            shape=scanned.shape,
            is_understood=bool(second),
        )
    elif first == "fetch":
        return Statement(action="SELECT", shape=scanned.shape)
    elif first == "lock":
        return Statement(action="LOCK", tables=_table_after(scanned), shape=scanned.shape, is_understood=True)
    else:
        action = _BY_WORD.get(first, "")
    if not action:
        return None
    tables = _table_after(scanned) if action == "DDL" and ("table" in words or first == "truncate") else ()
    return Statement(action=action, tables=tables, shape=scanned.shape, is_understood=True)


def _table_after(scanned: Scan) -> tuple[str, ...]:
    """The table that a short statement names: the first word that is none of the grammar's."""
    names = scanned.shape.split()[1:]
    for name in names:
        bare = name.strip('(),;"').lower()
        if bare and bare not in _NO_TABLE:
            return (bare.rpartition(".")[2].strip('"'),)
    return ()
