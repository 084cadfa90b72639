"""`nines agent`: shown, written, idempotent, and undone exactly; nothing of anybody else's is lost."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from nines.cli.main import run
from nines.model.errors import UsageError
from nines.personas.piece import Scope
from nines.verbs import agent

ALL = agent.targets()
OWN = {
    "AGENTS.md": b"# House rules\r\n\r\nTabs.\r\n",
    ".mcp.json": b'{\n    "mcpServers": {\n        "db": {"command": "db", "env": {"TOKEN": "t0p"}}\n    },\n'
    b'    "x": [1, 2]\n}',
    ".cursor/mcp.json": b"{}\n",
    ".cursor/rules/house.mdc": b"---\nalwaysApply: true\n---\nTabs.\n",
    ".claude/agents/tester.md": b"---\nname: tester\n---\nTest.\n",
    "src/app.py": b"print()\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, content in OWN.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path


def tree(folder: Path) -> dict[str, bytes | None]:
    """Every file with its content, every folder as None."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def install(folder: Path, **options: bool) -> agent.Plan:
    plan = agent.plan_install(folder, ALL, Scope.PROJECT, command="nines", **options)
    agent.carry_out(plan, is_install=True)
    return plan


def uninstall(folder: Path) -> agent.Plan:
    plan = agent.plan_uninstall(folder, ALL, Scope.PROJECT)
    agent.carry_out(plan, is_install=False)
    return plan


@pytest.mark.parametrize("is_empty", [True, False])
def test_it_is_undone_byte_for_byte(folder: Path, tmp_path_factory: pytest.TempPathFactory, is_empty: bool) -> None:
    where = tmp_path_factory.mktemp("empty") if is_empty else folder
    before = tree(where)
    install(where)
    assert len(tree(where)) > len(before) + 10
    uninstall(where)
    assert tree(where) == before


def test_it_is_undone_without_the_ledger_too(folder: Path) -> None:
    """In another clone nobody remembers; the texts themselves tell."""
    before = {path: content for path, content in tree(folder).items() if path != ".cursor/mcp.json"}
    install(folder)
    (folder / ".nines" / "agents.json").unlink()
    uninstall(folder)
    after = tree(folder)
    assert {path: after.get(path) for path in before} == before
    assert not (folder / ".claude" / "skills" / "nines-why-slow" / "SKILL.md").exists()


def test_a_second_time_changes_nothing(folder: Path) -> None:
    install(folder)
    first = tree(folder)
    assert install(folder).real == ()
    assert tree(folder) == first


def test_what_is_there_stays(folder: Path) -> None:
    install(folder)
    found = json.loads((folder / ".mcp.json").read_text("utf-8"))
    assert list(found["mcpServers"]) == ["db", "nines"]
    assert found["mcpServers"]["db"]["env"] == {"TOKEN": "t0p"}
    assert found["x"] == [1, 2]
    assert (folder / "AGENTS.md").read_bytes().startswith(OWN["AGENTS.md"])
    assert b"\r\n" in (folder / "AGENTS.md").read_bytes().removeprefix(OWN["AGENTS.md"])
    for path in (".cursor/rules/house.mdc", ".claude/agents/tester.md", "src/app.py"):
        assert (folder / path).read_bytes() == OWN[path]


def test_edits_of_others_after_the_installation_survive(folder: Path) -> None:
    install(folder)
    text = (folder / "AGENTS.md").read_bytes().replace(b"Tabs.", b"Spaces.") + b"More.\r\n"
    (folder / "AGENTS.md").write_bytes(text)
    found = json.loads((folder / ".mcp.json").read_text("utf-8"))
    found["mcpServers"]["third"] = {"command": "third"}
    (folder / ".mcp.json").write_text(json.dumps(found, indent=4), "utf-8")
    install(folder)
    uninstall(folder)
    assert (folder / "AGENTS.md").read_bytes() == OWN["AGENTS.md"].replace(b"Tabs.", b"Spaces.") + b"More.\r\n"
    assert list(json.loads((folder / ".mcp.json").read_text("utf-8"))["mcpServers"]) == ["db", "third"]


def test_a_file_of_ours_that_was_edited_is_left_alone(folder: Path) -> None:
    install(folder)
    edited = folder / ".claude" / "agents" / "backend-reliability-engineer.md"
    edited.write_text(edited.read_text("utf-8").replace("99.9 %", "99.99 %"), "utf-8")
    with pytest.raises(UsageError, match="edited by hand"):
        install(folder)
    assert install(folder, force=True).real
    edited.write_text(edited.read_text("utf-8") + "mine", "utf-8")
    plan = uninstall(folder)
    assert edited.exists()
    assert any("edited by hand and stays" in note for note in plan.notes)


def test_a_foreign_file_in_our_place_comes_back(folder: Path) -> None:
    place = folder / ".cursor" / "rules" / "nines.mdc"
    place.write_text("somebody's own\n")
    before = tree(folder)
    with pytest.raises(UsageError, match="another file stands here"):
        install(folder)
    assert tree(folder) == before
    install(folder, force=True)
    assert "Reliability" in place.read_text("utf-8")
    uninstall(folder)
    assert tree(folder) == before


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        (".mcp.json", b'{"mcpServers": {}, // mine\n}', "not plain JSON"),
        (".cursor/mcp.json", b"[]", "outermost"),
        ("AGENTS.md", b"\xff\xfe latin", "no UTF-8"),
        ("AGENTS.md", b"<!-- nines:begin 0 -->\n", "markers"),
    ],
)
def test_nothing_is_written_where_one_file_cannot_be_merged(folder: Path, path: str, content: bytes, said: str) -> None:
    (folder / path).write_bytes(content)
    before = tree(folder)
    with pytest.raises(UsageError, match=said):
        install(folder)
    assert tree(folder) == before


def test_links_inside_are_followed_and_links_outside_are_refused(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (folder / "AGENTS.md").rename(folder / "CLAUDE.md")
    (folder / "AGENTS.md").symlink_to("CLAUDE.md")
    install(folder)
    assert (folder / "AGENTS.md").is_symlink()
    assert "nines:begin" in (folder / "CLAUDE.md").read_text("utf-8")
    uninstall(folder)
    outside = tmp_path_factory.mktemp("outside")
    (folder / ".mcp.json").unlink()
    (folder / ".mcp.json").symlink_to(outside / "mcp.json")
    before = tree(folder)
    with pytest.raises(UsageError, match="leads outside"):
        install(folder)
    assert tree(folder) == before
    assert not list(outside.iterdir())


def test_a_link_to_a_folder_that_is_not_there_yet_is_followed_and_cleared(folder: Path) -> None:
    (folder / ".claude" / "skills").symlink_to("../.agents/skills")
    before = tree(folder)
    install(folder)
    assert (folder / ".agents" / "skills" / "nines-why-slow" / "SKILL.md").is_file()
    uninstall(folder)
    assert tree(folder) == before


def test_a_failure_half_way_puts_everything_back(folder: Path) -> None:
    before = tree(folder)
    plan = agent.plan_install(folder, ALL, Scope.PROJECT, command="nines")
    (folder / ".mcp.json").write_bytes(b"{}")
    with pytest.raises(UsageError, match="changed meanwhile"):
        agent.carry_out(plan, is_install=True)
    (folder / ".mcp.json").write_bytes(OWN[".mcp.json"])
    assert tree(folder) == before


def test_the_ledger_keeps_no_secrets_and_modes_stay(folder: Path) -> None:
    (folder / ".mcp.json").chmod(0o600)
    install(folder)
    ledger = folder / ".nines" / "agents.json"
    assert "t0p" not in ledger.read_text("utf-8")
    assert stat.S_IMODE(ledger.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / ".mcp.json").stat().st_mode) == 0o600


def test_a_person_has_it_in_every_project(tmp_path: Path) -> None:
    (tmp_path / ".claude.json").write_text('{"oauth": "secret", "mcpServers": {}}')
    before = tree(tmp_path)
    plan = agent.plan_install(tmp_path, ALL, Scope.USER, command="nines")
    assert any("AGENTS.md" in note for note in plan.notes)
    agent.carry_out(plan, is_install=True)
    assert json.loads((tmp_path / ".claude.json").read_text("utf-8"))["mcpServers"]["nines"]["args"] == ["mcp"]
    assert not (tmp_path / "AGENTS.md").exists()
    agent.carry_out(agent.plan_uninstall(tmp_path, ALL, Scope.USER), is_install=False)
    assert tree(tmp_path) == before


def test_the_command_line_shows_asks_and_tells(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(folder)
    here = ["--project", str(folder)]
    assert run(["agent", "install", *here, "--dry-run"]) == 0
    assert "+++ b/.mcp.json" in capsys.readouterr().out
    assert run(["agent", "install", *here]) == 2
    assert "nothing was changed" in capsys.readouterr().err
    assert tree(folder) == before
    assert run(["agent", "install", *here, "--for", "cursor", "--yes"]) == 0
    assert run(["agent", "status", *here]) == 0
    told = capsys.readouterr().out
    assert ".cursor/mcp.json" in told
    assert "not installed" in told
    assert not (folder / ".claude" / "skills").exists()
    (folder / ".cursor" / "rules" / "nines.mdc").write_text(
        "<!-- nines agent install; edit elsewhere: 0123456789abcdef -->\n"
    )
    assert run(["agent", "status", *here]) == 1
    assert run(["agent", "install", *here, "--for", "vim"]) == 2
    assert "There are: agents-md, claude, cursor, all" in capsys.readouterr().err
    assert run(["agent", "show", "why-slow"]) == 0
    assert "## Steps" in capsys.readouterr().out
    assert run(["agent", "install", "--user", *here]) == 2
    assert run(["agent", "install", "--project", str(folder / "none")]) == 2


def test_a_folder_that_cannot_be_written_is_one_clear_error(folder: Path) -> None:
    if os.geteuid() == 0:
        (folder / ".claude" / "skills").write_text("in the way")
    else:
        folder.chmod(0o500)
    before = tree(folder)
    with pytest.raises(UsageError):
        install(folder)
    folder.chmod(0o700)
    assert tree(folder) == before
