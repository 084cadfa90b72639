"""What changed between two reports, and whether it is for the better."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nines.cli.main import run
from nines.model.budget import BudgetResult
from nines.model.budget import Standing as BudgetStanding
from nines.model.errors import SourceError
from nines.model.experiment import Figure, Trial
from nines.model.finding import Finding, Standing
from nines.model.place import Place
from nines.model.report import Reading, Report
from nines.model.tier import Tier
from nines.model.verdict import Verdict
from nines.verbs.compare import Kind, compare, load


def finding(name: str, standing: Standing = Standing.SUSPECTED) -> Finding:
    return Finding(rule="a/b", message=name, place=Place(file="x.py", line=1), subject=name, standing=standing)


def read(*findings: Finding) -> Report:
    return Report(command="review", project="p", findings=findings, reading=Reading(rules=("a/b",)))


def ran(verdict: Verdict, *figures: Figure, id: str = "load/steady") -> Report:
    trial = Trial(
        experiment=id, title="t", claim="It holds", tier=Tier.PERFORMANCE, verdict=verdict, says="s", figures=figures
    )
    return Report(command="prove", project="p", trials=(trial,))


def figure(value: float, width: float) -> Figure:
    return Figure(name="p95", value=value, unit="ms", lower=value - width, upper=value + width)


def test_findings_come_and_go() -> None:
    found = compare(read(finding("old"), finding("both")), read(finding("both"), finding("new")))
    assert [change.says.split(":")[0] for change in found.worse] == ["came"]
    assert [change.says.split(":")[0] for change in found.better] == ["is gone"]
    assert found.says.startswith("Worse: 1 better, 1 worse")
    assert compare(read(finding("a")), read(finding("a"))).says == "Nothing differs."


def test_the_same_finding_twice_is_one_more() -> None:
    assert len(compare(read(finding("a")), read(finding("a"), finding("a"))).worse) == 1


def test_a_finding_that_was_refuted_is_gone() -> None:
    assert len(compare(read(finding("a")), read(finding("a", Standing.REFUTED))).better) == 1


@pytest.mark.parametrize(
    ("one", "other", "part"),
    [
        (Verdict.BROKEN, Verdict.HOLDS, "better"),
        (Verdict.BROKEN, Verdict.UNKNOWN, "better"),
        (Verdict.HOLDS, Verdict.UNKNOWN, "worse"),
        (Verdict.HOLDS, Verdict.BROKEN, "worse"),
    ],
)
def test_a_claim_stands_differently(one: Verdict, other: Verdict, part: str) -> None:
    found = compare(ran(one), ran(other))
    assert len(getattr(found, part)) == 1
    assert len(found.better) + len(found.worse) == 1


def test_figures_differ_where_their_intervals_do() -> None:
    apart = compare(ran(Verdict.HOLDS, figure(100, 5)), ran(Verdict.HOLDS, figure(150, 5)))
    assert [change.kind for change in apart.other] == [Kind.FIGURE]
    assert "100 ms" in apart.other[0].says
    assert compare(ran(Verdict.HOLDS, figure(100, 30)), ran(Verdict.HOLDS, figure(150, 30))).says == "Nothing differs."
    without = Figure(name="p95", value=9, unit="ms")
    assert compare(ran(Verdict.HOLDS, without), ran(Verdict.HOLDS, figure(150, 1))).says == "Nothing differs."


def test_what_only_one_examined_is_neither_better_nor_worse() -> None:
    for one, other in ((read(finding("a")), ran(Verdict.HOLDS)), (ran(Verdict.HOLDS), ran(Verdict.HOLDS, id="a/c"))):
        found = compare(one, other)
        assert not found.better
        assert not found.worse
        assert {change.kind for change in found.other} == {Kind.SCOPE}


def test_budgets_stand_differently() -> None:
    def report(standing: BudgetStanding) -> Report:
        budget = BudgetResult(name="latency_p95", limit=200, unit="ms", standing=standing, says="p95 is so")
        return Report(command="check", project="p", budgets=(budget,))

    assert compare(report(BudgetStanding.MISSED), report(BudgetStanding.MET)).better[0].id == "latency_p95"
    assert compare(report(BudgetStanding.MET), report(BudgetStanding.NOT_SHOWN)).worse[0].kind is Kind.BUDGET


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = tmp_path / "before.json", tmp_path / "after.json"
    one.write_bytes(msgspec.json.encode(read(finding("old\x1b[31m"))))
    other.write_bytes(msgspec.json.encode(read()))
    assert run(["compare", str(one), str(other)]) == 0
    told = capsys.readouterr().out
    assert "is gone" in told
    assert "\x1b" not in told
    assert run(["compare", str(other), str(one), "--format", "json"]) == 1
    assert msgspec.json.decode(capsys.readouterr().out)["worse"]
    (tmp_path / "broken.json").write_text("{}")
    assert run(["compare", str(one), str(tmp_path / "broken.json")]) == 2
    assert "no report of nines" in capsys.readouterr().err
    with pytest.raises(SourceError, match="cannot be read"):
        load(tmp_path / "none.json")
    with pytest.raises(SourceError):
        load(tmp_path)
