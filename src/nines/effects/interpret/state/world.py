"""What the whole analysis shares: the linked project, the signatures, what was already interpreted, and the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from nines.effects.interpret.state.interpreter import Interpreter
from nines.effects.interpret.state.records import Hook, Mount, Route, Summary
from nines.effects.interpret.state.standing import NEVER, Standing
from nines.effects.limits import CALL_DEPTH_MAX, CONTEXTS_PER_FUNCTION_MAX, WORK_PER_ENTRY_MAX, WORK_TOTAL_MAX
from nines.effects.link import ClassInfo, FunctionInfo, Linked, ModuleInfo
from nines.effects.mapped import Mapped, Relation
from nines.effects.signatures import Signatures
from nines.effects.values import Value
from nines.model.code import NamedStatement
from nines.model.place import Place
from nines.model.statement import ReadStatement, Statement


class OutOfBudget(Exception):  # noqa: N818
    """The work allowed for one entry point, or for the whole analysis, is used up."""


@dataclass(slots=True, eq=False)
class World:
    """Shared state; created once for each analysis."""

    linked: Linked
    signatures: Signatures
    _read_statement: ReadStatement
    interpreter: Interpreter
    _statements: dict[str, Statement] = field(default_factory=dict)
    _tokens: Iterator[int] = field(default_factory=lambda: count(1))
    globals: dict[tuple[str, str], Value] = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)
    summaries: dict[Any, Summary] = field(default_factory=dict)
    """Those that are the same for every caller."""
    passing: dict[Any, Summary] = field(default_factory=dict)
    """Those that hold only while something around them is interpreted."""
    adopted: dict[int, Summary] = field(default_factory=dict)
    """The summaries that this entry point has paid for."""
    below: list[Summary] = field(default_factory=list)
    """What the function that is interpreted at the moment has called."""
    active: int = 0
    """The functions on the stack, one bit for each."""
    full: int = 0
    """The functions whose contexts are used up."""
    is_nobody: bool = False
    """While it is set, nobody is signed in and no credential is sent."""
    always: int = 0
    """The functions that had a part in what every entry point depends on."""
    marks: dict[tuple[str, int], int] = field(default_factory=dict)
    """One bit for each function whose body was looked at, by module and number, for sets of them."""
    _bits: dict[FunctionInfo, int] = field(default_factory=dict)
    contexts: dict[FunctionInfo, int] = field(default_factory=dict)
    stack: list[FunctionInfo] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    """Where each of the stack stands among all that is being worked out."""
    functions: dict[FunctionInfo, Value] = field(default_factory=dict)
    kinds: dict[FunctionInfo, str] = field(default_factory=dict)
    nested: dict[tuple[str, int, str], Any] = field(default_factory=dict)
    mapped: dict[ClassInfo, Mapped | None] = field(default_factory=dict)
    reverse: dict[ClassInfo, dict[str, Relation]] = field(default_factory=dict)
    class_values: dict[tuple[ClassInfo, str], Value] = field(default_factory=dict)
    annotations: dict[Any, Value] = field(default_factory=dict)
    routes: dict[Any, Route] = field(default_factory=dict)
    mounts: dict[Any, Mount] = field(default_factory=dict)
    hooks: dict[Any, Hook] = field(default_factory=dict)
    hook_list: list[tuple[str, Value]] | None = None
    hook_guards: dict[Value, Any] = field(default_factory=dict)
    shared: dict[tuple[str, str], Value] = field(default_factory=dict)
    """What was set on objects whose type shares it, by type and name."""
    booted: dict[tuple[str, str], Value] = field(default_factory=dict)
    """The same, as importing the project leaves it."""
    registered: dict[str, list[tuple[str, Value, Place]]] = field(default_factory=dict)
    """View sets by the router that they are registered with."""
    routers: dict[str, Value] = field(default_factory=dict)
    work: int = 0
    entry_limit: int = WORK_TOTAL_MAX
    calls: int = 0
    unresolved: int = 0
    calls_below: int = 0
    """Those of the functions that the entry point calls, each counted once for each kind of arguments."""
    unresolved_below: int = 0
    named: dict[str, NamedStatement] = field(default_factory=dict)
    """Statements that the project keeps in files, by the name under which they are called."""
    method: str = ""
    """The method of the requests that are being told, as code may ask for it."""
    method_reads: int = 0
    is_booting: bool = False
    """While modules are imported, a helper is called with other constants for each route: none is forgotten."""
    unclear: set[FunctionInfo] = field(default_factory=set)
    """Functions with a decorator that was not understood."""
    relations_known: bool = False
    common_names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for module in self.linked.modules.values():
            module.reads = self.look
        self.common_names = {key.rpartition(".")[2] for key in self.signatures.calls}

    @contextmanager
    def as_nobody(self) -> Iterator[None]:
        """While it lasts, nobody is signed in; what is found out about functions is forgotten afterwards."""
        kept = self.summaries, self.passing
        self.summaries, self.passing, self.is_nobody = {}, {}, True
        try:
            yield
        finally:
            self.summaries, self.passing = kept
            self.is_nobody = False

    def fresh(self) -> int:
        """A token that no other effect has."""
        return next(self._tokens)

    def spend(self) -> None:
        self.work += 1
        if self.work > self.entry_limit:
            raise OutOfBudget

    def bit(self, info: FunctionInfo) -> int:
        return self._bits.setdefault(info, 1 << len(self._bits))

    def mark(self, info: FunctionInfo) -> int:
        """The function's bit; none for one within another, which is part of that one's body."""
        if info.number < 0:
            return 0
        return self.mark_of((info.module.name, info.number))

    def mark_of(self, function: tuple[str, int]) -> int:
        """The bit of a function by its module and number."""
        return self.marks.setdefault(function, 1 << len(self.marks))

    def look(self, info: FunctionInfo) -> None:
        """The body of a function is read, or what stands around it: what is worked out depends on it."""
        self.standing.touched |= self.mark(info)

    def start_unit(self) -> None:
        """Begins an entry point: it reads the same whatever was read before."""
        self.standing.restart()
        self._clear()
        self.shared = dict(self.booted)
        self.start_entry()

    def _clear(self) -> None:
        self.stack, self.levels, self.below, self.adopted = [], [], [], {}
        self.contexts, self.active, self.full = {}, 0, 0
        self.calls = self.unresolved = self.calls_below = self.unresolved_below = 0
        self.method = ""

    def work_out(self, table: dict[Any, Value], key: Any, name: Any, make: Callable[[], Value], cut: Value) -> Value:
        """The entry of a table that is the same for everybody; `cut` while it is being worked out."""
        if name in self.standing.evaluating:
            self.standing.cut(name)
            return cut
        outer = (self.stack, self.levels, self.below, self.adopted, self.contexts, self.active, self.full)
        counts = (self.calls, self.unresolved, self.calls_below, self.unresolved_below)
        rest = (self.method, self.work, self.entry_limit)
        self._clear()
        saved = self.standing.begin(name)
        found = (0, NEVER)
        try:
            value = table[key] = make()
        finally:
            found = self.standing.end(name, saved)
            self.stack, self.levels, self.below, self.adopted, self.contexts, self.active, self.full = outer
            self.calls, self.unresolved, self.calls_below, self.unresolved_below = counts
            self.method, self.work, self.entry_limit = rest
        self.standing.keep(table, key, name, found)
        return value

    def note(self, info: FunctionInfo) -> None:
        """A function is interpreted for another kind of arguments."""
        times = self.contexts[info] = self.contexts.get(info, 0) + 1
        if times >= CONTEXTS_PER_FUNCTION_MAX:
            self.full |= self.bit(info)

    def adopt(self, summary: Summary) -> bool:
        """Whether interpreting the function here would give this summary; it is paid for as if that were done."""
        if summary.lowest == NEVER:
            if summary.functions & self.active or len(self.stack) + summary.height >= CALL_DEPTH_MAX:
                return False
            if not self.is_booting and not self._pays(summary):
                return False
        self.standing.look(summary.touched, summary.lowest)
        self.below.append(summary)
        return True

    def _pays(self, summary: Summary) -> bool:
        if summary.number in self.adopted:
            return True
        if summary.functions & self.full:
            return False
        found: dict[int, Summary] = {}
        pending = [summary]
        while pending:
            each = pending.pop()
            if each.number not in self.adopted and each.number not in found:
                found[each.number] = each
                pending.extend(each.inner)
        times: dict[FunctionInfo, int] = {}
        for each in found.values():
            if each.info is not None:
                times[each.info] = times.get(each.info, 0) + 1
        work = self.work + sum(each.work for each in found.values())
        if work > self.entry_limit or any(
            self.contexts.get(info, 0) + n >= CONTEXTS_PER_FUNCTION_MAX for info, n in times.items()
        ):
            return False
        self.work = work
        for info, n in times.items():
            self.contexts[info] = self.contexts.get(info, 0) + n
        for each in found.values():
            self.calls_below += each.calls
            self.unresolved_below += each.unresolved
        self.adopted.update(found)
        return True

    def start_entry(self) -> None:
        """Gives the next entry point its own share of the budget."""
        self.entry_limit = min(self.work + WORK_PER_ENTRY_MAX, WORK_TOTAL_MAX)

    def read_statement(self, text: str) -> Statement:
        if text not in self._statements:
            self._statements[text] = self._read_statement(text)
        return self._statements[text]

    def module_of(self, name: str) -> ModuleInfo | None:
        return self.linked.module(name)
