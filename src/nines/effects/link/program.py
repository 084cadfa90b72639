"""All modules of a project, linked: which definition or library thing a dotted name stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nines.effects.limits import ALIAS_HOPS_MAX, BASES_MAX
from nines.effects.link.names import AssignBinding, ClassInfo, FunctionInfo, ImportBinding, ModuleInfo
from nines.model.code import Program

Found = ModuleInfo | ClassInfo | FunctionInfo | AssignBinding | str
"""A project definition, or a library's qualified name."""


class Linked:
    """Looks names up; nothing here evaluates an expression."""

    def __init__(self, program: Program) -> None:
        self.modules: dict[str, ModuleInfo] = {}
        neighbours = _neighbours(program)
        for module in program.modules:
            if module.name not in self.modules:
                self.modules[module.name] = ModuleInfo(module, neighbours.get(module.prefix, frozenset()))
        self.owners = {
            id(binding): module
            for module in self.modules.values()
            for group in module.bindings.values()
            for binding in group
        }
        self._tails = self._by_tail()
        self._tops = {name.split(".")[0] for name in self.modules}
        self._packages = {name.rpartition(".")[0] for name in self.modules if "." in name}
        self.classes: dict[str, ClassInfo] = {}
        self._by_name: dict[str, list[ClassInfo]] = {}
        self.by_method: dict[str, list[FunctionInfo]] = {}
        for info in self._every_class():
            self.classes[info.qualified] = info
            for method in info.methods.values():
                self.by_method.setdefault(method.short, []).append(method)
        self._bases: dict[ClassInfo, list[Any]] = {}
        self._mro: dict[ClassInfo, tuple[list[ClassInfo], list[str], bool]] = {}
        self.resolve_base: Callable[[ClassInfo, Any], list[Any]] = lambda _info, _expression: []
        self.subclasses: dict[ClassInfo, list[ClassInfo]] = {}

    def named(self, name: str) -> list[ClassInfo]:
        """The classes of this name, in the order of all."""
        if not self._by_name:
            for info in self.classes.values():
                self._by_name.setdefault(info.name, []).append(info)
        return self._by_name.get(name, [])

    def _every_class(self) -> Iterator[ClassInfo]:
        pending = [info for module in self.modules.values() for info in module.classes]
        while pending:
            info = pending.pop()
            yield info
            pending.extend(info.inner.values())

    def _by_tail(self) -> dict[str, list[str]]:
        """Modules by the end of their name, for projects whose import root was not found."""
        tails: dict[str, list[str]] = {}
        for name in self.modules:
            parts = name.split(".")
            for start in range(1, min(len(parts), 4)):
                tails.setdefault(".".join(parts[start:]), []).append(name)
        return tails

    def module(self, name: str) -> ModuleInfo | None:
        found = self.modules.get(name)
        if found is None and name.split(".", maxsplit=1)[0] not in self._tops and "." in name:
            candidates = self._tails.get(name, [])
            if len(candidates) == 1:
                found = self.modules[candidates[0]]
        return found

    def is_project(self, name: str) -> bool:
        """Whether a dotted module name belongs to the project, also when the module itself is missing."""
        return self.module(name) is not None or name in self._packages

    def lookup(self, module: ModuleInfo, name: str, hops: int = 0) -> list[Found]:
        """What a module's name stands for; several when definitions depend on a condition."""
        if hops > ALIAS_HOPS_MAX:
            return []
        found: list[Found] = []
        for binding in reversed(module.bindings.get(name, ())):
            if isinstance(binding, ImportBinding):
                found.extend(self.imported(binding, hops))
            else:
                found.append(binding)
        if found:
            return found
        for star in module.stars:
            other = self.module(star)
            if other is not None:
                if other is not module:
                    found.extend(self.lookup(other, name, hops + 1))
            elif not self.is_project(star):
                continue
            if found:
                return found
        inner = self.module(f"{module.name}.{name}") if module.is_package else None
        return [inner] if inner else []

    def imported(self, binding: ImportBinding, hops: int = 0) -> list[Found]:
        module = self.module(binding.module)
        if not binding.name:
            if module:
                return [module]
            return [] if self.is_project(binding.module) else [binding.module]
        if module:
            found = self.lookup(module, binding.name, hops + 1)
            if found:
                return found
            inner = self.module(f"{module.name}.{binding.name}")
            return [inner] if inner else []
        inner = self.module(f"{binding.module}.{binding.name}")
        if inner:
            return [inner]
        return [] if self.is_project(binding.module) else [f"{binding.module}.{binding.name}"]

    def star_libraries(self, module: ModuleInfo) -> list[str]:
        return [star for star in module.stars if self.module(star) is None]

    def dotted(self, name: str) -> list[Found]:
        """A definition by its full dotted name, as settings and url tables write it."""
        module = self.module(name)
        if module:
            return [module]
        head, _, tail = name.rpartition(".")
        if not head:
            return []
        module = self.module(head)
        if module:
            return self.lookup(module, tail)
        for found in self.dotted(head):
            if isinstance(found, ClassInfo) and tail in found.methods:
                return [found.methods[tail]]
        return []

    def bases(self, info: ClassInfo) -> list[Any]:
        """The direct bases: ClassInfo, a library's name, or None where a base was not understood."""
        if info not in self._bases:
            self._bases[info] = []
            self._bases[info] = [base for e in info.node.bases for base in self.resolve_base(info, e)]
            for base in self._bases[info]:
                if isinstance(base, ClassInfo):
                    self.subclasses.setdefault(base, []).append(info)
        return self._bases[info]

    def ancestry(self, info: ClassInfo) -> tuple[list[ClassInfo], list[str], bool]:
        """Project classes in method resolution order, library bases, and whether all bases were understood."""
        if info in self._mro:
            return self._mro[info]
        self._mro[info] = ([info], [], True)
        classes: list[ClassInfo] = [info]
        libraries: list[str] = []
        whole = True
        inherited: list[list[ClassInfo]] = []
        for base in self.bases(info):
            if base is None:
                whole = False
            elif isinstance(base, ClassInfo):
                up, names, known = self.ancestry(base)
                inherited.append(up)
                libraries.extend(name for name in names if name not in libraries)
                whole = whole and known
            elif base not in libraries:
                libraries.append(base)
        classes.extend(_linear(inherited))
        self._mro[info] = (classes[:BASES_MAX], libraries, whole)
        return self._mro[info]

    def find_method(self, info: ClassInfo, name: str, after: ClassInfo | None = None) -> FunctionInfo | None:
        classes = self.ancestry(info)[0]
        if after in classes:
            classes = classes[classes.index(after) + 1 :]
        return next((c.methods[name] for c in classes if name in c.methods), None)

    def find_attribute(self, info: ClassInfo, name: str) -> tuple[ClassInfo, AssignBinding] | None:
        for each in self.ancestry(info)[0]:
            if name in each.attributes:
                return each, each.attributes[name]
        return None

    def find_inner(self, info: ClassInfo, name: str) -> ClassInfo | None:
        return next((c.inner[name] for c in self.ancestry(info)[0] if name in c.inner), None)


def _neighbours(program: Program) -> dict[str, frozenset[str]]:
    """For each prefix, the first names of the modules below it."""
    found: dict[str, set[str]] = {}
    for module in program.modules:
        if module.prefix:
            found.setdefault(module.prefix, set()).add(module.name.removeprefix(module.prefix).partition(".")[0])
    return {prefix: frozenset(names) for prefix, names in found.items()}


def _linear(inherited: list[list[ClassInfo]]) -> list[ClassInfo]:
    """The C3 merge; where the classes allow none, plain left to right order."""
    pending = [list(one) for one in inherited if one]
    order: list[ClassInfo] = []
    while pending and len(order) < BASES_MAX:
        heads = [one[0] for one in pending]
        head = next((h for h in heads if not any(h in one[1:] for one in pending)), heads[0])
        if head not in order:
            order.append(head)
        pending = [[c for c in one if c is not head] for one in pending]
        pending = [one for one in pending if one]
    return order
