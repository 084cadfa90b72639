"""Calls over gRPC survive messages that are wrong, odd or huge, and refuse whoever cannot prove who they are."""

from __future__ import annotations

import msgspec

from nines.experiments import judging
from nines.experiments.choosing import owner
from nines.experiments.leaks import leak_in
from nines.model.budget import Budgets
from nines.model.contract import Operation
from nines.model.experiment import Bench, CredentialFlaw, ExperimentInfo, Figure, Judgement, Mutant, Need
from nines.model.history import Check, Exchange, History
from nines.model.rule import Standard, Tier
from nines.model.verdict import Verdict

TIMEOUT_S = 8.0
TIME_MAX_S = 45.0
UNANSWERED_MAX = 3
"""What hangs once more often than this would take all the time."""
REFUSED = (401, 403)
CONTROL, HOSTILE, SECURED, OPEN = "control", "hostile", "secured", "open"

INFO = ExperimentInfo(
    title="Hostile messages",
    claim="No message makes a call over gRPC fail or hang, and no secured one answers who cannot prove who they are",
    tier=Tier.RELIABILITY,
    needs=(Need.TYPED,),
    standards=(
        Standard(id="CWE-20", url="https://cwe.mitre.org/data/definitions/20.html"),
        Standard(id="CWE-306", url="https://cwe.mitre.org/data/definitions/306.html"),
        Standard(id="gRPC status codes", url="https://grpc.io/docs/guides/status-codes/"),
    ),
    duration_s=8.0,
)


async def run(bench: Bench) -> None:
    """Each method: as nobody, with wrong credentials, with an empty message, and with those that are wrong."""
    by_method: dict[str, list[Mutant]] = {}
    for mutant in bench.messages(owner(bench)):
        by_method.setdefault(mutant.call.operation, []).append(mutant)
    if not by_method:
        bench.skip("calls over gRPC", "there are none of which the methods are known")
    unanswered = 0
    for name, (plain, *hostile) in by_method.items():
        if bench.clock_s() > TIME_MAX_S or unanswered >= UNANSWERED_MAX:
            bench.skip(name, "there was no time left")
            continue
        if bench.identities:
            await _as_strangers(bench, plain)
        control = await bench.send(msgspec.structs.replace(plain.call, phase=CONTROL), timeout_s=TIMEOUT_S)
        _keep(bench, plain, control, "no failure of the service")
        for mutant in hostile if control.status is not None else ():
            answer = await bench.send(msgspec.structs.replace(mutant.call, phase=HOSTILE), timeout_s=TIMEOUT_S)
            _keep(bench, mutant, answer, "an error that is the caller's, or success")
            unanswered += answer.status is None
            if unanswered >= UNANSWERED_MAX:
                break
        unanswered += control.status is None


async def _as_strangers(bench: Bench, plain: Mutant) -> None:
    """Without a promise of the contract an open method is nobody's fault; one that refuses nobody is open."""
    twin = _twin(bench, plain.call.operation)
    is_promised = twin is not None and twin.is_secured
    for flaw in CredentialFlaw:
        phase = SECURED if is_promised else OPEN
        answer = await bench.send(msgspec.structs.replace(plain.call, phase=phase), flaw=flaw, timeout_s=TIMEOUT_S)
        _keep(bench, plain, answer, "401 or 403", flaw.value)
        if flaw is CredentialFlaw.NONE and answer.status in REFUSED:
            is_promised = True
        if not is_promised:
            return


def _twin(bench: Bench, name: str) -> Operation | None:
    """The operation of the contract by which the same is done over HTTP."""
    wanted = name.removeprefix("rpc ").replace("_", "").lower()
    return next((o for o in bench.contract.operations if o.id.replace("_", "").lower() == wanted), None)


def _keep(bench: Bench, mutant: Mutant, answer: Exchange, expected: str, flaw: str = "") -> None:
    bench.check(
        Check(
            subject=mutant.call.operation,
            variant=f"credential: {flaw}" if flaw else mutant.variant,
            expected=expected,
            got=answer.header("grpc-status") or judging.answered(answer),
            exchanges=(bench.last(),),
        )
    )


def judge(history: History, budgets: Budgets) -> Judgement:
    """INTERNAL, UNKNOWN and silence are the service's; everything else is an answer to a caller."""
    del budgets
    tried = judging.indexed(history, CONTROL, HOSTILE)
    if not any(exchange.status is not None for _, exchange in tried):
        return judging.unknown("no method answered", history)
    variants = {index: check.variant for check in history.checks for index in check.exchanges}
    controls = {exchange.operation: exchange for _, exchange in tried if exchange.phase == CONTROL}
    ailing = {name for name, exchange in controls.items() if exchange.status is None or exchange.status == 503}
    judged = [(index, exchange) for index, exchange in tried if exchange.operation not in ailing]
    failed = [(i, e, why) for i, e in judged if (why := _why(e))]
    strangers = _accepted(history)
    broken = [*failed, *strangers]
    names = {exchange.operation for _, exchange, _ in broken}
    subjects = judging.merged_subjects(
        (e.operation, Verdict.UNKNOWN if e.operation in ailing else Verdict.HOLDS) for _, e in tried
    )
    subjects = tuple((name, Verdict.BROKEN if name in names else verdict) for name, verdict in subjects)
    figures = (
        judging.share_figure("messages that do harm", len(failed), len(judged)),
        Figure(name="methods", value=float(len(controls)), unit="methods", samples=len(tried)),
    )
    if broken:
        told = [f"{e.operation}, {variants.get(i, 'a message')}: {why}" for i, e, why in broken]
        says = f"{len(broken)} calls ended as none may: {judging.listed(told)}"
        offending = tuple(index for index, _, _ in broken)[: judging.OFFENDING_MAX]
        return Judgement(verdict=Verdict.BROKEN, says=says, figures=figures, offending=offending, subjects=subjects)
    if not judged or sum(1 for _, e in judged if e.status == 429) > len(judged) // 2:
        return judging.unknown("the methods were unavailable, or limited by their rate", history, figures)
    says = f"{len(judged)} messages to {len(controls) - len(ailing)} methods, none of which made one fail or hang"
    says += f"; unavailable whatever was sent: {judging.listed(sorted(ailing))}" if ailing else ""
    return Judgement(verdict=Verdict.HOLDS, says=says, figures=figures, subjects=subjects)


def _why(exchange: Exchange) -> str:
    code = exchange.header("grpc-status")
    if exchange.status is None:
        return f"no answer: {judging.answered(exchange)}"
    if exchange.is_server_error and exchange.status != 503:
        return f"answered {code or exchange.status}"
    leak = leak_in(exchange) if exchange.status >= 400 else ""
    return f"shows the inside: {leak}" if leak else ""


def _accepted(history: History) -> list[tuple[int, Exchange, str]]:
    """Those who could not prove who they are, and were not refused, where that is promised.

    A message that is refused for what it says was read before anybody was asked who sends it: that is not accused."""
    refusing = {e.operation for _, e in judging.indexed(history, OPEN) if e.status in REFUSED}
    found: list[tuple[int, Exchange, str]] = []
    for index, exchange in judging.indexed(history, SECURED, OPEN):
        is_promised = exchange.phase == SECURED or exchange.operation in refusing
        if is_promised and exchange.status is not None and exchange.status < 300:
            found.append((index, exchange, "was answered without a valid credential"))
    return found
