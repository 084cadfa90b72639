"""Bad input is refused politely: never with a 5xx, and without telling what is inside."""

from __future__ import annotations

import msgspec

from nines.experiments import judging
from nines.experiments.choosing import attempt_as_any, harms_identity, owner
from nines.experiments.leaks import leak_in
from nines.model.budget import Budgets
from nines.model.contract import Operation
from nines.model.experiment import Bench, ExperimentInfo, Figure, Judgement, Mutant
from nines.model.history import Check, Exchange, History, Outcome
from nines.model.rule import Standard, Tier
from nines.model.verdict import Verdict

OPERATIONS_MAX = 80
MUTANTS_EACH = 24
MUTANTS_MAX = 1_000
TIMEOUT_S = 10.0
REPEATED = "the same valid request once more"
TIME_MAX_S = 25.0

INFO = ExperimentInfo(
    title="Bad input",
    claim="No input makes the service answer with a 5xx or show its inside",
    tier=Tier.RELIABILITY,
    standards=(
        Standard(id="CWE-20", url="https://cwe.mitre.org/data/definitions/20.html"),
        Standard(id="CWE-209", url="https://cwe.mitre.org/data/definitions/209.html"),
        Standard(id="RFC 9110, 15.6", url="https://www.rfc-editor.org/rfc/rfc9110#section-15.6"),
    ),
    duration_s=10.0,
)


async def run(bench: Bench) -> None:
    """One valid request for each operation, then wrong variants of it."""
    identity = owner(bench)
    left = MUTANTS_MAX
    # What deletes, or changes the identity itself, comes last: the others still need both.
    operations = sorted(bench.contract.operations, key=lambda o: (harms_identity(o), o.method == "DELETE"))
    for operation in operations[OPERATIONS_MAX:]:
        bench.skip(operation.id, f"only {OPERATIONS_MAX} operations are tried")
    each = max(4, min(MUTANTS_EACH, MUTANTS_MAX // max(1, min(len(operations), OPERATIONS_MAX))))
    for operation in operations[:OPERATIONS_MAX]:
        if left <= 0 or bench.clock_s() > TIME_MAX_S:
            bench.skip(operation.id, "there was no time left")
            continue
        left -= await _try(bench, operation, identity, min(each, left))


async def _try(bench: Bench, operation: Operation, identity: str, limit: int) -> int:
    """How many mutants were sent."""
    is_harmful = harms_identity(operation)
    if is_harmful:
        valid = await bench.prepare(operation, identity)
    else:
        tried = await attempt_as_any(bench, operation, "control")
        valid = tried[0] if tried else None
    if valid is None:
        bench.skip(operation.id, "no valid request could be made to start from")
        return 0
    sent = 0
    mutants = bench.mutants(valid, limit)
    if operation.method == "POST" and not is_harmful and operation.body is not None:
        # Who is impatient, or was cut off, sends the same once more.
        again = await bench.prepare(operation, valid.identity, like=valid)
        repeated = () if again is None else (Mutant(call=again, variant=REPEATED, is_invalid=False),)
        mutants = (*repeated, *mutants)
    for mutant in mutants:
        if is_harmful and not mutant.is_invalid:
            # It might succeed, and lock the identity out of everything that follows.
            continue
        phase = "invalid" if mutant.is_invalid else "unusual"
        answer = await bench.send(msgspec.structs.replace(mutant.call, phase=phase), timeout_s=TIMEOUT_S)
        bench.check(
            Check(
                subject=operation.id,
                variant=mutant.variant,
                expected="a 4xx" if mutant.is_invalid else "no 5xx",
                got=judging.answered(answer),
                passed=None if answer.status is None else not answer.is_server_error,
                exchanges=(bench.last(),),
            )
        )
        sent += 1
    return sent


def judge(history: History, budgets: Budgets) -> Judgement:
    """Each operation by the answers to its mutants, against the answer to a valid request."""
    del budgets
    controls = {exchange.operation: exchange for exchange in history.during("control")}
    tried = judging.indexed(history, "invalid", "unusual")
    ailing = {operation for operation, exchange in controls.items() if _is_broken(exchange)}
    # Without a control an operation that fails whatever is sent may lack something in the laboratory.
    uncontrolled = {e.operation for _, e in tried if e.operation not in controls}
    ailing |= {name for name in uncontrolled if all(_is_broken(e) for _, e in tried if e.operation == name)}
    judged = [(index, exchange) for index, exchange in tried if exchange.operation not in ailing]
    errors = [(index, exchange) for index, exchange in judged if exchange.is_server_error]
    leaks = [(i, e, leak) for i, e in enumerate(history.exchanges) if _is_error(e) and (leak := leak_in(e))]
    if not judged and not leaks:
        return judging.unknown("no wrong request could be sent", history)
    accepted = sum(1 for _, exchange in judged if exchange.phase == "invalid" and exchange.outcome is Outcome.OK)
    limited = sum(1 for _, exchange in judged if exchange.status == 429)
    figures = (
        judging.share_figure("5xx", len(errors), len(judged)),
        judging.share_figure("leaks", len({i for i, _, _ in leaks}), len(judged)),
        Figure(name="invalid, yet accepted", value=float(accepted), unit="requests", samples=len(judged)),
    )
    subjects = _subjects(history, judged, {e.operation for _, e in errors} | {e.operation for _, e, _ in leaks}, ailing)
    offending = tuple(dict.fromkeys([*_one_each(errors), *(index for index, _, _ in leaks)]))
    if errors or leaks:
        says = _says(errors, leaks, len(judged), _variants(history)) + _ailing(ailing)
        return Judgement(
            verdict=Verdict.BROKEN,
            says=says,
            figures=figures,
            offending=offending[: judging.OFFENDING_MAX],
            subjects=subjects,
        )
    if limited > len(judged) // 2:
        return judging.unknown(f"{limited} of {len(judged)} requests were refused by the rate limit", history, figures)
    verdict = Verdict.merge(verdict for _, verdict in subjects if verdict is not Verdict.UNKNOWN)
    says = f"{len(judged)} wrong requests to {len({e.operation for _, e in judged})} operations, no 5xx and no leak"
    says += _ailing(ailing)
    if len(ailing) >= len({e.operation for _, e in judged}):
        return judging.unknown(says, history, figures)
    return Judgement(verdict=verdict, says=says, figures=figures, subjects=subjects)


def _ailing(names: set[str]) -> str:
    if not names:
        return ""
    shown = judging.listed(sorted(names))
    return f"; {len(names)} operations already fail when the request is valid, so were not judged: {shown}"


def _subjects(
    history: History, judged: list[tuple[int, Exchange]], broken: set[str], ailing: set[str]
) -> tuple[tuple[str, Verdict], ...]:
    found = [(e.operation, Verdict.BROKEN if e.operation in broken else Verdict.HOLDS) for _, e in judged]
    found += [(name, Verdict.BROKEN if name in broken else Verdict.UNKNOWN) for name in ailing]
    found += [(skip.subject, Verdict.UNKNOWN) for skip in history.skips]
    return judging.merged_subjects(found)


def _variants(history: History) -> dict[int, str]:
    """What was wrong with the request, by the index of its exchange."""
    return {index: check.variant for check in history.checks for index in check.exchanges}


def _says(
    errors: list[tuple[int, Exchange]], leaks: list[tuple[int, Exchange, str]], sent: int, variants: dict[int, str]
) -> str:
    parts: list[str] = []
    if errors:
        index, first = errors[0]
        names = list(dict.fromkeys(exchange.operation for _, exchange in errors))
        parts.append(
            f"{len(errors)} of {sent} wrong requests were answered with a 5xx, at {judging.listed(names)}; "
            f"the first: {variants.get(index, first.path)} was answered {first.status}"
        )
    if leaks:
        _, exchange, leak = leaks[0]
        parts.append(f"{len(leaks)} error answers show the inside: {leak} at {exchange.operation}")
    return "; ".join(parts)


def _one_each(errors: list[tuple[int, Exchange]]) -> list[int]:
    """The first of every operation before the second of any."""
    first: dict[str, int] = {}
    for index, exchange in errors:
        first.setdefault(exchange.operation, index)
    return [*first.values(), *(index for index, _ in errors)]


def _is_broken(exchange: Exchange) -> bool:
    return exchange.is_server_error or exchange.status is None


def _is_error(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status >= 400
