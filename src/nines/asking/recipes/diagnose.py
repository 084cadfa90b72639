"""Why something is slow or fails: what was measured, what was read, ranked by what it costs."""

from __future__ import annotations

from nines.asking import parts
from nines.asking.answer import Answer, Basis, Claim, Open, Risk, Step, Sureness
from nines.asking.entities import EntityKind
from nines.asking.material import Material, Measurement, Traced
from nines.asking.recognise import Asked
from nines.model import words
from nines.model.finding import Finding
from nines.model.tier import Tier

_SLOW = ("database/", "deadlines/", "transactions/remote-call", "concurrency/")
_FAILS = ("deadlines/", "consistency/", "transactions/", "security/sql-injection")
_SLOW_EXPERIMENTS = ("load/steady", "database/n-plus-one", "dependencies/dependency-stall")
_FAILS_EXPERIMENTS = ("contract/no-5xx", "dependencies/dependency-stall", "consistency/unique-race", "load/steady")
_DATABASE = ("database/", "transactions/remote-call")
_TRACES_MAX = 3
_SLOW_PATTERNS = ("batched-loading", "matching-index", "keyset-pagination", "connection-pool")
_FAILS_PATTERNS = ("deadline", "retry-with-jitter", "load-shedding")


def answer(asked: Asked, material: Material) -> Answer:
    is_slow = asked.has("slow") or bool(asked.of(EntityKind.DURATION))
    fails = asked.has("failing") or bool(asked.of(EntityKind.STATUS))
    is_database = asked.has("database") and is_slow and not fails
    endpoint = next((entity.text for entity in asked.of(EntityKind.ENDPOINT)), "")
    prefixes = dict.fromkeys(
        (*(_DATABASE if is_database else _SLOW if is_slow else ()), *(_FAILS if fails else ())) or (*_SLOW, *_FAILS)
    )
    wanted = dict.fromkeys(
        (*(_SLOW_EXPERIMENTS if is_slow or not fails else ()), *(_FAILS_EXPERIMENTS if fails else ()))
    )
    report, measurement = material.review(), material.measurement()
    findings = parts.chosen(report, parts.by_rules(*prefixes))
    traced = material.traces(endpoint) if material.where else ()
    if endpoint and traced:
        findings = _at(findings, {each.endpoint for each in traced})
    findings = tuple(sorted(findings, key=lambda finding: _cost(finding, is_slow=is_slow and not fails)))
    figures = parts.measured(measurement, *wanted)
    patterns = parts.known_patterns(
        (*(_SLOW_PATTERNS if is_slow else ()), *(_FAILS_PATTERNS if fails else ())), material
    )
    symptom = " and ".join([*(["is slow"] if is_slow else []), *(["fails"] if fails else [])]) or "misbehaves"
    sure = parts.sureness(findings, figures, measurement)
    return Answer(
        question=asked.text,
        intent="diagnose",
        understood=f"you ask why {endpoint or ('the database' if is_database else 'the backend')} {symptom}",
        headline=_headline(findings, measurement, bool(figures), endpoint, has_project=bool(material.where)),
        sureness=sure if material.where else Sureness.LOW,
        because=parts.because(findings, figures, measurement) if material.where else "for no code is here to look at.",
        reasoning=(
            *figures,
            *parts.claims(findings),
            *_traced(sorted(traced, key=_weight, reverse=True)[:_TRACES_MAX]),
        ),
        approaches=parts.choices(findings, patterns),
        standards=parts.cited(findings, patterns, material),
        risks=_risks(findings),
        figures=(*_arithmetic(asked), *parts.budgets(measurement)),
        questions=_questions(asked, endpoint, measurement),
        steps=_steps(material, wanted, findings, endpoint),
        not_examined=parts.left_out(report, *_unseen(measurement)),
        pages=tuple(dict.fromkeys((*(finding.rule for finding in findings), *(each.id for each in patterns)))),
    )


def _at(findings: tuple[Finding, ...], endpoints: set[str]) -> tuple[Finding, ...]:
    return tuple(each for each in findings if endpoints.intersection((each.endpoint, *each.endpoints)))


def _cost(finding: Finding, *, is_slow: bool) -> tuple[object, ...]:
    """What is asked for goes first: time for what is slow, errors for what fails."""
    is_other = is_slow and finding.tier is not Tier.PERFORMANCE and not finding.rule.startswith(_SLOW)
    return (is_other, not (is_slow and finding.rule.startswith("database/")), finding.order)


def _weight(traced: Traced) -> tuple[int, ...]:
    return (traced.in_loops, traced.in_transaction, traced.without_deadline, traced.remote_calls, traced.reads)


def _traced(found: list[Traced]) -> tuple[Claim, ...]:
    told = []
    for each in found:
        parts_of = [words.many(each.reads, "query", "queries"), words.many(each.writes, "write")]
        parts_of += [words.many(each.remote_calls, "remote call")] if each.remote_calls else []
        parts_of += [f"{each.in_loops} of them in loops"] if each.in_loops else []
        parts_of += [f"{each.in_transaction} remote with a transaction open"] if each.in_transaction else []
        parts_of += [f"{each.without_deadline} without a deadline"] if each.without_deadline else []
        says = f"{each.endpoint} makes {', '.join(parts_of)}."
        told.append(Claim(says=says, basis=Basis.READ, source=f"trace {each.endpoint}"))
    return tuple(told)


def _headline(
    findings: tuple[Finding, ...],
    measurement: Measurement | None,
    has_figures: bool,
    endpoint: str,
    *,
    has_project: bool,
) -> str:
    if not has_project:
        return "Nothing can be said about your backend without its code: ask inside its folder, or name it with --path."
    if not findings:
        place = f" at {endpoint}" if endpoint else ""
        seen = "What was measured is below" if has_figures else f"Reading found no cause{place}"
        return f"{seen}; measure before anything is changed."
    first = findings[0]
    word = (
        "The cause with the most evidence"
        if has_figures and measurement
        else "The likeliest cause (read, not measured)"
    )
    return f"{word}: {first.message}{f' at {first.place}' if first.place else ''}"


def _risks(findings: tuple[Finding, ...]) -> tuple[Risk, ...]:
    """What mending the wrong thing, or the right thing wrongly, would do."""
    found = [
        Risk(
            says="A deadline that is shorter than the dependency's own p99 turns slow answers into errors.",
            mitigation="measure the dependency, set the deadline above its p99, and decide what is answered then.",
            source="page deadline",
        )
    ]
    if any(finding.rule.startswith("database/") for finding in findings):
        found.append(
            Risk(
                says="An index or a joined load that helps one query can slow down writes and other queries.",
                mitigation="compare before and after: `nines compare before.json after.json`.",
                source="page matching-index",
            )
        )
    return tuple(found)


def _arithmetic(asked: Asked) -> tuple[Claim, ...]:
    """What the figures of the question mean against the usual budgets."""
    told = []
    for duration in asked.of(EntityKind.DURATION)[:1]:
        if duration.value is not None and duration.value > 0:
            ratio = duration.value / 0.2
            says = f"{duration.text} is {ratio:.3g} times the usual budget of 200 ms at p95."
            told.append(Claim(says=says, basis=Basis.DERIVED, source="budget latency_p95"))
    if asked.of(EntityKind.STATUS):
        says = "The usual budget is less than one failed critical request in 1,000; showing that takes 2,995 requests."
        told.append(Claim(says=says, basis=Basis.DERIVED, source="budget error_rate"))
    return tuple(told)


def _questions(asked: Asked, endpoint: str, measurement: Measurement | None) -> tuple[Open, ...]:
    found = []
    if not endpoint:
        found.append(
            Open(
                question="Which endpoint is it?",
                assumed="any",
                matters="its trace is looked at first",
                is_decisive=True,
            )
        )
    if measurement is None or not measurement.is_fresh:
        found.append(
            Open(
                question="May nines start the service here and put load on it (ask again with --run)?",
                assumed="no",
                matters="what was read becomes measured",
            )
        )
    if not asked.has("change"):
        found.append(
            Open(
                question="Since when, and what was changed then (code, data, load)?",
                assumed="unknown",
                matters="`nines review --since` looks at what a change brought",
            )
        )
    return tuple(found)


def _steps(
    material: Material, wanted: dict[str, None], findings: tuple[Finding, ...], endpoint: str
) -> tuple[Step, ...]:
    where = material.where or "PATH"
    busiest = endpoint or next((finding.endpoint for finding in findings if finding.endpoint), "")
    looked = f'nines trace {where} "{busiest}"' if busiest else f"nines trace {where}"
    first = Step(command=looked, why="shows every query, call and wait of it in order")
    return (first, *parts.steps((*wanted, *parts.deciding(findings, material)), material))


def _unseen(measurement: Measurement | None) -> tuple[str, ...]:
    return () if measurement else ("the running service: no report of prove or check is here",)
