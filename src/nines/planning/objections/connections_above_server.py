"""More connections are held than the database server allows."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, DependencyKind
from nines.model.design import Objection
from nines.planning.capacity.figures import SERVER_RESERVED, SURGE
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    most = blueprint.deploy.replicas_max
    for each in blueprint.dependencies:
        if each.kind is not DependencyKind.POSTGRES or not each.pool or not each.connections_max:
            continue
        held = round(each.pool * most * SURGE)
        allowed = each.connections_max - SERVER_RESERVED
        if held <= allowed:
            continue
        fits = max(1, int(allowed / (most * SURGE)))
        yield objection(
            __name__,
            blueprint,
            f"dependencies.{each.name}.connections",
            f"{most} processes × {each.pool} connections × {SURGE} while deploying = {held}, and {each.name} allows "
            f"{each.connections_max} - {SERVER_RESERVED} reserved = {allowed}: the last processes cannot start",
            (
                option(f"pool: {fits}", "fits as it is", "requests wait for a connection at the peak"),
                option(
                    f"connections: {held + SERVER_RESERVED}",
                    "every process gets its pool",
                    "each connection costs the server 5 to 10 MiB and time in every snapshot",
                    "the server has the memory, and the sum stays below about 500",
                ),
                option(
                    "a pooler in transaction mode (PgBouncer)",
                    "thousands of clients over tens of connections",
                    "one more hop to run; session state and LISTEN do not work through it",
                    "there are many processes",
                ),
            ),
        )
