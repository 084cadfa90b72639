from __future__ import annotations

from pathlib import Path

import pytest

from nines.model.errors import BlueprintError
from nines.verbs.design import from_blueprint, hand_over

EXAMPLES = sorted((Path(__file__).parents[2] / "examples/blueprints").glob("*.yaml"))
REFUSED = Path(__file__).parents[1] / "readers/blueprint/sketch.yaml"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_designed_twice_without_a_difference(path: Path, tmp_path: Path) -> None:
    planned = from_blueprint(path)
    assert planned.design is not None
    assert planned.reasons == ()
    assert planned.design.warnings == planned.warnings
    hand_over(planned.design, tmp_path / "d")
    before = {file: file.read_bytes() for file in sorted((tmp_path / "d").rglob("*")) if file.is_file()}
    again = from_blueprint(path)
    assert again.design is not None
    assert hand_over(again.design, tmp_path / "d").is_current
    assert {file: file.read_bytes() for file in sorted((tmp_path / "d").rglob("*")) if file.is_file()} == before


def test_a_blueprint_that_cannot_hold_has_reasons_and_no_design() -> None:
    planned = from_blueprint(REFUSED)
    assert planned.design is None
    assert {reason.code for reason in planned.reasons} == {"latency-below-dependency"}
    assert {warning.code for warning in planned.warnings} == {"resource-of-another-service"}


def test_a_blueprint_that_is_missing_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BlueprintError, match="no such file"):
        from_blueprint(tmp_path / "none.yaml")


def test_a_check_writes_nothing(tmp_path: Path) -> None:
    design = from_blueprint(EXAMPLES[0]).design
    assert design is not None
    assert not hand_over(design, tmp_path / "d", check=True).is_current
    assert not (tmp_path / "d").exists()
