"""Every secured operation refuses whoever cannot prove who they are."""

from __future__ import annotations

import msgspec

from nines.experiments import judging
from nines.experiments.choosing import harms_identity, is_door, is_gate, is_named, is_plumbing, owner
from nines.model.budget import Budgets
from nines.model.contract import Operation
from nines.model.experiment import Bench, Call, CredentialFlaw, ExperimentInfo, Figure, Judgement, Need
from nines.model.history import Check, Exchange, History, Outcome
from nines.model.rule import Standard, Tier
from nines.model.verdict import Verdict

OPERATIONS_MAX = 120
TIME_MAX_S = 25.0
FORGED = tuple(flaw for flaw in CredentialFlaw if flaw is not CredentialFlaw.NONE)
REFUSED = (401, 403)

INFO = ExperimentInfo(
    title="Authentication",
    claim="Every secured operation refuses missing, meaningless, altered, unsigned and expired credentials",
    tier=Tier.SECURITY,
    needs=(Need.IDENTITY,),
    standards=(
        Standard(
            id="OWASP API2:2023",
            url="https://owasp.org/API-Security/editions/2023/en/0xa2-broken-authentication/",
        ),
        Standard(id="CWE-306", url="https://cwe.mitre.org/data/definitions/306.html"),
        Standard(id="CWE-347", url="https://cwe.mitre.org/data/definitions/347.html"),
    ),
    duration_s=6.0,
)


async def run(bench: Bench) -> None:
    """A valid request for each operation, sent with every flaw first and with the real credential last."""
    identity = owner(bench)
    for position, operation in enumerate(bench.contract.operations):
        reason = _left_out(bench, operation)
        if not reason and (position >= OPERATIONS_MAX or bench.clock_s() > TIME_MAX_S):
            reason = "there was no time left"
        if reason:
            bench.skip(operation.id, reason)
            continue
        call = await bench.prepare(operation, identity)
        if call is None:
            bench.skip(operation.id, "no valid request could be made")
            continue
        await _try(bench, operation, call)


def _left_out(bench: Bench, operation: Operation) -> str:
    if is_named(operation, bench.security_settings.public):
        return "security.public declares it open to everyone"
    if is_door(operation) and not operation.is_secured:
        return "it is how somebody signs in"
    if is_gate(operation):
        # Contracts with security for everything often forget to take the log-in out of it.
        return "it is how somebody signs in, whatever the contract says"
    return "it serves the operators" if is_plumbing(operation) else ""


async def _try(bench: Bench, operation: Operation, call: Call) -> None:
    """Flaws before the control, for a control may consume the object and a refusal changes nothing."""
    anonymous = await _send(bench, operation, call, CredentialFlaw.NONE)
    if not operation.is_secured and anonymous.status not in REFUSED:
        # The contract says open, and it is open: nothing was promised that could be broken.
        return
    for flaw in FORGED:
        await _send(bench, operation, call, flaw)
    if harms_identity(operation):
        bench.skip(operation.id, "no control: a successful request would end the session")
        return
    await bench.send(msgspec.structs.replace(call, phase="control"))


async def _send(bench: Bench, operation: Operation, call: Call, flaw: CredentialFlaw) -> Exchange:
    phase = f"{'secured' if operation.is_secured else 'open'} {flaw.value}"
    answer = await bench.send(msgspec.structs.replace(call, phase=phase), flaw=flaw)
    bench.check(
        Check(
            subject=operation.id,
            variant=flaw.value,
            expected="401 or 403" if operation.is_secured else "as the contract says: open",
            got=judging.answered(answer),
            passed=False if operation.is_secured and _accepted(answer) else answer.status in REFUSED or None,
            exchanges=(bench.last(),),
        )
    )
    return answer


def judge(history: History, budgets: Budgets) -> Judgement:
    """An operation is open when a wrong credential succeeds where a right one is asked for."""
    del budgets
    controls = {exchange.operation: exchange for exchange in history.during("control")}
    cells = [
        (index, exchange)
        for index, exchange in enumerate(history.exchanges)
        if _flaw(exchange) and _is_judged(exchange, history)
    ]
    if not cells:
        return judging.unknown("no secured operation could be tried", history)
    optional = _optional([exchange for _, exchange in cells])
    accepted = [(i, e) for i, e in cells if _accepted(e) and not (e.operation in optional and _flaw(e) == "none")]
    refused = [
        (index, exchange) for index, exchange in cells if _is_refusal(exchange, controls.get(exchange.operation))
    ]
    verdicts = [
        (e.operation, Verdict.BROKEN if (i, e) in accepted else Verdict.HOLDS if (i, e) in refused else Verdict.UNKNOWN)
        for i, e in cells
    ]
    subjects = judging.merged_subjects(verdicts)
    figures = (
        judging.share_figure("wrong credentials accepted", len(accepted), len(cells)),
        Figure(name="operations", value=float(len(subjects)), unit="operations", samples=len(cells)),
    )
    if accepted:
        names = list(dict.fromkeys(f"{e.operation} ({_flaw(e)})" for _, e in accepted))
        return Judgement(
            verdict=Verdict.BROKEN,
            says=f"{len(accepted)} of {len(cells)} wrong credentials were accepted: {judging.listed(names)}",
            figures=figures,
            offending=tuple(index for index, _ in accepted)[: judging.OFFENDING_MAX],
            subjects=subjects,
        )
    unclear = [operation for operation, verdict in subjects if verdict is Verdict.UNKNOWN]
    if len(unclear) == len(subjects):
        return judging.unknown("no operation answered so that a refusal could be told from a failure", history, figures)
    says = (
        f"{len(refused)} of {len(cells)} wrong credentials at {len(subjects)} operations were refused, none succeeded"
    )
    if unclear:
        says += f"; without a conclusion: {judging.listed(unclear)}"
    if optional:
        says += f"; answers strangers although the contract says secured: {judging.listed(sorted(optional))}"
    return Judgement(verdict=Verdict.HOLDS, says=says, figures=figures, subjects=subjects)


def _optional(cells: list[Exchange]) -> set[str]:
    """Reads that answer whoever shows nothing and refuse whoever shows something wrong: signing in is optional there.

    Frameworks cannot say so in the contracts that they generate, so it accuses nobody."""
    refusing = {e.operation for e in cells if _flaw(e) != "none" and e.status in REFUSED}
    forgiving = {e.operation for e in cells if _flaw(e) != "none" and _accepted(e)}
    greeting = {e.operation for e in cells if _flaw(e) == "none" and _accepted(e) and e.method == "GET"}
    return (greeting & refusing) - forgiving


def _flaw(exchange: Exchange) -> str:
    """Which flaw an exchange was sent with, "" for none."""
    kind, _, flaw = exchange.phase.partition(" ")
    return flaw if kind in ("secured", "open") else ""


def _is_judged(exchange: Exchange, history: History) -> bool:
    """An operation that the contract leaves open is judged only where it refuses nobody's requests."""
    if exchange.phase.startswith("secured"):
        return True
    first = next(e for e in history.exchanges if e.operation == exchange.operation and _flaw(e) == "none")
    return first.status in REFUSED


def _accepted(exchange: Exchange) -> bool:
    """A redirection usually leads to a log-in page, so only a plain success counts."""
    return exchange.outcome is Outcome.OK and exchange.status is not None and exchange.status < 300


def _is_refusal(exchange: Exchange, control: Exchange | None) -> bool:
    """401 and 403 refuse; another 4xx does where the same request with the right credential succeeds."""
    if exchange.status in REFUSED:
        return True
    is_client_error = exchange.status is not None and 300 <= exchange.status < 500
    return is_client_error and control is not None and control.outcome is Outcome.OK
