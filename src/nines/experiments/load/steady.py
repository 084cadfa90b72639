"""The budgets hold at the target rate."""

from __future__ import annotations

import msgspec

from nines.checkers.binomial import lower_bound, samples_needed
from nines.checkers.quantiles import quantile
from nines.experiments import judging, measured
from nines.experiments.choosing import attempt, attempt_as_any, harms_identity, is_door, is_plumbing
from nines.model.budget import Budgets
from nines.model.contract import Operation
from nines.model.experiment import Bench, ExperimentInfo, Judgement, Load, Share
from nines.model.history import Exchange, History, Outcome
from nines.model.rule import Standard, Tier
from nines.model.settings import LoadSettings
from nines.model.verdict import Verdict

WARM_UP_S = 3.0
OPERATIONS_MAX = 30
READ_WEIGHT = 4.0
"""Without weights in the settings a read is sent four times as often as a write."""
MARGIN = 1.02
"""A little more than needed, for arrivals are random."""
TIMEOUT_S = 10.0
"""Who has waited so long has gone (Nielsen, Usability Engineering, 1993, 5.5): it counts as a failure."""
REHEARSALS = 3
"""What may be done once or twice only (a second vote, a taken name) shows itself before the load."""
LOOK_S = 2.0
"""How often the load is looked at while it runs."""
REST_S = 0.1
EARLY_MIN = 1_000
EARLY_CONFIDENCE = 0.999
EARLY_ERROR_SHARE = 0.05
EARLY_SLOWNESS = 3.0
"""A load ends early when, after so many requests, more than this share failed or p95 is so many times its budget."""
LIMITED = 429
CLEAN_SHARE_MIN = 0.5
"""With fewer requests than this share to operations that refused none, too little of the service was tried."""
SHOWN_S = 65.0
"""A rate at which the error budget would take longer to be shown is raised until it takes so long."""
WARM_UP, WARM_UP_AGAIN, STEADY, STEADY_AGAIN = "warm-up", "warm-up again", "steady", "steady again"
RAISED = "raised"

INFO = ExperimentInfo(
    title="Steady load",
    claim="At the target rate the error and response-time budgets hold",
    tier=Tier.RELIABILITY,
    budgets=("error_rate", "latency_p95"),
    standards=(Standard(id="SRE, chapter 4", url="https://sre.google/sre-book/service-level-objectives/"),),
    duration_s=68.0,
)


async def run(bench: Bench) -> None:
    """Finds out what can be driven, warms up, and keeps the rate until the error budget could be shown."""
    shares = await _shares(bench)
    if not shares:
        return
    settings = bench.load_settings
    rate_hz = _raised(settings, bench.budgets)
    load = Load(rate_hz=rate_hz, duration_s=WARM_UP_S, shares=shares, phase=WARM_UP, timeout_s=TIMEOUT_S)
    await bench.load(load)
    is_raised = rate_hz > settings.rate_hz
    if is_raised and _is_strained(bench):
        bench.note(f"at {rate_hz:.0f}/s the service refused or failed, so it was asked at its target rate alone")
        is_raised = False
        load = msgspec.structs.replace(load, rate_hz=settings.rate_hz, phase=WARM_UP_AGAIN)
        await bench.load(load)
    load = msgspec.structs.replace(load, shares=_repeatable(bench, shares, load.phase))
    if not load.shares:
        return
    if is_raised and await _holds_raised(bench, load):
        return
    needed = _needed(0, bench.budgets)
    duration_s = settings.duration_s or min(needed * MARGIN / settings.rate_hz, settings.duration_s_max)
    phase = STEADY_AGAIN if is_raised else STEADY
    load = msgspec.structs.replace(load, rate_hz=settings.rate_hz)
    is_decided = await _keep_up(bench, msgspec.structs.replace(load, duration_s=duration_s, phase=phase))
    if (
        phase == STEADY
        and not is_decided
        and any(report.is_spoiled for report in bench.history().loads if report.phase == phase)
    ):
        bench.note("the generator could not keep its schedule, so the same load was sent once more")
        phase = STEADY_AGAIN
        is_decided = await _keep_up(bench, msgspec.structs.replace(load, duration_s=duration_s, phase=phase))
    if not is_decided and not settings.duration_s:
        await _go_on(bench, load, phase, settings.duration_s_max - duration_s)


def _raised(settings: LoadSettings, budgets: Budgets) -> float:
    """The rate at which the error budget is shown in time, the target rate where that is enough."""
    wanted_hz = _needed(0, budgets) * MARGIN / min(SHOWN_S, settings.duration_s_max)
    is_free = not settings.duration_s and settings.rate_hz < wanted_hz <= settings.rate_hz_max
    return wanted_hz if is_free else settings.rate_hz


def _is_strained(bench: Bench) -> bool:
    """Whether the faster warm-up met a rate limit or a failure, which the target rate may not meet."""
    return any(e.status == LIMITED or measured.has_failed(e) for e in bench.history().during(WARM_UP))


async def _holds_raised(bench: Bench, load: Load) -> bool:
    """Whether the budgets hold even above the target rate, which shows them in time; else that says nothing of them."""
    settings = bench.load_settings
    told = f"{load.rate_hz:.0f}/s, {load.rate_hz / settings.rate_hz:.2g} times the target rate"
    duration_s = min(SHOWN_S, settings.duration_s_max)
    if not await _keep_up(bench, msgspec.structs.replace(load, duration_s=duration_s, phase=STEADY)):
        await _go_on(bench, load, STEADY, settings.duration_s_max - duration_s)
    if judge(bench.history(), bench.budgets).verdict is Verdict.HOLDS:
        bench.mark(RAISED, told, f"{_needed(0, bench.budgets)}")
        return True
    bench.note(f"the budgets could not be shown at {told}, so the service was asked at the target rate itself")
    return False


async def _keep_up(bench: Bench, load: Load) -> bool:
    """Sends the load; True when it was ended early, for a budget was missed beyond doubt."""
    async with bench.background(load):
        # Only now, for its requests had to be prepared first; a moment more, so that the last one has left.
        began_s = bench.clock_s()
        while (left_s := load.duration_s + REST_S - (bench.clock_s() - began_s)) > REST_S / 2:
            await bench.pause(min(LOOK_S, left_s))
            missed = _missed(list(bench.history().during(load.phase)), bench.budgets)
            if missed:
                bench.note(f"the load was ended after {bench.clock_s() - began_s:.0f} s, for {missed}")
                return True
    return False


def _missed(sent: list[Exchange], budgets: Budgets) -> str:
    """Which budget is missed so far that nothing that follows could change it, "" while there is doubt."""
    counted = [exchange for exchange in sent if not measured.was_refused(exchange)]
    if len(counted) < EARLY_MIN:
        return ""
    failures = sum(1 for exchange in counted if measured.has_failed(exchange))
    limit = max(EARLY_ERROR_SHARE, budgets.error_rate)
    if lower_bound(failures, len(counted), EARLY_CONFIDENCE) >= limit:
        return f"{failures} of {len(counted)} requests had failed"
    slow = quantile([exchange.latency_ms for exchange in counted], measured.P95, EARLY_CONFIDENCE)
    if slow is not None and slow.lower is not None and slow.lower > EARLY_SLOWNESS * budgets.latency_p95_ms:
        return f"the p95 of {len(counted)} requests was at least {slow.lower:.0f} ms"
    return ""


async def _go_on(bench: Bench, load: Load, phase: str, left_s: float) -> None:
    """Makes up, if time is left, for a failure or two, which may be chance, and for what was refused."""
    sent = list(bench.history().during(phase))
    failures = sum(1 for exchange in sent if measured.has_failed(exchange))
    refused = sum(1 for exchange in sent if measured.was_refused(exchange))
    missing = _needed(failures, bench.budgets) - (len(sent) - refused)
    more_s = missing * MARGIN / load.rate_hz
    shares = _repeatable(bench, load.shares, phase)
    if (failures or refused) and shares and 0.0 < more_s <= left_s:
        told = " and ".join(
            f"{n} were {how}" for n, how in ((failures, "not answered well"), (refused, "refused")) if n
        )
        bench.note(f"{told}, so the load goes on for {more_s:.0f} s")
        await _keep_up(bench, msgspec.structs.replace(load, duration_s=more_s, phase=phase, shares=shares))


def _repeatable(bench: Bench, shares: tuple[Share, ...], phase: str) -> tuple[Share, ...]:
    """Without the operations whose valid requests were refused under load, by a rate limit of their own too.

    A limit on half of the operations or more is the service's, and says that the rate is too high for one caller."""
    sent = list(bench.history().during(phase))
    limited = {e.operation for e in sent if e.status == LIMITED}
    is_general = len(limited) >= CLEAN_SHARE_MIN * len({e.operation for e in sent})
    refused = {e.operation: e for e in sent if measured.was_refused(e) and not (is_general and e.status == LIMITED)}
    for name, exchange in refused.items():
        if any(share.operation == name for share in shares):
            bench.skip(name, f"repeated under load, valid requests were answered {exchange.status}")
    return tuple(share for share in shares if share.operation not in refused)


async def _shares(bench: Bench) -> tuple[Share, ...]:
    """What answers a valid request correctly; everything else is said."""
    wanted = bench.load_settings.operations
    creators = {operation.id for operation in bench.creators()}
    shares: list[Share] = []
    operations = sorted(bench.contract.operations, key=lambda o: not o.is_safe)
    for name in wanted:
        if bench.contract.operation(name) is None:
            bench.skip(name, "load.operations names it, but the contract has no such operation")
    for operation in operations:
        if wanted and operation.id not in wanted:
            continue
        if len(shares) >= OPERATIONS_MAX:
            bench.skip(operation.id, f"only {OPERATIONS_MAX} operations are driven")
            continue
        reason = "" if wanted else _unsuitable(operation, creators)
        identity = ""
        if not reason:
            identity, reason = await _rehearse(bench, operation)
        if reason:
            bench.skip(operation.id, reason)
            continue
        weight = wanted.get(operation.id, READ_WEIGHT if operation.is_safe else 1.0)
        shares.append(Share(operation=operation.id, identity=identity, weight=weight))
    return tuple(shares)


def _unsuitable(operation: Operation, creators: set[str]) -> str:
    if is_plumbing(operation):
        return "it serves the operators, and would only flatter the figures"
    if is_door(operation) or harms_identity(operation):
        return "signing in and changing credentials is only driven when load.operations names it"
    if operation.method == "DELETE" or (operation.method == "POST" and operation.id not in creators):
        return "it cannot be repeated at will; name it in load.operations to drive it all the same"
    return "" if operation.method in ("GET", "POST", "PUT", "PATCH") else f"{operation.method} is not driven"


async def _rehearse(bench: Bench, operation: Operation) -> tuple[str, str]:
    """As whom a valid request succeeds several times in a row on the quiet system, or why it does not."""
    first = await attempt_as_any(bench, operation, "control")
    if first is None:
        return "", "no valid request could be made"
    identity, answer = first[0].identity, first[1]
    for _ in range(REHEARSALS - 1):
        if answer.outcome is not Outcome.OK:
            break
        tried = await attempt(bench, operation, identity, "control")
        if tried is None:
            return identity, "no second valid request could be made"
        answer = tried[1]
    if answer.outcome is Outcome.OK:
        return identity, ""
    return identity, f"a valid request was answered {judging.answered(answer)} on the quiet system"


def _needed(failures: int, budgets: Budgets) -> int:
    return samples_needed(failures, budgets.error_rate) if 0.0 < budgets.error_rate < 1.0 else 1


def judge(history: History, budgets: Budgets) -> Judgement:
    """Errors by exact bounds, response times by order statistics, over everything and operation by operation."""
    phase = STEADY_AGAIN if any(True for _ in history.during(STEADY_AGAIN)) else STEADY
    sent = judging.indexed(history, phase)
    counted = [(index, exchange) for index, exchange in sent if not measured.was_refused(exchange)]
    if not counted:
        return judging.unknown("nothing could be driven", history)
    figures = measured.figures_of([exchange for _, exchange in counted])
    spoiled = next((load for load in history.loads if load.is_spoiled and load.phase in ("", phase)), None)
    if spoiled is not None and not _answers_errors(counted, budgets):
        reason = spoiled.reason or "it could not keep its own schedule"
        return judging.unknown(f"the load generator spoiled the run: {reason}", history, judging.unbounded(figures))
    hindered = _hindered([exchange for _, exchange in sent], budgets)
    if hindered:
        return judging.unknown(hindered, history, judging.unbounded(figures))
    subjects = measured.subjects_of(counted, budgets)
    errors, p95 = figures[0], figures[1]
    is_broken = measured.exceeds(errors, budgets.error_rate) or measured.exceeds(p95, budgets.latency_p95_ms)
    holds = measured.below(errors, budgets.error_rate) and measured.below(p95, budgets.latency_p95_ms)
    verdict = Verdict.HOLDS if holds else Verdict.UNKNOWN
    if is_broken or any(found is Verdict.BROKEN for _, found in subjects):
        verdict = Verdict.BROKEN
    return Judgement(
        verdict=verdict,
        says=measured.told(counted, figures, subjects, budgets)
        + _asked(history)
        + _left_out([exchange for _, exchange in sent]),
        figures=figures,
        offending=measured.offending(counted, budgets) if verdict is not Verdict.HOLDS else (),
        subjects=subjects,
    )


def _answers_errors(counted: list[tuple[int, Exchange]], budgets: Budgets) -> bool:
    """Whether answers of 5xx alone miss the budget: a late generator can make a service look slow, but not failing."""
    errors = sum(1 for _, exchange in counted if exchange.is_server_error)
    return lower_bound(errors, len(counted)) > budgets.error_rate


def _hindered(sent: list[Exchange], budgets: Budgets) -> str:
    """Why refusals hide too much of the service, "" when they do not."""
    refused = sum(1 for exchange in sent if measured.was_refused(exchange))
    limited = sum(1 for exchange in sent if exchange.status == LIMITED)
    refusing = {exchange.operation for exchange in sent if measured.was_refused(exchange)}
    clean = sum(1 for exchange in sent if exchange.operation not in refusing)
    if clean / len(sent) >= CLEAN_SHARE_MIN:
        return ""
    if refused / len(sent) <= budgets.error_rate:
        return ""
    says = f"{refused} of {len(sent)} requests were refused with a 4xx, so that too few tried the service"
    return says + (f" ({limited} by its rate limit)" if limited else "")


def _asked(history: History) -> str:
    raised = next(iter(history.marked(RAISED)), None)
    return f"; asked at {raised.name}, so that {raised.detail} requests fit into the time" if raised else ""


def _left_out(sent: list[Exchange]) -> str:
    refused = [exchange.operation for exchange in sent if measured.was_refused(exchange)]
    if not refused:
        return ""
    return f"; {len(refused)} refused requests do not count: {judging.listed(list(dict.fromkeys(refused)))}"
