"""A service as it shall be, or as it was found: what the chapters of the dossier tell and what build writes.

A design is obtained twice, as a trace is: derived from a blueprint, or recovered from code that exists. The chapters
see only this noun, so that they cannot contradict one another."""

from __future__ import annotations

from enum import StrEnum

from nines.model.blueprint import (
    Authentication,
    Blueprint,
    Card,
    Demand,
    Dependency,
    Deployment,
    Event,
    Module,
    Promises,
    Role,
    Tenancy,
)
from nines.model.design.capacity import CapacityPlan
from nines.model.design.data import Migration, PlannedQuery, PlannedTable
from nines.model.design.decision import Decision, Gap, Objection
from nines.model.design.flow import PlannedJob
from nines.model.design.interface import PlannedEndpoint, Shape
from nines.model.design.naming import package_name
from nines.model.design.protocol import Numbers, PlannedProtocol
from nines.model.design.risk import Answer, Element, FailureMode, Forecast, Secret, Threat
from nines.model.design.running import Running
from nines.model.record import Record


class Source(StrEnum):
    BLUEPRINT = "blueprint"
    CODE = "code"


class Design(Record):
    card: Card
    source: Source
    blueprint: Blueprint | None = None
    where: str = ""
    """The blueprint's file name, or the project's folder name."""
    budgets: Promises = Promises()
    demand: Demand | None = None
    """None: not known; then capacity says what it would need."""
    auth: Authentication | None = None
    roles: tuple[Role, ...] = ()
    tenancy: Tenancy | None = None
    deploy: Deployment = Deployment()
    modules: tuple[Module, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    endpoints: tuple[PlannedEndpoint, ...] = ()
    shapes: tuple[Shape, ...] = ()
    protocol: PlannedProtocol | None = None
    """The same operations for other services; None: they are asked over HTTP."""
    numbers: Numbers = Numbers()
    """Those of the protocol that callers were given before."""
    jobs: tuple[PlannedJob, ...] = ()
    events: tuple[Event, ...] = ()
    tables: tuple[PlannedTable, ...] = ()
    """Parents before their children."""
    queries: tuple[PlannedQuery, ...] = ()
    migrations: tuple[Migration, ...] = ()
    capacity: CapacityPlan | None = None
    elements: tuple[Element, ...] = ()
    threats: tuple[Threat, ...] = ()
    answers: tuple[Answer, ...] = ()
    """To the ten risks of the OWASP API Security Top 10, in their order."""
    secrets: tuple[Secret, ...] = ()
    failures: tuple[FailureMode, ...] = ()
    forecast: Forecast | None = None
    running: Running = Running()
    decisions: tuple[Decision, ...] = ()
    gaps: tuple[Gap, ...] = ()
    warnings: tuple[Objection, ...] = ()
    released: str = ""
    """The OpenAPI document that callers rely on today, as text; empty: nothing was released."""

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def package(self) -> str:
        """The import name of the service."""
        return package_name(self.card.name)

    @property
    def is_recovered(self) -> bool:
        return self.source is Source.CODE

    def endpoint(self, id: str) -> PlannedEndpoint | None:
        return next((each for each in self.endpoints if each.id == id), None)

    def shape(self, name: str) -> Shape | None:
        return next((each for each in self.shapes if each.name == name), None)

    def table(self, name: str) -> PlannedTable | None:
        return next((each for each in self.tables if each.name == name), None)

    def table_of(self, resource: str) -> PlannedTable | None:
        """The table that keeps the resource itself."""
        return next((each for each in self.tables if each.resource == resource), None)

    def query(self, id: str) -> PlannedQuery | None:
        return next((each for each in self.queries if each.id == id), None)

    def dependency(self, name: str) -> Dependency | None:
        return next((each for each in self.dependencies if each.name == name), None)

    def critical(self) -> tuple[PlannedEndpoint, ...]:
        return tuple(each for each in self.endpoints if each.is_critical)
