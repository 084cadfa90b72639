"""AGENTS.md, which many coding agents read: a short section, for it is part of every conversation."""

from __future__ import annotations

from nines.personas.persona import engineer, tasks
from nines.personas.piece import Kind, Piece, Scope

TITLE = "AGENTS.md"
_SECTIONS = ("Priorities", "When nobody asked", "No claim without a run", "Safety")


def pieces(scope: Scope, command: str) -> tuple[Piece, ...]:  # noqa: ARG001 -- an agent that reads text runs `nines` itself
    """There is no common place for a person's own AGENTS.md."""
    if scope is Scope.USER:
        return ()
    return (Piece(path="AGENTS.md", kind=Kind.SECTION, text=_section()),)


def _section() -> str:
    found = engineer()
    parts = [f"## {found.title} (nines)", found.in_short]
    parts += [f"### {title}\n\n{text}" for title in _SECTIONS if (text := found.section(title))]
    offered = "\n".join(f"- {task.title}: `nines agent show {task.name}`" for task in tasks())
    parts.append(
        f"### Tasks\n\nRead the steps before you begin; the whole definition: `nines agent show`.\n\n{offered}"
    )
    return "\n\n".join(parts)
