from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nines.readers.blueprint import read, schema
from nines.readers.blueprint.document import compose, plain

EXAMPLES = sorted((Path(__file__).parents[3] / "examples/blueprints").glob("*.yaml"))
_SCHEMA: dict[str, Any] = schema()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_read_and_valid_under_the_published_schema(path: Path) -> None:
    blueprint = read(path)
    assert blueprint.service.name == path.stem
    assert blueprint.open_questions == ()
    jsonschema.Draft202012Validator(_SCHEMA).validate(plain(compose(path.read_text()).root))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_operations_of_an_example_share_the_whole_load(path: Path) -> None:
    blueprint = read(path)
    shares = [operation.share for operation in blueprint.operations]
    assert None not in shares
    assert sum(share or 0 for share in shares) == pytest.approx(1)


def test_there_are_four_examples() -> None:
    assert [path.stem for path in EXAMPLES] == ["login", "notifications", "payments", "shop"]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(_SCHEMA)
