"""Editor and reader agree: what is read is valid under the published schema, and the schema finds what it can."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nines.model.errors import BlueprintError
from nines.readers.blueprint import parse, schema, vocabulary
from nines.readers.blueprint.document import compose, plain
from nines.readers.blueprint.page import EXAMPLE

EXAMPLES = [path.read_text() for path in sorted((Path(__file__).parents[3] / "examples/blueprints").glob("*.yaml"))]
SCHEMA: dict[str, Any] = schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
WORDS = sorted(set(re.findall(r"[\w.%/><=$-]+", "".join(EXAMPLES))))
HEAD = "nines: 1\nservice: {name: x}\n"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_whatever_is_read_is_valid_under_the_schema(text: str, data: st.DataObject) -> None:
    places = list(re.finditer(r"[\w.%/><=$-]+", text))
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(places))
        word = data.draw(st.sampled_from(WORDS) | st.integers().map(str) | st.floats(0, 1).map(str))
        text = text[: place.start()] + word + text[place.end() :]
        places = list(re.finditer(r"[\w.%/><=$-]+", text))
    try:
        parse(text)
    except BlueprintError:
        return
    VALIDATOR.validate(plain(compose(text).root))


@pytest.mark.parametrize(
    "more",
    [
        "lod: {}",
        "load: {steady: 10}",
        "load: {steady: lots}",
        "load: {payload: 5KB}",
        "load: [1]",
        "budgets: {p95: 5}",
        "budgets: {availability: lots}",
        "auth: {scheme: jwt}",
        "auth: {algs: []}",
        "roles: {Admin: {}}",
        "roles: {a: {mfa: sometimes}}",
        "deploy: {zones: 1.5}",
        "deploy: {zones: 999}",
        "open: [{path: load.peak}]",
        "resources: {order: {}}",
        "resources: {R: {kind: table}}",
        "resources: {R: {fields: {a: 5}}}",
        "resources: {R: {fields: {a: {type: string, lenght: 5}}}}",
        "resources: {R: {access: {read: owner and tenant}}}",
        "resources: {R: {retention: soon}}",
        "operations: {a: {on: R}}",
        "operations: {a: {on: R, do: creat}}",
        "operations: {a: {on: R, do: '-> Paid'}}",
        "limits: {default: 5 per subject}",
        "dependencies: {a: {type: mysql}}",
        "dependencies: {a: {}}",
        "events: {paid: {}}",
        "nines: 2",
    ],
)
def test_an_editor_finds_what_needs_no_other_place(more: str) -> None:
    text = HEAD + more + "\n" if not more.startswith("nines") else more + "\nservice: {name: x}\n"
    with pytest.raises(BlueprintError):
        parse(text)
    assert list(VALIDATOR.iter_errors(plain(compose(text).root)))


def test_every_key_is_described_and_every_word_of_a_choice_can_be_completed() -> None:
    for name, record in {**SCHEMA["$defs"], "blueprint": SCHEMA["$defs"]["blueprint"]}.items():
        assert record["description"], name
        for key, value in record["properties"].items():
            assert value["description"], f"{name}.{key}"
    scheme = SCHEMA["$defs"]["auth"]["properties"]["scheme"]
    assert "oidc" in [word["const"] for word in scheme["oneOf"]]
    steady = SCHEMA["$defs"]["load"]["properties"]["steady"]
    assert "150/s" in steady["examples"]


def test_examples_in_the_schema_are_valid_under_it() -> None:
    def visit(part: Any) -> None:
        if isinstance(part, dict):
            for example in part.get("examples", []):
                jsonschema.Draft202012Validator({**part, "$defs": SCHEMA["$defs"]}).validate(example)
            for value in part.values():
                visit(value)
        elif isinstance(part, list):
            for value in part:
                visit(value)

    visit(SCHEMA)


def test_the_page_names_every_key_of_every_record() -> None:
    page = vocabulary()
    for name, record in SCHEMA["$defs"].items():
        assert f"## {name}" in page or name == "blueprint"
        for key in record["properties"]:
            assert f"| `{key}` |" in page
    for target in re.findall(r"\]\(#([\w-]+)\)", page):
        assert f"\n## {target}\n" in page


def test_the_example_of_the_page_is_a_blueprint() -> None:
    assert EXAMPLE in vocabulary()
    assert parse(EXAMPLE).resource("Order") is not None
    VALIDATOR.validate(plain(compose(EXAMPLE).root))
