"""Alerts on what others keep up: breakers that stay open, credentials that end."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Dependency, Fallback
from nines.model.design import Alert, Deployable, Design
from nines.model.words import duration
from nines.planning.running import names
from nines.planning.running.causes import alert, fires, silent, steady
from nines.planning.running.promql import among, equal, number, selector

BREAKER_TURNS = 4
"""How often a breaker tried again in vain before a person is told."""
BREAKER_FOR_MIN_S = 60.0
BREAKER_SHARE = 0.5
"""Of the processes: one whose own network fails is replaced by its liveness and its autoscaler."""
SOON_S = 14 * 86_400.0
NOW_S = 3 * 86_400.0
_NAME = "database-certificate"


def alerts(design: Design, deployables: tuple[Deployable, ...]) -> Iterator[Alert]:
    for dependency in design.dependencies:
        if dependency.breaker:
            yield _breaker(design, dependency, deployables)
    if not design.is_recovered:
        yield _credential(deployables, SOON_S, "ticket", names.credential_expires_soon(design.name))
        yield _credential(deployables, NOW_S, "page", names.credential_expires(design.name))


def _breaker(design: Design, dependency: Dependency, deployables: tuple[Deployable, ...]) -> Alert:
    open_s = dependency.breaker.open_s if dependency.breaker else 0.0
    for_s = max(BREAKER_FOR_MIN_S, BREAKER_TURNS * open_s)
    jobs, of = among("job", [each.name for each in deployables]), equal("dependency", dependency.name)
    is_felt = dependency.is_hard and dependency.fallback is Fallback.NONE

    def series(*values: int) -> tuple[tuple[str, str], ...]:
        job = equal("job", deployables[0].name)
        return tuple(
            (selector(names.BREAKER_OPEN, job, equal("instance", f"10.0.0.{at}:8000"), of), steady(value))
            for at, value in enumerate(values)
        )

    after = -(-for_s // 60) * 60 + 60
    return alert(
        names.breaker_open(design.name, dependency.name),
        kind="breaker",
        about=dependency.name,
        severity="page" if is_felt else "ticket",
        expression=f"avg by (dependency) ({selector(names.BREAKER_OPEN, jobs, of)}) >= {BREAKER_SHARE}",
        for_s=for_s,
        threshold=BREAKER_SHARE,
        says=f"For {duration(for_s)} half of the processes or more have stopped asking {dependency.name}: "
        f"{BREAKER_TURNS if for_s > BREAKER_FOR_MIN_S else int(for_s // open_s) if open_s else BREAKER_TURNS} attempts "
        "to find it well again have failed.",
        metric=names.BREAKER_OPEN,
        cases=(
            fires("open in both processes", series(1, 1), after, dependency=dependency.name),
            silent("open in one of three", series(1, 0, 0), after),
            silent("closed", series(0, 0), after),
        ),
    )


def _credential(deployables: tuple[Deployable, ...], ahead_s: float, severity: str, name: str) -> Alert:
    metric = names.CREDENTIAL_EXPIRY_SECONDS
    chosen = selector(metric, among("job", [each.name for each in deployables]))
    one = selector(metric, equal("job", deployables[0].name), 'instance="10.0.0.1:8000"', equal("name", _NAME))
    return alert(
        name,
        kind="credential",
        about="",
        severity=severity,
        expression=f"min by (name) ({chosen}) - time() < {number(ahead_s)}",
        for_s=300.0,
        threshold=ahead_s,
        says=f"A certificate or another credential ends in less than {duration(ahead_s)}.",
        metric=metric,
        cases=(
            fires("it ends within half of that", ((one, steady(ahead_s / 2)),), 600, name=_NAME),
            silent("it ends in a year", ((one, steady(365 * 86_400)),), 600),
        ),
    )
