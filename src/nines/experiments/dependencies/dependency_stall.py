"""While a dependency hangs, waiting is bounded, what does not need it works on, and afterwards everything heals."""

from __future__ import annotations

from nines.checkers.binomial import lower_bound
from nines.checkers.quantiles import quantile
from nines.experiments import judging
from nines.experiments.usage import Use, again, heal, uses
from nines.model.budget import Budgets
from nines.model.experiment import Bench, ExperimentInfo, Fault, FaultKind, Figure, Judgement, Load, Need, Share
from nines.model.history import Exchange, History, Outcome
from nines.model.record import Record
from nines.model.rule import Standard, Tier
from nines.model.verdict import Verdict

PATIENCE_S = 10.0
"""How long people keep their attention on one thing they wait for (Nielsen, Usability Engineering, 1993, 5.5)."""
HEAL_S_MAX = 30.0
"""How long a run waits for the healing; a circuit breaker may lawfully take longer."""
RATE_HZ = 15.0
STUCK_S = 1.5
"""How long requests gather before others are tried."""
PROBE_S_MAX = 5.0
"""How long unrelated operations are tried, and the longest that one try may take."""
HEAL_AFTER_LONG_S_MAX = 10.0
"""Where waits had no bound the claim is broken already, and the healing is not worth as much time."""
LOAD_S = 3.0
"""At this rate that makes more requests than a usual pool has connections or a server has threads."""
POLITE = (429, 502, 503, 504)
PROBES = 10
AFFECTED_MAX = 3
UNRELATED_MAX = 2
STALL, UNRELATED, CONTROL, AFTER = "stall", "unrelated", "control", "after"

INFO = ExperimentInfo(
    title="Stalled dependency",
    claim=f"When a dependency hangs, nobody waits {PATIENCE_S:.0f} s, the unrelated works on, and it heals unaided",
    tier=Tier.RELIABILITY,
    needs=(Need.DEPENDENCY,),
    budgets=("availability",),
    standards=(
        Standard(id="CWE-1088", url="https://cwe.mitre.org/data/definitions/1088.html"),
        Standard(
            id="AWS REL05-BP05",
            url="https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_mitigate_interaction_failure_client_timeouts.html",
        ),
    ),
    is_destructive=True,
    duration_s=16.0,
)


async def run(bench: Bench) -> None:
    """Stalls one dependency after the other, under a little load of the operations that use it."""
    observed = await uses(bench)
    for dependency in bench.dependencies:
        affected = [use for use in observed if dependency in use.dependencies][:AFFECTED_MAX]
        unrelated = [use for use in observed if dependency not in use.dependencies][:UNRELATED_MAX]
        if not affected:
            bench.skip(dependency, "no operation that could be driven uses it")
            continue
        await _stall(bench, dependency, affected, unrelated)


async def _stall(bench: Bench, dependency: str, affected: list[Use], unrelated: list[Use]) -> None:
    await _probe(bench, unrelated, f"{CONTROL} {dependency}")
    load = Load(
        rate_hz=RATE_HZ,
        duration_s=LOAD_S,
        shares=tuple(Share(operation=use.operation.id, identity=use.call.identity) for use in affected),
        phase=f"{STALL} {dependency}",
        timeout_s=PATIENCE_S + 2.0,
    )
    # The load begins first, for its requests must be prepared while everything still works.
    async with bench.background(load):
        async with bench.fault(Fault(kind=FaultKind.STALL, dependency=dependency)):
            began_s = bench.clock_s()
            await bench.pause(STUCK_S)
            await _probe(bench, unrelated, f"{UNRELATED} {dependency}")
            while bench.clock_s() - began_s < PATIENCE_S + 0.5 and not _all_answered(bench, load.phase, began_s):
                await bench.pause(0.5)
            is_bounded = _all_answered(bench, load.phase, began_s)
        limit_s = _limit_s(bench.budgets) if is_bounded else HEAL_AFTER_LONG_S_MAX
        healed_s = await heal(bench, affected[0], f"{AFTER} {dependency}", limit_s)
    if healed_s is None:
        bench.mark("not healed", dependency, f"{limit_s:.0f}")
    else:
        bench.count(f"healed {dependency}", 1.0, healed_s)


async def _probe(bench: Bench, chosen: list[Use], phase: str) -> None:
    began_s = bench.clock_s()
    for turn in range(PROBES * len(chosen)):
        left_s = PROBE_S_MAX - (bench.clock_s() - began_s)
        call = await again(bench, chosen[turn % len(chosen)], phase)
        if call is not None and left_s > 1.0:
            await bench.send(call, timeout_s=left_s)


def _all_answered(bench: Bench, phase: str, since_s: float) -> bool:
    """Whether those that got stuck first were answered although the stall goes on: the wait has a bound."""
    first = [e for e in bench.history().during(phase) if since_s <= e.intended_s < since_s + 1.0]
    return len(first) >= RATE_HZ * 0.8


def _limit_s(budgets: Budgets) -> float:
    return min(budgets.recovery_s, HEAL_S_MAX)


class _Part(Record):
    """The judgement of one dependency."""

    verdict: Verdict
    says: str
    figures: tuple[Figure, ...] = ()
    offending: tuple[int, ...] = ()
    subjects: tuple[tuple[str, Verdict], ...] = ()


def judge(history: History, budgets: Budgets) -> Judgement:
    """Dependency by dependency: the waits, the unrelated operations, the healing."""
    stalled = [mark for mark in history.marked("fault on") if mark.detail in ("", FaultKind.STALL.value)]
    parts = [_part(history, mark.name, mark.time_s, budgets) for mark in stalled]
    if not parts:
        return judging.unknown("no dependency could be stalled", history)
    figures = tuple(figure for part in parts for figure in part.figures)
    verdict = Verdict.merge(part.verdict for part in parts)
    says = "; ".join(part.says for part in parts if part.verdict is verdict)
    if verdict is Verdict.UNKNOWN:
        return judging.unknown(says, history, figures)
    return Judgement(
        verdict=verdict,
        says=says,
        figures=figures,
        offending=tuple(index for part in parts for index in part.offending)[: judging.OFFENDING_MAX],
        subjects=judging.merged_subjects(subject for part in parts for subject in part.subjects),
    )


def _part(history: History, dependency: str, on_s: float, budgets: Budgets) -> _Part:
    ends = [mark.time_s for mark in history.marked("fault off") if mark.name == dependency and mark.time_s >= on_s]
    off_s = min(ends, default=float("inf"))
    stuck = [(i, e) for i, e in judging.indexed(history, f"{STALL} {dependency}") if on_s <= e.intended_s < off_s]
    waited = [(i, e, e.ended_s - e.intended_s) for i, e in stuck]
    long = [(i, e, wait_s) for i, e, wait_s in waited if wait_s >= PATIENCE_S]
    during = [(i, e, wait_s) for i, e, wait_s in waited if e.ended_s <= off_s or wait_s >= PATIENCE_S]
    if not during:
        return _Part(verdict=Verdict.UNKNOWN, says=f"{dependency}: no request ended while it hung")
    longest_s = max(wait_s for _, _, wait_s in during)
    name = f"longest wait while {dependency} hung"
    figures = [Figure(name=name, value=longest_s, unit="s", samples=len(during))]
    faults: list[str] = []
    offending: list[int] = []
    subjects = [(e.operation, Verdict.BROKEN if wait_s >= PATIENCE_S else Verdict.HOLDS) for _, e, wait_s in during]
    if long:
        faults.append(f"{len(long)} of {len(during)} requests waited {PATIENCE_S:.0f} s or more")
        offending += [index for index, _, _ in long]
    others, bad = _unrelated(history, dependency, budgets)
    subjects += others
    if bad:
        faults.append(f"unrelated operations suffered: {judging.listed([e.operation for _, e in bad])}")
        offending += [index for index, _ in bad]
    healed = [count.y for count in history.counts if count.name == f"healed {dependency}"]
    is_sick = not healed and not _is_polite(history, dependency)
    if healed and max(healed) > budgets.recovery_s:
        faults.append(f"it needed {max(healed):.0f} s to heal")
    elif is_sick:
        faults.append(f"it did not heal within {_waited_s(history, dependency):.0f} s")
    figures.append(_recovery(healed, _waited_s(history, dependency)))
    if faults:
        says = f"while {dependency} hung: {', '.join(faults)}"
        return _Part(
            verdict=Verdict.BROKEN,
            says=says,
            figures=tuple(figures),
            offending=tuple(offending),
            subjects=tuple(subjects),
        )
    if not healed:
        says = f"{dependency}: after {_waited_s(history, dependency):.0f} s it still turned callers away politely"
        return _Part(verdict=Verdict.UNKNOWN, says=says, figures=tuple(figures), subjects=tuple(subjects))
    says = (
        f"while {dependency} hung, the longest of {len(during)} requests waited {longest_s:.1f} s; "
        f"healed after {max(healed):.1f} s"
    )
    return _Part(verdict=Verdict.HOLDS, says=says, figures=tuple(figures), subjects=tuple(subjects))


def _waited_s(history: History, dependency: str) -> float:
    """How long the run waited for the healing that did not come."""
    given_up = [mark.detail for mark in history.marked("not healed") if mark.name == dependency and mark.detail]
    return float(given_up[0]) if given_up else HEAL_S_MAX


def _recovery(healed: list[float], waited_s: float) -> Figure:
    name = "recovery after a stall"
    if not healed:
        return Figure(name=name, value=waited_s, unit="s")
    return Figure(name=name, value=max(healed), unit="s", upper=max(healed), samples=len(healed))


def _is_polite(history: History, dependency: str) -> bool:
    """Whether it still turned callers away on purpose at the end, as a circuit breaker does, rather than failing."""
    tried = [exchange for _, exchange in judging.indexed(history, f"{AFTER} {dependency}")]
    return bool(tried) and tried[-1].status in POLITE


def _unrelated(
    history: History, dependency: str, budgets: Budgets
) -> tuple[list[tuple[str, Verdict]], list[tuple[int, Exchange]]]:
    """Operations that do not touch the dependency: verdicts, and the exchanges that accuse."""
    subjects: list[tuple[str, Verdict]] = []
    accusing: list[tuple[int, Exchange]] = []
    probes = judging.indexed(history, f"{UNRELATED} {dependency}")
    controls = [exchange for _, exchange in judging.indexed(history, f"{CONTROL} {dependency}")]
    for operation in dict.fromkeys(exchange.operation for _, exchange in probes):
        tried = [(i, e) for i, e in probes if e.operation == operation]
        control = [e for e in controls if e.operation == operation]
        if not control or any(e.outcome is not Outcome.OK for e in control):
            continue
        failed = [(i, e) for i, e in tried if e.outcome is not Outcome.OK]
        is_failing = lower_bound(len(failed), len(tried)) > budgets.error_rate
        is_slow = _is_slow([e for _, e in tried], budgets) and not _is_slow(control, budgets)
        if is_failing or is_slow:
            accusing += failed[:1] or [max(tried, key=lambda pair: pair[1].latency_ms)]
        subjects.append((operation, Verdict.BROKEN if is_failing or is_slow else Verdict.HOLDS))
    return subjects, accusing


def _is_slow(exchanges: list[Exchange], budgets: Budgets) -> bool:
    found = quantile([exchange.latency_ms for exchange in exchanges], 0.95)
    return found is not None and found.lower is not None and found.lower > budgets.latency_p95_ms
