"""Derives the whole design of a blueprint, one part after the other; each part sees what the earlier ones found."""

from __future__ import annotations

from collections.abc import Callable

from nines.model.blueprint import Blueprint
from nines.model.design import Design, Gap, Source
from nines.planning import data, flows, interface

Part = Callable[[Design], Design]
"""Returns the design with its own part filled in."""

_PARTS: tuple[Part, ...] = (data.tables, interface.endpoints, flows.queries, data.indexes, data.growth, data.migrations, flows.flows)


def plan(blueprint: Blueprint) -> Design:
    """The design that follows from a blueprint; pure, so that the same blueprint always gives the same design."""
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
    for part in _PARTS:
        design = part(design)
    return design
