"""`nines review`: read the code and judge every trace."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from nines import __version__, rules
from nines.model.finding import Finding
from nines.model.progress import Progress, Silent
from nines.model.record import Record
from nines.model.report import Report, RuleSummary, Unexamined
from nines.model.rule import Rule
from nines.model.service import Service
from nines.model.settings import budgets_of
from nines.model.verdict import Verdict
from nines.readers import revision
from nines.verbs import allowances, baseline, excerpts, meant, names, renames
from nines.verbs.project import Project
from nines.verbs.reading import Read, read
from nines.verbs.recommending import recommended


class Judged(Record):
    """Findings that remain after allowances, and what could not be judged."""

    findings: tuple[Finding, ...]
    allowed: int
    unexamined: tuple[Unexamined, ...] = ()


def review(
    project: Project,
    *,
    since: str = "",
    baseline_file: Path | None = None,
    progress: Progress | None = None,
) -> Report:
    """Reads and judges; with `since`, only what the change since that revision brings."""
    with _uncollected():
        return _review(project, since, baseline_file, progress or Silent())


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nearly everything that a review makes is kept to its end: looking for garbage again and again finds none."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _review(project: Project, since: str, baseline_file: Path | None, progress: Progress) -> Report:
    started, clock_s = datetime.now(UTC), time.monotonic()
    accepted = accepted_findings(project, baseline_file)
    progress.stage("reading the code")
    found = read(project)
    progress.stage("judging")
    judged = judge(project, found, found.service)
    before = None
    if since:
        progress.stage(f"reading revision {since}")
        before = _at(project, since, found)
    report = report_of(project, found, judged, judged.findings, accepted, before=before)
    return msgspec.structs.replace(
        report,
        command="review",
        started_at=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        duration_s=time.monotonic() - clock_s,
    )


def judge(project: Project, found: Read, service: Service) -> Judged:
    """Every rule that is not switched off, over the service's traces; then what settings and code allow."""
    findings: list[Finding] = []
    failures: list[Unexamined] = []
    active = active_rules(project)
    for rule in active:
        judged = rules.judge(rule, service)
        findings.extend(judged.findings)
        failures.extend(Unexamined(what=f"rule {rule.id}", reason=reason) for reason in judged.failures)
    declared = meant.apply(findings, active, project.settings.security)
    allowed = allowances.apply(declared.findings, found.program)
    count = declared.count + allowed.count
    return Judged(findings=allowed.findings, allowed=count, unexamined=tuple(failures))


def active_rules(project: Project) -> tuple[Rule, ...]:
    off = set(project.settings.rules_off)
    return tuple(rule for rule in rules.discover() if rule.id not in off and rule.id.rsplit("/", 1)[-1] not in off)


def accepted_findings(project: Project, file: Path | None) -> baseline.Baseline | None:
    """The baseline that the command line or the settings name; raises SettingsError where it cannot be read."""
    named = project.settings.baseline
    path = file or (project.root / named if named else None)
    return baseline.load(path) if path is not None else None


def report_of(
    project: Project,
    found: Read,
    judged: Judged,
    findings: tuple[Finding, ...],
    accepted: baseline.Baseline | None,
    *,
    before: baseline.Baseline | None = None,
) -> Report:
    """The report of a reading, with what the baseline accepts and what was there before taken out."""
    compared = baseline.compare(findings, accepted or baseline.Baseline())
    covered = compared.covered
    stale = tuple(f"{entry.rule} at {entry.place} ({entry.fingerprint})" for entry in compared.stale)
    findings = (
        compared.findings if before is None else baseline.compare(findings, baseline.either(before, accepted)).findings
    )
    fired = {finding.rule for finding in findings}
    known = active_rules(project)
    report = Report(
        command="review",
        project=project.name,
        version=__version__,
        verdict=Verdict.UNKNOWN,
        says=_says(findings, found, covered),
        findings=findings,
        allowed=judged.allowed,
        baselined=covered,
        stale=stale,
        excerpts=excerpts.around(findings, project.root),
        rules=tuple(_summary(rule) for rule in known if rule.id in fired),
        limits=budgets_of(project.settings.budgets),
        unexamined=(*found.unexamined, *judged.unexamined, *names.unknown_in(project.settings)),
        reading=msgspec.structs.replace(found.reading, rules=tuple(rule.id for rule in known)),
    )
    return recommended(report)


def _summary(rule: Rule) -> RuleSummary:
    return RuleSummary(
        id=rule.id, title=rule.info.title, tier=rule.info.tier, help=rule.page, standards=rule.info.standards
    )


def _says(findings: tuple[Finding, ...], found: Read, covered: int) -> str:
    if findings:
        return f"{_counted(len(findings))}; the first to look at: {findings[0].message}"
    if not found.service.endpoints:
        return "Nothing was judged: no entry point was found."
    if covered:
        return f"Nothing new was found; the baseline covers {_counted(covered)}."
    return f"Nothing was found in {len(found.service.endpoints)} entry points; what was not examined is listed."


def _counted(number: int) -> str:
    return f"{number} finding" + ("s" if number != 1 else "")


def without_baseline(project: Project) -> Project:
    """The project as it is when nothing is accepted: for writing its baseline."""
    settings = msgspec.structs.replace(project.settings, baseline="")
    return msgspec.structs.replace(project, settings=settings)


def _at(project: Project, since: str, found: Read) -> baseline.Baseline:
    """Reads the project as it was at `since`: every finding that was there already, under today's names."""
    with tempfile.TemporaryDirectory(prefix="nines-revision-") as folder:
        earlier = Path(folder)
        revision.export(project.root, since, earlier)
        before = read(project, root=earlier)
        old = judge(project, before, before.service)
        moved = renames.between(earlier, before.program, project.root, found.program)
    return baseline.of(renames.followed(old.findings, moved))
