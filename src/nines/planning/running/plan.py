"""The part of the plan that says how the service is watched."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.blueprint import DependencyKind
from nines.model.design import Alert, Deployable, Design, Running
from nines.planning.data.names import kebab
from nines.planning.running import burning, metrics, objectives, others, processes, stores, tasks

_SHARED = frozenset(
    {
        DependencyKind.POSTGRES,
        DependencyKind.REDIS,
        DependencyKind.KAFKA,
        DependencyKind.NATS,
        DependencyKind.RABBITMQ,
    }
)
"""Kinds that each part uses with rights of its own."""


def running(design: Design) -> Design:
    """Objectives from the budgets, alerts on them and on causes, and the metrics behind both.

    Of a service that was read only those that need nothing but its operations and the budgets."""
    deployables = _deployables(design)
    watched = tuple(each for each in objectives.watched(design, deployables) if each.objective.budget > 0)
    found = [alert for each in watched for alert in burning.alerts(design.name, each)]
    return replace(
        design,
        running=Running(
            objectives=tuple(each.objective for each in watched),
            alerts=(*found, *_causes(design, deployables)),
            metrics=metrics.metrics(design),
            borrowed=metrics.borrowed(design, deployables),
            recordings=tuple(made for each in watched for made in burning.recordings(design.name, each)),
            deployables=deployables,
            watches=tasks.watches(design),
        ),
    )


def _causes(design: Design, deployables: tuple[Deployable, ...]) -> Iterator[Alert]:
    yield from processes.alerts(design, deployables)
    yield from stores.alerts(design, deployables)
    yield from others.alerts(design, deployables)
    yield from tasks.alerts(design, deployables)


def _deployables(design: Design) -> tuple[Deployable, ...]:
    """One for each separate module, and one for the rest, where there is a rest."""
    separate = {module.name for module in design.modules if module.is_separate}
    rest = tuple(each.id for each in design.endpoints if each.module not in separate)
    parts = tuple(
        Deployable(
            name=kebab(f"{design.name}-{module.name}"),
            module=module.name,
            operations=tuple(each.id for each in design.endpoints if each.module == module.name),
        )
        for module in design.modules
        if module.is_separate
    )
    whole = Deployable(name=kebab(design.name) or "service", operations=rest)
    return tuple(_sized(design, each) for each in ((whole, *parts) if rest or not parts else parts))


def _asked(design: Design, deployable: Deployable) -> tuple[str, ...]:
    """The whole service asks everything; a module knows no credential of what only another one asks."""
    if not deployable.module:
        return tuple(each.name for each in design.dependencies)
    mine = {each.name for each in design.tables if each.module == deployable.module}
    flows = [each.flow for each in design.endpoints if each.id in deployable.operations]
    for job in design.jobs:
        table = design.table_of(job.resource) if job.resource else None
        if table is None or table.name in mine:
            flows.append(job.flow)
    targets = {step.target for flow in flows for step in flow.steps}
    return tuple(each.name for each in design.dependencies if each.kind in _SHARED or each.name in targets)


def _sized(design: Design, deployable: Deployable) -> Deployable:
    """With the fewest and the most replicas; how many a service that was read has, is not in its code."""
    capacity, deploy = design.capacity, design.deploy
    deployable = replace(deployable, dependencies=_asked(design, deployable))
    if design.is_recovered:
        return deployable
    least = capacity.replicas_min if capacity and capacity.replicas_min else deploy.replicas_min
    most = max(least, capacity.replicas_max if capacity and capacity.replicas_max else deploy.replicas_max)
    is_told = capacity is not None and capacity.scale_at > 0
    is_scaled = deploy.platform == "kubernetes" and most > least and is_told
    return replace(deployable, replicas_min=least, replicas_max=most, is_scaled=is_scaled)
