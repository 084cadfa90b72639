"""Everything that is said about a service before its first line of code."""

from __future__ import annotations

from nines.model.blueprint.dependency import Dependency, DependencyKind
from nines.model.blueprint.operation import SIGNING, Consumer, Events, Job, Limit, Module, Operation
from nines.model.blueprint.resource import Resource, ValueType
from nines.model.blueprint.service import (
    Authentication,
    Card,
    Demand,
    Deployment,
    OpenQuestion,
    Promises,
    Role,
    Tenancy,
)
from nines.model.place import Place
from nines.model.record import Record


class Blueprint(Record):
    """Everything that is said about a service before its first line of code."""

    service: Card
    nines: int = 1
    """The version of the vocabulary."""
    budgets: Promises = Promises()
    load: Demand = Demand()
    auth: Authentication | None = None
    roles: tuple[Role, ...] = ()
    tenancy: Tenancy | None = None
    types: tuple[ValueType, ...] = ()
    resources: tuple[Resource, ...] = ()
    operations: tuple[Operation, ...] = ()
    jobs: tuple[Job, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    limits: tuple[Limit, ...] = ()
    events: Events = Events()
    consumers: tuple[Consumer, ...] = ()
    modules: tuple[Module, ...] = ()
    deploy: Deployment = Deployment()
    open_questions: tuple[OpenQuestion, ...] = ()
    source: str = ""
    """The file that it was read from."""
    places: tuple[tuple[str, Place], ...] = ()
    """Where each path ("operations.createPayment.calls") is written."""

    def place_of(self, path: str) -> Place | None:
        """Where the path is written, else the nearest part that holds it."""
        known = dict(self.places)
        while path and path not in known:
            path = path.rpartition(".")[0]
        return known.get(path)

    def resource(self, name: str) -> Resource | None:
        return next((each for each in self.resources if each.name == name), None)

    def operation(self, name: str) -> Operation | None:
        return next((each for each in self.operations if each.name == name), None)

    def dependency(self, name: str) -> Dependency | None:
        return next((each for each in self.dependencies if each.name == name), None)

    def value_type(self, name: str) -> ValueType | None:
        return next((each for each in self.types if each.name == name), None)

    def module_of(self, resource: str) -> Module | None:
        return next((each for each in self.modules if resource in each.resources), None)

    def limit_of(self, operation: str) -> Limit | None:
        """The operation's own limit, else the default."""
        own = next((each for each in self.limits if each.operation == operation), None)
        return own or next((each for each in self.limits if not each.operation), None)

    def is_open(self, operation: Operation) -> bool:
        """Whether anybody may call it, signed in or not."""
        has_none = self.auth is None or self.auth.scheme == "none"
        return operation.is_public or operation.do in SIGNING or has_none

    @property
    def database(self) -> Dependency | None:
        return next((each for each in self.dependencies if each.kind is DependencyKind.POSTGRES), None)

    def rate_hz(self, operation: Operation, *, at_peak: bool = False) -> float:
        """How often the operation is called: its share, or an equal part of what the others leave."""
        whole = self.load.peak_hz if at_peak else self.load.steady_hz
        if operation.share is not None:
            return whole * operation.share
        unsaid = [each for each in self.operations if each.share is None]
        left = max(0.0, 1.0 - sum(each.share or 0.0 for each in self.operations))
        return whole * left / len(unsaid)
