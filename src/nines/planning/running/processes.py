"""Alerts on the service's own processes: gone, too few, at their most; and on sign-ins that somebody else tries."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action
from nines.model.design import Alert, Deployable, Design, PlannedEndpoint
from nines.model.words import count, duration
from nines.planning.running import names
from nines.planning.running.causes import alert, fires, silent, steady
from nines.planning.running.promql import among, equal, selector

DOWN_FOR_S = 60.0
MISSING_FOR_S = 900.0
AT_MOST_FOR_S = 900.0
REFUSED_SHARE = 0.5
"""Of sign-ins: people mistype, but not every second time."""
REFUSED_WINDOW_S = 900.0
REFUSED_MIN = 100
KUBE_CURRENT = "kube_horizontalpodautoscaler_status_current_replicas"
KUBE_MAX = "kube_horizontalpodautoscaler_spec_max_replicas"


def alerts(design: Design, deployables: tuple[Deployable, ...]) -> Iterator[Alert]:
    for deployable in deployables:
        yield _down(deployable)
        if deployable.replicas_min > 1:
            yield _missing(deployable, deployable.replicas_min)
        if deployable.is_scaled:
            yield _at_most(deployable)
    for endpoint in design.endpoints:
        if endpoint.action is Action.SIGN_IN:
            yield _refused(design, deployables, endpoint)


def _up(deployable: Deployable) -> str:
    # Of a job that is not scraped at all there is no series to count.
    return f"(count({selector('up', equal('job', deployable.name))} == 1) or vector(0))"


def _instances(deployable: Deployable, number: int, value: int) -> tuple[tuple[str, str], ...]:
    job = equal("job", deployable.name)
    return tuple(
        (selector("up", job, equal("instance", f"10.0.0.{each}:8000")), steady(value)) for each in range(1, number + 1)
    )


def _down(deployable: Deployable) -> Alert:
    return alert(
        names.down(deployable.name),
        kind="down",
        about=deployable.name,
        severity="page",
        expression=f"{_up(deployable)} == 0",
        for_s=DOWN_FOR_S,
        says=f"For {duration(DOWN_FOR_S)} no process of {deployable.name} has answered a scrape.",
        metric="up",
        cases=(
            fires("no process answers", _instances(deployable, 2, 0), 180),
            fires("nothing is scraped under this name", (), 180),
            silent("one of two answers", (*_instances(deployable, 1, 1), *_instances(deployable, 2, 0)[1:]), 180),
            silent("not for long enough", _instances(deployable, 2, 0), DOWN_FOR_S - 60),
        ),
    )


def _missing(deployable: Deployable, least: int) -> Alert:
    return alert(
        names.replicas_missing(deployable.name),
        kind="replicas",
        about=deployable.name,
        severity="ticket",
        expression=f"{_up(deployable)} < {least}",
        for_s=MISSING_FOR_S,
        threshold=least,
        says=f"For {duration(MISSING_FOR_S)} fewer than {least} processes have answered: what is left has less in hand "
        "for the loss of a zone than the design counts on.",
        metric="up",
        cases=(
            fires("one is missing", _instances(deployable, least - 1, 1), MISSING_FOR_S + 120),
            silent("all are there", _instances(deployable, least, 1), MISSING_FOR_S + 120),
            silent("a rollout replaces one", _instances(deployable, least - 1, 1), MISSING_FOR_S - 60),
        ),
    )


def _at_most(deployable: Deployable) -> Alert:
    most = deployable.replicas_max
    chosen = equal("horizontalpodautoscaler", deployable.name)
    current, limit = selector(KUBE_CURRENT, chosen), selector(KUBE_MAX, chosen)
    return alert(
        names.autoscaler_at_most(deployable.name),
        kind="autoscaler",
        about=deployable.name,
        severity="ticket",
        expression=f"max({current}) >= max({limit})",
        for_s=AT_MOST_FOR_S,
        threshold=most,
        says=f"For {duration(AT_MOST_FOR_S)} the autoscaler has been at its most, {most} replicas: it cannot add what "
        "the next rise needs.",
        metric=KUBE_CURRENT,
        cases=(
            fires("at the most", ((current, steady(most)), (limit, steady(most))), AT_MOST_FOR_S + 120),
            silent("one below", ((current, steady(most - 1)), (limit, steady(most))), AT_MOST_FOR_S + 120),
            silent("a short peak", ((current, steady(most)), (limit, steady(most))), AT_MOST_FOR_S - 60),
        ),
    )


def _refused(design: Design, deployables: tuple[Deployable, ...], endpoint: PlannedEndpoint) -> Alert:
    jobs = among("job", [each.name for each in deployables])
    own = selector(f"{names.REQUEST_SECONDS}_count", jobs, equal("operation", endpoint.id))
    refused = selector(f"{names.REQUEST_SECONDS}_count", jobs, equal("operation", endpoint.id), 'status="401"')
    window = f"[{int(REFUSED_WINDOW_S // 60)}m]"
    home = next((each for each in deployables if endpoint.id in each.operations), deployables[0])

    def counted(status: int, each_minute: int) -> tuple[str, str]:
        labels = (equal("job", home.name), equal("operation", endpoint.id), f'status="{status}"')
        return selector(f"{names.REQUEST_SECONDS}_count", *labels), f"0+{each_minute}x120"

    return alert(
        names.sign_ins_refused(design.name),
        kind="sign-in",
        about=endpoint.id,
        severity="ticket",
        expression=f"sum(increase({refused}{window})) > {REFUSED_SHARE} * sum(increase({own}{window}))\n"
        f"and sum(increase({refused}{window})) >= {REFUSED_MIN}",
        threshold=REFUSED_SHARE,
        says=f"Over {duration(REFUSED_WINDOW_S)} more than half of the sign-ins were refused, and at least "
        f"{count(REFUSED_MIN)}: passwords of others are being tried.",
        metric=f"{names.REQUEST_SECONDS}_count",
        cases=(
            fires("three of four are refused", (counted(401, 30), counted(201, 10)), 1_200),
            silent("one of four is refused", (counted(401, 10), counted(201, 30)), 1_200),
            silent("a handful at night", (counted(401, 2),), 1_200),
        ),
    )
