"""The peak is more than the processes can carry."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.model.words import rate
from nines.planning.capacity.figures import CORE_HZ, SAFE_PROCESSORS
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    deploy, peak_hz = blueprint.deploy, blueprint.load.peak_hz
    carried_hz = deploy.replicas_max * deploy.cpu * CORE_HZ * SAFE_PROCESSORS
    if peak_hz <= carried_hz:
        return
    cores = f"{deploy.cpu:g} core{'s' if deploy.cpu != 1 else ''}"
    most = math.ceil(peak_hz / (deploy.cpu * CORE_HZ * SAFE_PROCESSORS))
    yield objection(
        __name__,
        blueprint,
        "deploy.replicas",
        f"{deploy.replicas_max} processes × {cores} × {rate(CORE_HZ)} a core × {SAFE_PROCESSORS:.0%} = "
        f"{rate(carried_hz)} can be carried, and {rate(peak_hz)} are expected at the peak",
        (
            option(f"replicas: {{max: {most}}}", "carries the peak", "is paid for while it lasts"),
            option(
                "shed what is above (limits per all)",
                "those who are served are served fast",
                "callers get 429 with Retry-After and come again",
                "the peak is short, or not everybody matters alike",
            ),
            option(
                "answer from a cache at the edge",
                "reads never arrive here",
                "answers are as old as the cache allows",
                "most of the load is public reads",
            ),
        ),
    )
