"""All callers together may ask less often than is expected."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.model.words import rate
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        limit = blueprint.limit_of(operation.name)
        expected_hz = blueprint.rate_hz(operation, at_peak=True)
        if limit is None or limit.per != "all" or limit.count / limit.period_s >= expected_hz:
            continue
        yield objection(
            __name__,
            blueprint,
            f"limits.{limit.operation or 'default'}",
            f"{rate(expected_hz)} are expected of {operation.name} at the peak, and all callers together may ask "
            f"{rate(limit.count / limit.period_s)}: the rest gets 429",
            (
                option(f"{expected_hz * 1.25:.0f}/s per all", "the peak passes", "so must what is behind it"),
                option("a limit per subject", "one caller cannot take all", "does not bound the sum"),
            ),
        )
