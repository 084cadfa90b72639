"""The steps of a migration while they are collected, each in its phase."""

from __future__ import annotations

from nines.model.design import Migration
from nines.model.design.ddl import identifier
from nines.model.record import Record

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '2s';"
"""A step that waits for a lock makes everybody behind it wait as well; it gives up, and is run again."""


class Step(Record):
    name: str
    sql: str
    says: str
    is_blocking: bool = False
    is_alone: bool = False
    """Runs outside of a transaction, and alone."""


class Stages:
    """Old code runs until the contract phase begins, new code from the end of the expand phase."""

    def __init__(self) -> None:
        self._look: list[Step] = []
        self._expand: list[Step] = []
        self._migrate: list[Step] = []
        self._link: list[Step] = []
        self._contract: list[Step] = []
        self._finish: list[Step] = []

    def look(self, name: str, sql: str, says: str) -> None:
        """Before anything is changed."""
        self._look.append(Step(name=name, sql=sql, says=says))

    def expand(self, name: str, sql: str, says: str, *, is_alone: bool = False, is_blocking: bool = False) -> None:
        self._expand.append(Step(name=name, sql=sql, says=says, is_alone=is_alone, is_blocking=is_blocking))

    def migrate(self, name: str, sql: str, says: str, *, is_alone: bool = False, is_blocking: bool = False) -> None:
        self._migrate.append(Step(name=name, sql=sql, says=says, is_alone=is_alone, is_blocking=is_blocking))

    def link(self, name: str, sql: str, says: str) -> None:
        """At the end of the migrate phase, when every column has its type."""
        self._link.append(Step(name=name, sql=sql, says=says))

    def contract(self, name: str, sql: str, says: str, *, is_alone: bool = False, is_blocking: bool = False) -> None:
        self._contract.append(Step(name=name, sql=sql, says=says, is_alone=is_alone, is_blocking=is_blocking))

    def finish(self, name: str, sql: str, says: str) -> None:
        """At the very end, when nothing uses it any more."""
        self._finish.append(Step(name=name, sql=sql, says=says))

    def numbered(self, number: int) -> tuple[Migration, ...]:
        phases = (
            ("expand", [*self._look, *self._expand]),
            ("migrate", [*self._migrate, *self._link]),
            ("contract", [*self._contract, *self._finish]),
        )
        found = []
        for phase, steps in phases:
            for step in steps:
                name = identifier(f"{number:04d}", step.name.replace("-", "_"))
                sql = step.sql if step.is_alone else f"{LOCK_TIMEOUT}\n{step.sql}"
                found.append(
                    Migration(
                        name=name,
                        phase=phase,
                        sql=f"{sql}\n",
                        says=step.says,
                        is_blocking=step.is_blocking,
                        is_alone=step.is_alone,
                    )
                )
                number += 1
        return tuple(found)
