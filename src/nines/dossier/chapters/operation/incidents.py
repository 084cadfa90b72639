"""Who does what in an incident, how bad it is by what it costs of the budget, and what is written afterwards."""

from __future__ import annotations

from nines.dossier.markdown import bullets, code, fence, heading, page, table
from nines.dossier.words import duration, share
from nines.model.design import Design

_SEVERE, _SERIOUS, _NOTABLE = 0.2, 0.05, 0.02
"""Of the budget of the window, spent by one incident."""


def text(design: Design) -> str:
    return page(
        heading(1, "Incidents"),
        f"A page that its runbook has not ended within {duration(design.budgets.recovery_s)}, or anything below, "
        "is an incident.",
        heading(2, "How bad it is"),
        _severities(design),
        heading(2, "Who does what"),
        table(
            ("role", "does", "does not"),
            (
                ("leads", "decides, gives out work, keeps the time, calls others", "touch a keyboard of the system"),
                ("works", "looks and mends, says each step before doing it", "answer questions from outside"),
                (
                    "tells",
                    "writes to callers and to the house, every 30 minutes, what is known and when the next word comes",
                    "guess a cause",
                ),
                ("writes", "one line for each fact and each step, with its time (UTC)", "tidy it up"),
            ),
        ),
        "The first one there leads until somebody takes it over aloud. One person may have several roles; leading "
        "and working "
        "are two people as soon as there are two.",
        heading(2, "In order"),
        "\n".join(f"{at}. {step}" for at, step in enumerate(_steps(design), 1)),
        heading(2, "Breaches"),
        _breaches(design),
        heading(2, "What is written afterwards"),
        "Within five working days, without blame: what the system allowed to happen, not who did it.",
        fence("markdown", _template(design)),
    )


def _severities(design: Design) -> str:
    objective = next(iter(design.running.objectives), None)
    if objective is None:
        return ""
    whole_s = objective.budget * objective.window_s

    def lasting(part: float) -> str:
        return f"{share(part)} of the budget: an outage of {duration(max(1.0, round(part * whole_s)))}"

    rows = (
        (
            "1",
            lasting(_SEVERE),
            "or data is lost, seen by others, or wrong",
            "everybody who can help, now; the owner's management",
        ),
        (
            "2",
            lasting(_SERIOUS),
            "or a critical operation is away for everybody",
            "the person on call and the owner, now",
        ),
        ("3", lasting(_NOTABLE), "or something that is not critical is away", "the person on call"),
        ("4", "less", "or a cause that was found before it hurt", "a ticket"),
    )
    by = (
        f"{share(objective.budget)} of {duration(objective.window_s)} is {duration(whole_s)} of an outage of everything"
    )
    critical = [code(each.id) for each in design.critical()][:10]
    named = (
        f"\n\nCritical here: {', '.join(critical)}{' …' if len(design.critical()) > len(critical) else ''}."
        if critical
        else ""
    )
    return (
        f"{by}; a part of the requests counts as a part of the time.\n\n"
        + table(("severity", "it costs", "whatever it costs", "who is called"), rows)
        + named
    )


def _steps(design: Design) -> list[str]:
    owner = design.card.owner or "the owner"
    return [
        f"Open a channel and a document, name the leader, say the severity. Called: the person on call of {owner}.",
        "End the harm before finding the cause: the last release back, the feature off, the load away.",
        "Tell callers what they see, since when, what they can do, and when the next word comes.",
        "Watch the short window of the alert for as long as it is before calling it over.",
        "Keep what explains it: log lines, traces, the dashboard's picture, `pg_stat_activity`.",
    ]


def _breaches(design: Design) -> str:
    personal = [table_ for table_ in design.tables if any(column.is_personal for column in table_.columns)]
    found = [
        "A secret was seen: change it by its own steps first, look for its use after; a rotation breaks nothing here.",
    ]
    if personal:
        named = ", ".join(code(each.name) for each in personal)
        found.insert(
            0,
            f"Personal data ({named}) was lost, changed or seen by others: whoever answers for data protection, at "
            "once. The "
            "authority hears of it within 72 hours of our knowing (GDPR, Article 33), and the people when it is a "
            "high risk to "
            "them (Article 34).",
        )
    audited = design.table("audit_log") or design.table("service_audit_log")
    if audited:
        found.append(f"What was done, and by whom, is in {code(audited.name)}: take a copy before anything is mended.")
    return bullets(found)


def _template(design: Design) -> str:
    return f"""# What happened to {design.name} on YYYY-MM-DD

Severity · began, noticed, ended (UTC) · budget spent, of how much · led by

## What callers saw
Operations, statuses, how many requests; who wrote to us.

## What happened
Time, fact. No adjectives.

## Why it could happen
The condition that was there before; what made it an incident; what kept it small.

## What told us, and when
Which alert, after how long; which one should have. Was the runbook right?

## What we change
| what | kind: prevents, notices sooner, ends sooner | who | until |
|---|---|---|---|

## What went well
"""
