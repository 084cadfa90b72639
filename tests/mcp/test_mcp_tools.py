"""Tools as they are found: complete, described, with schemas that hold, and none that the command line lacks."""

from __future__ import annotations

import pkgutil

import jsonschema
import pytest

from nines import cli
from nines.mcp import tool
from nines.mcp.tool import Tool
from nines.model.errors import UsageError

NOT_VERBS = {"agent", "eject", "mcp"}
"""Commands that are about coding agents themselves, and one that cannot be taken back: a person decides that."""
DESCRIPTIONS_CHARACTERS_MAX = 6_000
"""Of all tools: a client reads them in every conversation."""
SCHEMAS_CHARACTERS_MAX = 40_000


@pytest.fixture(params=tool.discover(), ids=lambda each: each.name)
def each(request: pytest.FixtureRequest) -> Tool:
    found: Tool = request.param
    return found


def test_the_same_verbs_as_on_the_command_line() -> None:
    from nines.cli.main import _NOT_COMMANDS  # noqa: PLC0415

    commands = {found.name for found in pkgutil.iter_modules(cli.__path__)} - _NOT_COMMANDS - NOT_VERBS
    assert {found.name for found in tool.discover()} == commands


def test_a_tool_says_what_it_is_for(each: Tool) -> None:
    assert 8 <= len(each.info.title) <= 80
    assert 80 <= len(each.info.says) <= 700
    for name, described in each.input_schema["properties"].items():
        assert described.get("description") or described.get("anyOf"), f"{each.name}.{name}"


def test_schemas_are_schemas_of_objects(each: Tool) -> None:
    for schema in (each.input_schema, each.output_schema):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"


def test_arguments_need_no_reference_to_be_followed(each: Tool) -> None:
    assert "$ref" not in str(each.input_schema)
    assert "$defs" not in each.input_schema
    assert each.input_schema["additionalProperties"] is False


def test_what_starts_the_project_is_not_called_reading(each: Tool) -> None:
    assert not (each.info.is_read_only and each.info.runs_project)
    assert each.info.runs_project == (each.name in ("prove", "check"))
    has_write = "write" in each.input_schema["properties"]
    assert not (has_write and each.info.is_read_only)
    if has_write:
        assert each.input_schema["properties"]["write"]["default"] is False


def test_a_wrong_argument_is_one_clear_error(each: Tool) -> None:
    with pytest.raises(UsageError) as caught:
        each.understood({"no_such_argument": 1, "what": "x", "before": "r1", "blueprint": "b", "output": "o"})
    assert each.name in str(caught.value)
    assert "It takes:" in str(caught.value)


def test_figures_may_come_as_texts() -> None:
    """Models write numbers as text now and then."""
    review = next(found for found in tool.discover() if found.name == "review")
    assert review.understood({"limit": "5"}).limit == 5  # type: ignore[attr-defined]
    for wrong in ("0", "1000", "many"):
        with pytest.raises(UsageError):
            review.understood({"limit": wrong})


def test_the_list_of_tools_is_small() -> None:
    assert sum(len(found.info.says) for found in tool.discover()) < DESCRIPTIONS_CHARACTERS_MAX
    size = sum(len(str(found.input_schema)) + len(str(found.output_schema)) for found in tool.discover())
    assert size < SCHEMAS_CHARACTERS_MAX
