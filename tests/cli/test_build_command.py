"""`nines build` and `nines eject`: exit codes, what is told, and nothing written where nothing should be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nines.cli.main import run
from tests.verbs.services import NOTES

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.yaml"
    path.write_text(NOTES)
    return path


def test_a_service_is_built_checked_changed_and_ejected(notes: Path, tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "service"
    arguments = ["build", str(notes), "-o", str(folder), "-q"]
    assert run([*arguments, "--check"]) == 1
    assert not folder.exists()
    assert "is out of date" in capsys.readouterr().out
    assert run(arguments) == 0
    assert "make run" in capsys.readouterr().out
    assert run([*arguments, "--check"]) == 0
    own = folder / "blueprint.yaml"
    own.write_text(NOTES.replace("title: {", "pages: {type: int32, default: 0}\n      title: {"))
    again = ["build", str(own), "-o", str(folder), "-q"]
    capsys.readouterr()
    assert run([*again, "--check"]) == 1
    assert run(again) == 0
    told = capsys.readouterr().out
    assert "none of them breaking" in told
    assert "0002_add_notes_pages (expand)" in told
    assert "yours, untouched" in told
    assert run(["eject", str(folder)]) == 0
    assert "yours from now on" in capsys.readouterr().out
    assert run([*again, "--check"]) == 0


def test_a_blueprint_that_cannot_hold_is_refused_with_options(tmp_path: Path, capsys: Captured) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(NOTES.replace("replication: synchronous", "replication: asynchronous"))
    assert run(["build", str(bad), "-o", str(tmp_path / "s"), "-q"]) == 1
    told = capsys.readouterr().out
    assert "cannot hold" in told
    assert "  1. " in told
    assert not (tmp_path / "s").exists()


def test_the_same_is_told_to_machines(notes: Path, tmp_path: Path, capsys: Captured) -> None:
    assert run(["build", str(notes), "-o", str(tmp_path / "s"), "-q", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["is_first"], told["is_refused"]) == ("notes", True, False)
    assert "openapi.yaml" in told["files"]["new"]
    assert [each["name"] for each in told["steps"]] == ["0001_first"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rename", "notes.title"], "--rename notes.title tells no column"),
        (["--fill", "pages=1"], "--fill pages=1 tells no column"),
        (["--prove", "--check"], "--prove runs what was written"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    notes: Path, tmp_path: Path, capsys: Captured, words: list[str], said: str
) -> None:
    assert run(["build", str(notes), "-o", str(tmp_path / "s"), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_what_nines_did_not_build_cannot_be_ejected(tmp_path: Path, capsys: Captured) -> None:
    assert run(["eject", str(tmp_path)]) == 2
    assert "nines built nothing here" in capsys.readouterr().err


def test_what_the_owner_wrote_for_what_is_gone_is_named(notes: Path, tmp_path: Path, capsys: Captured) -> None:
    """A hook of another name is another file: what was decided in the old one is asked no longer."""
    folder = tmp_path / "service"
    told: list[str] = []
    for hook in ("decide", "judge"):
        notes.write_text(NOTES.replace("idempotency: required}", f"idempotency: required, hook: {hook}}}"))
        assert run(["build", str(notes), "-o", str(folder), "-q", *(["--force"] if told else [])]) == 0
        told.append(capsys.readouterr().out)
    assert "no longer asked for" not in told[0]
    assert "no longer asked for: src/notes/operations/decide.py" in told[1]
    assert (folder / "src/notes/operations/decide.py").is_file()
