"""Claude Code: a subagent, a skill for each task, and the MCP server."""

from __future__ import annotations

import json

from nines.personas.merging import whole
from nines.personas.persona import Task, engineer, tasks
from nines.personas.piece import Kind, Piece, Scope, Server

TITLE = "Claude Code"
_AGENT = "backend-reliability-engineer"
_CONFIGURATION = {Scope.PROJECT: ".mcp.json", Scope.USER: ".claude.json"}


def pieces(scope: Scope, command: str) -> tuple[Piece, ...]:
    return (
        Piece(path=f".claude/agents/{_AGENT}.md", kind=Kind.FILE, text=_agent()),
        *(
            Piece(path=f".claude/skills/nines-{task.name}/SKILL.md", kind=Kind.FILE, text=_skill(task))
            for task in tasks()
        ),
        Piece(path=_CONFIGURATION[scope], kind=Kind.SERVER, server=Server(command=command, args=("mcp",))),
    )


def _agent() -> str:
    found = engineer()
    return whole.marked(f"{_head(_AGENT, found.when)}\n# {found.title}\n\n{found.text}\n")


def _skill(task: Task) -> str:
    inputs = "\n".join(f"- {each.name}: {each.says}" for each in task.inputs)
    body = f"# {task.title}\n\n{task.says}\n\n## What it needs to know\n\n{inputs}\n\n{task.text}\n"
    return whole.marked(f"{_head(f'nines-{task.name}', task.says)}\n{body}")


def _head(name: str, description: str) -> str:
    """A JSON string is a YAML string that nothing can be misread in."""
    return f"---\nname: {name}\ndescription: {json.dumps(description, ensure_ascii=False)}\n---\n"
