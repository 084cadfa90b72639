"""`nines check`: review, prove, join, and a verdict against the budgets."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from nines.model.budget import BudgetResult
from nines.model.budget import Standing as BudgetStanding
from nines.model.errors import LabError, NinesError
from nines.model.experiment import Experiment, Trial
from nines.model.finding import Finding
from nines.model.progress import Progress, Silent
from nines.model.report import Readiness, Report, Unexamined
from nines.model.rule import Tier
from nines.model.service import Service
from nines.model.verdict import Verdict
from nines.verbs import join, machine, prove, trials
from nines.verbs.project import Project
from nines.verbs.reading import Read, is_debugging, read
from nines.verbs.recommending import recommended
from nines.verbs.review import accepted_findings, active_rules, judge, report_of


def check(
    project: Project,
    *,
    only: tuple[str, ...] = (),
    seed: int | None = None,
    baseline_file: Path | None = None,
    progress: Progress | None = None,
) -> Report:
    """Reads, runs, joins; a service that cannot be started is reviewed all the same and reported as not shown."""
    progress = progress or Silent()
    started, clock_s = datetime.now(UTC), time.monotonic()
    accepted = accepted_findings(project, baseline_file)
    selected = prove.chosen(project, only)
    progress.stage("reading the code")
    found = read(project)
    proof = _proof(project, found, selected, seed, progress)
    progress.stage("joining what was read with what was seen")
    service = _joined_service(found.service, proof)
    judged = judge(project, found, service)
    findings, carried_out = join.join(judged.findings, proof.trials, active_rules(project), service)
    report = report_of(project, found, judged, findings, accepted)
    readiness = decide(report.failing(project.settings.fail_on), carried_out, proof.budgets)
    checked = msgspec.structs.replace(
        report,
        command="check",
        started_at=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        duration_s=time.monotonic() - clock_s,
        seed=proof.seed,
        readiness=readiness,
        verdict=Verdict.merge(trial.verdict for trial in carried_out),
        says=_says(readiness, report.failing(project.settings.fail_on), carried_out, proof.budgets),
        trials=carried_out,
        budgets=proof.budgets,
        unexamined=(*report.unexamined, *proof.unexamined),
        machine=machine.describe(),
    )
    return recommended(checked)


def _proof(
    project: Project, found: Read, selected: tuple[Experiment, ...], seed: int | None, progress: Progress
) -> prove.Proof:
    try:
        return prove.run(project, found, selected, seed=seed, progress=progress)
    except Exception as unexpected:
        error = _told(unexpected)
        progress.note(f"the service could not be run: {error}")
        reason = f"the service could not be run: {error.what.rstrip('.')}"
        return prove.Proof(
            contract=found.service.contract,
            observed=(),
            trials=tuple(trials.not_run(each, reason) for each in selected if not each.info.is_of_interface),
            budgets=prove.unshown(project, "the service could not be run"),
            unexamined=(Unexamined(what="the running service", reason=_without_hint(error), hint=error.hint),),
            seed=seed,
        )


def _told(error: Exception) -> NinesError:
    """What was read is reported all the same, even where the laboratory broke down in a way that nobody foresaw."""
    if isinstance(error, NinesError):
        return error
    if is_debugging():
        raise error
    said = f"{type(error).__name__}: {error}".rstrip(": ")
    hint = "This is a defect of nines. Set NINES_DEBUG=1, run it again, and report what it prints, please."
    return LabError(f"the laboratory broke down: {said}", hint=hint)


def _without_hint(error: NinesError) -> str:
    where = f"{error.where}: " if error.where else ""
    detail = f"\n{error.detail.rstrip()}" if error.detail else ""
    return f"{where}{error.what}{detail}"


def _joined_service(service: Service, proof: prove.Proof) -> Service:
    """The service with its live contract and its observed traces beside the predicted ones."""
    contract = proof.contract or service.contract
    endpoints = prove.endpoints_of(contract, service.endpoints)
    observed = prove.attributed(proof.observed, contract, endpoints)
    return msgspec.structs.replace(service, contract=contract, endpoints=endpoints, traces=(*service.traces, *observed))


def decide(
    failing: tuple[Finding, ...], carried_out: tuple[Trial, ...], budgets: tuple[BudgetResult, ...]
) -> Readiness:
    """NOT READY when anything is broken, missed or found; READY only when every budget was shown to be met."""
    broken = any(trial.verdict is Verdict.BROKEN for trial in carried_out)
    missed = any(budget.standing is BudgetStanding.MISSED for budget in budgets)
    if broken or missed or failing:
        return Readiness.NOT_READY
    if budgets and all(budget.standing is BudgetStanding.MET for budget in budgets):
        return Readiness.READY
    return Readiness.NOT_SHOWN


def _says(
    readiness: Readiness,
    failing: tuple[Finding, ...],
    carried_out: tuple[Trial, ...],
    budgets: tuple[BudgetResult, ...],
) -> str:
    broken = sum(1 for trial in carried_out if trial.verdict is Verdict.BROKEN)
    standings = {s: [b.name for b in budgets if b.standing is s] for s in BudgetStanding}
    serious = sum(1 for f in failing if f.tier in (Tier.RELIABILITY, Tier.SECURITY))
    parts = []
    if failing:
        parts.append(f"{len(failing)} findings ({serious} of reliability or security)")
    if broken:
        parts.append(f"{broken} of {len(carried_out)} claims broken")
    if standings[BudgetStanding.MISSED]:
        parts.append("missed: " + ", ".join(standings[BudgetStanding.MISSED]))
    if standings[BudgetStanding.NOT_SHOWN]:
        parts.append("not shown: " + ", ".join(standings[BudgetStanding.NOT_SHOWN]))
    if readiness is Readiness.READY:
        held = sum(1 for trial in carried_out if trial.verdict is Verdict.HOLDS)
        parts.append(f"every budget is met and {held} of {len(carried_out)} claims hold")
    return "; ".join(parts)
