"""More availability is promised than the dependencies that are needed leave."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nines.model.blueprint import Blueprint, Dependency, DependencyKind
from nines.model.design import Choice, Objection
from nines.model.words import duration, share
from nines.planning.objecting import needed, objection, option

_YEAR_S = 365 * 86_400.0


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    known = [each for each in needed(blueprint) if each.availability is not None]
    left = math.prod(each.availability or 1.0 for each in known)
    promised = blueprint.budgets.availability
    if not known or left >= promised:
        return
    product = " × ".join(f"{each.name} {share(each.availability or 1.0)}" for each in known)
    product = f"its dependencies leave {product} = {share(left)}" if len(known) > 1 else f"it needs {product}"
    worst = min(known, key=lambda each: each.availability or 1.0)
    yield objection(
        __name__,
        blueprint,
        "budgets.availability",
        f"{share(promised)} is promised, and {product}: {duration((1 - left) * _YEAR_S)} a year are "
        f"lost before this service fails once, {duration((1 - promised) * _YEAR_S)} are allowed",
        (
            *_remedies(worst),
            option(f"promise {share(_below(left))}", "can be kept", "callers plan with less"),
        ),
    )


def _remedies(worst: Dependency) -> tuple[Choice, ...]:
    twice = 1 - (1 - (worst.availability or 1.0)) ** 2
    if worst.kind is DependencyKind.POSTGRES:
        return (
            option(
                f"a standby of {worst.name} in another zone that takes over",
                f"both away at once: {share(twice)} is left, less half a minute for each change of the primary",
                "a second server, and a failover that is drilled",
            ),
        )
    return (
        option(
            f"do without {worst.name} while it is away (need: soft, or fallback: queue, cache or default)",
            "its failures are no longer failures of this service",
            "answers are late, old or incomplete meanwhile",
            "callers can live with one of these",
        ),
        option(
            f"a second provider beside {worst.name}",
            f"both away at once: {share(twice)} is left, if they fail apart",
            "two integrations, two contracts, and a switch that is tried every month",
            "the promise has a price when it is broken",
        ),
    )


def _below(left: float) -> float:
    """The next promise that people make below what is left."""
    return next((step for step in (0.9999, 0.9995, 0.999, 0.998, 0.995, 0.99, 0.98, 0.95) if step < left), left * 0.9)
