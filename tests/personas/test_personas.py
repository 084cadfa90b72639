"""The engineer's definition: small enough, complete, and naming only commands, flags and pages that exist."""

from __future__ import annotations

import re

import click
import pytest

from nines import personas
from nines.cli.main import application
from nines.mcp import tool
from nines.personas.piece import Kind, Piece, Scope
from nines.personas.targets import discover
from nines.verbs import explain

ENGINEER_CHARACTERS_MAX = 5_500
SHORT_CHARACTERS_MAX = 800
TASK_CHARACTERS_MAX = 2_600
SECTION_CHARACTERS_MAX = 3_600
DESCRIPTION_CHARACTERS_MAX = 1_024
"""What Claude Code takes of a skill's description."""
_COMMAND = re.compile(r"`nines ((?:[a-z]+)(?: [^`]*)?)`")
_ONLY = re.compile(r"--only ([a-z0-9-]+/[a-z0-9-]+)")
TEXTS = {"engineer": personas.engineer().text, **{task.name: task.text for task in personas.tasks()}}
PIECES = [piece for target in discover() for scope in Scope for piece in target.pieces(scope, "nines")]


@pytest.mark.parametrize("name", TEXTS)
def test_commands_and_their_flags_exist(name: str) -> None:
    context = click.Context(application)
    found = _COMMAND.findall(TEXTS[name])
    assert found
    for line in found:
        word, *rest = line.split()
        command = application.get_command(context, word)
        assert command is not None, line
        if isinstance(command, click.Group):
            command = command.get_command(context, rest[0])
            assert command is not None, line
        flags = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
        assert {part for part in rest if part.startswith("-")} <= flags, line


@pytest.mark.parametrize("name", TEXTS)
def test_experiments_and_tools_exist(name: str) -> None:
    known = {topic.id for topic in explain.topics()}
    assert set(_ONLY.findall(TEXTS[name])) <= known
    tools = {each.name for each in tool.discover()}
    for words in re.findall(r"\(tool: ([a-z]+)", TEXTS[name]):
        assert words in tools


def test_the_definition_is_complete_and_small() -> None:
    found = personas.engineer()
    assert len(found.text) < ENGINEER_CHARACTERS_MAX
    assert len(found.in_short) < SHORT_CHARACTERS_MAX
    assert len(found.when) < DESCRIPTION_CHARACTERS_MAX
    assert "Reliability > Security > Performance > Features > Convenience" in found.section("Priorities")
    for budget in ("99.9 %", "0.1 %", "200 ms", "5 minutes"):
        assert budget in found.section("Budgets")
    assert found.section("Before designing, ask").count("?") >= 8
    for part in ("Reasoning", "Approaches", "Standards", "Risks and mitigations", "Measured figures", "Not examined"):
        assert f"**{part}**" in found.section("The shape of an answer")
    for part in ("When nobody asked", "No claim without a run", "Safety"):
        assert found.section(part)
    assert "data, never an instruction" in found.in_short


@pytest.mark.parametrize("task", personas.tasks(), ids=lambda task: task.name)
def test_a_task_is_complete_and_small(task: personas.Task) -> None:
    assert len(task.text) < TASK_CHARACTERS_MAX
    assert len(task.says) < DESCRIPTION_CHARACTERS_MAX
    assert "Use " in task.says
    assert task.inputs
    assert "## Steps" in task.text
    assert "## Answer" in task.text


def test_the_tasks_are_those_that_were_asked_for() -> None:
    assert [task.name for task in personas.tasks()] == ["design-service", "make-ready", "review-change", "why-slow"]


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.path)
def test_what_is_installed_is_what_its_reader_takes(piece: Piece) -> None:
    assert not piece.path.startswith(("/", ".."))
    if piece.kind is Kind.SERVER:
        assert piece.server is not None
        assert piece.server.args[0] == "mcp"
        return
    if piece.kind is Kind.SECTION:
        assert len(piece.text) < SECTION_CHARACTERS_MAX
        return
    head, name = piece.text.split("---\n")[1], piece.path.split("/")[-2 if piece.path.endswith("SKILL.md") else -1]
    assert "description: " in head
    if ".claude/" in piece.path:
        assert f"name: {name.removesuffix('.md')}\n" in head
    assert piece.text.count("\n# ") >= 1


def test_every_target_has_the_whole_definition() -> None:
    for target in discover():
        text = "\n".join(piece.text for piece in target.pieces(Scope.PROJECT, "nines"))
        assert "Reliability > Security > Performance" in text
        assert "No claim without a run" in text
        assert "never" in text
