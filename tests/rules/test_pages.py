"""Every page is its rule's test: what is marked must be reported, and nothing else."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import pytest

from nines import effects, experiments, rules
from nines.model import page as page_model
from nines.model.finding import Finding, Standing
from nines.model.rule import Rule
from nines.model.service import Service
from nines.readers import python, sql
from tests.rules.cases import Case, cases
from tests.rules.observed import service_of

RULES = rules.discover()
CASES = [case for rule in RULES for case in cases(rule)]
READ = [case for case in CASES if case.observed is None]
OBSERVED = [case for case in CASES if case.observed is not None]
CLEAN = [case for case in CASES if case.is_clean]

UNRELATED = frozenset({"security/missing-authentication"})
"""Rules that other pages' examples break on purpose: most show no authentication, because it is not their subject."""


def service_for(case: Case, folder: Path) -> Service:
    if case.observed is not None:
        return service_of(case.observed.attributes, case.observed.text)
    for name, text in case.files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return effects.analyse(python.read(folder, jobs=1), read_statement=sql.read)


def judged(rule: Rule, service: Service) -> tuple[Finding, ...]:
    result = rules.judge(rule, service)
    assert result.failures == ()
    return result.findings


def told(findings: tuple[Finding, ...]) -> str:
    return "\n".join(f"  {finding.place}: {finding.message}" for finding in findings) or "  nothing"


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_reports_the_marked_lines_and_no_other(case: Case, tmp_path: Path) -> None:
    findings = judged(case.rule, service_for(case, tmp_path))
    wanted = {(mark.file, mark.line): mark.part for mark in case.marks}
    found: dict[tuple[str, int], list[str]] = {}
    for finding in findings:
        assert finding.place is not None
        found.setdefault((finding.place.file, finding.place.line), []).append(finding.message)
    assert set(found) == set(wanted), f"wanted {sorted(wanted.items())}, found\n{told(findings)}"
    for place, part in wanted.items():
        assert any(part in message for message in found[place]), f"no {part!r} in\n{told(findings)}"


@pytest.mark.parametrize("case", OBSERVED, ids=lambda case: case.name)
def test_judges_what_was_seen(case: Case, tmp_path: Path) -> None:
    findings = judged(case.rule, service_for(case, tmp_path))
    parts = [mark.part for mark in case.marks]
    assert len(findings) == len(parts), told(findings)
    for part in parts:
        assert any(part in finding.message for finding in findings), f"no {part!r} in\n{told(findings)}"
    assert all(finding.standing is Standing.PROVEN and finding.place is None for finding in findings)


@pytest.mark.parametrize("case", CLEAN, ids=lambda case: case.name)
def test_other_rules_are_silent_about_what_is_good(case: Case, tmp_path: Path) -> None:
    service = service_for(case, tmp_path)
    loud = {
        rule.id: told(findings)
        for rule in RULES
        if rule.id != case.rule.id and rule.id not in UNRELATED and (findings := judged(rule, service))
    }
    assert not loud, "\n".join(f"{id}\n{text}" for id, text in loud.items())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_page_is_complete(rule: Rule) -> None:
    page = page_model.parse(rule.page, rule.id)
    for section in ("Bad", "Good", "Silent when", "Options"):
        assert page.section(section), f"no section {section}"
    assert page.title == rule.info.title
    assert 2 <= len(page.options) <= 3
    assert all(option.trade_off for option in page.options)
    assert rule.info.standards
    own = cases(rule)
    assert len([case for case in own if case.marks and not case.observed]) >= 3
    assert len([case for case in own if case.is_clean and not case.observed]) >= 3
    assert all(case.marks for case in own if case.section == "bad" and not case.observed)
    assert not any(case.marks for case in own if case.is_clean)
    assert not any(mark_stands_on_a_closing_line(case) for case in own)
    assert rule.info.needs_code or any(case.observed and case.marks for case in own)


def mark_stands_on_a_closing_line(case: Case) -> bool:
    """As a formatter leaves it when it splits a long line: the finding would be expected at the bracket."""
    return any(
        case.files[mark.file].splitlines()[mark.line - 1].strip()[0] in ")]}" for mark in case.marks if mark.file
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_experiments_that_decide_exist(rule: Rule) -> None:
    assert set(rule.info.decided_by) <= {experiment.id for experiment in experiments.discover()}


LINES_MAX = 80
"""Of a rule's functions together: a decision that needs more asks for a query in the model."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_decision_is_short(rule: Rule) -> None:
    module = sys.modules[rule.check.__module__]
    functions = [f for _, f in inspect.getmembers(module, inspect.isfunction) if f.__module__ == module.__name__]
    lines = [line for function in functions for line in inspect.getsource(function).splitlines() if line.strip()]
    assert len(lines) <= LINES_MAX
