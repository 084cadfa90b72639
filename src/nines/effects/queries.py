"""A database statement under construction: what a chain of builder calls has said so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nines.effects.sources import NO_SOURCES, Sources
from nines.model.effect import Known

if TYPE_CHECKING:
    from nines.effects.link.names import ClassInfo


@dataclass(frozen=True, slots=True)
class Written:
    """A column that is set, and from where; `is_atomic` when the database computes it from the row."""

    column: str
    sources: Sources = NO_SOURCES
    is_atomic: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """One predicate; `table` is "" for the statement's own table."""

    column: str
    operator: str = "="
    sources: Sources = NO_SOURCES
    table: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """An immutable statement; each builder verb makes a changed copy."""

    action: str = "SELECT"
    entity: ClassInfo | None = None
    table: str = ""
    is_column: bool = False
    """Selects columns, not whole rows of the entity."""
    is_single: bool = False
    """Returns one row whatever the data: an aggregate without grouping, EXISTS."""
    conditions: tuple[Condition, ...] = ()
    known: bool = True
    limit: Known = Known.MISSING
    limit_sources: Sources = NO_SOURCES
    limit_one: bool = False
    locks: bool = False
    eager: frozenset[str] = frozenset()
    written: tuple[Written, ...] = ()
    conflict: bool = False
    returning: bool = False
    text: str = ""
    text_sources: Sources = NO_SOURCES
    payload: Sources = NO_SOURCES
    connection: str = ""
    is_related: bool = False
    """Reached through a parent's relation, whose key is already a condition."""
    is_streamed: bool = False
    """Its rows are handed over a few at a time."""
    is_loaded: bool = False
    """Was fetched together with its parent: looking at it costs nothing."""
