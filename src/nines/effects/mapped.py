"""A mapped class as a noun: its table, columns and relations."""

from __future__ import annotations

from dataclasses import dataclass, field

from nines.effects.link import ClassInfo
from nines.model.place import Place


@dataclass(slots=True)
class MappedColumn:
    attribute: str
    name: str
    type: str = ""
    is_nullable: bool | None = None
    is_primary: bool = False
    is_unique: bool = False
    is_indexed: bool = False
    references: str = ""
    place: Place | None = None


@dataclass(slots=True)
class Relation:
    """An attribute that stands for rows of another table; `column` is the key at this side, or at the other's."""

    name: str
    target: ClassInfo | None
    is_many: bool
    is_eager: bool = False
    column: str = ""
    place: Place | None = None
    through: str = ""
    is_back: bool = False
    """Seen from the side that has no column: the key stands in the other table."""


@dataclass(slots=True)
class Mapped:
    """A class with its table."""

    info: ClassInfo
    name: str
    columns: dict[str, MappedColumn] = field(default_factory=dict)
    relations: dict[str, Relation] = field(default_factory=dict)
    unique: list[tuple[str, ...]] = field(default_factory=list)
    partly_unique: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict)
    """Unique where a condition holds, with the columns that it speaks of; none: it was not understood."""
    indexes: list[tuple[str, ...]] = field(default_factory=list)
    key: str = ""
    is_complete: bool = True
    base: str = ""
    version: str = ""
    """The column that every update compares and counts up."""

    def column_of(self, attribute: str) -> str:
        """The database's name for an attribute; a relation stands for its key."""
        found = self.columns.get(attribute)
        if found is not None:
            return found.name
        relation = self.relations.get(attribute)
        return relation.column if relation and relation.column and not relation.is_many else attribute

    def is_unique(self, columns: set[str]) -> bool:
        return any(set(key) <= columns for key in self.unique)

    def excludes(self, columns: set[str]) -> bool:
        """Whether a second row with the same values is refused, as far as reading tells: of a condition only its
        columns are known, not whether these values meet it."""
        partly = (others.union(key) for key, others in self.partly_unique.items() if others)
        return self.is_unique(columns) or any(columns.issuperset(key) for key in partly)
