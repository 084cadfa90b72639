"""How a version comes and goes: the order of its steps, a canary with numbers, and the way back."""

from __future__ import annotations

from nines.checkers.binomial import CONFIDENCE, samples_needed, tail_at_most, upper_bound
from nines.dossier.chapters.operation import timing
from nines.dossier.markdown import bullets, code, fence, heading, page, table
from nines.dossier.words import count, duration, rate, share
from nines.model.blueprint import DependencyKind
from nines.model.design import Design
from nines.model.record import Record

STAGES = (0.05, 0.25, 1.0)
"""Of the requests, one after the other."""
WORSE = 5.0
"""How many times the budget a canary must fail to be found out almost surely."""
_FAILURES_MAX = 10_000


class Canary(Record):
    requests: int
    """That show the error rate below its budget, when none fails."""
    failures_max: int
    """More of them and the version goes back."""
    false_alarm: float
    """How often a version that is just within its budget goes back all the same."""
    found: float
    """How often one that fails `WORSE` times as often goes back."""


def canary(error_rate: float) -> Canary:
    """The plan of one stage for an error budget between 0 and 1."""
    requests = samples_needed(0, error_rate)
    failures = 0
    while failures < _FAILURES_MAX and 1 - tail_at_most(failures, requests, error_rate) > 1 - CONFIDENCE:
        failures += 1
    return Canary(
        requests=requests,
        failures_max=failures,
        false_alarm=1 - tail_at_most(failures, requests, error_rate),
        found=1 - tail_at_most(failures, requests, min(1.0, WORSE * error_rate)),
    )


def text(design: Design) -> str:
    return page(
        heading(1, "Rollout and rollback"),
        "A release is the image by its digest, and the migrations that it needs. Nothing is rebuilt on its way.",
        heading(2, "The order"),
        _order(design),
        heading(2, "The canary"),
        _canary(design),
        heading(2, "The way back"),
        _back(design),
        heading(2, "A process is replaced without an error"),
        _replacing(design),
    )


def _order(design: Design) -> str:
    steps = [
        "**Expand.** Additions that the running version does not notice: a table, a column that may be empty or "
        "has a default, "
        "an index made `CONCURRENTLY`, a constraint `NOT VALID`. Run by the migration job, with a role of its own.",
        "**Roll out** the version that writes the old and the new, and reads the old.",
        "**Migrate** what is there, in batches; then validate the constraints.",
        "**Roll out** the version that reads the new.",
        "**Contract**, a release later and never in the same one: drop what no running version names any longer.",
    ]
    blocking = [each.name for each in design.migrations if each.is_blocking]
    if not any(each.kind is DependencyKind.POSTGRES for each in design.dependencies):
        return "There is no database of its own: the image is rolled out, and that is all."
    first = ", ".join(code(each.name) for each in design.migrations[:3])
    told = f"The first release brings {first}; what is there in later ones is in the data chapter." if first else ""
    held = (
        f"These take a lock that writers notice: {', '.join(map(code, blocking))}; run them at the quietest hour, with "
        "`lock_timeout = '2s'`, and try again rather than wait."
        if blocking
        else "No step takes a lock that writers notice; each runs with `lock_timeout = '2s'` all the same."
    )
    numbered = "\n".join(f"{at}. {step}" for at, step in enumerate(steps, 1))
    side = "Old and new run side by side at every step, so that each can be taken back alone."
    return "\n\n".join(part for part in (numbered, told, f"{held} {side}") if part)


def _canary(design: Design) -> str:
    error_rate = design.budgets.error_rate
    if not 0 < error_rate < 1:
        return "With an error budget of nothing no number of requests shows that it is kept: any failure takes it back."
    plan = canary(error_rate)
    steady = design.demand.steady_hz if design.demand else 0.0
    rows = [
        (
            share(stage),
            rate(stage * steady) if steady else "not known",
            duration(max(60.0, -(-plan.requests // (stage * steady)))) if steady else "not known",
        )
        for stage in STAGES
        if steady or stage
    ]
    bounded = share(round(upper_bound(plan.failures_max, plan.requests), 5))
    return "\n\n".join(
        part
        for part in (
            f"{count(plan.requests)} requests without a failure show, with 95 % confidence, an error rate below "
            f"{share(error_rate)}: (1 - {error_rate:g})^{plan.requests} < 0.05. Fewer show nothing, however green "
            "they look.",
            f"A stage ends well with {plan.failures_max} failures or fewer among {count(plan.requests)} requests, "
            "and goes "
            f"back at {plan.failures_max + 1}, without a discussion. A version that just keeps the budget goes back in "
            f"{share(round(plan.false_alarm, 3))} of the cases; one that fails {WORSE:g} times as often in "
            f"{share(round(plan.found, 3))}. With {plan.failures_max} failures the error rate is shown to be below "
            f"{bounded} "
            "and no better, so the budget itself is only shown by the release as a whole.",
            table(("stage", "requests", f"lasts, for {count(plan.requests)} requests at the steady load"), rows),
            "A stage also goes back when its p95 is above the promise of an operation that it has answered 59 "
            "times or more "
            "(fewer bound no p95), when any page fires, or when its memory or its connections rise without end.",
            fence(
                "promql",
                'sum(increase(http_request_duration_seconds_count{job="'
                + design.running.deployables[0].name
                + '",version="$canary",status=~"5.."}[$stage]))',
            )
            if design.running.deployables
            else "",
            "`version` is a label that the scrape takes from the pod's template, so that both versions are told apart.",
        )
        if part
    )


def _back(design: Design) -> str:
    least = [code(f"kubectl rollout undo deployment/{each.name}") for each in design.running.deployables]
    how = f"{', '.join(least)}: the" if design.deploy.platform == "kubernetes" else "Start the image before it: the"
    found = [
        f"{how} version before this one runs again within minutes, well inside the recovery budget of "
        f"{duration(design.budgets.recovery_s)}, because the schema still suits it.",
        "A migration is not taken back: what was expanded stays, unused. To contract is the only step without a "
        "way back, "
        "which is why it comes a release later.",
        "A setting or a secret is a release too: the same stages, the same way back.",
    ]
    if design.events:
        found.append(
            "Events that the new version told stay told: a new field is fine, another meaning is another version "
            "of the event."
        )
    if design.jobs:
        found.append(
            "Work that the new version left unfinished is taken up by the old one: both must know its form, so a "
            "change of "
            "it is an expansion as well."
        )
    return bullets(found)


def _replacing(design: Design) -> str:
    grace, longest = timing.grace_s(design), timing.longest_s(design)
    pool = design.capacity.pool if design.capacity else None
    waits = f" The longest wait for others is {duration(longest)}." if longest else ""
    leaving = "SIGTERM: not ready at once, and answering for a second more while the balancer hears of it; then"
    if design.deploy.platform == "kubernetes":
        leaving = (
            f"First it answers as ever for {duration(timing.LEAVE_S)} (`preStop`), while every balancer hears that it "
            "goes. SIGTERM: not ready,"
        )
    found = [
        f"{leaving} no new connections, what was begun is ended within {duration(timing.DRAIN_S)}, and after "
        f"{duration(grace)} in all the platform ends it.{waits}",
        f"New ones first: up to {share(timing.SURGE)} more than usual, none fewer"
        + (f"; the connections are counted with it: {pool.says}" if pool else "."),
        f"Ready only when it could answer: its pool is open, its schema is there, its keys are loaded. It has "
        f"{duration(timing.STARTUP_S)} for that.",
    ]
    if design.jobs:
        found.append("Jobs claim nothing more after SIGTERM; what they hold becomes due again when its lease ends.")
    return bullets(found)
