"""A report of `nines prove` in the place of assumptions."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nines.model.errors import SourceError
from nines.model.report import Report
from nines.verbs.design import from_blueprint
from tests.planning.capacity.examples import ROOT
from tests.planning.capacity.test_measured_times import report

PAYMENTS = ROOT / "payments.yaml"


def test_what_was_measured_is_reckoned_with(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(msgspec.json.encode(report()))
    design = from_blueprint(PAYMENTS, report=path).design
    assert design is not None
    assert design.capacity is not None
    assert any("load/steady" in each for each in design.capacity.assumptions)
    assert all(point.failed_share is not None for point in design.capacity.points)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no report of nines"),
        (b"\x00\xff", "no report of nines"),
        (b'{"command": 3}', "no report of nines"),
        (msgspec.json.encode(Report(command="review", project="x")), "no steady load"),
    ],
)
def test_what_measured_nothing_is_refused_with_a_hint(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=says) as caught:
        from_blueprint(PAYMENTS, report=path)
    assert "nines prove --only load/steady" in caught.value.hint


def test_a_report_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        from_blueprint(PAYMENTS, report=tmp_path / "none.json")
    with pytest.raises(SourceError, match="cannot be read"):
        from_blueprint(PAYMENTS, report=tmp_path)
