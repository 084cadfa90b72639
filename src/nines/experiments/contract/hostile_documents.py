"""A graph survives documents that are small to write and large to answer, or that are none."""

from __future__ import annotations

import msgspec

from nines.experiments import judging
from nines.experiments.choosing import owner
from nines.experiments.leaks import leak_in
from nines.model.budget import Budgets
from nines.model.effect import EffectKind
from nines.model.experiment import Bench, ExperimentInfo, Figure, Judgement, Mutant, Need, Target
from nines.model.history import Check, Exchange, History
from nines.model.rule import Standard, Tier
from nines.model.trace import Trace
from nines.model.verdict import Verdict

TIMEOUT_S = 10.0
SLOW_S = 2.0
"""For a document of some kilobytes, on a quiet system, twice in a row ..."""
SLOWNESS = 20.0
"""... and so many times as long as the plain question took."""
STATEMENTS_MAX = 200
"""No reader of a page needs more for one request; whoever sends it a hundred times a second does."""
TIME_MAX_S = 60.0
UNANSWERED_MAX = 2
"""The service is started again after a document that it did not answer, so many times."""
CONTROL, HOSTILE, AGAIN = "control", "hostile", "hostile again"
STATEMENTS = "statements"

INFO = ExperimentInfo(
    title="Hostile documents",
    claim="No document makes the graph fail, answer late, or do hundreds of times the work of a plain one",
    tier=Tier.RELIABILITY,
    needs=(Need.GRAPH, Need.OWNED_PROCESS),
    standards=(
        Standard(
            id="OWASP API4:2023",
            url="https://owasp.org/API-Security/editions/2023/en/0xa4-unrestricted-resource-consumption/",
        ),
        Standard(id="CWE-770", url="https://cwe.mitre.org/data/definitions/770.html"),
    ),
    duration_s=8.0,
)


async def run(bench: Bench) -> None:
    """A plain question for comparison, then each document once; what was late is sent once more."""
    plain, *hostile = bench.documents(owner(bench)) or (None,)
    if plain is None:
        bench.skip("the graph", "there is no graph whose schema is known")
        return
    for _ in range(3):
        await bench.send(msgspec.structs.replace(plain.call, phase=CONTROL), timeout_s=TIMEOUT_S)
    unanswered = 0
    for mutant in hostile:
        if bench.clock_s() > TIME_MAX_S or unanswered >= UNANSWERED_MAX:
            bench.skip(mutant.variant, "the graph did not answer any more" if unanswered else "there was no time left")
        elif not await _try(bench, mutant):
            # Who is still busy with one document tells nothing about the next, nor to the next experiment.
            unanswered += 1
            await bench.kill(Target.SERVICE)
            if await bench.start(Target.SERVICE) is None:
                return


async def _try(bench: Bench, mutant: Mutant) -> bool:
    """Whether it was answered."""
    call = msgspec.structs.replace(mutant.call, phase=HOSTILE)
    if mutant.is_invalid:
        # What is refused unread sends no statements, and waiting for silence around it takes longer than it does.
        exchange, statements = await bench.send(call, timeout_s=TIMEOUT_S), 0
    else:
        exchange, trace = await bench.observe(call)
        statements = _statements(trace)
    indexes = [bench.last()]
    took_ms = exchange.latency_ms
    if exchange.status is None or took_ms > SLOW_S * 1000.0:
        # A busy machine is late once; a document that costs too much always is.
        second = await bench.send(msgspec.structs.replace(mutant.call, phase=AGAIN), timeout_s=TIMEOUT_S)
        indexes.append(bench.last())
        took_ms = min(took_ms, second.latency_ms)
    bench.count(mutant.variant, took_ms, float(statements))
    bench.check(
        Check(
            subject=mutant.call.operation,
            variant=mutant.variant,
            expected="a refusal, or a cheap answer",
            got=f"{judging.answered(exchange)} after {took_ms:.0f} ms and {statements} statements",
            exchanges=tuple(indexes),
        )
    )
    return exchange.status is not None


def _statements(trace: Trace) -> int:
    return sum(1 for _ in trace.of(EffectKind.DATABASE_READ, EffectKind.DATABASE_WRITE))


def judge(history: History, budgets: Budgets) -> Judgement:
    """One document that is answered with a 5xx, late twice, or by hundreds of statements breaks the claim."""
    del budgets
    controls = [exchange for exchange in history.during(CONTROL) if exchange.status is not None]
    tried = [check for check in history.checks if check.exchanges]
    if not tried or not controls:
        return judging.unknown("no document could be tried", history)
    if all(exchange.is_server_error for exchange in controls):
        return judging.unknown("the graph fails whatever it is asked", history)
    usual_ms = sorted(exchange.latency_ms for exchange in controls)[len(controls) // 2]
    counts = {count.name: count for count in history.counts}
    broken: list[tuple[Check, str]] = []
    for check in tried:
        answers = [history.exchanges[index] for index in check.exchanges if index < len(history.exchanges)]
        cost = counts.get(check.variant)
        why = _why(answers, cost.y if cost is not None else 0.0, max(SLOW_S * 1000.0, SLOWNESS * usual_ms))
        if why:
            broken.append((check, why))
    figures = (
        judging.share_figure("documents that do harm", len(broken), len(tried)),
        Figure(name="the plain question", value=usual_ms, unit="ms", samples=len(controls)),
        Figure(
            name="most statements for one document",
            value=max((count.y for count in history.counts), default=0.0),
            unit=STATEMENTS,
            samples=len(tried),
        ),
    )
    if not broken:
        verdict = Verdict.UNKNOWN if _limited(history) else Verdict.HOLDS
        says = f"{len(tried)} hostile documents were refused or answered cheaply"
        says += ", but most by a rate limit" if verdict is Verdict.UNKNOWN else ""
        return Judgement(verdict=verdict, says=says, figures=figures, subjects=((tried[0].subject, verdict),))
    told = [f"{check.variant} {why}" for check, why in broken]
    return Judgement(
        verdict=Verdict.BROKEN,
        says=f"{len(broken)} of {len(tried)} documents do harm: {judging.listed(told)}",
        figures=figures,
        offending=tuple(index for check, _ in broken for index in check.exchanges)[: judging.OFFENDING_MAX],
        subjects=((tried[0].subject, Verdict.BROKEN),),
    )


def _why(answers: list[Exchange], statements: float, slow_ms: float) -> str:
    """In which way a document does harm, "" where it does none."""
    failed = next((each for each in answers if each.is_server_error), None)
    if failed is not None:
        return f"is answered {failed.status}"
    if answers and all(each.status is None or each.latency_ms > slow_ms for each in answers) and len(answers) > 1:
        if all(each.status is None for each in answers):
            return f"is not answered: {judging.answered(answers[0])}"
        return f"takes {min(each.latency_ms for each in answers) / 1000.0:.1f} s"
    if statements > STATEMENTS_MAX:
        return f"sends {statements:.0f} statements"
    leak = next((found for each in answers if (each.status or 0) >= 400 and (found := leak_in(each))), "")
    return f"shows the inside: {leak}" if leak else ""


def _limited(history: History) -> bool:
    sent = list(history.during(HOSTILE))
    return sum(1 for each in sent if each.status == 429) > len(sent) // 2
