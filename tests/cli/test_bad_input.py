"""Whatever is wrong with a project, a file or a flag: one clear message, the rest of the work goes on, no traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from nines.cli.main import run
from tests.cli.projects import FINDING, MAIN, backend, write

Captured = pytest.CaptureFixture[str]


def reviewed(folder: Path, capsys: Captured, *flags: str) -> tuple[int, dict[str, Any], str]:
    code = run(["review", str(folder), "-q", "-f", "json", *flags])
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out
    return code, json.loads(said.out) if said.out else {}, said.err


def left_out(report: dict[str, Any]) -> dict[str, str]:
    return {item["what"]: item["reason"] for item in report["unexamined"]}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("broken.py", b"def f(:\n    pass\n", "not valid Python"),
        ("latin.py", b'name = "caf\xe9"\n', "not valid Python"),
        ("generated.py", b"rows = [\n" + b"    1,\n" * 1_500_000 + b"]\n", "bytes"),
        ("zeros.py", b"a = 1\n\0\0\0\n", "not valid Python"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_judged(
    tmp_path: Path, capsys: Captured, name: str, content: bytes, reason: str
) -> None:
    (backend(tmp_path) / "app" / name).write_bytes(content)
    code, report, _ = reviewed(tmp_path, capsys)
    assert code == 1
    assert [finding["rule"] for finding in report["findings"]] == [FINDING]
    assert any(f"app/{name}" in what and reason in why for what, why in left_out(report).items())


def test_a_circular_import_hides_nothing(tmp_path: Path, capsys: Captured) -> None:
    backend(tmp_path, app__one="")
    write(tmp_path, {"app/one.py": "from app.two import b\na = b\n", "app/two.py": "from app.one import a\nb = a\n"})
    code, report, _ = reviewed(tmp_path, capsys)
    assert (code, len(report["findings"])) == (1, 1)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "no Python file was found"),
        ({"notes.txt": "hello"}, "no Python file was found"),
        ({"tool.py": "print('hello')\n"}, "no entry point was found"),
        ({"broken.py": "def f(:\n"}, "no Python file could be read"),
    ],
)
def test_where_nothing_can_be_judged_nothing_passes(
    tmp_path: Path, capsys: Captured, files: dict[str, str], reason: str
) -> None:
    write(tmp_path, files)
    code, report, _ = reviewed(tmp_path, capsys)
    assert code == 2
    assert report["says"].startswith("Nothing was judged")
    assert reason in left_out(report)["every endpoint"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["review", "{path}/nowhere"], "no such directory"),
        (["review", "{path}/app/main.py"], "this is a file"),
        (["review", "{path}", "--wrong"], "No such option"),
        (["reviw", "{path}"], "Did you mean: nines review?"),
        (["xyz"], ", check, "),
        (["review", "{path}", "--format", "jsn"], "Did you mean json?"),
        (["review", "{path}", "--output", "{path}/none/r.json"], "its folder does not exist"),
        (["review", "{path}", "-f", "json", "-o", "{path}"], "this is a folder"),
        (["review", "{path}", "-o", "{path}/a.json", "-f", "sarif", "-o", "{path}/a.json"], "one file"),
        (["review", "{path}", "--baseline", "{path}/none.json"], "--write-baseline"),
        (["review", "{path}", "--baseline", "{path}/app/main.py"], "not a baseline"),
        (["review", "{path}", "--config", "{path}/none.toml"], "cannot be read"),
        (["review", "{path}", "--since", "HEAD"], "no git repository"),
        (["review", "{path}", "--since=-x"], "not a revision"),
        (["review", "{path}", "--write-baseline", "{path}/b.json", "--since", "HEAD"], "neither"),
        (["check", "{path}", "--only", "load/stedy"], "Did you mean load/steady"),
        (["prove", "{path}", "--only", "nonsense"], "There are: "),
        (["prove", "{path}"], "Set service.command"),
        (["trace", "{path}", "/rattes"], "GET /rates"),
        (["explain", "call-without-deadlin"], "deadlines/call-without-deadline"),
        (["explain", "zzzzz"], "nines explain"),
        (["init", "{path}", "--identity", "nobody"], "owner="),
        (["init", "{path}", "--env", "nothing"], "NAME=VALUE"),
        (["init", "{path}", "--rate", "-3"], "more than 0"),
    ],
)
def test_wrong_words_on_the_command_line(tmp_path: Path, capsys: Captured, arguments: list[str], said: str) -> None:
    main = MAIN.replace("app = FastAPI()", "app = FastAPI()\n")
    # Without an application object there is nothing that `prove` could start.
    backend(tmp_path, main if arguments[0] != "prove" else "import fastapi\n")
    assert run([part.format(path=tmp_path) for part in arguments]) == 2
    heard = capsys.readouterr()
    assert said in heard.err
    assert "Traceback" not in heard.err
    assert heard.out == ""


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('nme = "x"', "Did you mean `name`?"),
        ("[servce]\napp = 'a:b'", "Did you mean `service`?"),
        ("name = ", "not valid TOML"),
        ("[budgets]\np95 = 'fast'", "200ms"),
        ("fail_on = 'everything'", "reliability"),
        ("[load]\nrate_hz = 0", "more than 0"),
        ('paths = ["nowhere"]', "no such file or folder"),
        ('paths = [".."]', "leads out of the project"),
        ("[signatures]\nx = 3", ""),
    ],
)
def test_settings_that_cannot_be_used(tmp_path: Path, capsys: Captured, settings: str, said: str) -> None:
    write(backend(tmp_path), {"nines.toml": settings})
    assert run(["review", str(tmp_path), "-q"]) == 2
    heard = capsys.readouterr()
    assert said in heard.err
    assert heard.err.startswith("nines: ")
    assert "Traceback" not in heard.err


def test_unknown_names_in_the_settings_are_said_and_stop_nothing(tmp_path: Path, capsys: Captured) -> None:
    off = 'rules_off = ["call-without-deadlines"]\nexperiments_off = ["stady"]\n'
    write(backend(tmp_path), {"nines.toml": off})
    code, report, _ = reviewed(tmp_path, capsys)
    hints = [item["hint"] for item in report["unexamined"] if item["what"].startswith("the setting")]
    assert code == 1
    assert hints == ["Did you mean deadlines/call-without-deadline?", "Did you mean load/steady?"]


@pytest.mark.parametrize(
    ("settings", "document", "reason"),
    [
        ('contract = "api.json"', "", "no such file"),
        ('contract = "openapi.json"', "{", "cannot be read"),
        ('contract = "openapi.json"', '{"openapi": "3.1.0", "paths": {"/a": 3}}', "invalid"),
        ("", "[]", "no OpenAPI document"),
    ],
)
def test_a_contract_that_is_missing_or_invalid(
    tmp_path: Path, capsys: Captured, settings: str, document: str, reason: str
) -> None:
    write(backend(tmp_path), {"nines.toml": settings} | ({"openapi.json": document} if document else {}))
    code, report, _ = reviewed(tmp_path, capsys)
    assert code == 1
    assert any(what.startswith("the contract") and reason in why for what, why in left_out(report).items())


def test_a_state_folder_that_leads_elsewhere_is_left_alone(tmp_path: Path, capsys: Captured) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    project = backend(tmp_path / "project")
    (project / ".nines").symlink_to(elsewhere)
    code, report, _ = reviewed(project, capsys)
    assert code == 1
    assert ".nines/" in left_out(report)
    assert not list(elsewhere.iterdir())


def test_no_marker_is_written_through_a_link(tmp_path: Path, capsys: Captured) -> None:
    target = tmp_path / "target"
    project = backend(tmp_path / "project")
    (project / ".nines").mkdir()
    (project / ".nines" / ".gitignore").symlink_to(target)
    assert reviewed(project, capsys)[0] == 1
    assert not target.exists()


def test_a_file_in_place_of_the_state_folder_is_said(tmp_path: Path, capsys: Captured) -> None:
    write(backend(tmp_path), {".nines": "mine"})
    code, report, _ = reviewed(tmp_path, capsys)
    assert (code, (tmp_path / ".nines").read_text()) == (1, "mine")
    assert ".nines/" in left_out(report)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_a_read_only_project_has_no_cache_and_is_reviewed_all_the_same(tmp_path: Path, capsys: Captured) -> None:
    project = backend(tmp_path / "project")
    project.chmod(0o555)
    try:
        assert reviewed(project, capsys)[0] == 1
    finally:
        project.chmod(0o755)


def test_a_full_disk_is_one_line_and_the_other_reports_are_there(tmp_path: Path, capsys: Captured) -> None:
    backend(tmp_path)
    whole = tmp_path / "r.sarif"
    assert run(["review", str(tmp_path), "-q", "-f", "json", "-o", "/dev/full", "-f", "sarif", "-o", str(whole)]) == 2
    heard = capsys.readouterr()
    assert "json report to /dev/full: No space left on device" in heard.err
    assert json.loads(whole.read_text())["version"] == "2.1.0"


def test_what_nobody_foresaw_is_one_message(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that cannot be rendered stands for every error that is none of nines' own."""
    from nines import reports  # noqa: PLC0415

    def broken(*_words: object, **_more: object) -> str:
        raise KeyError("colour\x1b[31m")

    monkeypatch.setattr(reports, "render", broken)
    arguments = ["review", str(backend(tmp_path)), "-q"]
    assert run(arguments) == 2
    heard = capsys.readouterr().err
    assert heard.startswith("nines: something unexpected went wrong: KeyError")
    assert "NINES_DEBUG=1" in heard
    assert "Traceback" not in heard
    assert "\x1b" not in heard
    monkeypatch.setenv("NINES_DEBUG", "1")
    assert run(arguments) == 2
    assert "Traceback" in capsys.readouterr().err


def test_hostile_names_do_not_reach_the_terminal(tmp_path: Path, capsys: Captured) -> None:
    backend(tmp_path, MAIN.replace('"/rates"', '"/ra\\x1b[2Jtes"'))
    for arguments in (["review", str(tmp_path)], ["trace", str(tmp_path)], ["trace", str(tmp_path), "tes"]):
        run(arguments)
        heard = capsys.readouterr()
        assert "\x1b" not in heard.out + heard.err
