"""How many rows of a table a read lets through, as far as its conditions tell."""

from __future__ import annotations

import re
from enum import IntEnum

from msgspec.structs import replace

from nines.model.effect import Effect, Predicate
from nines.model.origin import OriginKind
from nines.model.schema import Table

_KEY = re.compile(r"_id$|(?:^|_)pk$|key|code|token|slug|e?mail|uuid|hash|username|number$|^name$")
"""Columns of which one value selects a few rows."""
_SECRET = re.compile(r"key|token|hash|secret")
"""Columns of which even the beginning does; the beginning of a name does not."""
_TENANT = re.compile(r"^(?:organi[sz]ation|org|workspace|tenant|company|firm|household)(?:_?(?:id|uuid|pk))?$")
"""Parents under which everything of one customer hangs."""
_INSTANT = re.compile(r"timestamp|datetime|\bdate\b|\btime\b")
_INSTANT_NAME = re.compile(r"_at$|timestamp")
_STATE = re.compile(r"stat(?:us|e)$|type$|kind$|^(?:is|has)_|activ|enabl|level|role|categor|country|priority|mode$")
"""Columns of which one value says nothing about a single row."""
_MOST = re.compile(
    r"activ|enabl|disabl|visib|hidden|delet|archiv|public|publish|banned|blocked|removed|draft|test|trash|internal|valid"
)
"""Columns that sort out a few rows and keep the rest."""
_NARROWS_NOT = ("join", "!=", "checked")
_NARROWS_SOMEHOW = ("or", "", "overlap", "like")


class Share(IntEnum):
    """The part of a table that is read, the smallest first."""

    FEW = 0
    """Rows of one instant, or of keys that were sent."""
    PARENT = 1
    """Rows of one parent, of a key, of the caller."""
    SOME = 2
    """Rows in one state or period: how many they are cannot be read."""
    TENANT = 3
    MOST = 4
    ALL = 5


def conditions(effect: Effect) -> list[Predicate]:
    """Those of the statement; what is checked after the rows were fetched narrows nothing."""
    return [predicate for predicate in effect.predicates if predicate.operator != "checked"]


def share(effect: Effect, table: Table | None) -> Share:
    """What the narrowest condition leaves."""
    return min((_left_by(p, table) for p in conditions(effect)), default=Share.ALL)


def parent(effect: Effect, table: Table | None) -> str:
    """A column that narrows the rows to those of one parent, or of the caller."""
    return next((p.column for p in effect.predicates if p.operator == "=" and _is_narrow(p, table)), "")


def _left_by(predicate: Predicate, table: Table | None) -> Share:
    operator, column = predicate.operator, predicate.column
    kinds = {origin.kind for origin in predicate.origins}
    if _is_unclear(predicate, table):
        return Share.SOME
    if operator in _NARROWS_NOT or operator.startswith("not "):
        return Share.MOST
    if operator in _NARROWS_SOMEHOW and not _is_narrow(predicate, table):
        return Share.MOST if _MOST.search(column) else Share.SOME
    if operator == "exists":
        return Share.PARENT if predicate.origins else Share.SOME
    if operator == "=" and _is_instant(predicate, table):
        return Share.FEW
    if _is_narrow(predicate, table):
        is_tenant = operator == "=" and _TENANT.search(column.rpartition(".")[2])
        return Share.TENANT if is_tenant else Share.PARENT
    if operator in ("=", "in", "is"):
        is_open = OriginKind.CALLER in kinds or _MOST.search(column)
        return Share.MOST if is_open else Share.SOME
    return Share.SOME if OriginKind.CLOCK in kinds else Share.MOST


def _is_unclear(predicate: Predicate, table: Table | None) -> bool:
    """Whether nobody can read how much is left: rows without others, a narrow side of an OR, what a class computes."""
    operator, column = predicate.operator, predicate.column
    if operator in ("not exists", "or"):
        return operator == "not exists" or _is_narrow(replace(predicate, operator="="), table)
    if table is None or not table.is_complete or "." in column or not column:
        return False
    return operator not in (*_NARROWS_NOT, *_NARROWS_SOMEHOW, "exists") and not _is_known(column, table)


def _is_known(name: str, table: Table) -> bool:
    """Whether a condition names what the table has, and not what a class computes or compares in its own way."""
    return table.column(name) is not None or any(r.name == name for r in table.relationships)


def _is_instant(predicate: Predicate, table: Table | None) -> bool:
    column = table.column(predicate.column) if table else None
    return bool(_INSTANT_NAME.search(predicate.column)) or (column is not None and bool(_INSTANT.search(column.type)))


def _is_narrow(predicate: Predicate, table: Table | None) -> bool:
    """Whether it selects by a parent, a key or the caller, by one of them or by several."""
    name = predicate.column.rpartition(".")[2]
    column = table.column(predicate.column) if table else None
    is_relation = any(r.name == name for r in table.relationships) if table else False
    is_principal = any(origin.kind is OriginKind.PRINCIPAL for origin in predicate.origins)
    is_other_row = predicate.column != name and not _STATE.search(name) and not _MOST.search(name)
    is_key = is_other_row or bool(_KEY.search(name)) or (column is not None and bool(column.references))
    if predicate.operator == "exists":
        return bool(predicate.origins)
    is_row = any(origin.kind is OriginKind.DATABASE for origin in predicate.origins)
    is_in_row = predicate.operator == "like" and (bool(_SECRET.search(name)) or is_row)
    return is_in_row or (predicate.operator in ("=", "in") and (is_key or is_relation or is_principal))
