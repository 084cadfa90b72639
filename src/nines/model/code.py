"""A program as facts: what a reader extracts from one source file, in a form that no language owns.

A reader (Python today) lowers each file to a `Module` once; effects/ interprets modules and never sees a
parser. The nodes are positional, array-encoded and without garbage-collector tracking, because a large
backend has millions of them and a warm run decodes only the functions that it needs: a function's body stays packed
until `unpack` is called.
"""

from __future__ import annotations

import msgspec

from nines.model.record import NodeMeta, Record

FORMAT = 1
"""Raised whenever the meaning of a node changes, so that cached facts of another version are never read."""


class Node(msgspec.Struct, metaclass=NodeMeta):
    """Base of all expressions and statements."""


# --- expressions -----------------------------------------------------------------------------------


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

# --- statements ------------------------------------------------------------------------------------


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


class Parameter(Node):
    """`kind`: "positional", "any" (positional or keyword), "keyword", "star", "double_star"."""

    name: str
    kind: str = "any"
    annotation: Expression | None = None
    default: Expression | None = None


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


class Allowance(Node):
    """A comment `nines: allow RULE -- why`, which silences RULE on its line, or on the next when it stands alone."""

    rules: tuple[str, ...]
    reason: str
    line: int
    covers: int
    """The line that it speaks of; 0 for the whole file (a comment before the first statement)."""


class Module(Node):
    """One source file."""

    name: str
    """Dotted, as it is imported: "app.api.users"."""
    file: str
    """Relative to the project's root, with forward slashes."""
    is_package: bool
    body: tuple[Statement, ...]
    lines: int
    allowances: tuple[Allowance, ...] = ()
    language: str = "python"
    prefix: str = ""
    """What was put before the name that its neighbours import, so that names are unique where two services of one
    repository both have an `app.main`: an absolute import in this module means `prefix + name` before `name`."""


_BODY = msgspec.msgpack.Decoder(tuple[Statement, ...])
_ENCODER = msgspec.msgpack.Encoder()


def pack(body: tuple[Statement, ...]) -> msgspec.Raw:
    """The encoded body of a function, as `Function.body` holds it."""
    return msgspec.Raw(_ENCODER.encode(body))


def unpack(function: Function) -> tuple[Statement, ...]:
    """The statements of a function; costs a decoding each time, so keep the result."""
    return _BODY.decode(function.body)


class Unread(Record):
    """A file that could not be read, and why, in words for people."""

    file: str
    reason: str
    line: int = 0
    hint: str = ""


class NamedStatement(Record):
    """A statement that stands under a name in a file of SQL, as aiosql and its kin load them."""

    name: str
    """As it is called from Python, hyphens made underscores."""
    kind: str
    """What the name ends with: "" for rows, ^ for one row, $ for one value, ! and *! for writes, <! for one written."""
    text: str
    file: str
    line: int


class Program(Record):
    """Every module of a project, and what could not be read."""

    root: str
    modules: tuple[Module, ...] = ()
    unread: tuple[Unread, ...] = ()
    lines: int = 0
    parsed: int = 0
    """How many files were parsed anew; the rest came from the cache."""
    statements: tuple[NamedStatement, ...] = ()
    """Of projects that load their statements from files by name."""
