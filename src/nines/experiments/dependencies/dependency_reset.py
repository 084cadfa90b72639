"""When its connections to a dependency are reset, the service replaces them unaided and nobody later pays for it."""

from __future__ import annotations

from nines.checkers.binomial import lower_bound
from nines.experiments import judging
from nines.experiments.usage import Use, again, heal, uses
from nines.model.budget import Budgets
from nines.model.experiment import Bench, Call, ExperimentInfo, Fault, FaultKind, Figure, Judgement, Need
from nines.model.history import Exchange, History, Outcome
from nines.model.rule import Standard, Tier
from nines.model.verdict import Verdict

RESET_S = 0.5
TOGETHER = 20
"""As many at once as usually open every connection of a pool."""
ONE_BY_ONE = 10
AFFECTED_MAX = 3
HEAL_S_MAX = 30.0
CONTROL, AFTER, HEAL = "control", "after", "heal"

INFO = ExperimentInfo(
    title="Reset connections",
    claim="After the connections to a dependency were reset, requests succeed again at once and unaided",
    tier=Tier.RELIABILITY,
    needs=(Need.DEPENDENCY,),
    budgets=("availability",),
    standards=(
        Standard(
            id="AWS REL11-BP04",
            url="https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_withstand_component_failures_static_stability.html",
        ),
    ),
    is_destructive=True,
    duration_s=6.0,
)


async def run(bench: Bench) -> None:
    """Resets the connections of one dependency after the other, at rest, and sends as soon as it is over."""
    observed = await uses(bench)
    for dependency in bench.dependencies:
        affected = [use for use in observed if dependency in use.dependencies][:AFFECTED_MAX]
        if not affected:
            bench.skip(dependency, "no operation that could be driven uses it")
            continue
        # Once to open the connections, and at once again, for a service may need a moment to have them all.
        await bench.together(await _calls(bench, affected, TOGETHER, f"warm-up {dependency}"))
        await bench.together(await _calls(bench, affected, TOGETHER, f"{CONTROL} {dependency}"))
        at_once = await _calls(bench, affected, TOGETHER, f"{AFTER} {dependency}")
        later = await _calls(bench, affected, ONE_BY_ONE, f"{AFTER} {dependency}")
        async with bench.fault(Fault(kind=FaultKind.RESET, dependency=dependency)):
            await bench.pause(RESET_S)
        await bench.together(at_once)
        for call in later:
            await bench.send(call)
        healed_s = await heal(bench, affected[0], f"{HEAL} {dependency}", _limit_s(bench.budgets))
        if healed_s is None:
            bench.mark("not healed", dependency)


async def _calls(bench: Bench, affected: list[Use], number: int, phase: str) -> list[Call]:
    """Prepared beforehand, so that nothing is sent in between."""
    made = [await again(bench, affected[turn % len(affected)], phase) for turn in range(number)]
    return [call for call in made if call is not None]


def _limit_s(budgets: Budgets) -> float:
    return min(budgets.recovery_s, HEAL_S_MAX)


def judge(history: History, budgets: Budgets) -> Judgement:
    """Requests after the reset against the same requests before it."""
    figures: list[Figure] = []
    verdicts: list[tuple[Verdict, str]] = []
    subjects: list[tuple[str, Verdict]] = []
    offending: list[int] = []
    for mark in history.marked("fault off"):
        dependency = mark.name
        control = [e for _, e in judging.indexed(history, f"{CONTROL} {dependency}")]
        after = judging.indexed(history, f"{AFTER} {dependency}")
        if not control or not after or any(e.outcome is not Outcome.OK for e in control):
            says = f"{dependency}: the same requests did not all succeed before the reset"
            verdicts.append((Verdict.UNKNOWN, says))
            continue
        failed = [(i, e) for i, e in after if e.outcome is not Outcome.OK]
        is_broken = lower_bound(len(failed), len(after)) > budgets.error_rate
        figures.append(judging.share_figure(f"failed after {dependency} was reset", len(failed), len(after)))
        recovery = _recovery(history, dependency, mark.time_s, budgets)
        figures.append(recovery)
        is_dead = recovery.upper is None
        subjects += [(e.operation, Verdict.BROKEN if (i, e) in failed else Verdict.HOLDS) for i, e in after]
        offending += [index for index, _ in failed]
        verdicts.append(
            (
                Verdict.BROKEN if is_broken or is_dead else Verdict.HOLDS,
                _says(dependency, failed, after, recovery) + _unmet(history, dependency),
            )
        )
    if not verdicts:
        return judging.unknown("no dependency could be reset", history)
    verdict = Verdict.merge(found for found, _ in verdicts)
    says = "; ".join(text for found, text in verdicts if found is verdict)
    if verdict is Verdict.UNKNOWN:
        return judging.unknown(says, history, judging.unbounded(figures))
    return Judgement(
        verdict=verdict,
        says=says,
        figures=tuple(figures),
        offending=tuple(offending[: judging.OFFENDING_MAX]),
        subjects=judging.merged_subjects(subjects),
    )


def _recovery(history: History, dependency: str, off_s: float, budgets: Budgets) -> Figure:
    """From the end of the fault to the first success after the last failure."""
    tried = [e for _, e in judging.indexed(history, f"{AFTER} {dependency}", f"{HEAL} {dependency}")]
    last_failure_s = max((e.ended_s for e in tried if e.outcome is not Outcome.OK), default=off_s)
    healed = [e.ended_s for e in tried if e.outcome is Outcome.OK and e.ended_s >= last_failure_s]
    is_dead = any(mark.name == dependency for mark in history.marked("not healed")) or not healed
    name = "recovery after a reset"
    if is_dead:
        return Figure(name=name, value=_limit_s(budgets), unit="s")
    seconds = max(0.0, min(healed) - off_s)
    return Figure(name=name, value=seconds, unit="s", upper=seconds, samples=1)


def _unmet(history: History, dependency: str) -> str:
    """Says so where nothing was there to be reset: then no pool can have kept a dead connection."""
    is_unmet = any("met no traffic" in note and f" {dependency} " in note for note in history.notes)
    return ", for it keeps no connection open between requests" if is_unmet else ""


def _says(
    dependency: str, failed: list[tuple[int, Exchange]], after: list[tuple[int, Exchange]], recovery: Figure
) -> str:
    if recovery.upper is None:
        return f"{dependency}: not one request had succeeded {recovery.value:.0f} s after its connections were reset"
    if not failed:
        return f"{dependency}: all {len(after)} requests after the reset succeeded"
    kinds = list(dict.fromkeys(judging.answered(exchange) for _, exchange in failed))
    return (
        f"{dependency}: {len(failed)} of {len(after)} requests failed after its connections were back "
        f"({judging.listed(kinds)}), healed after {recovery.value:.1f} s"
    )
