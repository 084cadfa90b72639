"""Any text gives a blueprint or one clear error: soon, within limits, and never anything else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nines.model.blueprint import Blueprint
from nines.model.errors import BlueprintError
from nines.readers.blueprint import parse, problem_with, read
from nines.readers.blueprint.document import BYTES_MAX, DEPTH_MAX

EXAMPLES = [path.read_text() for path in sorted((Path(__file__).parents[3] / "examples/blueprints").glob("*.yaml"))]
HEAD = "nines: 1\nservice: {name: x}\n"
LAUGHS = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\n"


def _read(text: str) -> Blueprint | BlueprintError:
    """Whatever else is raised fails the test."""
    try:
        found: Blueprint | BlueprintError = parse(text, "b.yaml")
    except BlueprintError as error:
        found = error
    if isinstance(found, BlueprintError):
        assert found.problems
        assert all(each.says and each.place.line >= 1 and each.place.column >= 1 for each in found.problems)
    return found


@given(st.text())
def test_any_text_is_a_blueprint_or_one_error(text: str) -> None:
    _read(text)


@given(st.text(alphabet="{}[]:,-&*!|>'\"# \n\tab10.?%@`<=~"))
def test_any_text_of_yaml_signs_is_a_blueprint_or_one_error(text: str) -> None:
    _read(text)
    _read(HEAD + text)


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_WORDS = st.sampled_from(
    [
        *("load", "steady", "peak", "auth", "roles", "resources", "Payment", "fields", "type", "ref", "states"),
        *("unique", "indexes", "invariants", "access", "read", "audit", "operations", "createPayment", "on", "do"),
        *("calls", "emits", "saga", "limits", "default", "events", "transport", "jobs", "open", "service", "name"),
    ]
)
_TREES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=4), max_leaves=12
)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(_WORDS, _TREES, max_size=5))
def test_any_tree_of_the_right_words_is_a_blueprint_or_one_error(tree: dict[str, object]) -> None:
    _read(yaml.safe_dump({"nines": 1, "service": {"name": "x"}, **tree}))


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_an_example_with_a_piece_changed_is_a_blueprint_or_one_error(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    piece = data.draw(
        st.sampled_from(["", "x", ": ", "{", "[", "\n", '"', "- ", "&a ", "1e999", "\x00"]) | st.text(max_size=4)
    )
    _read(text[:start] + piece + text[end:])


@given(st.text())
def test_any_answer_is_fit_or_not(said: str) -> None:
    for path in ("load.peak", "service.name", "budgets.availability", "auth.scheme", "deploy.cpu", "tenancy.key"):
        assert isinstance(problem_with(path, said), str)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS, "1:4: there is an anchor (&a); a blueprint has none"),
        (HEAD + "load: *x\n", "3:7: there is an alias (*x)"),
        (HEAD + "load: !!python/object/apply:os.system ['true']\n", "3:7: there is a tag"),
        (HEAD + "load: !x {}\n", "3:7: there is a tag (!x)"),
        (HEAD + "---\nnines: 1\n", "3:1: there is a second document"),
        (HEAD + "? {a: b}\n: c\n", "3:3: a key is a plain word"),
        (HEAD + "load:\n\tsteady: 10/s\n", "there is a tab; YAML is indented with spaces"),
        (HEAD + "load: {steady: 10/s\n", "it is no YAML"),
        (HEAD + "load: \x00\n", "there is a character that no text holds (U+0000)"),
        (HEAD + "load: \x1b[31m\n", "there is a character that no text holds (U+001B)"),
        ("[" * 100_000, f"it is nested more than {DEPTH_MAX} deep"),
        ("{a: " * 5_000, f"it is nested more than {DEPTH_MAX} deep"),
        ("- " * 50_000, f"it is nested more than {DEPTH_MAX} deep"),
        ("- x\n" * 30_000, "it has more than 20,000 values"),
        ("x" * (BYTES_MAX + 1), "it is larger than 512 KiB"),
        (HEAD + f"deploy: {{zones: {'9' * 10_000}}}\n", "expected a whole number"),
        (HEAD + f"load: {{steady: {'9' * 10_000}/s}}\n", "found a text of 10,002 characters"),
        (HEAD + "deploy: {cpu: 1e999}\n", "expected a number"),
        (HEAD + "deploy: {cpu: .nan}\n", "expected a number"),
        (HEAD + f"service: {{name: {'a' * 1_000}}}\n", "stands here twice"),
    ],
    ids=range(20),
)
def test_what_is_hostile_is_one_clear_error(text: str, says: str) -> None:
    found = _read(text)
    assert isinstance(found, BlueprintError)
    assert says in str(found)
    assert len(str(found)) < 10_000


@pytest.mark.parametrize("text", [HEAD.replace("\n", "\r\n"), "\ufeff" + HEAD, HEAD.rstrip(), "---\n" + HEAD + "...\n"])
def test_line_ends_byte_order_marks_and_document_marks_are_nobodys_fault(text: str) -> None:
    assert isinstance(_read(text), Blueprint)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"nines: 1\nservice: {name: caf\xe9}\n", "b.yaml:2:20: it is not UTF-8"),
        ("nines: 1\n".encode("utf-16"), "b.yaml:1:1: it is not UTF-8"),
        (b"x" * (BYTES_MAX + 1), "it is larger than 512 KiB"),
        (b"", "it is empty"),
    ],
)
def test_bytes_that_are_no_blueprint(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "b.yaml").write_bytes(content)
    with pytest.raises(BlueprintError) as caught:
        read(tmp_path / "b.yaml")
    assert says in str(caught.value)


def test_a_file_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, says in (
        ("none.yaml", "no such file"),
        (".", "is a directory"),
        ("pipe", "this is no file"),
        ("loop", "symbolic links"),
        ("a\x00b", "no file name"),
    ):
        with pytest.raises(BlueprintError) as caught:
            read(tmp_path / name)
        assert says in str(caught.value)
