"""A flow while it is put together: steps and statements in their order, transactions numbered as they begin."""

from __future__ import annotations

from collections.abc import Sequence

from nines.model.blueprint import Blueprint, Dependency, Fallback, Grant, GrantKind, Resource
from nines.model.design import Branch, Flow, FlowStep, PlannedTable, StepKind
from nines.model.record import Record
from nines.planning.flows.statement import Sql, Statement

UNANSWERED_TIMEOUT_S = 2.0
"""Of a call to a dependency whose blueprint names none: longer would hold a caller past every budget."""


class Script(Record):
    """What one operation or job does: its statements in order, its flow, its isolation."""

    name: str
    statements: tuple[Statement, ...]
    flow: Flow
    isolation: str = ""
    isolation_reason: str = ""


class Draft:
    """Puts a script together; `transaction` is the number of the open one."""

    def __init__(
        self,
        blueprint: Blueprint,
        tables: Sequence[PlannedTable],
        name: str,
        *,
        status: int | None = None,
        grants: tuple[Grant, ...] = (),
    ) -> None:
        """`status` is what the operation answers when all goes well; `grants` is what its object must allow."""
        self.blueprint = blueprint
        self.tables = tables
        self.name = name
        self.status = status
        self._grants = grants
        self.statements: list[Statement] = []
        self.steps: list[FlowStep] = []
        self._open: int | None = None
        self._is_answered = False
        self._begun = 0
        self._isolation = ("", "")

    def changers(self, resource: Resource) -> tuple[Grant, ...]:
        """Who may change an object: whoever may write it, and the roles that this operation lets do so."""
        roles = tuple(grant for grant in self._grants if grant.kind is GrantKind.ROLE)
        return tuple(dict.fromkeys((*resource.access.write, *roles))) if resource.access.write else ()

    def sql(self, table: PlannedTable) -> Sql:
        return Sql(self.tables, table)

    def table(self, name: str) -> PlannedTable:
        return next(each for each in self.tables if each.name == name)

    def add(
        self, kind: StepKind, says: str, *, branches: Sequence[Branch] = (), target: str = "", undo: str = ""
    ) -> None:
        self.steps.append(
            FlowStep(
                kind=kind,
                says=says,
                target=target,
                transaction=self._open,
                branches=tuple(branches),
                undo=undo,
                after_response=self._is_answered,
            )
        )
        self._is_answered = self._is_answered or kind is StepKind.RESPOND

    def begin(self, says: str = "begin") -> None:
        self._open = self._begun
        self._begun += 1
        self.add(StepKind.BEGIN, says)

    def commit(self, says: str = "commit", *, branches: Sequence[Branch] = ()) -> None:
        self.add(StepKind.COMMIT, says, branches=branches)
        self._open = None

    def query(
        self,
        statement: Statement,
        says: str,
        *,
        branches: Sequence[Branch] = (),
        is_repeated: bool = False,
        undo: str = "",
    ) -> None:
        self.statements.append(statement)
        self.steps.append(
            FlowStep(
                kind=StepKind.QUERY,
                says=says,
                target=statement.tables[0],
                query=statement.id,
                transaction=self._open,
                branches=tuple(branches),
                is_repeated=is_repeated,
                undo=undo,
                timeout_s=database.timeout_s if (database := self.blueprint.database) else None,
                after_response=self._is_answered,
            )
        )

    def also(self, *statements: Statement) -> None:
        """Statements that a branch or a variant sends in the place of a step's own."""
        self.statements += statements

    def call(self, verb: str, says: str, *, branches: Sequence[Branch] = (), undo: str = "") -> None:
        """A call to another service; it has no business inside a transaction."""
        if self._open is not None:
            raise AssertionError(f"{self.name} calls {verb} inside a transaction")
        name, dependency = self.callee(verb)
        retry = dependency.retry if dependency else None
        self.steps.append(
            FlowStep(
                kind=StepKind.CALL,
                says=says,
                target=name,
                timeout_s=timeout_s(dependency),
                attempts_max=1 + retry.max if retry else 1,
                branches=tuple(branches),
                undo=undo,
                after_response=self._is_answered,
            )
        )

    def callee(self, verb: str) -> tuple[str, Dependency | None]:
        name = verb.partition(".")[0]
        return name, self.blueprint.dependency(name)

    def isolate(self, level: str, reason: str) -> None:
        self._isolation = (level, reason)

    def done(self) -> Script:
        if self._open is not None:
            raise AssertionError(f"{self.name} leaves a transaction open")
        return Script(
            name=self.name,
            statements=tuple(self.statements),
            flow=Flow(steps=tuple(self.steps)),
            isolation=self._isolation[0],
            isolation_reason=self._isolation[1],
        )


def timeout_s(dependency: Dependency | None) -> float:
    given = dependency.timeout_s if dependency else None
    return given if given is not None else UNANSWERED_TIMEOUT_S


def is_queued(dependency: Dependency | None) -> bool:
    return dependency is not None and dependency.fallback is Fallback.QUEUE
