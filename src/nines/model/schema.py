"""The database's shape, as the code declares it or as the live database answers."""

from __future__ import annotations

from nines.model.place import Place
from nines.model.record import Record


class Column(Record):
    name: str
    type: str = ""
    """Lower case, in the words of SQL where known: "integer", "numeric", "timestamp with time zone"."""
    is_nullable: bool | None = None
    is_primary: bool = False
    is_unique: bool = False
    is_indexed: bool = False
    references: str = ""
    """`table.column` of a foreign key."""
    place: Place | None = None


class Relationship(Record):
    """An attribute of a mapped class that loads rows of another table when touched."""

    name: str
    target: str
    is_many: bool = False
    is_eager: bool = False
    place: Place | None = None


class Table(Record):
    name: str
    columns: tuple[Column, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    """Unique constraints and unique indexes over one or several columns, the primary key included."""
    partly_unique: tuple[tuple[str, ...], ...] = ()
    """Those that hold for some rows only (`WHERE ...`)."""
    indexes: tuple[tuple[str, ...], ...] = ()
    relationships: tuple[Relationship, ...] = ()
    model: str = ""
    """The qualified name of the mapped class."""
    place: Place | None = None
    is_complete: bool = True
    """False when a part of the declaration was not understood: then absence proves nothing."""

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    def is_unique_over(self, columns: frozenset[str]) -> bool:
        """Whether fixing these columns selects at most one row."""
        return any(set(key) <= columns for key in self.unique)

    def may_be_unique_over(self, columns: frozenset[str]) -> bool:
        """Whether it does so at least for the rows that some condition picks."""
        return any(set(key) <= columns for key in (*self.unique, *self.partly_unique))
