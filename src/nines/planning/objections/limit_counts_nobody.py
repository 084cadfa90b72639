"""A limit counts by something that callers do not have."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import objection, option, signs_in_here


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    missing = {
        "tenant": "" if blueprint.tenancy else "there is no tenancy",
        "account": "" if signs_in_here(blueprint) else "no resource is of kind account",
    }
    for limit in blueprint.limits:
        if not missing.get(limit.per):
            continue
        name = limit.operation or "default"
        yield objection(
            __name__,
            blueprint,
            f"limits.{name}",
            f"{name} is limited per {limit.per}, and {missing[limit.per]}: all callers share one count, or have none",
            (
                option("per subject", "each caller who signed in has a count", "callers without a name share one"),
                option("per address", "everybody has a count", "people behind one address share it"),
            ),
        )
