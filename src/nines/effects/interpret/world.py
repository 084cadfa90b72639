"""What the whole analysis shares: the linked project, the signatures, what was already interpreted, and the budget."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from nines.effects.limits import WORK_PER_ENTRY_MAX, WORK_TOTAL_MAX
from nines.effects.link import ClassInfo, FunctionInfo, Linked, ModuleInfo
from nines.effects.nodes import Node
from nines.effects.signatures import Signatures
from nines.effects.values import UNKNOWN, Value
from nines.model.place import Place
from nines.model.statement import ReadStatement, Statement

if TYPE_CHECKING:
    from nines.effects.interpret.mapping import Mapped


class OutOfBudget(Exception):  # noqa: N818
    """The work allowed for one entry point, or for the whole analysis, is used up."""


@dataclass(slots=True)
class Summary:
    """What one function does for one kind of arguments."""

    nodes: list[Node] = field(default_factory=list)
    value: Value = UNKNOWN
    yielded: Value = UNKNOWN
    after: dict[str, Value] = field(default_factory=dict)
    facts: frozenset[str] = frozenset()
    ends: str = ""
    has_hole: bool = False
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """A registered entry point, before it becomes an Endpoint."""

    signature: str
    handler: Value
    router: str = ""
    """The site of the application or router; "" for none."""
    path: str = ""
    methods: tuple[str, ...] = ()
    arguments: tuple[tuple[str, Value], ...] = ()
    place: Place = Place(file="", line=0)  # noqa: RUF009
    extra: tuple[tuple[str, Value], ...] = ()
    view_method: str = ""


@dataclass(frozen=True, slots=True)
class Mount:
    """A router put under another one."""

    parent: str
    child: str
    prefix: str = ""
    prefix_wins: bool = False
    arguments: tuple[tuple[str, Value], ...] = ()
    dependencies: Value | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """Something that runs around every request of an application or router: middleware, before_request."""

    router: str
    value: Value
    place: Place


class World:
    """Shared state; created once for each analysis."""

    def __init__(self, linked: Linked, signatures: Signatures, read_statement: ReadStatement) -> None:
        self.linked = linked
        self.signatures = signatures
        self._read_statement = read_statement
        self._statements: dict[str, Statement] = {}
        self._tokens = count(1)
        self.globals: dict[tuple[str, str], Value] = {}
        self.evaluating: set[Any] = set()
        self.summaries: dict[Any, Summary] = {}
        self.contexts: dict[FunctionInfo, int] = {}
        self.stack: list[FunctionInfo] = []
        self.functions: dict[FunctionInfo, Value] = {}
        self.kinds: dict[FunctionInfo, str] = {}
        self.nested: dict[tuple[str, int, str], Any] = {}
        self.mapped: dict[ClassInfo, Mapped | None] = {}
        self.by_table: dict[str, ClassInfo] = {}
        self.reverse: dict[ClassInfo, dict[str, Any]] = {}
        self.class_values: dict[tuple[ClassInfo, str], Value] = {}
        self.annotations: dict[Any, Value] = {}
        self.routes: dict[Any, Route] = {}
        self.mounts: dict[Any, Mount] = {}
        self.hooks: dict[Any, Hook] = {}
        self.hook_list: list[tuple[str, Value]] | None = None
        self.hook_guards: dict[Value, Any] = {}
        self.shared: dict[tuple[str, str], Value] = {}
        """What was set on objects whose type shares it, by type and name."""
        self.registered: dict[str, list[tuple[str, Value, Place]]] = {}
        """View sets by the router that they are registered with."""
        self.routers: dict[str, Value] = {}
        self.work = 0
        self.entry_limit = WORK_TOTAL_MAX
        self.calls = 0
        self.unresolved = 0
        self.method = ""
        """The method of the requests that are being told, as code may ask for it."""
        self.method_reads = 0
        self.is_booting = False
        """While modules are imported, a helper is called with other constants for each route: none is forgotten."""
        self.unclear: set[FunctionInfo] = set()
        """Functions with a decorator that was not understood."""
        self.relations_known = False
        self.common_names = {key.rpartition(".")[2] for key in signatures.calls}

    def fresh(self) -> int:
        """A token that no other effect has."""
        return next(self._tokens)

    def spend(self) -> None:
        self.work += 1
        if self.work > self.entry_limit:
            raise OutOfBudget

    def start_entry(self) -> None:
        """Gives the next entry point its own share of the budget."""
        self.entry_limit = min(self.work + WORK_PER_ENTRY_MAX, WORK_TOTAL_MAX)

    def read_statement(self, text: str) -> Statement:
        if text not in self._statements:
            self._statements[text] = self._read_statement(text)
        return self._statements[text]

    def module_of(self, name: str) -> ModuleInfo | None:
        return self.linked.module(name)
