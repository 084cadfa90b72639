"""What interpreting a function leaves behind: a tree of effects, branches, loops and calls, unfolded into traces later.

Trees are shared between all callers of a function, so nothing in them is an index of a trace."""

from __future__ import annotations

from dataclasses import dataclass, field

from nines.effects.queries import Condition, Written
from nines.effects.values import NO_SOURCES, Source, Sources
from nines.model.effect import Deadline, EffectKind, Known, Rows
from nines.model.place import Place


@dataclass(slots=True)
class RetryDraft:
    place: Place | None = None
    attempts_max: int | None = None
    known: Known = Known.UNKNOWN
    errors: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    is_jittered: bool | None = None
    source: str = ""


class Node:
    """Base of the tree."""

    __slots__ = ()


@dataclass(slots=True)
class EffectNode(Node):
    """One effect, before it has an index; `token` names it within its function."""

    token: int
    kind: EffectKind
    place: Place
    target: str = ""
    action: str = ""
    text: str = ""
    library: str = ""
    connection: str = ""
    """The session or connection it runs on; "" for effects outside a database."""
    begins: str = ""
    """"auto" when the library opens a transaction at the first statement."""
    is_unit_of_work: bool = False
    """The session writes its pending changes before this statement."""
    deadline: Deadline = Deadline()  # noqa: RUF009
    retries: tuple[RetryDraft, ...] = ()
    rows: Rows = Rows.UNKNOWN
    limit: Known = Known.UNKNOWN
    limit_sources: Sources = NO_SOURCES
    conditions: tuple[Condition, ...] = ()
    predicates_known: bool = False
    written: tuple[Written, ...] = ()
    locks_rows: bool = False
    handles_conflict: bool = False
    is_lazy: bool = False
    text_sources: Sources = NO_SOURCES
    payload: Sources = NO_SOURCES
    row_tokens: tuple[int, ...] = ()
    idempotency: Known = Known.UNKNOWN
    key_sources: Sources = NO_SOURCES
    """Where the idempotency key comes from."""
    blocks_thread: bool = False
    reaches_response: bool = False
    target_sources: Sources = NO_SOURCES


@dataclass(slots=True)
class RefineNode(Node):
    """Adds to an effect what is learned later: how many rows were taken, what was compared after the fetch."""

    token: int
    rows: Rows | None = None
    limit: Known | None = None
    reaches_response: bool = False
    checked: tuple[tuple[Source, Sources], ...] = ()


@dataclass(slots=True)
class Arm:
    nodes: list[Node]
    ends: str = ""
    """How the arm leaves: "", return, raise, break, continue."""


@dataclass(slots=True)
class BranchNode(Node):
    arms: list[Arm]
    place: Place
    text: str = ""
    sources: Sources = NO_SOURCES
    wants: tuple[str, ...] = ()
    """For each arm: absent, present or ""."""
    is_test: bool = True
    """False where the arms are alternatives that reading cannot choose between."""


@dataclass(slots=True)
class LoopNode(Node):
    body: list[Node]
    place: Place
    sources: Sources = NO_SOURCES
    iterations_max: int | None = None


@dataclass(slots=True)
class HandlerDraft:
    errors: tuple[str, ...]
    place: Place
    ends_by: str
    nodes: list[Node]


@dataclass(slots=True)
class TryNode(Node):
    body: list[Node]
    handlers: list[HandlerDraft]
    otherwise: list[Node]
    final: list[Node]
    place: Place
    body_ends: str = ""


@dataclass(slots=True)
class ScopeNode(Node):
    """A body between an entry and an exit that happens however the body ends."""

    enter: list[Node]
    body: list[Node]
    exit: list[Node]


@dataclass(slots=True)
class HoleNode(Node):
    """Where a generator yields: what its user does stands here."""


@dataclass(slots=True)
class TransactionNode(Node):
    """`verb`: begin, commit, rollback, flush, close."""

    verb: str
    connection: str
    place: Place
    is_explicit: bool = True
    isolation: str = ""
    library: str = ""
    text: str = ""
    blocks_thread: bool = False
    is_nested: bool = False
    is_scope: bool = False


@dataclass(slots=True)
class ChangeNode(Node):
    """An attribute of a mapped object was set; `saves` is True for an explicit save of the object."""

    row: int
    table: str
    place: Place
    written: tuple[Written, ...] = ()
    row_sources: Sources = NO_SOURCES
    connection: str = ""
    verb: str = "change"
    """change, insert, delete, save (writes now what was changed), forget."""
    library: str = ""
    begins: str = ""
    blocks_thread: bool = False
    keys: tuple[Condition, ...] = ()
    is_active: bool = False
    """Only an explicit save writes it."""


@dataclass(slots=True)
class BlindNode(Node):
    reason: str
    text: str
    place: Place


@dataclass(slots=True)
class CallNode(Node):
    """A call of a project function: its tree is shared, its sources and tokens are the caller's by these maps."""

    function: str
    place: Place
    nodes: list[Node]
    sources: dict[int, Source] = field(default_factory=dict)
    tokens: dict[int, int] = field(default_factory=dict)
    """Slot tokens (negative) to the caller's tokens."""
    exports: dict[int, int] = field(default_factory=dict)
    """The callee's tokens to fresh ones of the caller."""
    hole: list[Node] | None = None
    is_step: bool = True
    thread: str = ""
    """"thread" or "loop" when the function, but not its hole, runs elsewhere than its caller."""


@dataclass(slots=True)
class ContextNode(Node):
    """Changes how the effects inside happen. `thread`: on (runs in a worker thread), loop, after_response, retry."""

    body: list[Node]
    thread: str = ""
    after_response: bool = False
    retry: RetryDraft | None = None
    deadline: Deadline | None = None


@dataclass(slots=True)
class DeferNode(Node):
    """Runs when the open transaction of this connection has been committed; at once where there is none."""

    connection: str
    body: list[Node]
