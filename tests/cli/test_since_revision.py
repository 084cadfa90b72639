"""`--since`: only what a change brings, in sub-directories, over renames, and never by executing anything."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from nines.cli.main import run
from tests.cli.projects import CLEAN, FINDING, MAIN, backend, commit, git, repository, write

Captured = pytest.CaptureFixture[str]
SECOND = MAIN + '\n\n@app.get("/more")\ndef more():\n    return requests.get("https://more.example/x").json()\n'


def new_since(folder: Path, capsys: Captured, revision: str = "HEAD", *flags: str) -> tuple[int, list[str]]:
    code = run(["review", str(folder), "-q", "-f", "json", "--since", revision, *flags])
    report = json.loads(capsys.readouterr().out)
    return code, [finding["rule"] for finding in report["findings"]]


def test_what_was_there_is_not_reported_again(tmp_path: Path, capsys: Captured) -> None:
    repository(backend(tmp_path))
    assert new_since(tmp_path, capsys) == (0, [])
    write(tmp_path, {"app/main.py": SECOND})
    assert new_since(tmp_path, capsys) == (1, [FINDING])


def test_works_in_a_folder_of_a_repository(tmp_path: Path, capsys: Captured) -> None:
    service = backend(tmp_path / "services" / "a b")
    write(tmp_path, {"services/other/app.py": MAIN})
    repository(tmp_path)
    assert new_since(service, capsys) == (0, [])
    write(service, {"app/main.py": SECOND})
    assert new_since(service, capsys, "main") == (1, [FINDING])


def test_a_folder_that_is_new_is_new_altogether(tmp_path: Path, capsys: Captured) -> None:
    write(tmp_path, {"README": "x"})
    repository(tmp_path)
    assert new_since(backend(tmp_path / "service"), capsys) == (1, [FINDING])


def test_a_renamed_file_brings_nothing(tmp_path: Path, capsys: Captured) -> None:
    repository(backend(tmp_path))
    (tmp_path / "app" / "main.py").rename(tmp_path / "app" / "rates.py")
    assert new_since(tmp_path, capsys) == (0, [])
    (tmp_path / "app").rename(tmp_path / "backend")
    assert new_since(tmp_path, capsys) == (0, [])


def test_what_is_accepted_and_was_there_counts_once(tmp_path: Path, capsys: Captured) -> None:
    repository(backend(tmp_path))
    file = tmp_path / "accepted.json"
    assert run(["review", str(tmp_path), "-q", "--write-baseline", str(file)]) == 0
    capsys.readouterr()
    assert new_since(tmp_path, capsys, "HEAD", "--baseline", str(file)) == (0, [])
    write(tmp_path, {"app/main.py": SECOND})
    assert new_since(tmp_path, capsys, "HEAD", "--baseline", str(file)) == (1, [FINDING])


def test_an_unknown_revision_and_a_shallow_clone_are_told_apart(tmp_path: Path, capsys: Captured) -> None:
    origin = repository(backend(tmp_path / "origin"))
    first = git(origin, "rev-parse", "HEAD")
    write(origin, {"app/main.py": CLEAN})
    commit(origin)
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{origin}", str(shallow)], check=True)
    for folder, revision, said in ((origin, "nowhere", "has to be fetched first"), (shallow, first, "shallow clone")):
        assert run(["review", str(folder), "-q", "--since", revision]) == 2
        heard = capsys.readouterr()
        assert "git knows no revision" in heard.err
        assert said in heard.err


def test_filters_of_a_hostile_repository_are_not_executed(tmp_path: Path, capsys: Captured) -> None:
    trap, sprung = tmp_path / "trap.sh", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {sprung}\ncat\n")
    trap.chmod(0o755)
    project = backend(tmp_path / "project")
    write(project, {".gitattributes": "*.py filter=trap diff=trap\n"})
    repository(project)
    for key in ("filter.trap.smudge", "filter.trap.clean", "diff.trap.textconv", "core.fsmonitor", "core.pager"):
        git(project, "config", key, str(trap))
    assert new_since(project, capsys) == (0, [])
    assert not sprung.exists()


def test_git_that_is_not_installed_is_said(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(backend(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert run(["review", str(tmp_path), "-q", "--since", "HEAD"]) == 2
    assert "git is not installed" in capsys.readouterr().err
