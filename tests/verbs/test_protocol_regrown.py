"""Building again: numbers that callers were given stay, and what breaks them is refused or announced."""

from __future__ import annotations

from pathlib import Path

import pytest

from nines.model.errors import SourceError, UsageError
from nines.verbs.design import from_blueprint, hand_over
from tests.verbs.services import NOTES, written

NAMED = NOTES.replace("purpose: Keeps notes.", "purpose: Keeps notes., interfaces: [rest, grpc]").replace(
    "      title: {type: string, max: 200}\n",
    "      title: {type: string, max: 200}\n      colour: {values: [red, blue], optional: true}\n",
)


def message(folder: Path, name: str) -> str:
    text = (folder / "notes.proto").read_text()
    return text.partition(f"message {name} {{")[2].partition("}")[0]


def test_what_is_new_gets_numbers_that_nobody_had(tmp_path: Path) -> None:
    written(tmp_path, NAMED)
    assert "  optional string title = 1;" in message(tmp_path, "NoteCreate")
    before = (tmp_path / "notes.proto").read_text()
    # It stands before the others in the blueprint and behind them on the wire.
    grown = NAMED.replace("      title:", "      kind: {type: string, max: 9, optional: true}\n      title:")
    built = written(tmp_path, grown)
    assert "  optional string title = 1;" in message(tmp_path, "NoteCreate")
    assert "  optional string kind = 3;" in message(tmp_path, "NoteCreate")
    assert not [each for each in built.changes if each.is_breaking]
    assert (tmp_path / "src/notes/_generated/notes.proto").read_text() == (tmp_path / "notes.proto").read_text()
    assert (tmp_path / "notes.proto").read_text() != before


def test_what_is_gone_is_refused_then_announced_and_its_number_is_never_used_again(tmp_path: Path) -> None:
    written(tmp_path, NAMED)
    less = NAMED.replace("      colour: {values: [red, blue], optional: true}\n", "")
    with pytest.raises(UsageError, match="would break"):
        written(tmp_path, less)
    written(tmp_path, less, accept_breaking=True)
    assert "gRPC NoteCreate.colour: is gone" in (tmp_path / "CHANGES.md").read_text()
    assert "  reserved 2;" in message(tmp_path, "NoteCreate")
    assert '  reserved "colour";' in message(tmp_path, "NoteCreate")
    written(tmp_path, less.replace("      title:", "      mood: {type: string, max: 9, optional: true}\n      title:"))
    assert "  optional string mood = 3;" in message(tmp_path, "NoteCreate")
    written(tmp_path, NAMED, accept_breaking=True)
    assert "  optional NoteColour colour = 4;" in message(tmp_path, "NoteCreate")
    assert "  reserved 2, 3;" in message(tmp_path, "NoteCreate")
    assert '  reserved "mood";' in message(tmp_path, "NoteCreate")


def test_values_and_methods_that_are_gone_are_told(tmp_path: Path) -> None:
    written(tmp_path, NAMED)
    less = NAMED.replace("[red, blue]", "[blue]").replace("  listNotes: {on: Note, do: list, roles: [writer]}\n", "")
    written(tmp_path, less, accept_breaking=True, fills={"notes.colour.red": "'blue'"})
    told = (tmp_path / "CHANGES.md").read_text()
    assert "gRPC NoteColour.NOTE_COLOUR_RED: is gone" in told
    assert "GET /v1/notes gRPC ListNotes: is gone" in told
    assert "NOTE_COLOUR_BLUE = 2;" in (tmp_path / "notes.proto").read_text()


def test_a_lock_that_cannot_be_read_is_not_guessed(tmp_path: Path) -> None:
    written(tmp_path, NAMED)
    (tmp_path / "proto.lock").write_text("{")
    with pytest.raises(SourceError, match="cannot be read"):
        written(tmp_path, NAMED)


def test_a_dossier_keeps_its_numbers_too(tmp_path: Path) -> None:
    source = tmp_path / "notes.yaml"
    for text in (
        NAMED,
        NAMED.replace("      title:", "      kind: {type: string, max: 9, optional: true}\n      title:"),
    ):
        source.write_text(text)
        design = from_blueprint(source).design
        assert design is not None
        hand_over(design, tmp_path / "dossier")
    sent = (
        (tmp_path / "dossier/contract/notes.proto").read_text().partition("message NoteCreate {")[2].partition("}")[0]
    )
    assert "  optional string title = 1;" in sent
    assert "  optional string kind = 3;" in sent
