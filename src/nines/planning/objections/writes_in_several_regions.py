"""PostgreSQL takes writes in one region only."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import objection, option

_BETWEEN = "30 to 150 ms"
"""Round trips between regions of one continent, and between continents."""


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    if blueprint.database is None or blueprint.deploy.regions < 2:
        return
    yield objection(
        __name__,
        blueprint,
        "deploy.regions",
        f"{blueprint.deploy.regions} regions take writes, and {blueprint.database.name} is PostgreSQL, which has one "
        f"primary: every write from another region crosses over ({_BETWEEN} each round trip)",
        (
            option(
                "regions: 1, with a copy in a second region for disasters",
                "simple, and a region that is lost is survived",
                "callers far away wait for the distance",
                "callers are on one continent",
            ),
            option(
                "a home region for each tenant, with a database of its own",
                "near and simple for each tenant; data stays in its country",
                "a tenant that travels is far away; nothing spans two homes",
                "a tenant key separates all the data",
            ),
            option(
                "a distributed SQL database",
                "writes anywhere",
                "a commit waits for a majority of regions; another engine to learn and to pay",
                "a region may be lost without losing a second",
            ),
        ),
    )
