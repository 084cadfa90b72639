"""How long things are kept, who may read them on the disk, what becomes of personal data, and who did what."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier import words
from nines.dossier.markdown import bullets, code, heading, table
from nines.model.design import Design, PlannedColumn, PlannedTable


def sections(design: Design) -> list[str]:
    return [*_retention(design), *_personal(design), *_encryption(design), *_audit(design)]


def _retention(design: Design) -> list[str]:
    rows = [
        (code(each.name), words.duration(each.retention_s), _purged(design, each))
        for each in design.tables
        if each.retention_s is not None
    ]
    unsaid = [code(each.name) for each in design.tables if each.resource and each.retention_s is None]
    blocks = [table(("table", "kept for", "deleted by"), rows)] if rows else []
    if design.is_recovered:
        blocks.append(
            "How long the other tables are kept is not known." if rows else "How long anything is kept is not known."
        )
    elif unsaid:
        blocks.append(f"Nobody said how long {', '.join(unsaid)} may be kept: nothing is deleted there.")
    return [heading(2, "Retention"), *blocks] if blocks else []


def _purged(design: Design, each: PlannedTable) -> str:
    """The job that deletes, else the row that it goes with."""
    purge = next((query for query in design.queries if query.is_write and _deletes(query.id, each)), None)
    if purge:
        return f"{', '.join(code(name) for name in purge.used_by)}, with {code(purge.id)}"
    parent = next((column for column in each.columns if column.on_delete == "CASCADE"), None)
    return f"goes with {code(parent.references)}" if parent else ""


def _deletes(query: str, each: PlannedTable) -> bool:
    name = each.name.replace("_", "-")
    return query in (f"purge-{name}", f"drop-partitions-of-{name}")


def _personal(design: Design) -> list[str]:
    found = [(each, column) for each in design.tables for column in each.columns if column.is_personal]
    if not found:
        return []
    rows = [(f"{code(each.name)}.{code(column.name)}", _kept(each), _erased(each, column)) for each, column in found]
    says = "Somebody who asks to be forgotten is forgotten here; events carry none of it, and logs are redacted."
    return [heading(2, "Personal data"), says, table(("column", "kept for", "erased by"), rows)]


def _kept(each: PlannedTable) -> str:
    return words.duration(each.retention_s) if each.retention_s is not None else "?"


def _erased(each: PlannedTable, column: PlannedColumn) -> str:
    if each.is_append_only:
        return "the end of its time: rows here are never changed"
    if not each.resource and any(other.on_delete == "CASCADE" for other in each.columns):
        return "deleting its row"
    if column.is_nullable:
        return "setting it to NULL"
    unique = any(index.is_unique and column.name in index.names for index in each.indexes)
    return "overwriting it with a value made of the row's id" if unique else "overwriting it"


def _encryption(design: Design) -> list[str]:
    secret = [f"{code(each.name)}.{code(c.name)}" for each in design.tables for c in each.columns if c.is_encrypted]
    if design.is_recovered:
        return []
    if not secret:
        return [
            heading(2, "Encryption at rest"),
            "No field asks for encryption by the service itself: the data is as safe as the disks of the database and "
            "of its backups are. Encrypt them.",
        ]
    return [
        heading(2, "Encryption at rest"),
        f"The service encrypts {', '.join(secret)} itself, so that a copy of the database does not tell what is in "
        "there. Each value names the key that it was written with: a new key is used at once, while the old one still "
        "reads what it wrote. All else is as safe as the disks of the database and of its backups are: encrypt them.",
    ]


def _audit(design: Design) -> list[str]:
    told = list(_audited(design))
    if not told or design.is_recovered:
        return []
    return [
        heading(2, "Audit"),
        bullets(told),
        "Each object has a chain of its own: every entry holds the SHA-256 of itself and of the entry before it, so "
        "that whoever changes one has to change all that follow. An object whose version is higher than its chain is "
        "long has lost the end of it. Reads stand on the chain of the process that answered them, for no lock puts "
        "them in order.",
    ]


def _audited(design: Design) -> Iterator[str]:
    for each in design.tables:
        if each.resource and each.audit != "none":
            what = "every change and every read" if each.audit == "all" else "every change"
            yield f"{code(each.name)}: {what}"
