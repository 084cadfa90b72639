"""Pairs of --format and --output."""

from __future__ import annotations

from pathlib import Path

import pytest

from nines.cli import outputs
from nines.model.errors import UsageError
from nines.model.report import Report

EMPTY = Report(command="review", project="p")


@pytest.mark.parametrize(
    ("given", "paired"),
    [
        (["check", "."], ["check", "."]),
        (["--format", "json"], ["--format", "json", "--output", "-"]),
        (["-f", "json", "-o", "a.json"], ["--format", "json", "--output", "a.json"]),
        (
            ["--format", "terminal", "--format", "html", "--output", "r.html", "x"],
            ["--format", "terminal", "--output", "-", "--format", "html", "--output", "r.html", "x"],
        ),
        (["--format=sarif", "--output=n.sarif"], ["--format", "sarif", "--output", "n.sarif"]),
        (["-o", "out", "x", "-f", "json"], ["--format", "json", "x", "--output", "out"]),
        (["-fjson", "-oa.json"], ["--format", "json", "--output", "a.json"]),
        (["--output", "r.html"], ["--format", "html", "--output", "r.html"]),
        (["--", "--format"], ["--", "--format"]),
    ],
)
def test_every_format_gets_one_output(given: list[str], paired: list[str]) -> None:
    assert outputs.paired(given) == paired


@pytest.mark.parametrize("given", [["--format"], ["--output", "report.xyz"], ["--output"]])
def test_what_cannot_be_paired_is_one_clear_error(given: list[str]) -> None:
    with pytest.raises(UsageError):
        outputs.paired(given)


def test_what_cannot_be_written_is_refused_before_the_work_begins(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no format 'pdf'"):
        outputs.check(["json", "pdf"], ["-", "-"])
    with pytest.raises(UsageError, match="folder does not exist"):
        outputs.check(["json"], [str(tmp_path / "no" / "r.json")])


def test_reports_are_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "r.json"
    target.write_text("old")
    outputs.write(EMPTY, ["json"], [str(target)])
    assert '"project": "p"' in target.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]
