"""A dependency is called more often than its provider allows."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.model.words import rate
from nines.planning.objecting import arrivals_hz, called, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for dependency in blueprint.dependencies:
        if dependency.rate_max_hz is None:
            continue
        steady_hz = _calls_hz(blueprint, dependency.name, at_peak=False)
        peak_hz = _calls_hz(blueprint, dependency.name, at_peak=True)
        waiting_hz = _calls_hz(blueprint, dependency.name, at_peak=True, is_waiting=True)
        allowed_hz = dependency.rate_max_hz
        if max(steady_hz, waiting_hz) <= allowed_hz:
            continue
        hours = "steadily" if steady_hz > allowed_hz else "at the peak, while callers wait"
        found_hz = steady_hz if steady_hz > allowed_hz else waiting_hz
        yield objection(
            __name__,
            blueprint,
            f"dependencies.{dependency.name}.rate",
            f"{dependency.name} is called {rate(found_hz)} {hours}, and its provider allows {rate(allowed_hz)}",
            (
                option(
                    f"agree on {rate(math.ceil(peak_hz * 1.25))} with the provider",
                    "holds at the peak with a quarter to spare",
                    "is paid for",
                ),
                option(
                    "call from a job (async: true)",
                    "the peak is spread over the quiet hours",
                    "callers learn the outcome later",
                    "the steady rate is below what is allowed",
                ),
                option("fewer calls: batch them, or keep answers", "the provider is left alone", "answers are older"),
            ),
        )


def _calls_hz(blueprint: Blueprint, name: str, *, at_peak: bool, is_waiting: bool = False) -> float:
    waited_hz = sum(
        blueprint.rate_hz(operation, at_peak=at_peak)
        for operation in blueprint.operations
        if not (is_waiting and operation.is_asynchronous)
        for dependency in called(blueprint, operation.calls)
        if dependency.name == name
    )
    if is_waiting:
        return waited_hz
    return waited_hz + sum(
        arrivals_hz(blueprint, job, at_peak=at_peak)
        for job in blueprint.jobs
        for dependency in called(blueprint, job.calls)
        if dependency.name == name
    )
