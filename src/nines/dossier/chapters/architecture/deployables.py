"""What is deployed: one process image for each separate module, and one for all that is not separate."""

from __future__ import annotations

from nines.model.blueprint import Dependency, DependencyKind, FieldKind, Resource
from nines.model.design import Design, FlowStep, PlannedEndpoint, PlannedJob, StepKind
from nines.model.record import Record

BROKERS = frozenset({DependencyKind.KAFKA, DependencyKind.NATS, DependencyKind.RABBITMQ})
STORES = frozenset({DependencyKind.POSTGRES, DependencyKind.REDIS, DependencyKind.OBJECTS})
PRODUCTS = {
    DependencyKind.POSTGRES: "PostgreSQL",
    DependencyKind.REDIS: "Redis",
    DependencyKind.HTTP: "HTTP",
    DependencyKind.GRPC: "gRPC",
    DependencyKind.KAFKA: "Kafka",
    DependencyKind.NATS: "NATS",
    DependencyKind.RABBITMQ: "RabbitMQ",
    DependencyKind.SMTP: "mail server",
    DependencyKind.OBJECTS: "object store",
}
_OUTBOX = "outbox"
SUBSCRIBERS = "subscribers"
"""What a flow calls those who take events without a broker."""


class Deployable(Record):
    name: str
    modules: tuple[str, ...] = ()
    reason: str = ""
    endpoints: tuple[PlannedEndpoint, ...] = ()
    jobs: tuple[PlannedJob, ...] = ()

    @property
    def steps(self) -> tuple[FlowStep, ...]:
        flows = [*(each.flow for each in self.endpoints), *(job.flow for job in self.jobs)]
        return tuple(step for flow in flows for step in flow.steps)

    @property
    def reaches(self) -> frozenset[str]:
        """What it asks or tells; tables are not meant, which may have the same names."""
        return frozenset(step.target for step in self.steps if step.kind is not StepKind.QUERY)

    @property
    def tells(self) -> bool:
        """Whether it tells events to others."""
        return any(each.emits for each in self.endpoints) or any(
            step.target == _OUTBOX or step.kind is StepKind.PUBLISH for step in self.steps
        )


def deployables(design: Design) -> tuple[Deployable, ...]:
    apart = [module for module in design.modules if module.is_separate]
    names = {module.name for module in apart}
    found = [
        Deployable(
            name=module.name,
            modules=(module.name,),
            reason=module.reason,
            endpoints=tuple(each for each in design.endpoints if each.module == module.name),
            jobs=tuple(job for job in design.jobs if module_of(design, job.resource) == module.name),
        )
        for module in apart
    ]
    rest = tuple(each for each in design.endpoints if each.module not in names)
    together = tuple(module.name for module in design.modules if not module.is_separate)
    if rest or together or not found:
        jobs = tuple(job for job in design.jobs if module_of(design, job.resource) not in names)
        found.insert(0, Deployable(name=design.name, modules=together, endpoints=rest, jobs=jobs))
    return tuple(found)


def shared_jobs(design: Design) -> tuple[PlannedJob, ...]:
    """Jobs that belong to no module where every module is a service: each service runs its own."""
    owned = {job.name for each in deployables(design) for job in each.jobs}
    return tuple(job for job in design.jobs if job.name not in owned)


def module_of(design: Design, resource: str) -> str:
    return next((module.name for module in design.modules if resource and resource in module.resources), "")


def owner(design: Design, endpoint: PlannedEndpoint) -> str:
    """The deployable that carries the endpoint out."""
    return next((each.name for each in deployables(design) if endpoint in each.endpoints), design.name)


def uses(design: Design, part: Deployable, dependency: Dependency) -> bool:
    """Whether the part reaches the dependency; one that no flow names serves them all."""
    if dependency.kind is DependencyKind.POSTGRES:
        return any(step.kind is StepKind.QUERY for step in part.steps) or _unnamed(design, dependency)
    if dependency.kind in BROKERS and dependency.name == broker(design):
        return part.tells
    return dependency.name in part.reaches or _unnamed(design, dependency)


def _unnamed(design: Design, dependency: Dependency) -> bool:
    if dependency.kind is DependencyKind.POSTGRES:
        return not any(step.kind is StepKind.QUERY for step in steps(design))
    return dependency.name not in Deployable(name="", endpoints=design.endpoints, jobs=design.jobs).reaches


def steps(design: Design) -> tuple[FlowStep, ...]:
    """Of every operation and every job."""
    return Deployable(name=design.name, endpoints=design.endpoints, jobs=design.jobs).steps


def broker(design: Design) -> str:
    return design.blueprint.events.broker if design.blueprint else ""


def calls_between(design: Design) -> tuple[tuple[Deployable, str, tuple[FlowStep, ...]], ...]:
    """Which deployable asks which other one, and the steps in which it does."""
    parts = deployables(design)
    names = {each.name for each in parts}
    found: list[tuple[Deployable, str, tuple[FlowStep, ...]]] = []
    for part in parts:
        asked = [step for step in part.steps if step.kind is StepKind.CALL and step.target in names - {part.name}]
        targets = dict.fromkeys(step.target for step in asked)
        found += [(part, target, tuple(step for step in asked if step.target == target)) for target in targets]
    return tuple(found)


def verbs(design: Design, dependency: str, part: Deployable) -> tuple[str, ...]:
    """What the part asks of the dependency, as the blueprint names it."""
    if design.blueprint is None:
        return ()
    names = {each.id for each in part.endpoints} | {job.name for job in part.jobs}
    called = [each.calls for each in design.blueprint.operations if each.name in names]
    called += [each.calls for each in design.blueprint.jobs if each.name in names]
    asked = [call.partition(".") for calls in called for call in calls]
    return tuple(dict.fromkeys(verb for owner, _, verb in asked if owner == dependency))


def resources(design: Design) -> tuple[Resource, ...]:
    return design.blueprint.resources if design.blueprint else ()


def references_across(design: Design) -> tuple[str, ...]:
    """References that no foreign key can hold, because another service keeps what they refer to."""
    apart = {module.name for module in design.modules if module.is_separate}
    found = []
    for resource in resources(design):
        own = module_of(design, resource.name)
        for field in resource.fields:
            other = module_of(design, field.of)
            if field.kind is FieldKind.REFERENCE and other != own and {own, other} & apart:
                found.append(f"{resource.name}.{field.name}")
    return tuple(found)
