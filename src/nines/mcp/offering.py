"""The same tools for a model of `nines ask`: inside one folder, nothing written, nothing run that was not allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from nines.asking.model.conversation import Offered
from nines.mcp import tool
from nines.mcp.call import Call
from nines.mcp.desk import Desk
from nines.mcp.roots import Roots
from nines.mcp.tool import Tool
from nines.mcp.workshop import Workshop
from nines.model.errors import UsageError

_LEFT_OUT = frozenset({"ask", "build", "init"})
_WRITING = ("write", "force")


def offered(folder: Path, *, runs: bool) -> tuple[Offered, ...]:
    """Those that read; those that run the project's own program only where the owner said so."""
    call = Call(desk=Desk(), roots=Roots.of((folder,)), workshop=Workshop(), tell=_silent)
    return tuple(
        _offered(each, call)
        for each in tool.discover()
        if each.name not in _LEFT_OUT and (runs or not each.info.runs_project)
    )


def _offered(each: Tool, call: Call) -> Offered:
    async def run(given: dict[str, Any]) -> str:
        if any(given.get(name) for name in _WRITING):
            hint = "Leave write and force out; the owner writes with the command line."
            raise UsageError("nothing is written here", hint=hint)
        result = await each.run(call, each.understood(given))
        return msgspec.json.encode(result).decode()

    schema = each.input_schema
    properties = {name: value for name, value in schema["properties"].items() if name not in _WRITING}
    return Offered(name=each.name, says=each.info.says, schema={**schema, "properties": properties}, call=run)


async def _silent(text: str, remaining_s: float | None) -> None: ...
