"""Who the engineer is and what it does when asked: one source for every coding agent, prompt and skill."""

from __future__ import annotations

from nines.personas.persona import Input, Persona, Task, engineer, tasks

__all__ = ["Input", "Persona", "Task", "engineer", "tasks"]
