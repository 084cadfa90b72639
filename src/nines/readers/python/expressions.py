"""Lowers the expressions of CPython's `ast` to facts; one method per kind, one frame per level of nesting."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, TypeAlias

from nines.model.code import (
    Argument,
    Attribute,
    Await,
    Binary,
    Boolean,
    Call,
    Compare,
    Comprehension,
    Conditional,
    Constant,
    Expression,
    Generator,
    Lambda,
    Mapping,
    Name,
    Opaque,
    Pair,
    Parameter,
    Sequence,
    Slice,
    Spread,
    Subscript,
    Template,
    Unary,
    Walrus,
    Yield,
)
from nines.readers.python.annotations import annotation_of

OPAQUE_TEXT_MAX = 200
"""Characters of source that an Opaque keeps."""
CHAIN_MAX = 32
"""Terms of one `a + b + c` chain that stay nested as written; a longer one is balanced, for passes over it recurse."""
_INTEGER_MIN, _INTEGER_MAX = -(2**63), 2**64 - 1

OPERATORS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.MatMult: "@",
    ast.Div: "/",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.BitAnd: "&",
    ast.FloorDiv: "//",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Invert: "~",
    ast.Not: "not",
    ast.UAdd: "+",
    ast.USub: "-",
    ast.And: "and",
    ast.Or: "or",
}

Lower: TypeAlias = Callable[[Any], Expression]


class Expressions:
    """Holds what lowering one file needs to remember; `lower` finds the method for a node's type."""

    def __init__(self) -> None:
        self.yields = False
        """Whether the function being lowered has been seen to yield."""
        self.lower: dict[type[ast.AST], Lower] = dict.fromkeys(ast.expr.__subclasses__(), self.opaque)
        self.lower |= {
            ast.Attribute: self.attribute,
            ast.Await: self.wait,
            ast.BinOp: self.binary,
            ast.BoolOp: self.boolean,
            ast.Call: self.call,
            ast.Compare: self.compare,
            ast.Constant: self.constant,
            ast.Dict: self.mapping,
            ast.DictComp: self.dict_comprehension,
            ast.FormattedValue: self.formatted,
            ast.GeneratorExp: self.generator,
            ast.IfExp: self.conditional,
            ast.JoinedStr: self.template,
            ast.Lambda: self.function_literal,
            ast.List: self.list_display,
            ast.ListComp: self.list_comprehension,
            ast.Name: self.name,
            ast.NamedExpr: self.walrus,
            ast.Set: self.set_display,
            ast.SetComp: self.set_comprehension,
            ast.Slice: self.slice,
            ast.Starred: self.spread,
            ast.Subscript: self.subscript,
            ast.Tuple: self.tuple_display,
            ast.UnaryOp: self.unary,
            ast.Yield: self.give,
            ast.YieldFrom: self.give_from,
        }

    def all(self, nodes: list[Any]) -> tuple[Expression, ...]:
        lower = self.lower
        return tuple([lower[type(node)](node) for node in nodes])

    def maybe(self, node: ast.expr | None) -> Expression | None:
        return None if node is None else self.lower[type(node)](node)

    def opaque(self, node: ast.AST) -> Expression:
        return Opaque(storable(ast.unparse(node)[:OPAQUE_TEXT_MAX]))

    def name(self, node: ast.Name) -> Expression:
        return Name(node.id, node.lineno, node.col_offset + 1)

    def constant(self, node: ast.Constant) -> Expression:
        return self.literal(node.value)

    def literal(self, value: Any) -> Expression:
        kind = type(value)
        if kind is str:
            return Constant(value) if value.isascii() or is_storable(value) else Opaque(storable(value))
        if kind is int:
            return Constant(value) if _INTEGER_MIN <= value <= _INTEGER_MAX else Opaque(hex(value)[:OPAQUE_TEXT_MAX])
        if value is None or kind is bool or kind is float:
            return Constant(value)
        return Opaque("..." if value is ... else repr(value)[:OPAQUE_TEXT_MAX])

    def attribute(self, node: ast.Attribute) -> Expression:
        value = node.value
        return Attribute(self.lower[type(value)](value), node.attr, node.lineno, node.col_offset + 1)

    def call(self, node: ast.Call) -> Expression:
        lower = self.lower
        function = node.func
        return Call(
            lower[type(function)](function),
            tuple([lower[type(value)](value) for value in node.args]),
            tuple([Argument(k.arg or "", lower[type(k.value)](k.value)) for k in node.keywords]),
            node.lineno,
            node.col_offset + 1,
            node.end_lineno or 0,
        )

    def binary(self, node: ast.BinOp) -> Expression:
        if type(node.left) is ast.BinOp and type(node.left.left) is ast.BinOp:
            terms = _chain(node)
            if len(terms) > CHAIN_MAX:
                return self._balanced(terms, OPERATORS[type(node.op)])
        lower = self.lower
        left = node.left
        right = node.right
        return Binary(lower[type(left)](left), OPERATORS[type(node.op)], lower[type(right)](right))

    def _balanced(self, terms: list[ast.expr], operator: str) -> Expression:
        if len(terms) == 1:
            return self.lower[type(terms[0])](terms[0])
        middle = len(terms) // 2
        return Binary(self._balanced(terms[:middle], operator), operator, self._balanced(terms[middle:], operator))

    def compare(self, node: ast.Compare) -> Expression:
        lower = self.lower
        left = lower[type(node.left)](node.left)
        pairs: list[Expression] = []
        for operator, comparator in zip(node.ops, node.comparators, strict=True):
            right = lower[type(comparator)](comparator)
            pairs.append(Compare(left, OPERATORS[type(operator)], right))
            left = right
        return pairs[0] if len(pairs) == 1 else Boolean("and", tuple(pairs))

    def boolean(self, node: ast.BoolOp) -> Expression:
        return Boolean(OPERATORS[type(node.op)], self.all(node.values))

    def unary(self, node: ast.UnaryOp) -> Expression:
        operand = node.operand
        operator = OPERATORS[type(node.op)]
        if operator == "-" and isinstance(operand, ast.Constant):
            number: Any = operand.value
            if type(number) is int or type(number) is float:
                return self.literal(-number)
        return Unary(operator, self.lower[type(operand)](operand))

    def subscript(self, node: ast.Subscript) -> Expression:
        lower = self.lower
        value = node.value
        key = node.slice
        return Subscript(lower[type(value)](value), lower[type(key)](key), node.lineno, node.col_offset + 1)

    def slice(self, node: ast.Slice) -> Expression:
        return Slice(self.maybe(node.lower), self.maybe(node.upper))

    def list_display(self, node: ast.List) -> Expression:
        return Sequence("list", self.all(node.elts))

    def tuple_display(self, node: ast.Tuple) -> Expression:
        return Sequence("tuple", self.all(node.elts))

    def set_display(self, node: ast.Set) -> Expression:
        return Sequence("set", self.all(node.elts))

    def mapping(self, node: ast.Dict) -> Expression:
        lower = self.lower
        return Mapping(
            tuple(
                [
                    Pair(None if key is None else lower[type(key)](key), lower[type(value)](value))
                    for key, value in zip(node.keys, node.values, strict=True)
                ]
            )
        )

    def list_comprehension(self, node: ast.ListComp) -> Expression:
        return self._comprehension("list", node, None, node.elt)

    def set_comprehension(self, node: ast.SetComp) -> Expression:
        return self._comprehension("set", node, None, node.elt)

    def generator(self, node: ast.GeneratorExp) -> Expression:
        return self._comprehension("generator", node, None, node.elt)

    def dict_comprehension(self, node: ast.DictComp) -> Expression:
        # Python 3.15 allows `{**value for ...}`, whose entry has a key and no value.
        element: ast.expr | None = node.value
        return self._comprehension("dict", node, node.key if element else None, element or node.key)

    def _comprehension(self, kind: str, node: Any, key: ast.expr | None, element: ast.expr) -> Expression:
        lower = self.lower
        return Comprehension(
            kind,
            self.maybe(key),
            lower[type(element)](element),
            tuple(
                [
                    Generator(
                        lower[type(g.target)](g.target), lower[type(g.iter)](g.iter), self.all(g.ifs), bool(g.is_async)
                    )
                    for g in node.generators
                ]
            ),
            node.lineno,
            node.col_offset + 1,
        )

    def conditional(self, node: ast.IfExp) -> Expression:
        lower = self.lower
        return Conditional(
            lower[type(node.test)](node.test),
            lower[type(node.body)](node.body),
            lower[type(node.orelse)](node.orelse),
        )

    def wait(self, node: ast.Await) -> Expression:
        value = node.value
        return Await(self.lower[type(value)](value))

    def give(self, node: ast.Yield) -> Expression:
        self.yields = True
        return Yield(self.maybe(node.value))

    def give_from(self, node: ast.YieldFrom) -> Expression:
        self.yields = True
        return Yield(self.lower[type(node.value)](node.value), is_from=True)

    def spread(self, node: ast.Starred) -> Expression:
        return Spread(self.lower[type(node.value)](node.value))

    def walrus(self, node: ast.NamedExpr) -> Expression:
        lower = self.lower
        return Walrus(lower[type(node.target)](node.target), lower[type(node.value)](node.value))

    def formatted(self, node: ast.FormattedValue) -> Expression:
        return self.lower[type(node.value)](node.value)

    def template(self, node: ast.JoinedStr) -> Expression:
        parts: list[Expression] = []
        for value in node.values:
            parts.append(self.lower[type(value)](value))
            specification = getattr(value, "format_spec", None)
            if specification is not None:
                # A computed width is spliced in like any other part; the fixed rest of a format is no text.
                parts += [self.formatted(v) for v in specification.values if isinstance(v, ast.FormattedValue)]
        return Template(tuple(parts))

    def function_literal(self, node: ast.Lambda) -> Expression:
        outer = self.yields
        parameters = self.parameters(node.args)
        body = self.lower[type(node.body)](node.body)
        self.yields = outer
        return Lambda(parameters, body)

    def parameters(self, node: ast.arguments) -> tuple[Parameter, ...]:
        positional = [*node.posonlyargs, *node.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(node.defaults))
        defaults += node.defaults
        found = [
            self._parameter(argument, "positional" if index < len(node.posonlyargs) else "any", default)
            for index, (argument, default) in enumerate(zip(positional, defaults, strict=True))
        ]
        if node.vararg is not None:
            found.append(self._parameter(node.vararg, "star", None))
        for argument, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            found.append(self._parameter(argument, "keyword", default))
        if node.kwarg is not None:
            found.append(self._parameter(node.kwarg, "double_star", None))
        return tuple(found)

    def _parameter(self, node: ast.arg, kind: str, default: ast.expr | None) -> Parameter:
        return Parameter(node.arg, kind, self.annotation(node.annotation), self.maybe(default))

    def annotation(self, node: ast.expr | None) -> Expression | None:
        """A type, with the parts that are written as text read as the types that they name."""
        return None if node is None else self.maybe(annotation_of(node))


def _chain(node: ast.BinOp) -> list[ast.expr]:
    """The terms of a run of one operator, left to right."""
    kind = type(node.op)
    terms = [node.right]
    left = node.left
    while type(left) is ast.BinOp and type(left.op) is kind:
        terms.append(left.right)
        left = left.left
    terms.append(left)
    terms.reverse()
    return terms


def is_storable(text: str) -> bool:
    """Whether the text has no lone surrogate, which no encoding can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def storable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
