"""Lowers the statements of CPython's `ast` to facts."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable
from typing import Any, TypeAlias

from nines.model.code import (
    Argument,
    Arm,
    Assert,
    Assign,
    Augment,
    Class,
    Delete,
    Evaluate,
    Except,
    Expression,
    For,
    Function,
    If,
    Import,
    ImportedName,
    Jump,
    Match,
    Opaque,
    Outer,
    Raise,
    Return,
    Statement,
    Try,
    While,
    With,
    WithItem,
    pack,
)
from nines.readers.python.expressions import OPAQUE_TEXT_MAX, OPERATORS, Expressions, storable
from nines.readers.python.patterns import pattern

SUMMARY_MAX = 200
"""Characters of a documentation's first line that are kept."""

LowerStatement: TypeAlias = Callable[[Any], Statement | None]


_DIGEST_BYTES = 12


class Statements(Expressions):
    """Lowers one file; `imports` collects the names it imports, wherever the import stands: dotted, or only the dots of
    a relative import."""

    def __init__(self, source: bytes = b"") -> None:
        super().__init__()
        self._lines = source.splitlines(keepends=True)
        self.imports: set[str] = set()
        self._lower: dict[type[ast.AST], LowerStatement] = dict.fromkeys(ast.stmt.__subclasses__(), self.unknown)
        self._lower |= {
            ast.AnnAssign: self.annotated,
            ast.Assert: self.check,
            ast.Assign: self.assign,
            ast.AsyncFor: self.loop,
            ast.AsyncFunctionDef: self.function,
            ast.AsyncWith: self.context,
            ast.AugAssign: self.augment,
            ast.Break: self.leave,
            ast.ClassDef: self.type,
            ast.Continue: self.again,
            ast.Delete: self.delete,
            ast.Expr: self.evaluate,
            ast.For: self.loop,
            ast.FunctionDef: self.function,
            ast.Global: self.outer,
            ast.If: self.branch,
            ast.ImportFrom: self.import_from,
            ast.Match: self.match,
            ast.Nonlocal: self.outer,
            ast.Pass: self.nothing,
            ast.Raise: self.throw,
            ast.Return: self.back,
            ast.Try: self.attempt,
            ast.TryStar: self.attempt,
            ast.While: self.repeat,
            ast.With: self.context,
        }
        alias = getattr(ast, "TypeAlias", None)
        if alias is not None:
            self._lower[alias] = self.type_alias

    def block(self, nodes: list[ast.stmt]) -> tuple[Statement, ...]:
        """The statements of a block; `pass` leaves nothing, `import a, b` leaves one for each."""
        found: list[Statement] = []
        lower = self._lower
        for node in nodes:
            if type(node) is ast.Import:
                found += self.imported(node)
                continue
            statement = lower[type(node)](node)
            if statement is not None:
                found.append(statement)
        return tuple(found)

    def documented(self, nodes: list[ast.stmt]) -> tuple[str, list[ast.stmt]]:
        """The first line of the documentation, and the statements after it."""
        first = nodes[0] if nodes else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            lines = first.value.value.strip().splitlines()
            return (storable(lines[0].strip()[:SUMMARY_MAX]) if lines else ""), nodes[1:]
        return "", nodes

    def nothing(self, _node: ast.stmt) -> Statement | None:
        return None

    def unknown(self, node: ast.stmt) -> Statement:
        return Evaluate(Opaque(storable(ast.unparse(node)[:OPAQUE_TEXT_MAX])), node.lineno)

    def evaluate(self, node: ast.Expr) -> Statement | None:
        if type(node.value) is ast.Constant:
            return None
        return Evaluate(self.lower[type(node.value)](node.value), node.lineno)

    def assign(self, node: ast.Assign) -> Statement:
        return Assign(self.all(node.targets), self.lower[type(node.value)](node.value), node.lineno)

    def annotated(self, node: ast.AnnAssign) -> Statement:
        target = self.lower[type(node.target)](node.target)
        return Assign((target,), self.maybe(node.value), node.lineno, self.annotation(node.annotation))

    def type_alias(self, node: Any) -> Statement:
        return Assign((self.name(node.name),), self.annotation(node.value), node.lineno)

    def augment(self, node: ast.AugAssign) -> Statement:
        lower = self.lower
        target = lower[type(node.target)](node.target)
        return Augment(target, OPERATORS[type(node.op)], lower[type(node.value)](node.value), node.lineno)

    def back(self, node: ast.Return) -> Statement:
        return Return(self.maybe(node.value), node.lineno)

    def throw(self, node: ast.Raise) -> Statement:
        return Raise(self.maybe(node.exc), node.lineno, self.maybe(node.cause))

    def branch(self, node: ast.If) -> Statement:
        test = self.lower[type(node.test)](node.test)
        return If(test, self.block(node.body), self.block(node.orelse), node.lineno)

    def match(self, node: ast.Match) -> Statement:
        arms = []
        for case in node.cases:
            tests: list[Expression] = []
            binds: list[str] = []
            pattern(case.pattern, self.lower, tests, binds)
            arms.append(Arm(tuple(tests), tuple(binds), self.maybe(case.guard), self.block(case.body)))
        return Match(self.lower[type(node.subject)](node.subject), tuple(arms), node.lineno)

    def loop(self, node: ast.For | ast.AsyncFor) -> Statement:
        lower = self.lower
        return For(
            lower[type(node.target)](node.target),
            lower[type(node.iter)](node.iter),
            self.block(node.body),
            self.block(node.orelse),
            node.lineno,
            type(node) is ast.AsyncFor,
        )

    def repeat(self, node: ast.While) -> Statement:
        test = self.lower[type(node.test)](node.test)
        return While(test, self.block(node.body), self.block(node.orelse), node.lineno)

    def context(self, node: ast.With | ast.AsyncWith) -> Statement:
        lower = self.lower
        items = [
            WithItem(lower[type(item.context_expr)](item.context_expr), self.maybe(item.optional_vars))
            for item in node.items
        ]
        body = self.block(node.body)
        return With(tuple(items), body, node.lineno, type(node) is ast.AsyncWith, node.end_lineno or 0)

    def attempt(self, node: Any) -> Statement:
        """`try` and `try ... except*` alike."""
        handlers = []
        for handler in node.handlers:
            errors: tuple[Expression, ...] = ()
            if isinstance(handler.type, ast.Tuple):
                errors = self.all(handler.type.elts)
            elif handler.type is not None:
                errors = (self.lower[type(handler.type)](handler.type),)
            handlers.append(Except(errors, handler.name or "", self.block(handler.body), handler.lineno))
        otherwise, final = self.block(node.orelse), self.block(node.finalbody)
        return Try(self.block(node.body), tuple(handlers), otherwise, final, node.lineno)

    def check(self, node: ast.Assert) -> Statement:
        return Assert(self.lower[type(node.test)](node.test), node.lineno)

    def delete(self, node: ast.Delete) -> Statement:
        return Delete(self.all(node.targets), node.lineno)

    def leave(self, node: ast.Break) -> Statement:
        return Jump("break", node.lineno)

    def again(self, node: ast.Continue) -> Statement:
        return Jump("continue", node.lineno)

    def outer(self, node: ast.Global | ast.Nonlocal) -> Statement:
        return Outer("global" if type(node) is ast.Global else "nonlocal", tuple(node.names), node.lineno)

    def imported(self, node: ast.Import) -> list[Statement]:
        self.imports.update([name.name for name in node.names])
        return [
            Import(name.name, 0, (ImportedName("", name.asname or name.name.partition(".")[0]),), node.lineno)
            for name in node.names
        ]

    def import_from(self, node: ast.ImportFrom) -> Statement:
        module = node.module or ""
        names = tuple([ImportedName(name.name, name.asname or name.name) for name in node.names])
        if node.level:
            self.imports.add("." * node.level)
        else:
            self.imports.update([f"{module}.{name.name}" for name in names])
        return Import(module, node.level, names, node.lineno)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Statement:
        parameters = self.parameters(node.args)
        decorators = self.all(node.decorator_list)
        returns = self.annotation(node.returns)
        summary, statements = self.documented(node.body)
        outer, self.yields = self.yields, False
        body = self.block(statements)
        yields, self.yields = self.yields, outer
        return Function(
            node.name,
            parameters,
            returns,
            decorators,
            pack(body),
            node.lineno,
            node.end_lineno or node.lineno,
            type(node) is ast.AsyncFunctionDef,
            yields,
            summary,
            self._digest(node),
        )

    def _digest(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bytes:
        written = b"".join(self._lines[node.lineno - 1 : node.end_lineno])
        return hashlib.blake2b(written, digest_size=_DIGEST_BYTES).digest()

    def type(self, node: ast.ClassDef) -> Statement:
        lower = self.lower
        summary, statements = self.documented(node.body)
        return Class(
            node.name,
            self.all(node.bases),
            tuple([Argument(k.arg or "", lower[type(k.value)](k.value)) for k in node.keywords]),
            self.all(node.decorator_list),
            self.block(statements),
            node.lineno,
            node.end_lineno or node.lineno,
            summary,
        )
