"""What a module, a class and a function define, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from nines.model.code import (
    Assign,
    Augment,
    Class,
    Expression,
    For,
    Function,
    If,
    Import,
    Module,
    Name,
    Sequence,
    Spread,
    Statement,
    Try,
    While,
    With,
    unpack,
)
from nines.model.place import Place


class FunctionInfo:
    """A function or method of the project; its body is decoded when it is first asked for."""

    __slots__ = ("_body", "cls", "module", "node", "number", "parent", "qualified", "short")

    def __init__(self, node: Function, module: ModuleInfo, cls: ClassInfo | None, parent: str) -> None:
        self.node = node
        self.module = module
        self.cls = cls
        self.parent = parent
        self.qualified = f"{parent}.{node.name}"
        self.short = node.name
        self.number = -1
        """Its place among the functions and methods of its module; -1 within another function."""
        self._body: tuple[Statement, ...] | None = None

    @property
    def body(self) -> tuple[Statement, ...]:
        self.module.reads(self)
        if self._body is None:
            self._body = unpack(self.node)
        return self._body

    @property
    def packed(self) -> bytes:
        """The body as it is packed, to look for words in it."""
        self.module.reads(self)
        return bytes(self.node.body)

    @property
    def place(self) -> Place:
        return Place(file=self.module.file, line=self.node.line)

    def __repr__(self) -> str:
        return f"<{self.qualified}>"


@dataclass(frozen=True, slots=True, eq=False)
class ImportBinding:
    """`module` is absolute; `name` is "" for the module itself."""

    module: str
    name: str
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class AssignBinding:
    """`index` picks from an unpacked sequence; -1 is the whole value."""

    value: Expression | None
    annotation: Expression | None
    line: int
    index: int = -1


Binding = FunctionInfo | ImportBinding | AssignBinding


class ClassInfo:
    """A class of the project."""

    __slots__ = ("attributes", "inner", "methods", "module", "node", "qualified")

    def __init__(self, node: Class, module: ModuleInfo, parent: str) -> None:
        self.node = node
        self.module = module
        self.qualified = f"{parent}.{node.name}"
        self.attributes: dict[str, AssignBinding] = {}
        self.methods: dict[str, FunctionInfo] = {}
        self.inner: dict[str, ClassInfo] = {}
        for statement in _flat(node.body):
            if isinstance(statement, Function):
                self._add_method(FunctionInfo(statement, module, self, self.qualified))
            elif isinstance(statement, Class):
                self.inner[statement.name] = ClassInfo(statement, module, self.qualified)
            elif isinstance(statement, Assign):
                for name, binding in _assigned(statement):
                    self.attributes[name] = binding

    def _add_method(self, method: FunctionInfo) -> None:
        """Keeps a property's reader rather than its setter, which stands later under the same name."""
        setter = any(getattr(decorator, "name", "") in ("setter", "deleter") for decorator in method.node.decorators)
        if not (setter and method.short in self.methods):
            self.methods[method.short] = method

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def place(self) -> Place:
        return Place(file=self.module.file, line=self.node.line)

    def __repr__(self) -> str:
        return f"<class {self.qualified}>"


def _unnoted(_function: FunctionInfo) -> None:
    return


class ModuleInfo:
    """A module's names; the last definition of a name wins, as it does when the module runs."""

    __slots__ = (
        "augments", "bindings", "classes", "file", "functions", "is_package", "name", "neighbours",
        "node", "reads", "stars",
    )  # fmt: skip

    def __init__(self, node: Module, neighbours: frozenset[str] = frozenset()) -> None:
        self.node = node
        self.neighbours = neighbours
        """The first names of what stands below its prefix: importing them means these, before others of that name."""
        self.reads: Callable[[FunctionInfo], None] = _unnoted
        """Told of each function whose body is read."""
        self.name = node.name
        self.file = node.file
        self.is_package = node.is_package
        self.bindings: dict[str, list[Binding | ClassInfo]] = {}
        self.classes: list[ClassInfo] = []
        self.functions: list[FunctionInfo] = []
        self.stars: list[str] = []
        self.augments: dict[str, list[AssignBinding]] = {}
        for statement in _flat(node.body):
            self._bind(statement)
        for number, function in enumerate(self.every_function()):
            function.number = number

    def every_function(self) -> Iterator[FunctionInfo]:
        """The functions and methods, without those within others."""
        yield from self.functions
        pending = list(self.classes)
        while pending:
            info = pending.pop()
            yield from info.methods.values()
            pending.extend(info.inner.values())

    def _bind(self, statement: Statement) -> None:
        if isinstance(statement, Function):
            function = FunctionInfo(statement, self, None, self.name)
            self.functions.append(function)
            self.bindings.setdefault(statement.name, []).append(function)
        elif isinstance(statement, Class):
            info = ClassInfo(statement, self, self.name)
            self.classes.append(info)
            self.bindings.setdefault(statement.name, []).append(info)
        elif isinstance(statement, Assign):
            for name, binding in _assigned(statement):
                self.bindings.setdefault(name, []).append(binding)
        elif isinstance(statement, Augment) and isinstance(statement.target, Name):
            added = AssignBinding(statement.value, None, statement.line)
            self.augments.setdefault(statement.target.id, []).append(added)
        elif isinstance(statement, Import):
            for name, imported in imported_names(statement, self):
                if name == "*":
                    self.stars.append(imported.module)
                else:
                    self.bindings.setdefault(name, []).append(imported)


def imported_names(statement: Import, module: ModuleInfo) -> Iterator[tuple[str, ImportBinding]]:
    """The names that an import binds, relative ones made absolute."""
    base = statement.module
    first = base.partition(".")[0]
    prefix = ""
    if statement.level:
        parts = module.name.split(".")
        drop = statement.level - (1 if module.is_package else 0)
        kept = parts[: len(parts) - drop] if drop else parts
        base = ".".join([*kept, *([statement.module] if statement.module else [])])
    elif first in module.neighbours:
        prefix = module.node.prefix
    for item in statement.names:
        if item.name == "*":
            yield "*", ImportBinding(prefix + base, "", statement.line)
        elif item.name:
            yield item.alias or item.name, ImportBinding(prefix + base, item.name, statement.line)
        else:
            alias = item.alias or first
            whole = bool(item.alias) and alias != first
            yield alias, ImportBinding(prefix + (base if whole else first), "", statement.line)
            if not whole and "." in base:
                yield f"{alias}\0{base}", ImportBinding(prefix + base, "", statement.line)


def _flat(body: Iterable[Statement]) -> Iterator[Statement]:
    """The statements of a body and of the conditions around them, nested definitions not entered."""
    for statement in body:
        yield statement
        if isinstance(statement, If):
            yield from _flat(statement.then)
            yield from _flat(statement.otherwise)
        elif isinstance(statement, Try):
            yield from _flat(statement.body)
            for handler in statement.handlers:
                yield from _flat(handler.body)
            yield from _flat(statement.otherwise)
            yield from _flat(statement.final)
        elif isinstance(statement, With | For | While):
            yield from _flat(statement.body)


def _assigned(statement: Assign) -> Iterator[tuple[str, AssignBinding]]:
    for target in statement.targets:
        if isinstance(target, Name):
            yield target.id, AssignBinding(statement.value, statement.annotation, statement.line)
        elif isinstance(target, Sequence):
            for index, item in enumerate(target.items):
                inner = item.value if isinstance(item, Spread) else item
                if isinstance(inner, Name):
                    yield inner.id, AssignBinding(statement.value, None, statement.line, index)
