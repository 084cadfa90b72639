"""Makes the whole design, one part after the other; each part sees what the earlier ones found."""

from __future__ import annotations

from collections.abc import Callable

from nines.model.blueprint import Blueprint, Promises
from nines.model.design import Design, Gap, ServiceTime, Source
from nines.model.service import Service
from nines.planning import data, flows, interface, recovering
from nines.planning.capacity import Chance, capacity
from nines.planning.decisions import decisions
from nines.planning.failures import failures
from nines.planning.running import running
from nines.planning.threats import threats

Part = Callable[[Design], Design]
"""Returns the design with its own part filled in."""

_DERIVED: tuple[Part, ...] = (
    data.tables,
    interface.endpoints,
    interface.protocol,
    flows.queries,
    data.indexes,
    data.growth,
    data.migrations,
    flows.flows,
)
"""What a blueprint tells, and code tells in its own way."""

_FOLLOWING: tuple[Part, ...] = (threats, failures, running, decisions)
"""What follows from every design and its capacity: threats, failures, how it is watched, what was decided."""


def plan(
    blueprint: Blueprint, *, chance: Chance | None = None, times: tuple[ServiceTime, ...] = (), seed: int = 0
) -> Design:
    """The design that follows from a blueprint; pure, so that the same blueprint always gives the same design.

    `chance` drives the simulation, without it none is made; `times` were measured; `seed` tells how to repeat it."""

    def measured(design: Design) -> Design:
        return capacity(design, chance=chance, times=times, seed=seed)

    design = Design(
        card=blueprint.service,
        source=Source.BLUEPRINT,
        blueprint=blueprint,
        where=blueprint.source,
        budgets=blueprint.budgets,
        demand=blueprint.load,
        auth=blueprint.auth,
        roles=blueprint.roles,
        tenancy=blueprint.tenancy,
        deploy=blueprint.deploy,
        modules=blueprint.modules,
        dependencies=blueprint.dependencies,
        events=blueprint.events.types,
        gaps=tuple(
            Gap(question=each.question, assumed=each.assumed, matters=each.matters, where=each.path)
            for each in blueprint.open_questions
        ),
    )
    return _with(design, (*_DERIVED, measured, *_FOLLOWING))


def recover(service: Service, *, budgets: Promises, where: str) -> Design:
    """The design of a service that exists, as far as reading tells it; its gaps say what is not known."""
    return _with(recovering.recover(service, budgets=budgets, where=where), (capacity, *_FOLLOWING))


def _with(design: Design, parts: tuple[Part, ...]) -> Design:
    for part in parts:
        design = part(design)
    return design
