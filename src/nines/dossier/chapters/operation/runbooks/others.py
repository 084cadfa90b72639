"""Others are away; credentials end."""

from __future__ import annotations

from nines.dossier.chapters.operation.runbooks.runbook import Runbook, owner
from nines.dossier.markdown import code, fence, table
from nines.dossier.words import count, duration, rate, share
from nines.model.blueprint import Dependency, Fallback
from nines.model.design import Alert, Design, FlowStep


def breaker(design: Design, alert: Alert) -> Runbook:
    dependency = design.dependency(alert.about)
    if dependency is None or dependency.breaker is None:
        raise ValueError(f"{alert.name} is about nothing that has a breaker")
    name, rule = dependency.name, dependency.breaker
    return Runbook(
        means=f"Of the last {rule.of} calls to {code(name)} {share(rule.error_share)} failed or took longer than "
        f"{_deadline(dependency)}; for {duration(rule.open_s)} none is made, then one is tried. This has gone on for "
        f"{duration(alert.for_s)}. {_felt(dependency)}\n\n{_users(design, dependency)}",
        see=(
            "How its calls end:",
            fence(
                "promql", f'sum by (outcome) (rate(dependency_call_duration_seconds_count{{dependency="{name}"}}[5m]))'
            ),
            "`timeout` is a provider that is slow, `refused` one that does not want us (a credential, a limit), "
            "`failed` one "
            "that is broken.",
        ),
        first=(
            f"Does {code(name)} tell of a disturbance on its status page? Then wait, and tell those who ask.",
            "Is it `refused`? Its credential may have ended or been changed: compare with the date of the last "
            "rotation.",
            f"Do we ask too often? {_asked(dependency)}",
            "Did egress change: the proxy's list of hosts, a policy, a certificate authority?",
        ),
        stop=(_stands_in(dependency), "It closes by itself with the first call that succeeds; no restart is needed."),
        escalate=(
            f"Its support, with the time, the outcome and a request id of ours; it promises "
            f"{share(dependency.availability) if dependency.availability else 'nothing that is known'}.",
            f"It lasts: {owner(design)} decides whether what needs it is switched off, with a word to the callers.",
        ),
    )


def _deadline(dependency: Dependency) -> str:
    return duration(dependency.timeout_s) if dependency.timeout_s else "its deadline"


def _felt(dependency: Dependency) -> str:
    return {
        Fallback.QUEUE: "What asks for it is accepted and waits; the alert on stale work says when that becomes "
        "too long.",
        Fallback.CACHE: "The last known values are answered; they grow old.",
        Fallback.DEFAULT: "Answers come without what it would have told.",
        Fallback.NONE: "What needs it is answered with 503.",
    }[dependency.fallback]


def _users(design: Design, dependency: Dependency) -> str:
    rows = [
        (code(each.id), "operation", _asks(each.flow.calls, dependency))
        for each in design.endpoints
        if _asks(each.flow.calls, dependency)
    ]
    rows += [
        (code(job.name), "job", _asks(job.flow.calls, dependency))
        for job in design.jobs
        if _asks(job.flow.calls, dependency)
    ]
    return table(("who asks it", "what that is", "for what"), rows)


def _asks(calls: tuple[FlowStep, ...], dependency: Dependency) -> str:
    return "; ".join(dict.fromkeys(step.says for step in calls if step.target == dependency.name))


def _asked(dependency: Dependency) -> str:
    parts = [f"It takes {rate(dependency.rate_max_hz)}" if dependency.rate_max_hz else "How much it takes is not known"]
    if dependency.bulkhead:
        parts.append(f"each process has at most {dependency.bulkhead} calls in flight")
    if dependency.retry and dependency.retry.max:
        parts.append(f"each call is repeated {dependency.retry.max} times at most")
    return "; ".join(parts) + "."


def _stands_in(dependency: Dependency) -> str:
    if dependency.fallback is Fallback.QUEUE:
        return "Nothing has to be switched: the work waits in the database and is done, oldest first, when it is back."
    if dependency.fallback is Fallback.NONE and dependency.is_hard:
        return "Nothing stands in for it: only its recovery ends this."
    return "Nothing has to be switched: the answers go on without it."


def credential(design: Design, alert: Alert) -> Runbook:
    days = (alert.threshold or 0.0) / 86_400
    rows = [
        (
            code(each.name),
            code(each.dependency) if each.dependency else "",
            each.says,
            duration(each.every_s) if each.every_s else "when it leaked",
            each.rotation,
        )
        for each in design.secrets
    ]
    return Runbook(
        means=f"In less than {count(days)} d a certificate or a key ends, and with it every connection that needs "
        "it, at once "
        "and in every process. The label `name` says which one.\n\n"
        + table(("name", "of", "what it opens", "changed every", "how"), rows),
        see=(
            "How long each has left, in days:",
            fence("promql", "sort((credential_expiry_timestamp_seconds - time()) / 86400)"),
        ),
        first=(
            "Which one is it, and who issues it? The table above has how each is changed while requests are answered.",
            "Should it have been renewed by itself? Then mend that first: its log says why it was not.",
        ),
        stop=(
            "Change it by its own steps, and look whether the date has moved in every process, not in one.",
            "An old one is withdrawn only when nothing uses it any longer.",
        ),
        escalate=(
            "Its issuer does not answer, or it has ended: an incident; what needs it is away until there is a new one.",
            f"{owner(design)} holds the access to the secret store.",
        ),
    )
