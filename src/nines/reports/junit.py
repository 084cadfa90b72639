"""JUnit XML, as continuous integration servers show it: a case for each rule, experiment and budget."""

from __future__ import annotations

import re
from collections import defaultdict
from xml.etree import ElementTree

from nines.model.budget import Standing as BudgetStanding
from nines.model.finding import Finding, Standing
from nines.model.report import Report
from nines.model.verdict import Verdict

SUFFIX = ".xml"
_FORBIDDEN = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold (section 2.2)."""


def render(report: Report, *, width: int, is_coloured: bool) -> str:  # noqa: ARG001
    """A claim without a conclusion is skipped, with its reason; it is never a passed test."""
    root = ElementTree.Element("testsuites", name=f"nines {report.command} {_clean(report.project)}")
    if report.command != "prove":
        _rules(root, report)
    if report.trials:
        _trials(root, report)
    if report.budgets:
        _budgets(root, report)
    cases = root.findall("testsuite/testcase")
    root.set("tests", str(len(cases)))
    root.set("failures", str(len(root.findall("testsuite/testcase/failure"))))
    root.set("time", f"{report.duration_s:.3f}")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def _rules(root: ElementTree.Element, report: Report) -> None:
    suite = _suite(root, "rules")
    by_rule: dict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        if finding.standing is not Standing.REFUTED:
            by_rule[finding.rule].append(finding)
    for id in sorted({*report.reading.rules, *by_rule}):
        case = ElementTree.SubElement(suite, "testcase", classname="rules", name=id)
        if by_rule[id]:
            lines = [f"{f.place or '-'} [{f.standing.value}] {f.message} ({f.endpoint})" for f in by_rule[id]]
            failure = ElementTree.SubElement(case, "failure", message=_clean(f"{len(lines)} findings: {lines[0]}"))
            failure.text = _clean("\n".join(lines))
    _count(suite)


def _trials(root: ElementTree.Element, report: Report) -> None:
    suite = _suite(root, "experiments")
    for trial in report.trials:
        case = ElementTree.SubElement(
            suite, "testcase", classname="experiments", name=f"{trial.experiment}", time=f"{trial.duration_s:.3f}"
        )
        if trial.verdict is Verdict.BROKEN:
            failure = ElementTree.SubElement(case, "failure", message=_clean(f"{trial.claim}: {trial.says}"))
            failure.text = _clean("\n".join((*trial.reproduction, f"seed {trial.seed}")))
        elif trial.verdict is Verdict.UNKNOWN:
            ElementTree.SubElement(case, "skipped", message=_clean(trial.says))
    _count(suite)


def _budgets(root: ElementTree.Element, report: Report) -> None:
    suite = _suite(root, "budgets")
    for budget in report.budgets:
        case = ElementTree.SubElement(suite, "testcase", classname="budgets", name=budget.name)
        if budget.standing is BudgetStanding.MISSED:
            ElementTree.SubElement(case, "failure", message=_clean(budget.says))
        elif budget.standing is BudgetStanding.NOT_SHOWN:
            ElementTree.SubElement(case, "skipped", message=_clean(budget.says))
    _count(suite)


def _suite(root: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(root, "testsuite", name=name)


def _count(suite: ElementTree.Element) -> None:
    for attribute, path in (("tests", "testcase"), ("failures", "testcase/failure"), ("skipped", "testcase/skipped")):
        suite.set(attribute, str(len(suite.findall(path))))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
