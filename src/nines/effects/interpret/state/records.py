"""What interpreting leaves behind for others: summaries of functions, routes, mounts, hooks."""

from __future__ import annotations

from dataclasses import dataclass, field

from nines.effects.interpret.state.standing import NEVER
from nines.effects.link import FunctionInfo
from nines.effects.nodes import Node
from nines.effects.values import UNKNOWN, Value
from nines.model.place import Place


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
    info: FunctionInfo | None = None
    number: int = 0
    """The same for summaries of one function and the same arguments that hold everywhere."""
    functions: int = 0
    """Every function entered, one bit for each."""
    height: int = 0
    """Calls nested in it."""
    touched: int = 0
    lowest: int = NEVER
    work: int = 0
    """Its own, without that of what it calls; likewise the calls."""
    calls: int = 0
    unresolved: int = 0
    inner: list[Summary] = field(default_factory=list)


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
