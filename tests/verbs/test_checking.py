"""`check` without a laboratory: what was read is reported, and nothing that was not seen passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from nines.model.budget import Standing
from nines.model.report import Readiness
from nines.model.verdict import Verdict
from nines.verbs import prove
from nines.verbs.check import check, decide
from nines.verbs.project import open_project

MAIN = "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/x')\ndef x():\n    return 1\n"


def project(folder: Path, command: str = "true") -> Path:
    (folder / "main.py").write_text(MAIN)
    (folder / "nines.toml").write_text(f'[service]\ncommand = "{command}"\n[database]\nneeded = false\n')
    return folder


@pytest.mark.parametrize("error", [ValueError("a port that is no number"), KeyError("x"), RecursionError()])
def test_a_laboratory_that_breaks_down_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """No real laboratory can be made to fail in a way that nobody foresaw, so one is put in its place."""

    def broken(*_given: object, **_more: object) -> prove.Proof:
        raise error

    monkeypatch.setattr(prove, "run", broken)
    report = check(open_project(project(tmp_path)))
    assert report.readiness is Readiness.NOT_SHOWN
    assert report.verdict is Verdict.UNKNOWN
    assert {budget.standing for budget in report.budgets} == {Standing.NOT_SHOWN}
    left_out = next(item for item in report.unexamined if item.what == "the running service")
    assert type(error).__name__ in left_out.reason
    assert "defect of nines" in left_out.hint
    assert report.reading.endpoints == 1


def test_nothing_at_all_is_not_ready() -> None:
    assert decide((), (), ()) is Readiness.NOT_SHOWN
