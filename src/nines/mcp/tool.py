"""What a tool is, and how tools are found."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from nines.mcp.call import Call
from nines.mcp.schema import flat_schema_of, schema_of
from nines.model.errors import UsageError
from nines.model.record import Record

_PACKAGE = "nines.mcp.tools"


class ToolInfo(Record):
    """What a tool says about itself to whoever chooses among tools."""

    title: str
    says: str
    """What it is for and when to use it, in a few sentences."""
    is_read_only: bool = True
    runs_project: bool = False
    """Whether it starts the project's own program: it executes code that somebody else wrote."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool as it is found in its file."""

    name: str
    info: ToolInfo
    arguments: type[Record]
    result: type[Record]
    run: Callable[[Call, Any], Awaitable[Record]]

    def understood(self, given: dict[str, Any]) -> Record:
        """The arguments as a record; raises UsageError that names the one that is wrong."""
        try:
            return msgspec.convert(given, type=self.arguments, strict=False)
        except msgspec.ValidationError as error:
            known = ", ".join(self.arguments.__struct_fields__)
            raise UsageError(
                f"the arguments of {self.name} cannot be used: {error}", hint=f"It takes: {known}."
            ) from None

    @property
    def input_schema(self) -> dict[str, Any]:
        return flat_schema_of(self.arguments)

    @property
    def output_schema(self) -> dict[str, Any]:
        return schema_of(self.result)


@functools.cache
def discover() -> tuple[Tool, ...]:
    """Every tool, sorted by name."""
    package = importlib.import_module(_PACKAGE)
    return tuple(_tool(found.name) for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name))


def _tool(name: str) -> Tool:
    module = importlib.import_module(f"{_PACKAGE}.{name}")
    return Tool(name=name, info=module.INFO, arguments=module.Arguments, result=module.Result, run=module.run)
