"""The chapter's own page: what is promised, what it costs to break it, what fires, and where everything is."""

from __future__ import annotations

from nines.dossier.chapters.operation.settings import held, settings
from nines.dossier.markdown import bullets, code, fence, heading, link, page, table
from nines.dossier.words import count, duration, share
from nines.model.design import Alert, Design, Document, Objective

_LATE = 0.5
"""Of the budget: what is left when releases slow down."""


def text(design: Design, artefacts: list[Document]) -> str:
    return page(
        heading(1, "Operation"),
        _opening(design),
        heading(2, "What is promised"),
        _objectives(design) or "Nothing that can be counted: the service has no operation and no job.",
        _spent(design),
        heading(2, "What fires"),
        _burning(design),
        _causes(design),
        heading(2, "What is given out"),
        _metrics(design),
        _settings(design),
        heading(2, "Where it is"),
        table(("file", "what it is"), _files(artefacts)),
    )


def _opening(design: Design) -> str:
    if design.is_recovered:
        return (
            f"How {code(design.name)} is deployed and watched today is not in its code. What follows is what its "
            "operations and "
            "the budgets allow to say: objectives to agree on, alerts on them with runbooks, and the metrics that "
            "both need. "
            "Nothing here says that the service gives them out."
        )
    budgets = design.budgets
    return (
        f"{code(design.name)} promises {share(budgets.availability)} availability over "
        f"{duration(budgets.window_s)}, at most "
        f"{share(budgets.error_rate)} errors, a p95 below {duration(budgets.latency_p95_s)}, recovery within "
        f"{duration(budgets.recovery_s)} and a loss of at most {duration(budgets.loss_s)} of what it acknowledged."
    )


def _objectives(design: Design) -> str:
    return table(
        ("objective", "promised", "over", "may be bad", "counted as good"),
        [_objective(design, each) for each in design.running.objectives],
    )


def _objective(design: Design, objective: Objective) -> tuple[str, ...]:
    each = f", for each {objective.by}" if objective.by else ""
    return (
        code(objective.id),
        f"{share(objective.target)}{each}",
        duration(objective.window_s),
        _allowed(design, objective),
        objective.says,
    )


def _allowed(design: Design, objective: Objective) -> str:
    allowed = f"{share(objective.budget)}"
    if objective.indicator == "availability":
        allowed += f" = {duration(objective.budget * objective.window_s)} of an outage of everything"
        if design.demand:
            events = sum(each.steady_hz or 0.0 for each in design.endpoints if each.id in objective.operations)
            whole = events * objective.window_s
            allowed += f" = {count(whole * objective.budget)} of {count(whole)} requests at the steady load"
    return allowed


def _spent(design: Design) -> str:
    if not design.running.objectives or design.is_recovered:
        return ""
    return bullets(
        (
            f"More than {share(_LATE)} of a budget is left: release as often as you like; an experiment may cost "
            "some of it.",
            f"Less than {share(_LATE)}: releases go on, in all stages of {link('the canary', 'rollout.md')}, by day.",
            "Nothing: only what makes the service more reliable is released, until the window has given some back. "
            "The owner may "
            "decide otherwise, in writing.",
        )
    )


def _burning(design: Design) -> str:
    burning = [each for each in design.running.alerts if each.burn_rate]
    if not burning:
        return ""
    windows: dict[tuple[float, float], list[Alert]] = {}
    for alert in burning:
        windows.setdefault((alert.long_s or 0.0, alert.short_s or 0.0), []).append(alert)
    objective = design.running.objective(burning[0].objective)
    window_s = objective.window_s if objective else 0.0
    rows = [
        (
            found[0].severity,
            f"{duration(long_s)} and {duration(short_s)}",
            f"{found[0].burn_rate:.4g}",
            share(round((found[0].burn_rate or 0.0) * long_s / window_s, 4)) if window_s else "",
            ", ".join(link(each.name, f"runbooks/{each.name}.md") for each in found),
        )
        for (long_s, short_s), found in windows.items()
    ]
    return (
        "On budgets, over several windows (The Site Reliability Workbook, chapter 5): both windows must burn "
        "faster than the rate, "
        "and at least five events must be bad, so that one failure at night wakes nobody.\n\n"
        + table(("", "over", "burn rate", "of the budget by then", "alerts"), rows)
    )


def _causes(design: Design) -> str:
    rows = [
        (each.severity, link(each.name, f"runbooks/{each.name}.md"), each.says)
        for each in design.running.alerts
        if not each.burn_rate
    ]
    if not rows:
        return ""
    return (
        "On causes, only where a person can do something. A cause is a ticket, unless it becomes an outage or a "
        "loss before tickets "
        "are read.\n\n" + table(("", "alert", "when"), rows)
    )


def _metrics(design: Design) -> str:
    own = table(("metric", "meaning"), [(code(name), says) for name, says in design.running.metrics])
    others = table(
        ("metric of others", "meaning", "from"),
        [(code(name), says, giver) for name, says, giver in design.running.borrowed],
    )
    edges = sorted({each.threshold_s for each in design.running.objectives if each.threshold_s})
    buckets = f"The histograms need buckets at {', '.join(duration(each) for each in edges)}." if edges else ""
    start = (
        "Counters start at 0 for every value of their labels: what appears with its first event is not seen to rise."
    )
    checked = fence("sh", "promtool check rules alerts/rules.yaml\npromtool test rules alerts/rules_test.yaml")
    return "\n\n".join(part for part in (own, others, f"{buckets} {start}".strip(), checked) if part)


def _settings(design: Design) -> str:
    if design.is_recovered:
        return ""
    told = table(("setting", "what it says"), [(code(each.name), each.says) for each in settings(design)])
    secrets = ", ".join(code(each.name) for each in held(design))
    by = (
        f"Secrets, by reference only: {secrets}; each is taken from the variable, or from the file that the same "
        "name with `_FILE` names."
        if secrets
        else ""
    )
    return "\n\n".join(part for part in (told, by) if part)


def _files(artefacts: list[Document]) -> list[tuple[str, str]]:
    shown = [each for each in artefacts if each.title]
    return [(link(_inside(each.path), _inside(each.path)), each.title) for each in shown]


def _inside(path: str) -> str:
    return path.partition("/")[2]
