"""Processes are gone, too few or at their most; sign-ins are tried."""

from __future__ import annotations

from nines.dossier.chapters.operation import timing
from nines.dossier.chapters.operation.runbooks.runbook import Runbook, kubectl, owner
from nines.dossier.markdown import code, fence
from nines.dossier.words import duration, share, size
from nines.model.design import Alert, Deployable, Design


def down(design: Design, alert: Alert) -> Runbook:
    name = alert.about
    deploy = design.deploy
    hard = [each for each in design.dependencies if each.is_hard]
    needs = ", ".join(code(each.name) for each in hard)
    memory = "" if design.is_recovered else f" ({size(deploy.memory_bytes)})"
    return Runbook(
        means=f"No process of {code(name)} answers, or Prometheus does not find any. "
        f"{_operations(_deployable(design, name))}"
        "Every second of this is an outage of all of them.",
        see=(
            kubectl(
                design,
                f"kubectl get pods -l app.kubernetes.io/name={name} -o wide",
                f"kubectl describe deployment/{name}",
                f"kubectl logs deployment/{name} --previous --tail=50",
            ),
            "Does a request from outside succeed? Then it is Prometheus that is blind, and this is no outage.",
        ),
        first=(
            "Was something released within the last hour? Take it back"
            + (f": {code(f'kubectl rollout undo deployment/{name}')}." if _is_kube(design) else "."),
            "Do the processes end again and again? The last log lines before the end say why: a setting or a "
            "secret that "
            f"is not there, or the memory limit{memory}.",
            "Do they live and are not ready? Readiness follows what they cannot do without"
            + (f": {needs}." if needs else "."),
            "Are there none at all? The platform found no place for them, or cannot fetch the image.",
        ),
        stop=(
            "The last version that worked runs again; look for the reason afterwards.",
            f"A start takes up to {duration(timing.STARTUP_S)} until the platform gives up on it: wait for one, do not "
            "restart what is starting.",
        ),
        escalate=(
            f"The platform itself does not schedule or fetch: whoever runs it, at once; {owner(design)} stays on it.",
        ),
    )


def replicas(design: Design, alert: Alert) -> Runbook:
    name = alert.about
    deployable = _deployable(design, name)
    least = deployable.replicas_min if deployable else 0
    deploy = design.deploy
    return Runbook(
        means=f"{code(name)} is meant to have {least} processes or more, over {deploy.zones} zones. It still answers. "
        + (
            design.capacity.scale_reason.partition(". ")[0].capitalize() + "."
            if design.capacity and design.capacity.scale_reason
            else ""
        ),
        see=(
            kubectl(
                design,
                f"kubectl get pods -l app.kubernetes.io/name={name} -o wide",
                "kubectl get events --field-selector type=Warning --sort-by=.lastTimestamp | tail -20",
            ),
        ),
        first=(
            "Which ones are missing: not started (no place, no image), ended (memory, a crash), or not ready?",
            f"No place: a zone is full or gone; the spread over zones refuses to put all into one. Each asks for "
            f"{deploy.cpu:g} cores and {size(deploy.memory_bytes)}.",
        ),
        stop=(
            "Make room in the zone, or wait for the nodes that are being added.",
            "A zone is gone for hours: let the spread be `ScheduleAnyway` for as long, and put it back.",
        ),
        escalate=("Two zones are affected: this is an incident, before it is an outage.",),
    )


def autoscaler(design: Design, alert: Alert) -> Runbook:
    name, capacity, demand = alert.about, design.capacity, design.demand
    deployable = _deployable(design, name)
    most = deployable.replicas_max if deployable else 0
    pool = capacity.pool if capacity else None
    planned = (
        f" The expected peak of {demand.peak_hz:g}/s needs {capacity.replicas_peak} in all."
        if demand and capacity
        else ""
    )
    steps = [
        "More load than expected, or the same load that costs more? Compare the dashboard's *Rate* with last week.",
        "One caller makes it: lower its limit. A release made it dearer: take it back.",
    ]
    if capacity and capacity.scale_at:
        steps.append(
            f"A replica is added at {share(capacity.scale_at)} of the processors; look at how busy they are now."
        )
    stop = [f"It is real load: raise `maxReplicas` above {most} in the autoscaler."]
    if pool:
        stop.append(
            f"But first the database's connections: {pool.says} Beyond that a pooler, or fewer connections in each "
            "process."
        )
    if capacity:
        stop += [f"Then: {each}." for point in capacity.points[:1] for each in point.remedies]
    return Runbook(
        means=f"The autoscaler of {code(name)} has made all {most} replicas that it may.{planned} What comes on "
        "top waits, "
        "then is refused with 503.",
        see=(kubectl(design, f"kubectl describe hpa/{name}"),),
        first=tuple(steps),
        stop=tuple(stop),
        escalate=("A budget burns at the same time: treat it as a page.",),
    )


def sign_ins(design: Design, alert: Alert) -> Runbook:
    endpoint = design.endpoint(alert.about)
    limit = endpoint.limit if endpoint else None
    held = f"{limit.count:,} attempts in {duration(limit.period_s)} per {limit.per}" if limit else "nothing"
    failures = next((each for each in design.tables if each.name.endswith("_failures")), None)
    kept = f" Failures are counted in {code(failures.name)}." if failures else ""
    tls = "Wrong passwords from many addresses for many accounts are leaked pairs being tried; one account from many "
    return Runbook(
        means=f"Most calls of {code(alert.about)} end with 401. People mistype now and then, not every second "
        "time: somebody "
        f"tries passwords (OWASP API2:2023). What holds them up is a limit: {held}.{kept}",
        see=(
            "By status, so that one sees whether the limits work (429) and whether any guess succeeds (2xx):",
            fence(
                "promql",
                f'sum by (status) (rate(http_request_duration_seconds_count{{operation="{alert.about}"}}[5m]))',
            ),
            f"{tls}addresses is one person under attack. The log has `operation`, `status` and the hashed `subject`.",
        ),
        first=(
            "Did a release change how passwords are checked? Then it is our own defect: take it back.",
            "Does the rate of 2xx rise with it? Then guesses succeed: end the sessions of the accounts that signed "
            "in from the "
            "same addresses, and ask for new passwords.",
        ),
        stop=(
            "Lower the limit per address at the edge, or refuse the networks it comes from, for a day.",
            "One account: lock it, and tell its owner through the address that is known.",
        ),
        escalate=(
            "Guesses succeeded: a breach of personal data may have to be reported within 72 hours (GDPR, Article 33).",
        ),
    )


def _deployable(design: Design, name: str) -> Deployable | None:
    return next((each for each in design.running.deployables if each.name == name), None)


def _operations(deployable: Deployable | None) -> str:
    if deployable is None or not deployable.operations:
        return ""
    shown = ", ".join(code(each) for each in deployable.operations[:8])
    left = len(deployable.operations) - 8
    return f"It carries {shown}{f' and {left} more' if left > 0 else ''}. "


def _is_kube(design: Design) -> bool:
    return design.deploy.platform == "kubernetes" and not design.is_recovered
