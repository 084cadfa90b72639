"""`nines design`: exit codes, what is told, and nothing written where nothing should be."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from nines.cli.main import run
from nines.readers.blueprint import schema, vocabulary

Captured = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]
SMALL = """\
nines: 1
service: {name: notes}
load: {steady: 5/s, peak: 20/s}
auth: {scheme: api-key}
roles: {writer: {}, visitor: {}}
resources:
  Note: {fields: {text: {type: string, max: 200}}, access: {read: owner, list: owner, write: owner}, retention: 1y}
operations:
  createNote: {on: Note, do: create, roles: [writer], idempotency: required}
  getNote: {on: Note, do: read}
  listNotes: {on: Note, do: list}
dependencies: {db: {type: postgres, replication: synchronous}}
limits: {default: 100/m per subject}
"""
"""It holds, with one warning: visitor may do nothing."""
REFUSED = ROOT / "tests/readers/blueprint/sketch.yaml"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "notes.yaml"
    path.write_text(SMALL)
    return path


def test_a_dossier_is_written_and_told(small: Path, tmp_path: Path, capsys: Captured) -> None:
    assert run(["design", str(small), "-o", str(tmp_path / "d")]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("notes: ")
    assert "warnings: 1" in told.out
    assert "role-never-used" in told.out
    assert "planning notes" in told.err
    assert (tmp_path / "d/nines-dossier.lock").is_file()


def test_a_check_fails_until_the_dossier_is_up_to_date(small: Path, tmp_path: Path, capsys: Captured) -> None:
    arguments = ["design", str(small), "-o", str(tmp_path), "-q"]
    assert run([*arguments, "--check"]) == 1
    assert "is out of date" in capsys.readouterr().out
    assert run(arguments) == 0
    assert run([*arguments, "--check"]) == 0
    capsys.readouterr()
    page = next(tmp_path.rglob("README.md"))
    page.write_text(page.read_text() + "a line of mine\n")
    assert run([*arguments, "--check"]) == 1
    assert f"edited by hand: {page.relative_to(tmp_path)}" in capsys.readouterr().out
    assert run(arguments) == 2
    assert "1 line would be lost: a line of mine" in capsys.readouterr().err
    assert run([*arguments, "--force"]) == 0
    assert "a line of mine" not in page.read_text()


def test_a_blueprint_that_cannot_hold_is_refused_with_options(tmp_path: Path, capsys: Captured) -> None:
    assert run(["design", str(REFUSED), "-o", str(tmp_path / "d"), "-q"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("payments cannot hold: 2 objections. Nothing was written.")
    assert "1. answer 202" in told
    assert not (tmp_path / "d").exists()


def test_a_blueprint_with_mistakes_could_not_be_read(tmp_path: Path, capsys: Captured) -> None:
    broken = tmp_path / "b.yaml"
    broken.write_text("nines: 1\nservice: {name: x, teer: critical}\nload: {peak: lots}\n")
    assert run(["design", str(broken), "-o", str(tmp_path / "d"), "-q"]) == 2
    told = capsys.readouterr().err
    assert 'b.yaml:2:20: "teer" is no key here: did you mean tier?' in told
    assert "b.yaml:3:14: expected a rate" in told


def test_the_summary_is_told_as_json(small: Path, tmp_path: Path, capsys: Captured) -> None:
    assert run(["design", str(small), "-o", str(tmp_path), "-q", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["is_refused"], told["is_current"]) == ("notes", False, False)
    assert told["files"]["new"]
    assert told["warnings"][0]["code"] == "role-never-used"
    assert run(["design", str(REFUSED), "-q", "--format", "json"]) == 1
    refused = json.loads(capsys.readouterr().out)
    assert refused["is_refused"]
    assert len(refused["reasons"][0]["options"]) >= 2


def test_without_a_blueprint_the_next_step_is_told(capsys: Captured) -> None:
    assert run(["design"]) == 2
    assert "nines design --ask" in capsys.readouterr().err


def test_the_published_schema_and_page_are_those_of_the_vocabulary(capsys: Captured) -> None:
    assert run(["design", "--schema"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed) == schema()
    assert (ROOT / "docs/schemas/blueprint-1.json").read_text() == printed, "make schemas"
    assert run(["design", "--vocabulary"]) == 0
    assert (ROOT / "docs/blueprint.md").read_text() == capsys.readouterr().out, "make schemas"
    assert "## dependency" in vocabulary()
    assert run(["design", "--objections"]) == 0
    assert (ROOT / "docs/objections.md").read_text() == capsys.readouterr().out, "make schemas"


def test_a_first_blueprint_is_written_from_flags_and_designed(tmp_path: Path, capsys: Captured) -> None:
    first = tmp_path / "b.yaml"
    assert run(["design", "--ask", "-o", str(first), "--name", "orders", "--keeps", "Order", "--peak", "600/s"]) == 0
    assert "with 13 open questions" in capsys.readouterr().out
    assert run(["design", "--ask", "-o", str(first)]) == 2
    assert "there is a file already" in capsys.readouterr().err
    assert run(["design", str(first), "-o", str(tmp_path / "d"), "-q"]) == 0
    assert "  - What may callers do? Assumed: create, get, list, update and delete each." in capsys.readouterr().out


def test_an_interview_prints_its_blueprint_where_asked_to(capsys: Captured) -> None:
    assert run(["design", "--ask", "-o", "-", "--tier", "critical"]) == 0
    assert "tier: critical" in capsys.readouterr().out


def test_promises_that_cannot_hold_are_told_in_the_interview(tmp_path: Path, capsys: Captured) -> None:
    assert run(["design", "--ask", "-o", str(tmp_path / "b.yaml"), "--p95", "2ms"]) == 0
    assert "cannot hold yet: createItem promises 2 ms" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["design", "--ask", "-o", "-", "--tier", "platinum"], "none of critical, standard, internal"),
        (["design", "b.yaml", "--ask"], "--ask goes without a blueprint"),
        (["design", "b.yaml", "--peak", "3/s"], "--peak goes without a blueprint"),
        (["design", "--ask", "-o", "/nowhere/b.yaml"], "cannot be written"),
        (["design", "--from", ".", "--released", "x.yaml"], "--released is compared with a blueprint"),
        (["design", "b.yaml", "--from", "."], "not from both"),
    ],
)
def test_answers_that_cannot_be_used_are_refused(arguments: list[str], says: str, capsys: Captured) -> None:
    assert run(arguments) == 2
    assert says in capsys.readouterr().err


def test_somebody_at_a_terminal_is_asked(tmp_path: Path) -> None:
    main, side = pty.openpty()
    command = [sys.executable, "-m", "nines", "design", "--ask", "-o", "b.yaml", "--name", "orders"]
    with subprocess.Popen(command, cwd=tmp_path, stdin=side, stdout=side, stderr=side) as process:
        os.close(side)
        os.write(main, b"order\nOrder\n" + b"\n" * 20)
        said = b""
        with contextlib.suppress(OSError):
            while chunk := os.read(main, 65_536):
                said += chunk
        assert process.wait(timeout=60) == 0, said.decode()
    os.close(main)
    told = said.decode()
    assert "What does it keep?" in told
    assert "Decides: each becomes a table" in told
    assert "no such name: write it in Pascal case" in told
    assert "Order:" in (tmp_path / "b.yaml").read_text()


def test_a_check_fails_on_what_breaks_callers(small: Path, tmp_path: Path, capsys: Captured) -> None:
    assert run(["design", str(small), "-o", str(tmp_path / "d"), "-q"]) == 0
    released = tmp_path / "openapi.yaml"
    released.write_text((tmp_path / "d/contract/openapi.yaml").read_text())
    changed = tmp_path / "changed.yaml"
    lines = small.read_text().splitlines(keepends=True)
    changed.write_text("".join(line for line in lines if not line.startswith("  getNote:")))
    arguments = ["design", str(changed), "-o", str(tmp_path / "d"), "-q", "--released", str(released)]
    assert run(arguments) == 0
    assert "breaks callers of the released contract" in capsys.readouterr().out
    assert run([*arguments, "--check"]) == 1
    assert "is up to date" in capsys.readouterr().out


def test_more_objections_than_anybody_reads_are_counted(tmp_path: Path, capsys: Captured) -> None:
    many = "".join(f"  R{number}: {{states: {{a: [b], b: []}}}}\n" for number in range(30))
    (tmp_path / "b.yaml").write_text(
        f"nines: 1\nservice: {{name: x}}\ndependencies: {{db: {{type: postgres}}}}\nresources:\n{many}"
    )
    assert run(["design", str(tmp_path / "b.yaml"), "-q", "-o", str(tmp_path / "d")]) == 1
    told = capsys.readouterr().out
    assert "x cannot hold: 30 objections" in told
    assert "and 10 more: 10 × state-unreachable" in told
