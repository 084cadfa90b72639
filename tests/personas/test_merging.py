"""Putting in and taking out are each other's inverse, byte for byte, and nothing else of a file changes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines.model.errors import UsageError
from nines.personas.merging import section, servers, whole
from nines.personas.piece import Server

SERVER = Server(command="nines", args=("mcp", "--root", "."))
OTHER = {"command": "other", "args": ["--x", "ü", 'a"b'], "env": {"KEY": "1"}}
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
STYLES: list[Callable[[object], str]] = [
    json.dumps,
    lambda value: json.dumps(value, indent=2) + "\n",
    lambda value: json.dumps(value, indent=4),
    lambda value: json.dumps(value, indent="\t") + "\n\n",
    lambda value: json.dumps(value, indent=2).replace("\n", "\r\n"),
    lambda value: json.dumps(value, separators=(",", ":")),
    lambda value: "  " + json.dumps(value, indent=3, ensure_ascii=False),
]


@given(st.text(alphabet="ab #\n\r<!->", max_size=60), st.text(alphabet="xyz #\n", min_size=1, max_size=40))
def test_a_section_is_taken_out_as_it_was_put_in(text: str, added: str) -> None:
    if "\r" in text.replace("\r\n", "") or not added.strip():
        return
    with_it = section.put(text, added, "AGENTS.md")
    assert section.has(with_it)
    assert section.take(with_it, "AGENTS.md") == text
    assert section.put(with_it, added, "AGENTS.md") == with_it


def test_a_section_is_renewed_where_it_stands_and_the_rest_is_kept() -> None:
    first = section.put("# Ours\n", "old", "f") + "\n## Added later\n"
    second = section.put(first, "new", "f")
    assert "old" not in second
    assert second.index("new") < second.index("## Added later")
    assert section.take(second, "f") == "# Ours\n\n## Added later\n"


@pytest.mark.parametrize(
    "text",
    ["<!-- nines:begin 1 -->\nx\n", "x\n<!-- nines:end -->\n", "<!-- nines:begin 0 -->\na\n<!-- nines:end -->\n" * 2],
)
def test_broken_markers_are_one_clear_error(text: str) -> None:
    with pytest.raises(UsageError, match="markers"):
        section.put(text, "x", "AGENTS.md")
    with pytest.raises(UsageError, match="markers"):
        section.take(text, "AGENTS.md")


@pytest.mark.parametrize("style", STYLES)
@given(rest=st.dictionaries(st.text(min_size=1, max_size=5), JSONS, max_size=3), others=st.booleans())
def test_a_server_is_added_to_any_style_and_taken_out_again(
    style: Callable[[object], str], rest: dict[str, object], others: bool
) -> None:
    rest.pop("mcpServers", None)
    value: dict[str, object] = {**rest, **({"mcpServers": {"other": OTHER}} if others else {})}
    text = style(value)
    with_it = servers.put(text, SERVER, "f")
    found = json.loads(with_it)
    assert found.pop("mcpServers") == {
        **({"other": OTHER} if others else {}),
        "nines": {"command": "nines", "args": ["mcp", "--root", "."]},
    }
    assert found == rest
    assert [key for key in json.loads(with_it) if key != "mcpServers"] == list(rest)
    assert servers.put(with_it, SERVER, "f") == with_it
    taken = servers.take(with_it, "f")
    assert taken == (text if rest or others else "")


def test_a_changed_server_is_replaced_in_its_place() -> None:
    text = servers.put('{"mcpServers": {"a": {}, "nines": {"command": "old"}, "b": {}}, "x": 1}', SERVER, "f")
    assert list(json.loads(text)["mcpServers"]) == ["a", "nines", "b"]
    assert json.loads(text)["mcpServers"]["nines"]["command"] == "nines"


def test_a_new_file_is_readable() -> None:
    assert servers.put("", SERVER, "f").startswith('{\n  "mcpServers": {\n    "nines": {\n')
    assert servers.take(servers.put("", SERVER, "f"), "f") == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, // comment\n"b": 2}', "not plain JSON"),
        ('{"a": 1,}', "not plain JSON"),
        ("{broken", "not plain JSON"),
        ('{"a": NaN}', "not plain JSON"),
        ("[" * 100_000, "not plain JSON"),
        ("[]", "outermost"),
        ('"text"', "outermost"),
        ('{"mcpServers": []}', "mcpServers is no object"),
        ('{"mcpServers": {}, "mcpServers": {}}', "stands there twice"),
    ],
)
def test_what_cannot_be_merged_without_a_loss_is_left_alone(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        servers.put(text, SERVER, ".mcp.json")
    assert caught.value.where == ".mcp.json"
    assert caught.value.hint or "twice" in said


@given(st.text(max_size=80), st.text(min_size=1, max_size=5))
def test_an_edit_of_a_file_of_ours_is_seen(text: str, edit: str) -> None:
    written = whole.marked(text)
    assert whole.is_own(written)
    assert not whole.is_own(edit + written) or (edit + text).rstrip() == text.rstrip()
    assert not whole.was_own(text) or "nines agent install" in text
