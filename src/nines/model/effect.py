"""What a backend does to the world outside one function: the atom that every rule judges."""

from __future__ import annotations

from enum import StrEnum

from nines.model.origin import Origin, OriginKind
from nines.model.place import Place, Step
from nines.model.record import Record


class EffectKind(StrEnum):
    """The kinds of effect; the same for code that was read and traffic that was seen."""

    DATABASE_READ = "database_read"
    DATABASE_WRITE = "database_write"
    BEGIN = "begin"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    REMOTE_CALL = "remote_call"
    """HTTP or RPC to another service."""
    PUBLISH = "publish"
    """A message or a task handed to a broker or a background worker."""
    CACHE_READ = "cache_read"
    CACHE_WRITE = "cache_write"
    LOCK = "lock"
    UNLOCK = "unlock"
    SLEEP = "sleep"
    FILE = "file"
    PROCESS = "process"
    COMPUTE = "compute"
    """Work long enough to matter to a thread: password hashing, compression, image work."""
    RESPOND = "respond"


class Rows(StrEnum):
    """How many rows a database effect can touch or return."""

    ONE = "one"
    MANY = "many"
    UNKNOWN = "unknown"


class Known(StrEnum):
    """Whether a property was found, found missing, or not understood. Only MISSING may accuse."""

    SET = "set"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Deadline(Record):
    """The longest that an effect may wait, in seconds, when it is known to have one."""

    known: Known = Known.UNKNOWN
    duration_s: float | None = None
    """None with SET means: set to a value that reading could not evaluate."""
    source: str = ""
    """Where it is set, in words: "argument timeout", "default of httpx", "session of Client.__init__"."""


class Retry(Record):
    """A policy that repeats the effect."""

    place: Place | None = None
    attempts_max: int | None = None
    """None means without limit, or not understood; `known` tells which."""
    known: Known = Known.UNKNOWN
    errors: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    """For HTTP adapters: the methods that are retried; empty means every method."""
    is_jittered: bool | None = None
    source: str = ""


class Predicate(Record):
    """One condition of a database effect: a column, how it is compared, and where the other side comes from."""

    column: str
    """Lower case; `table.column` where the table is known and is not the effect's own target."""
    operator: str = "="
    origins: tuple[Origin, ...] = ()


class Assignment(Record):
    """One column that a database effect writes, and where the value comes from."""

    column: str
    origins: tuple[Origin, ...] = ()
    is_atomic: bool = False
    """The database computes the value from the row itself (`balance = balance + 1`, Django's F())."""


class Loop(Record):
    """A loop around an effect; `effect` is the trace index of the read whose rows it walks."""

    place: Place | None = None
    ordinal: int = 0
    """Numbers the loops of one trace, so that two effects can be asked whether they share one."""
    effect: int | None = None
    origins: tuple[Origin, ...] = ()
    iterations_max: int | None = None
    """The bound, when it is a constant: a loop over three literals, a range(3)."""


class Condition(Record):
    """A branch that must be taken for the effect to happen.

    An early exit counts: after `if row: raise`, everything that follows is on the other arm."""

    branch: int
    """Numbers the branches of one trace."""
    arm: int
    place: Place | None = None
    effects: tuple[int, ...] = ()
    """Trace indexes of the effects whose results the test looks at."""
    origins: tuple[Origin, ...] = ()
    wants: str = ""
    """For a test of an effect's result: "absent" (no row), "present" (a row), or "" for anything else."""
    text: str = ""
    """The test, as written, shortened."""


class Handler(Record):
    """An exception handler around an effect."""

    errors: tuple[str, ...]
    """Names as written, resolved to their qualified names where possible; empty catches everything."""
    place: Place | None = None
    ends_by: str = "continues"
    """How it ends: "raises", "returns", "continues"."""


class Effect(Record):
    """One thing done to the world, where it is done, and under which circumstances.

    A field that the witness cannot know keeps its default, which never accuses."""

    kind: EffectKind
    target: str = ""
    """Lower-case table name, host or URL, queue, cache key, lock name; "" when not understood."""
    action: str = ""
    """SELECT, INSERT, UPDATE, DELETE, UPSERT, DDL; GET, POST ...; for others the library's verb."""
    text: str = ""
    """The statement or the call, shortened for people."""
    library: str = ""
    dependency: str = ""
    """The proxied dependency that saw it ("database", "redis", an upstream's name); "" when read."""
    place: Place | None = None
    path: tuple[Step, ...] = ()
    """The calls from the entry point to the function that holds `place`, outermost first."""
    transaction: int | None = None
    """Index into Trace.transactions; None: in no transaction, or a statement that commits by itself."""
    loops: tuple[Loop, ...] = ()
    conditions: tuple[Condition, ...] = ()
    handlers: tuple[Handler, ...] = ()
    deadline: Deadline = Deadline()
    retries: tuple[Retry, ...] = ()
    rows: Rows = Rows.UNKNOWN
    limit: Known = Known.UNKNOWN
    """Whether a read is bounded by LIMIT, a page, or a unique predicate."""
    limit_origins: tuple[Origin, ...] = ()
    predicates: tuple[Predicate, ...] = ()
    predicates_known: bool = False
    """False when some condition was not understood; then absence of a predicate proves nothing."""
    assignments: tuple[Assignment, ...] = ()
    locks_rows: bool = False
    """SELECT ... FOR UPDATE or an equivalent."""
    handles_conflict: bool = False
    """ON CONFLICT, get_or_create under a unique constraint, MERGE."""
    is_lazy: bool = False
    """Issued by touching an attribute (a lazy relationship), not by a call."""
    text_origins: tuple[Origin, ...] = ()
    """Sources that were spliced into the statement's, the URL's or the command's text, not bound as parameters."""
    payload_origins: tuple[Origin, ...] = ()
    """Sources of what is sent: bound parameters, request body, message."""
    row_origins: tuple[int, ...] = ()
    """For a write: trace indexes of the reads that fetched the row which is written back."""
    idempotency: Known = Known.UNKNOWN
    """For a remote write or a publish: whether an idempotency key goes with it."""
    renews_key: bool = False
    """Each attempt of a retry draws an idempotency key of its own, which is none: `idempotency` is MISSING then."""
    blocks_thread: bool = False
    on_event_loop: bool = False
    """Runs where waiting stops every other request of the process."""
    after_response: bool = False
    """A background task that runs when the answer has been sent."""
    reaches_response: bool = False
    """Its result is part of the answer, or is held in memory as a whole."""
    at_s: float | None = None
    """Observed: seconds since the request arrived."""
    duration_s: float | None = None
    """Observed: how long it took."""
    error: str = ""
    """Observed: the error that came back."""

    @property
    def is_database(self) -> bool:
        return self.kind in (EffectKind.DATABASE_READ, EffectKind.DATABASE_WRITE)

    @property
    def is_remote_write(self) -> bool:
        """Whether repeating the call may repeat something at the other side (RFC 9110, 9.2.2)."""
        return self.kind is EffectKind.REMOTE_CALL and self.action.upper() in ("POST", "PATCH", "")

    @property
    def limit_max(self) -> int | None:
        """The most rows that a read can return, where a constant of the code says so."""
        limits = [o.name for o in self.limit_origins if o.kind is OriginKind.CONSTANT and o.name.isdecimal()]
        is_constant = bool(limits) and len(limits) == len(self.limit_origins)
        return max(map(int, limits)) if is_constant else None

    def has_predicate_from(self, kind: OriginKind) -> bool:
        return any(origin.kind is kind for predicate in self.predicates for origin in predicate.origins)

    def excludes(self, other: Effect) -> bool:
        """Whether the two can never happen in one request: they stand on different arms of a branch."""
        return other.contradicts(self.arms())

    def arms(self) -> dict[int, int]:
        """For each branch that the effect depends on, the arm on which it stands."""
        return {condition.branch: condition.arm for condition in self.conditions}

    def contradicts(self, arms: dict[int, int]) -> bool:
        """Whether it stands on another arm than one of these; for asking about many effects with `arms` made once."""
        return any(arms.get(c.branch, c.arm) != c.arm for c in self.conditions)

    def shares_loop(self, other: Effect) -> bool:
        return bool({loop.ordinal for loop in self.loops} & {loop.ordinal for loop in other.loops})
