"""Whose rows a table holds, as far as its columns and foreign keys tell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import IntEnum

from nines.model.schema import Table

HOPS_MAX = 3
"""Foreign keys to follow from a row to its owner: comment, post, blog, user."""

_PEOPLE = re.compile(
    r"(?:^|_)(?:users?|accounts?|customers?|members?|memberships?|organi[sz]ations?|orgs?|tenants?|teams?|compan(?:y|ies)"
    r"|workspaces?|patients?|clients?|subscribers?|employees?|students?|households?|merchants?|sellers?|buyers?)$"
)
_AUTHORSHIP = re.compile(
    r"author|creat|sender|poster|upload|updat|modif|edit|assign|review|approv|delet|changed|by$|by_id$|invit|actor"
)
_OWNER_COLUMN = re.compile(
    r"^(?:owner|user|account|customer|tenant|org|organi[sz]ation|company|workspace|patient|client|subscriber|member|holder"
    r"|recipient|buyer|merchant|household)(?:_?(?:id|uuid|pk|key))?$"
)


class Ownership(IntEnum):
    """How strongly a table's rows belong to somebody."""

    NOBODY = 0
    AUTHORED = 1
    """Somebody wrote it, perhaps for everyone to read."""
    INHERITED = 2
    """A parent row belongs to somebody."""
    OWNED = 3
    IDENTITY = 4
    """The row is a person, an account or a tenant."""


class Owners:
    """Answers for the tables of one service."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._tables = {table.name: table for table in tables}
        self._known: dict[str, Ownership] = {}

    def of(self, name: str) -> Ownership:
        if name not in self._known:
            self._known[name] = self._find(name, HOPS_MAX, frozenset())
        return self._known[name]

    def _find(self, name: str, hops: int, seen: frozenset[str]) -> Ownership:
        table = self._tables.get(name)
        if table is None or name in seen:
            return Ownership.NOBODY
        if _PEOPLE.search(name):
            return Ownership.IDENTITY
        found = Ownership.NOBODY
        for column in table.columns:
            parent = column.references.partition(".")[0]
            if _AUTHORSHIP.search(column.name):
                found = max(found, Ownership.AUTHORED)
            elif _OWNER_COLUMN.match(column.name) or (parent and _PEOPLE.search(parent)):
                return Ownership.OWNED
            elif parent and hops and not column.is_nullable:
                above = self._find(parent, hops - 1, seen | {name})
                found = max(found, Ownership.INHERITED if above >= Ownership.INHERITED else Ownership.NOBODY)
        return found
