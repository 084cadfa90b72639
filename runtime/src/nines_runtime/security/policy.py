"""Who may see and change which rows: said once, kept by the database.

    policy = Policy(owner("owner_id") | role("support"), tenant="merchant_id")
    where, arguments = policy.predicate(caller, first=2)      # (merchant_id = $2 AND (owner_id = $3))

A row that the predicate hides is no row: answer as for one that is not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from nines_runtime.web.caller import Caller
from nines_runtime.web.problem import Problem

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?\Z")
_NOTHING, _EVERYTHING = "false", "true"


class Bound:
    """Values and their placeholders."""

    __slots__ = ("_first", "values")

    def __init__(self, first: int) -> None:
        self._first = first
        self.values: list[Any] = []

    def bind(self, value: Any) -> str:
        self.values.append(value)
        return f"${self._first + len(self.values) - 1}"


class Rule:
    """One condition; `|` means that one of two is enough, `&` that both are needed."""

    def __or__(self, other: Rule) -> Rule:
        return _Joined("OR", self, other)

    def __and__(self, other: Rule) -> Rule:
        return _Joined("AND", self, other)

    def compile(self, caller: Caller, bound: Bound) -> str:
        raise NotImplementedError


class _Equal(Rule):
    def __init__(self, column: str, attribute: str) -> None:
        if _NAME.match(column) is None:
            raise ValueError(f"{column!r} is not a column's name")
        self._column = column
        self._attribute = attribute

    def compile(self, caller: Caller, bound: Bound) -> str:
        value = getattr(caller, self._attribute)
        # Nobody owns nothing: an empty value must not match an empty column.
        return f"{self._column} = {bound.bind(value)}" if value else _NOTHING


class _Either(Rule):
    """Depends on the caller alone, not on the row."""

    def __init__(self, holds: Callable[[Caller], bool]) -> None:
        self._holds = holds

    def compile(self, caller: Caller, bound: Bound) -> str:  # noqa: ARG002 -- of the base
        return _EVERYTHING if self._holds(caller) else _NOTHING


class _Joined(Rule):
    def __init__(self, word: str, *parts: Rule) -> None:
        self._word = word
        self._parts = parts

    def compile(self, caller: Caller, bound: Bound) -> str:
        decisive, idle = (_EVERYTHING, _NOTHING) if self._word == "OR" else (_NOTHING, _EVERYTHING)
        before, left = len(bound.values), []
        for part in self._parts:
            said = part.compile(caller, bound)
            if said == decisive:
                del bound.values[before:]
                return decisive
            if said != idle:
                left.append(said)
        return f"({f' {self._word} '.join(left)})" if left else idle


def owner(column: str = "owner_id") -> Rule:
    """The caller is the one in the column."""
    return _Equal(column, "subject")


def role(*names: str, needs_second_factor: bool = False) -> Rule:
    return _Either(
        lambda caller: not caller.roles.isdisjoint(names) and (caller.has_second_factor or not needs_second_factor)
    )


def known() -> Rule:
    """Everybody who showed who they are."""
    return _Either(lambda caller: bool(caller.subject))


def public() -> Rule:
    return _Either(lambda _: True)


class Policy:
    """A rule for the rows of a table, within the caller's tenant where there are tenants."""

    def __init__(self, rule: Rule, *, tenant: str = "") -> None:
        self._rule = _Equal(tenant, "tenant") & rule if tenant else rule

    def predicate(self, caller: Caller, *, first: int = 1) -> tuple[str, tuple[Any, ...]]:
        """A condition for WHERE, with placeholders from `$first` on, and their values."""
        bound = Bound(first)
        said = self._rule.compile(caller, bound)
        return said, tuple(bound.values)

    def require(self, caller: Caller) -> None:
        """Raises Problem("forbidden") where no row at all could be reached: it saves the statement."""
        if self.predicate(caller)[0] == _NOTHING:
            raise Problem("forbidden" if caller.subject else "unauthorized")
