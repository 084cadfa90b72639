"""A high promise on one process, one machine or one zone."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Choice, Objection
from nines.model.words import duration, share
from nines.planning.objecting import objection, option

_ZONE = 0.999
"""What a single zone or machine of a large provider is good for; single-instance promises lie at or below it."""
_YEAR_S = 365 * 86_400.0


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    deploy, promised = blueprint.deploy, blueprint.budgets.availability
    found = (
        ("deploy.platform", deploy.platform == "compose", "everything runs on one machine (compose)", _KUBERNETES),
        ("deploy.zones", deploy.zones == 1, "everything stands in one zone", _ZONES),
        ("deploy.replicas", deploy.replicas_min == 1, "one process serves in quiet hours", _REPLICAS),
    )
    for path, is_single, says, remedy in found:
        if is_single and promised > _ZONE - 0.0005:
            yield objection(
                __name__,
                blueprint,
                path,
                f"{says}, and {share(promised)} is promised: that allows "
                f"{duration((1 - promised) * _YEAR_S)} a year for every failure, every deployment and every repair",
                (remedy, _LESS),
                is_fatal=promised > _ZONE,
            )
            return


_KUBERNETES = option(
    "two machines or more (platform: kubernetes or vm)",
    "one may die or be updated while the other serves",
    "a balancer, and state that lives in the database only",
)
_ZONES = option("three zones", "a zone may go while two serve", "a millisecond between zones, and traffic that is paid")
_REPLICAS = option(
    "replicas: {min: 2}, over zones", "a crash or a deployment is not an outage", "one more process at night"
)
_LESS: Choice = option(
    "promise 99.5%",
    "holds on one copy that is repaired within the hour",
    "43.8 h a year may be lost",
    "internal tools",
)
