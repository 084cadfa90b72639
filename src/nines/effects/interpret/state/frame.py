"""One activation of a function: its names, what it has done so far, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nines.effects.interpret.state.world import World
from nines.effects.limits import WORK_PER_FUNCTION_MAX
from nines.effects.link import ClassInfo, FunctionInfo, ModuleInfo
from nines.effects.nodes import BlindNode, Node
from nines.effects.values import Value
from nines.model.place import Place


class WorkLimit(Exception):  # noqa: N818
    """One function is too long to be read to its end."""


class Frame:
    """Mutable while its function is interpreted; only a Summary leaves it."""

    __slots__ = (
        "closure",
        "cls",
        "env",
        "facts",
        "has_hole",
        "info",
        "is_boot",
        "line",
        "module",
        "nodes",
        "raised",
        "returns",
        "work",
        "world",
        "yields",
    )

    def __init__(self, world: World, module: ModuleInfo, info: FunctionInfo | None = None) -> None:
        self.world = world
        self.module = module
        self.info = info
        self.cls: ClassInfo | None = info.cls if info else None
        self.env: dict[str, Value] = {}
        self.closure: dict[str, Value] = {}
        self.nodes: list[Node] = []
        self.returns: list[Value] = []
        self.yields: list[Value] = []
        self.facts: set[str] = set()
        self.raised = False
        self.has_hole = False
        self.line = info.node.line if info else 1
        self.work = 0
        self.is_boot = False

    def spend(self) -> None:
        self.work += 1
        self.world.spend()
        if self.work > WORK_PER_FUNCTION_MAX:
            raise WorkLimit

    def place(self, line: int, column: int = 1, end_line: int = 0) -> Place:
        return Place(file=self.module.file, line=line or self.line, column=column, end_line=end_line)

    def site(self, line: int, column: int = 1) -> str:
        return f"{self.module.file}:{line or self.line}:{column}"

    def blind(self, reason: str, text: str, line: int, column: int = 1) -> None:
        self.nodes.append(BlindNode(reason, text, self.place(line, column)))

    @contextmanager
    def capture(self) -> Iterator[list[Node]]:
        """Collects what is done meanwhile in a list of its own."""
        outer, self.nodes = self.nodes, []
        inner = self.nodes
        try:
            yield inner
        finally:
            self.nodes = outer
