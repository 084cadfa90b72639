"""Work waits, was given up, or is overdue; with the statements that show it and help."""

from __future__ import annotations

from nines.dossier.chapters.operation.runbooks.runbook import Runbook, owner, sql
from nines.dossier.markdown import code, heading, table
from nines.dossier.words import duration
from nines.model.design import Alert, Design, PlannedJob, Watch


def stale(design: Design, alert: Alert) -> Runbook:
    watched = _among(design, [each for each in design.running.watches if each.waiting and not _is_timed(design, each)])
    limit = duration(alert.threshold or 0.0)
    return Runbook(
        means=f"Work that was accepted has been due for more than {limit}. Nothing is lost: it is in the database, "
        "and is done "
        f"when it can be. The label `task` says which.\n\n{_jobs(watched)}",
        see=tuple(
            part
            for job, watch in watched
            for part in (heading(3, job.name), "How much is due, and since when:", sql(watch.waiting))
        ),
        first=(
            "Is a breaker open or a dependency slow? Then this is the design at work: it drains when that is over.",
            "Do processes run and claim? No log line with this `task` for a minute means that nobody works on it: "
            "restart the "
            "processes one after the other.",
            "Does more come in than goes out? Then it grows for as long as the load stays.",
        ),
        stop=(
            "More replicas: each adds as many workers as the table says; a provider that allows no more calls "
            "makes this useless.",
            "Never delete or move rows by hand to make a queue shorter: callers were told that it will be done.",
        ),
        escalate=(f"It has waited for an hour: {owner(design)} tells those who wait for it.",),
    )


def dead(design: Design, _alert: Alert) -> Runbook:
    watched = _among(design, [each for each in design.running.watches if each.given_up])
    return Runbook(
        means="Work used up its attempts. Nobody does it any more, and nobody has been told, until a person decides. "
        f"The label `task` says which.\n\n{_jobs(watched)}",
        see=tuple(
            part
            for job, watch in watched
            for part in (
                heading(3, job.name),
                f"What waits for a person ({job.dead_letter or 'nothing is kept'}):",
                sql(watch.given_up),
            )
        ),
        first=(
            "Is it one reason or many? The log has each attempt's error by `task`; the same one throughout is a "
            "dependency or a "
            "release, different ones are the data.",
            "Is the reason gone? Only then try again, a single one first.",
        ),
        stop=tuple(_again(watch) for _, watch in watched),
        escalate=(
            "It concerns money, messages that people wait for, or the same piece dies twice: its owner decides, "
            "with the row's "
            "identifier and no personal data in the ticket.",
        ),
    )


def overdue(design: Design, _alert: Alert) -> Runbook:
    timed = [each for each in design.running.watches if _is_timed(design, each)]
    watched = _among(design, timed)
    seen = next((watch for _, watch in watched if watch.waiting and watch.again and not watch.given_up), None)
    see = ("When each is due, and what the last turn ended with; for one of them:", sql(seen.waiting)) if seen else ()
    again = f"Run it at once, by making it due: {code(' '.join(seen.again.split()))}" if seen else ""
    return Runbook(
        means="A job that runs by the clock has not ended well for three of its turns. The label `task` says which.\n\n"
        + _jobs(watched),
        see=see,
        first=(
            "Does it fail, or does it not run? `last_error` and the log by `task` say the first; a `due_at` in the "
            "past that "
            "does not move says the second.",
            "Does it take longer than its turn? Then it has grown with its table; it works in batches, so let it.",
            "Purging late is a promise on personal data that is not kept: note since when.",
        ),
        stop=tuple(each for each in ("Mend the reason; the next turn makes up for the missed ones.", again) if each),
        escalate=(f"A retention is exceeded by a day: {owner(design)}, and whoever answers for data protection.",),
    )


def _is_timed(design: Design, watch: Watch) -> bool:
    job = next((each for each in design.jobs if each.name == watch.task), None)
    return bool(job and job.every_s) and not watch.given_up


def _among(design: Design, watches: list[Watch]) -> list[tuple[PlannedJob, Watch]]:
    jobs = {job.name: job for job in design.jobs}
    return [(jobs[each.task], each) for each in watches if each.task in jobs]


def _jobs(watched: list[tuple[PlannedJob, Watch]]) -> str:
    rows = []
    for job, watch in watched:
        when = f"every {duration(job.every_s)}" if job.every_s else "as soon as there is some"
        asks = ", ".join(dict.fromkeys(code(step.target) for step in job.flow.calls if step.target))
        kept = code(watch.table) if watch.table else ""
        rows.append((code(job.name), job.says, when, str(job.concurrency), str(job.attempts_max), asks, kept))
    return table(("task", "what it does", "when", "at once in a process", "attempts", "asks", "kept in"), rows)


def _again(watch: Watch) -> str:
    task = code(watch.task)
    if watch.again_by:
        return f"{task}: by {code(watch.again_by)}, one after the other; it checks who asks, and leaves a trace."
    if watch.again:
        return f"{task}, with the row's own identifier: {code(' '.join(watch.again.split()))}"
    return f"{task}: its state is final, and nothing brings it back; whoever asked for it is told, and asks again."
