"""A budget burns."""

from __future__ import annotations

from nines.dossier.chapters.operation.runbooks.runbook import Runbook, kubectl, owner
from nines.dossier.markdown import code, fence, link, table
from nines.dossier.words import count, duration, share
from nines.model.blueprint import Dependency
from nines.model.design import Alert, Design, Objective, PlannedEndpoint

_OPERATIONS_SHOWN = 12


def burn(design: Design, alert: Alert) -> Runbook:
    objective = design.running.objective(alert.objective)
    if objective is None:
        raise ValueError(f"{alert.name} watches no objective")
    if objective.indicator in ("freshness", "durability"):
        return _work(design, alert, objective)
    is_slow = objective.indicator == "latency"
    return Runbook(
        means=f"{_means(design, alert, objective)}\n\n{_touched(design, objective)}",
        see=(_by_operation(objective), _by_status(design) if not is_slow else _waits(design)),
        first=(*_first(design, is_slow=is_slow),),
        stop=(*_stop(design, is_slow=is_slow),),
        escalate=_escalate(design, objective),
    )


def _means(design: Design, alert: Alert, objective: Objective) -> str:
    budget, burn_rate = objective.budget, alert.burn_rate or 1.0
    demand = design.demand
    told = ""
    if demand and not objective.by:
        events = demand.steady_hz * objective.window_s
        told = (
            f" At {demand.steady_hz:g}/s that is {count(events)} requests in {duration(objective.window_s)}, of which "
            f"{count(events * budget)} may be bad; this alert begins at {share(burn_rate * budget)}, "
            f"{demand.steady_hz * burn_rate * budget:.3g} a second."
        )
    outage_s = (alert.long_s or 0.0) * burn_rate * budget
    asked = "what the budgets ask for" if design.is_recovered else "promised"
    each = f" It is counted for each {objective.by} alone." if objective.by else ""
    return (
        f"{objective.title}: {share(objective.target)} over {duration(objective.window_s)} is {asked}. "
        f"{objective.says}{each}{told} Were all of it bad, it would fire after {duration(max(1.0, round(outage_s)))}."
    )


def _touched(design: Design, objective: Objective) -> str:
    endpoints = [each for each in (design.endpoint(id) for id in objective.operations) if each][:_OPERATIONS_SHOWN]
    left = len(objective.operations) - len(endpoints)
    more = f"\n\nAnd {left} more." if left > 0 else ""
    if design.is_recovered:
        found = [(code(each.id), ", ".join(_reaches(each))) for each in endpoints]
        return table(("operation", "asks others"), found) + more
    rows = [
        (code(each.id), code(f"{each.method} {each.path}"), _promise(each), ", ".join(_reaches(each)))
        for each in endpoints
    ]
    return table(("operation", "called as", "p95 below", "asks others"), rows) + more


def _promise(endpoint: PlannedEndpoint) -> str:
    return duration(endpoint.latency_p95_s) if endpoint.latency_p95_s else "not known"


def _reaches(endpoint: PlannedEndpoint) -> list[str]:
    return list(dict.fromkeys(code(step.target) for step in endpoint.flow.calls if step.target))


def _by_operation(objective: Objective) -> str:
    if objective.by:
        return "The label `operation` of the alert says which one."
    name = objective.total.partition("rate(")[2].partition("[")[0]
    failed = name[:-1] + ',status=~"5.."}'
    return "Which operations it is:\n\n" + fence("promql", f"topk(5, sum by (operation, status) (rate({failed}[5m])))")


def _by_status(design: Design) -> str:
    is_read = design.is_recovered
    shed = "of a service that protects itself" if is_read else "the service protecting itself"
    return (
        f"`500` is a defect: the log has its place; `503` is {shed}: a pool, a breaker, too much in flight; `504` "
        "and `502` "
        "come from what stands before the service. Nothing at all, and no process up: look at the alert that says "
        "so first."
    )


def _waits(design: Design) -> str:
    found = ["the wait for a connection (`database_pool_wait_seconds`)"] if design.dependencies else []
    called = [each for each in design.dependencies if each.timeout_s]
    if called:
        names = ", ".join(f"{code(each.name)} (deadline {duration(each.timeout_s or 0)})" for each in called)
        found.append(f"calls to {names} in `dependency_call_duration_seconds`")
    found.append("the processors (`process_cpu_seconds_total` against what is asked for)")
    return f"Where the time goes: {', '.join(found)}; a slow trace says it for one request."


def _first(design: Design, *, is_slow: bool) -> list[str]:
    steps = [
        "Did a release or a change of settings come shortly before? Take it back now, and look for the reason after."
    ]
    restart = kubectl(design, *(f"kubectl rollout undo deployment/{each.name}" for each in design.running.deployables))
    if restart:
        steps[0] += f" {code('kubectl rollout undo deployment/' + design.running.deployables[0].name)}"
    steps.append(
        f"Is another alert of {code(design.name)} firing? A cause that is known is faster than a symptom: follow "
        "its runbook."
    )
    if is_slow:
        steps.append(
            "Is it one operation or all? One: its query or its dependency. All: connections, processors, the database."
        )
    else:
        steps.append(
            "Is it one operation or all? One: its log lines by `operation`, newest first. All: the database, a "
            "setting, a secret."
        )
    steps.append("Is there more load than the design carries? " + _carries(design))
    return steps


def _carries(design: Design) -> str:
    capacity, demand = design.capacity, design.demand
    if demand is None or design.is_recovered:
        return "How much it carries is not known: compare with last week."
    bottleneck = next((point for point in capacity.points if point.bottleneck), None) if capacity else None
    after = (
        f"; what gives way first, at {bottleneck.factor:g} times that, is: {bottleneck.bottleneck}"
        if bottleneck
        else ""
    )
    return f"It is made for {demand.peak_hz:g}/s at the peak{after}."


def _stop(design: Design, *, is_slow: bool) -> list[str]:
    found = []
    for dependency in design.dependencies:
        found += _contained(dependency)
    if is_slow:
        scaled = [each for each in design.running.deployables if each.is_scaled]
        if scaled:
            found.append(
                "Processors busy: more replicas before the autoscaler finds out, "
                + ", ".join(
                    code(f"kubectl scale deployment/{each.name} --replicas={each.replicas_max}") for each in scaled[:1]
                )
                + " (the autoscaler takes it back later)."
            )
        found.append(
            "One statement slow: `pg_stat_statements` by mean time; the index that it is meant to use is in the "
            "data chapter."
        )
    limited = [each for each in design.endpoints if each.limit]
    if limited:
        found.append("One caller makes the load: lower its limit; 429 does not count against the budget.")
    if not found:
        found.append("Take back the last change; nothing else is known of this service that would end it.")
    return found


def _contained(dependency: Dependency) -> list[str]:
    if not dependency.breaker and not dependency.is_hard:
        return []
    if dependency.breaker is None:
        return [f"{code(dependency.name)} is away or slow: nothing stands in for it; its recovery ends the alert."]
    fallback = {
        "queue": "what asked for it is accepted with 202 and done later",
        "cache": "the last known value is answered",
        "default": "the answer comes without it",
        "none": "what needs it is answered with 503",
    }[dependency.fallback.value]
    return [
        f"{code(dependency.name)} is away or slow: after {dependency.breaker.of} calls with "
        f"{share(dependency.breaker.error_share)} failed the breaker opens by itself, and {fallback}."
    ]


def _escalate(design: Design, objective: Objective) -> tuple[str, ...]:
    return (
        f"More than half of the budget of {duration(objective.window_s)} is gone: {owner(design)} decides whether "
        "releases "
        f"stop until it has recovered ({link('what a spent budget means', '../README.md')}).",
    )


def _work(design: Design, alert: Alert, objective: Objective) -> Runbook:
    other = next(
        (each for each in design.running.alerts_of("stale" if objective.indicator == "freshness" else "dead")), None
    )
    rows = []
    for name in objective.tasks:
        job = next((each for each in design.jobs if each.name == name), None)
        if job:
            rates = (
                f"{job.steady_hz:.3g}/s, {job.peak_hz:.3g}/s at the peak"
                if job.steady_hz and job.peak_hz
                else "not known"
            )
            asks = ", ".join(dict.fromkeys(code(step.target) for step in job.flow.calls if step.target))
            rows.append((code(name), job.says, rates, str(job.concurrency), str(job.attempts_max), asks))
    link_to = f"{link(other.name, other.name + '.md')}: its statements show what waits." if other else ""
    late = "is done later than promised" if objective.indicator == "freshness" else "is given up after its last attempt"
    return Runbook(
        means=f"{_means(design, alert, objective)} Work that was accepted {late}; callers were told 202 and "
        "believe it.\n\n"
        + table(("task", "what it does", "how often", "at once in a process", "attempts", "asks"), rows),
        see=("The label `task` of the alert says which one.", link_to),
        first=(
            "Is a breaker open, or one of the others slow? Then the work waits as it should, and is done when they "
            "are back.",
            "Do the processes run, and do they claim work? Log lines with `task` say why a piece failed.",
            "Does more come in than is done? Compare the two in the dashboard's panel *Done and given up*.",
        ),
        stop=(
            "The dependency is back: the backlog is worked off by itself, oldest first; do not empty it by hand.",
            "Too slow: more replicas, each brings its own workers.",
            "A release broke it: take it back; the attempts that were used up are given again by the statements of "
            + (link(other.name, other.name + ".md") if other else "the tasks' runbook")
            + ".",
        ),
        escalate=(
            f"Work older than {duration(objective.window_s / 30)} will be noticed outside: {owner(design)} tells "
            "those who wait for it.",
        ),
    )
