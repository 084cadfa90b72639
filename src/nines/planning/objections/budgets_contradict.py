"""The error budget is larger than all that availability allows."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.model.words import share
from nines.planning.objecting import objection, option

_ROUNDING = 1e-9


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    budgets = blueprint.budgets
    allowed = 1 - budgets.availability
    if budgets.error_rate <= allowed + _ROUNDING:
        return
    yield objection(
        __name__,
        blueprint,
        "budgets.errors",
        f"{share(budgets.error_rate)} of critical operations may fail while everything works, and availability "
        f"{share(budgets.availability)} leaves {share(allowed)} for that and for every outage together",
        (
            option(
                f"errors: {share(allowed / 2).replace(' ', '')}",
                "half of the budget is left for outages",
                "a request that fails once must be repeated by the service itself",
            ),
            option(
                f"availability: {share(1 - 2 * budgets.error_rate).replace(' ', '')}",
                "leaves as much for outages as for errors",
                "callers plan with less",
            ),
        ),
    )
