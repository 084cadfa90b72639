"""The part of the plan that tells what fails, how it shows, what holds it, and what availability is left."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.design import Design, FailureMode
from nines.planning.failures import dependencies, found, own, places
from nines.planning.failures.forecast import forecast


def failures(design: Design) -> Design:
    """The design with its failure modes, numbered in the order of its dependencies, and with the forecast."""
    modes = tuple(replace(each, id=f"F-{number}") for number, each in enumerate(_all(design), start=1))
    return replace(design, failures=modes, forecast=forecast(design, modes))


def _all(design: Design) -> Iterator[FailureMode]:
    if design.is_recovered:
        for each in design.dependencies:
            yield from found.of_dependency(design, each)
        return
    for each in design.dependencies:
        yield from dependencies.of_dependency(design, each)
    yield from own.of_service(design)
    yield from places.of_places(design)
