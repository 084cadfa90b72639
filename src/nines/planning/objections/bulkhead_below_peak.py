"""Fewer calls may be in flight than the peak needs."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.model.words import duration, rate
from nines.planning.objecting import objection, option, waited_for


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for dependency in blueprint.dependencies:
        if dependency.bulkhead is None or dependency.latency_p95_s is None:
            continue
        calls_hz = sum(
            blueprint.rate_hz(operation, at_peak=True)
            for operation in blueprint.operations
            for each in waited_for(blueprint, operation)
            if each.name == dependency.name
        )
        flying = calls_hz * dependency.latency_p95_s
        most = blueprint.deploy.replicas_max
        room = dependency.bulkhead * most
        if flying <= room:
            continue
        yield objection(
            __name__,
            blueprint,
            f"dependencies.{dependency.name}.bulkhead",
            f"{rate(calls_hz)} × {duration(dependency.latency_p95_s)} = {flying:.0f} calls are in flight at the peak, "
            f"and the bulkhead leaves {dependency.bulkhead} × {most} processes = {room}: the rest gets 503",
            (
                option(
                    f"bulkhead: {math.ceil(flying * 1.25 / most)}",
                    "a quarter to spare",
                    f"as many slots are lost when {dependency.name} hangs",
                ),
                option("call from a job (async: true)", "the peak is spread", "callers learn the outcome later"),
            ),
        )
