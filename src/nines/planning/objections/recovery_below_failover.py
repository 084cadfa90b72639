"""Recovery is promised faster than a database changes its primary."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.model.words import duration
from nines.planning.objecting import objection, option

_FAILOVER_S = 30.0
"""Noticing (three missed heartbeats of 10 s each is usual), choosing and promoting."""


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    recovery_s = blueprint.budgets.recovery_s
    if blueprint.database is None or recovery_s >= _FAILOVER_S:
        return
    yield objection(
        __name__,
        blueprint,
        "budgets.recovery",
        f"recovery is promised within {duration(recovery_s)}, and {blueprint.database.name} needs about "
        f"{duration(_FAILOVER_S)} until another copy is its primary",
        (
            option(
                "recovery: 1m", "holds for the database as well", "two failovers a year cost two minutes of the budget"
            ),
            option(
                "answer reads from a cache and queue writes meanwhile",
                "callers notice little",
                "every write path needs a second way, which is tried every month",
                "a minute costs more than that",
            ),
        ),
    )
