"""The tasks of the engineer as prompts: the same texts that are installed as skills."""

from __future__ import annotations

import mcp_types as types

from nines import personas
from nines.model.errors import UsageError
from nines.personas import Task


def instructions() -> str:
    """What a client is told about the server as a whole."""
    return personas.engineer().in_short


def listed() -> list[types.Prompt]:
    return [
        types.Prompt(
            name=task.name,
            title=task.title,
            description=task.says,
            arguments=[
                types.PromptArgument(name=each.name, description=each.says, required=each.is_required)
                for each in task.inputs
            ],
        )
        for task in personas.tasks()
    ]


def filled(name: str, arguments: dict[str, str]) -> types.GetPromptResult:
    """Raises UsageError for a prompt that there is not, or an argument that is missing."""
    task = next((each for each in personas.tasks() if each.name == name), None)
    if task is None:
        there = ", ".join(each.name for each in personas.tasks())
        raise UsageError(f"there is no prompt {name!r}", hint=f"There are: {there}.")
    missing = [each.name for each in task.inputs if each.is_required and not arguments.get(each.name)]
    if missing:
        raise UsageError(f"the prompt {name} needs {', '.join(missing)}")
    content = types.TextContent(text=_text(task, arguments))
    return types.GetPromptResult(description=task.says, messages=[types.PromptMessage(role="user", content=content)])


def _text(task: Task, arguments: dict[str, str]) -> str:
    given = [f"- {each.name}: {arguments[each.name]}" for each in task.inputs if arguments.get(each.name)]
    head = f"{personas.engineer().text}\n\n# {task.title}\n\n{task.text}"
    return f"{head}\n\n## Given\n\n{chr(10).join(given)}\n" if given else f"{head}\n"
