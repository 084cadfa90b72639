from __future__ import annotations

from pathlib import Path

import pytest

from nines.model.errors import BlueprintError, SourceError
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


def test_what_breaks_callers_of_the_released_contract_is_named(tmp_path: Path) -> None:
    payments = next(path for path in EXAMPLES if path.stem == "payments")
    first = from_blueprint(payments).design
    assert first is not None
    hand_over(first, tmp_path)
    released = tmp_path / "contract/openapi.yaml"
    assert from_blueprint(payments, released=released).breaking == ()
    changed = tmp_path / "payments.yaml"
    lines = payments.read_text().splitlines(keepends=True)
    changed.write_text("".join(line for line in lines if not line.startswith("  getAccount:")))
    breaking = from_blueprint(changed, released=released).breaking
    assert any(each.operation == "GET /v1/accounts/{account_id}" for each in breaking)


@pytest.mark.parametrize(
    "content", [b"", b"[1, 2]", b"\xff\xfe", b"openapi: 3.1.0\n", b"swagger: '2.0'\npaths: {}\n", b"{"]
)
def test_what_is_no_released_contract_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "openapi.yaml").write_bytes(content)
    with pytest.raises(SourceError):
        from_blueprint(EXAMPLES[0], released=tmp_path / "openapi.yaml")


def test_a_released_contract_that_is_missing_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        from_blueprint(EXAMPLES[0], released=tmp_path / "none.yaml")
