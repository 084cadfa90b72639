"""Cursor: rules that it takes up when they fit, and the MCP server."""

from __future__ import annotations

import json

from nines.personas.merging import whole
from nines.personas.persona import engineer, tasks
from nines.personas.piece import Kind, Piece, Scope, Server

TITLE = "Cursor"


def pieces(scope: Scope, command: str) -> tuple[Piece, ...]:
    """Cursor keeps a person's own rules in its settings, so that only the server is installed there."""
    if scope is Scope.USER:
        return (Piece(path=".cursor/mcp.json", kind=Kind.SERVER, server=Server(command=command, args=("mcp",))),)
    found = engineer()
    server = Server(command=command, args=("mcp", "--root", "${workspaceFolder}"))
    return (
        Piece(path=".cursor/rules/nines.mdc", kind=Kind.FILE, text=_rule(found.when, found.title, found.text)),
        *(
            Piece(
                path=f".cursor/rules/nines-{task.name}.mdc",
                kind=Kind.FILE,
                text=_rule(task.says, task.title, task.text),
            )
            for task in tasks()
        ),
        Piece(path=".cursor/mcp.json", kind=Kind.SERVER, server=server),
    )


def _rule(description: str, title: str, text: str) -> str:
    head = f"---\ndescription: {json.dumps(description, ensure_ascii=False)}\nglobs:\nalwaysApply: false\n---\n"
    return whole.marked(f"{head}\n# {title}\n\n{text}\n")
