"""What an expression of the source says."""

from __future__ import annotations

import msgspec

from nines.model.record import NodeMeta

FORMAT = 1
"""Raised whenever the meaning of a node changes, so that cached facts of another version are never read."""


class Node(msgspec.Struct, metaclass=NodeMeta):
    """Base of all expressions and statements."""


class Name(Node):
    id: str
    line: int = 0
    column: int = 1


class Constant(Node):
    """A literal; bytes and numbers beyond 64 bits arrive as Opaque."""

    value: str | int | float | bool | None


class Template(Node):
    """Text put together from parts, such as an f-string."""

    parts: tuple[Expression, ...]


class Attribute(Node):
    value: Expression
    name: str
    line: int = 0
    column: int = 1


class Argument(Node):
    """A keyword argument; an empty name is a `**mapping`."""

    name: str
    value: Expression


class Call(Node):
    function: Expression
    arguments: tuple[Expression, ...] = ()
    keywords: tuple[Argument, ...] = ()
    line: int = 0
    column: int = 1
    end_line: int = 0


class Binary(Node):
    """Arithmetic; `operator` is the source's symbol ("+", "%", "|")."""

    left: Expression
    operator: str
    right: Expression


class Compare(Node):
    """A comparison of two; a chain `a < b < c` arrives as a Boolean "and" of pairs.

    Operators: "==", "!=", "<", "<=", ">", ">=", "is", "is not", "in", "not in"."""

    left: Expression
    operator: str
    right: Expression


class Boolean(Node):
    operator: str
    """"and" or "or"."""
    values: tuple[Expression, ...]


class Unary(Node):
    operator: str
    """"not", "-", "+", "~"."""
    value: Expression


class Subscript(Node):
    value: Expression
    key: Expression
    line: int = 0
    column: int = 1


class Slice(Node):
    lower: Expression | None = None
    upper: Expression | None = None


class Sequence(Node):
    """A list, tuple or set display; `kind` says which."""

    kind: str
    items: tuple[Expression, ...]


class Pair(Node):
    """One entry of a mapping; no key means `**value`."""

    key: Expression | None
    value: Expression


class Mapping(Node):
    pairs: tuple[Pair, ...]


class Parameter(Node):
    """`kind`: "positional", "any" (positional or keyword), "keyword", "star", "double_star"."""

    name: str
    kind: str = "any"
    annotation: Expression | None = None
    default: Expression | None = None


class Lambda(Node):
    parameters: tuple[Parameter, ...]
    body: Expression


class Generator(Node):
    """One `for ... in ... if ...` of a comprehension."""

    target: Expression
    iterable: Expression
    conditions: tuple[Expression, ...] = ()
    is_async: bool = False


class Comprehension(Node):
    """`kind` is list, set, dict or generator; a dict has a key."""

    kind: str
    key: Expression | None
    element: Expression
    generators: tuple[Generator, ...]
    line: int = 0
    column: int = 1


class Conditional(Node):
    test: Expression
    then: Expression
    otherwise: Expression


class Await(Node):
    value: Expression


class Yield(Node):
    value: Expression | None
    is_from: bool = False


class Spread(Node):
    """`*value` among arguments, items or targets."""

    value: Expression


class Walrus(Node):
    target: Expression
    value: Expression


class Opaque(Node):
    """An expression that is kept as text only."""

    text: str


Expression = (
    Name
    | Constant
    | Template
    | Attribute
    | Call
    | Binary
    | Compare
    | Boolean
    | Unary
    | Subscript
    | Slice
    | Sequence
    | Mapping
    | Lambda
    | Comprehension
    | Conditional
    | Await
    | Yield
    | Spread
    | Walrus
    | Opaque
)
