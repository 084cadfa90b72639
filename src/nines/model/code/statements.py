"""What a statement of the source says; the body of a function stays packed until it is asked for."""

from __future__ import annotations

import msgspec

from nines.model.code.expressions import Argument, Expression, Node, Parameter


class Evaluate(Node):
    """An expression for its effect."""

    value: Expression
    line: int


class Assign(Node):
    """`targets` has several for `a = b = value`; no value is a bare annotation."""

    targets: tuple[Expression, ...]
    value: Expression | None
    line: int
    annotation: Expression | None = None


class Augment(Node):
    """`target operator= value`."""

    target: Expression
    operator: str
    value: Expression
    line: int


class Return(Node):
    value: Expression | None
    line: int


class Raise(Node):
    error: Expression | None
    line: int
    cause: Expression | None = None


class If(Node):
    test: Expression
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]
    line: int


class Arm(Node):
    """One case of a match: the values it compares with, the names it binds, its guard."""

    tests: tuple[Expression, ...]
    binds: tuple[str, ...]
    guard: Expression | None
    body: tuple[Statement, ...]


class Match(Node):
    subject: Expression
    arms: tuple[Arm, ...]
    line: int


class For(Node):
    target: Expression
    iterable: Expression
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]
    line: int
    is_async: bool = False


class While(Node):
    test: Expression
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]
    line: int


class WithItem(Node):
    value: Expression
    target: Expression | None = None


class With(Node):
    items: tuple[WithItem, ...]
    body: tuple[Statement, ...]
    line: int
    is_async: bool = False
    end_line: int = 0


class Except(Node):
    """A handler; no errors catches everything."""

    errors: tuple[Expression, ...]
    name: str
    body: tuple[Statement, ...]
    line: int


class Try(Node):
    body: tuple[Statement, ...]
    handlers: tuple[Except, ...]
    otherwise: tuple[Statement, ...]
    final: tuple[Statement, ...]
    line: int


class Assert(Node):
    test: Expression
    line: int


class Delete(Node):
    targets: tuple[Expression, ...]
    line: int


class Jump(Node):
    """ "break", "continue"."""

    kind: str
    line: int


class Outer(Node):
    """`global` or `nonlocal` names."""

    kind: str
    names: tuple[str, ...]
    line: int


class ImportedName(Node):
    """`name` is "*" for everything; for `import a.b` it is "" and `alias` the bound name."""

    name: str
    alias: str


class Import(Node):
    """`level` counts the leading dots; `module` is as written."""

    module: str
    level: int
    names: tuple[ImportedName, ...]
    line: int


class Function(Node):
    """A function or method; `body` is packed, see `unpack`."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: Expression | None
    decorators: tuple[Expression, ...]
    body: msgspec.Raw
    line: int
    end_line: int
    is_async: bool = False
    is_generator: bool = False
    """Its own body yields."""
    summary: str = ""
    """The first line of its documentation."""
    digest: bytes = b""
    """Of its lines as they are written: the same for a function that has only moved up or down."""


class Class(Node):
    """A class; its body is not packed, for linking needs its attributes and methods."""

    name: str
    bases: tuple[Expression, ...]
    keywords: tuple[Argument, ...]
    decorators: tuple[Expression, ...]
    body: tuple[Statement, ...]
    line: int
    end_line: int
    summary: str = ""


Statement = (
    Evaluate
    | Assign
    | Augment
    | Return
    | Raise
    | If
    | Match
    | For
    | While
    | With
    | Try
    | Assert
    | Delete
    | Jump
    | Outer
    | Import
    | Function
    | Class
)


_BODY = msgspec.msgpack.Decoder(tuple[Statement, ...])
_ENCODER = msgspec.msgpack.Encoder()


def pack(body: tuple[Statement, ...]) -> msgspec.Raw:
    """The encoded body of a function, as `Function.body` holds it."""
    return msgspec.Raw(_ENCODER.encode(body))


def unpack(function: Function) -> tuple[Statement, ...]:
    """The statements of a function; costs a decoding each time, so keep the result."""
    return _BODY.decode(function.body)
