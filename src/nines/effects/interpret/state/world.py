"""What the whole analysis shares: the linked project, the signatures, what was already interpreted, and the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


class World:
    """Shared state; created once for each analysis."""

    def __init__(  # noqa: PLR0915
        self, linked: Linked, signatures: Signatures, read_statement: ReadStatement, interpreter: Interpreter
    ) -> None:
        self.linked = linked
        self.signatures = signatures
        self.interpreter = interpreter
        self._read_statement = read_statement
        for module in linked.modules.values():
            module.reads = self.look
        self._statements: dict[str, Statement] = {}
        self._tokens = count(1)
        self.globals: dict[tuple[str, str], Value] = {}
        self.standing = Standing()
        self.summaries: dict[Any, Summary] = {}
        """Those that are the same for every caller."""
        self.passing: dict[Any, Summary] = {}
        """Those that hold only while something around them is interpreted."""
        self.adopted: dict[int, Summary] = {}
        """The summaries that this entry point has paid for."""
        self.below: list[Summary] = []
        """What the function that is interpreted at the moment has called."""
        self.active = 0
        """The functions on the stack, one bit for each."""
        self.full = 0
        """The functions whose contexts are used up."""
        self.is_nobody = False
        """While it is set, nobody is signed in and no credential is sent."""
        self.always = 0
        """The functions that had a part in what every entry point depends on."""
        self.marks: dict[tuple[str, int], int] = {}
        """One bit for each function whose body was looked at, by module and number, for sets of them."""
        self._bits: dict[FunctionInfo, int] = {}
        self.contexts: dict[FunctionInfo, int] = {}
        self.stack: list[FunctionInfo] = []
        self.levels: list[int] = []
        """Where each of the stack stands among all that is being worked out."""
        self.functions: dict[FunctionInfo, Value] = {}
        self.kinds: dict[FunctionInfo, str] = {}
        self.nested: dict[tuple[str, int, str], Any] = {}
        self.mapped: dict[ClassInfo, Mapped | None] = {}
        self.reverse: dict[ClassInfo, dict[str, Relation]] = {}
        self.class_values: dict[tuple[ClassInfo, str], Value] = {}
        self.annotations: dict[Any, Value] = {}
        self.routes: dict[Any, Route] = {}
        self.mounts: dict[Any, Mount] = {}
        self.hooks: dict[Any, Hook] = {}
        self.hook_list: list[tuple[str, Value]] | None = None
        self.hook_guards: dict[Value, Any] = {}
        self.shared: dict[tuple[str, str], Value] = {}
        """What was set on objects whose type shares it, by type and name."""
        self.booted: dict[tuple[str, str], Value] = {}
        """The same, as importing the project leaves it."""
        self.registered: dict[str, list[tuple[str, Value, Place]]] = {}
        """View sets by the router that they are registered with."""
        self.routers: dict[str, Value] = {}
        self.work = 0
        self.entry_limit = WORK_TOTAL_MAX
        self.calls = 0
        self.unresolved = 0
        self.calls_below = 0
        """Those of the functions that the entry point calls, each counted once for each kind of arguments."""
        self.unresolved_below = 0
        self.named: dict[str, NamedStatement] = {}
        """Statements that the project keeps in files, by the name under which they are called."""
        self.method = ""
        """The method of the requests that are being told, as code may ask for it."""
        self.method_reads = 0
        self.is_booting = False
        """While modules are imported, a helper is called with other constants for each route: none is forgotten."""
        self.unclear: set[FunctionInfo] = set()
        """Functions with a decorator that was not understood."""
        self.relations_known = False
        self.common_names = {key.rpartition(".")[2] for key in signatures.calls}

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
