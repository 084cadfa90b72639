"""What an experiment is: a claim, a way to try it on a bench, and a pure judgement over the history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from nines.model.budget import Budgets
from nines.model.contract import Contract, Document, Operation
from nines.model.history import Check, Exchange, History, Seen
from nines.model.record import Record
from nines.model.rule import Standard, Tier
from nines.model.settings import Identity, LoadSettings, SecuritySettings
from nines.model.trace import Trace
from nines.model.verdict import Verdict


class Need(StrEnum):
    """What must be at hand, else the experiment ends unknown and says so."""

    DATABASE = "database"
    """A PostgreSQL that nines itself put behind its proxy."""
    DEPENDENCY = "dependency"
    """At least one proxied dependency: database, redis or an upstream."""
    IDENTITY = "identity"
    TWO_IDENTITIES = "two identities"
    MUTATION = "mutation"
    """At least one operation of the contract that creates something."""
    OWNED_PROCESS = "owned process"
    """A service that nines itself started."""
    GRAPH = "graph"
    """A graph (GraphQL) whose schema is known; where there is none, there is nothing to say about it."""
    TYPED = "calls over gRPC"
    """Methods that the project's .proto files name; where there are none, there is nothing to say about them."""


class ExperimentInfo(Record):
    """What an experiment says about itself; its id is its path under experiments/."""

    title: str
    claim: str
    """A sentence that can be false."""
    tier: Tier
    needs: tuple[Need, ...] = ()
    budgets: tuple[str, ...] = ()
    """The budgets that it speaks to: availability, error_rate, latency_p95, recovery."""
    standards: tuple[Standard, ...] = ()
    fresh_database: bool = False
    is_destructive: bool = False
    """Kills, floods or corrupts; never run against anything that nines did not start."""
    duration_s: float = 10.0
    """A usual duration, for the time left that progress shows."""

    @property
    def is_of_interface(self) -> bool:
        """Whether it tries an interface that most services do not have, which then lack nothing."""
        return Need.GRAPH in self.needs or Need.TYPED in self.needs


class FaultKind(StrEnum):
    """What a proxy can do to a dependency; one file each under lab/faults/."""

    DELAY = "delay"
    """`amount_s` is added to every answer."""
    STALL = "stall"
    """Bytes stop moving, connections stay open."""
    RESET = "reset"
    """Every connection is reset, and new ones too while it lasts."""
    REFUSE = "refuse"
    """New connections are refused, old ones closed."""
    CUT_REPLY = "cut_reply"
    """The request reaches the dependency, its reply never arrives: the connection is cut instead."""
    LIMIT = "limit"
    """Throughput is limited to `bytes_per_s`."""
    ERROR = "error"
    """The proxy answers with an error of the protocol, without asking the dependency."""


class Fault(Record):
    """A fault at one dependency, for as long as its context is open."""

    kind: FaultKind
    dependency: str
    amount_s: float = 0.0
    bytes_per_s: int = 0
    status: int = 503
    """For an HTTP upstream's ERROR."""


class Target(StrEnum):
    """What can be killed and started again."""

    SERVICE = "service"
    DATABASE = "database"


class Call(Record):
    """A request that is ready to be sent; `path` has its query."""

    operation: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    """Without the identity's credentials, which are added when it is sent."""
    body: bytes = b""
    identity: str = ""
    marker: str = ""
    key: str = ""
    phase: str = ""
    group: int = 0
    document: Document | None = None
    """Of an operation of a graph: how it is asked."""


class Mutant(Record):
    """A call made wrong in one way."""

    call: Call
    variant: str
    """What is wrong: "body.amount: string instead of integer"."""
    is_invalid: bool = True
    """Whether the contract forbids it; a legal but unusual value must be accepted or refused politely too."""


class Share(Record):
    """A part of a load: one operation as one identity; weights are relative."""

    operation: str
    identity: str = ""
    weight: float = 1.0


class Newcomer(Record):
    """Somebody who was registered for one experiment and is signed in."""

    identity: str
    registered: Exchange
    """The answer to the registration, in this identity's name; its marker stands in the address and the name."""


class Load(Record):
    """An open-loop load: requests leave at their intended times, whether or not earlier ones were answered."""

    rate_hz: float
    duration_s: float
    shares: tuple[Share, ...]
    phase: str = ""
    timeout_s: float = 30.0
    keeps_bodies: bool = False


class CredentialFlaw(StrEnum):
    """Ways in which a credential can be wrong."""

    NONE = "none"
    """No credential at all."""
    GARBAGE = "garbage"
    """Well-formed for its scheme, and meaningless."""
    TAMPERED = "tampered"
    """A real token with one claim changed and its old signature."""
    UNSIGNED = "unsigned"
    """A real token's claims under `alg: none`."""
    EXPIRED = "expired"
    """A real token's claims with an expiry in the past, under a signature that cannot be right."""


class Bench(Protocol):
    """What an experiment may do; lab/ implements it, tests fake it.

    Every method that can fail to find a way says so by returning None and noting the reason in the history."""

    @property
    def contract(self) -> Contract: ...

    @property
    def identities(self) -> tuple[Identity, ...]:
        """Those that could be signed in: usually owner, peer, admin, in this order."""
        ...

    @property
    def dependencies(self) -> tuple[str, ...]:
        """Proxied ones: "database", "redis", names of upstreams."""
        ...

    @property
    def budgets(self) -> Budgets: ...

    @property
    def load_settings(self) -> LoadSettings: ...

    @property
    def security_settings(self) -> SecuritySettings:
        """What the owner declared open to everyone or shared between identities."""
        ...

    def clock_s(self) -> float:
        """Seconds since the experiment began."""
        ...

    def registration(self) -> Operation | None:
        """The operation by which strangers become somebody, None where nines cannot register anybody."""
        ...

    async def newcomers(self, count: int) -> tuple[Newcomer, ...]:
        """Registers so many, shows that their addresses are theirs and signs them in; fewer where that fails, noted."""
        ...

    def creators(self) -> tuple[Operation, ...]:
        """Operations that create something which a later request can find again, best first."""
        ...

    def reader_of(self, operation: Operation) -> Operation | None:
        """The operation that reads one item of what `operation` creates: /x/{id} for POST /x."""
        ...

    def lister_of(self, operation: Operation) -> Operation | None:
        """The operation that lists what `operation` creates: GET /x for POST /x."""
        ...

    async def prepare(self, operation: Operation, identity: str, *, like: Call | None = None) -> Call | None:
        """A valid request with fresh unique values, having created whatever it refers to.

        With `like`, the same values again except for the idempotency key: an identical create."""
        ...

    async def prepare_read(self, created: Exchange, identity: str) -> Call | None:
        """The request that reads back what `created` made, as this identity."""
        ...

    async def prepare_on(self, operation: Operation, created: Exchange, identity: str) -> Call | None:
        """A request of `operation` on the object that `created` made: PATCH /x/{id} after POST /x."""
        ...

    async def send(self, call: Call, *, flaw: CredentialFlaw | None = None, timeout_s: float = 30.0) -> Exchange:
        """Sends one request and adds it to the history; never raises for what the service does."""
        ...

    async def together(self, calls: Sequence[Call]) -> tuple[Exchange, ...]:
        """Sends all at the same moment, each on its own warm connection."""
        ...

    async def load(self, load: Load) -> None:
        """Runs an open-loop load to its end; exchanges, samples and a LoadReport go to the history."""
        ...

    def background(self, load: Load) -> AbstractAsyncContextManager[None]:
        """The same load while the block runs; leaving the block stops it and waits for what is in flight."""
        ...

    def fault(self, fault: Fault) -> AbstractAsyncContextManager[None]: ...

    async def kill(self, target: Target) -> None:
        """SIGKILL, to the whole process group."""
        ...

    async def start(self, target: Target) -> float | None:
        """Starts it again as the owner would; the seconds until it answered correctly, or None if it never did."""
        ...

    async def pause(self, duration_s: float) -> None: ...

    async def observe(self, call: Call) -> tuple[Exchange, Trace]:
        """Sends one request on a quiet system and returns its exact observed trace."""
        ...

    def mutants(self, call: Call, limit: int) -> tuple[Mutant, ...]:
        """Wrong variants of a valid call, derived from the operation's schema; at most `limit`, seeded."""
        ...

    def documents(self, identity: str) -> tuple[Mutant, ...]:
        """Documents for the service's graph: a plain one first, then hostile ones; () where it has none."""
        ...

    def messages(self, identity: str) -> tuple[Mutant, ...]:
        """Messages for each method over gRPC, an empty one first, then hostile ones; () where there are none."""
        ...

    async def find(self, creator: Operation, markers: Sequence[str], identity: str) -> tuple[Seen, ...] | None:
        """Reads the state back and counts each marker: by the reader, the lister, or in the database.

        What it found is added to History.seen, those that are gone with a count of 0."""
        ...

    def check(self, check: Check) -> None:
        """Adds a cell to the history."""
        ...

    def count(self, name: str, x: float, y: float) -> None: ...

    def skip(self, subject: str, reason: str) -> None: ...

    def note(self, text: str) -> None: ...

    def mark(self, event: str, name: str = "", detail: str = "") -> None: ...

    def last(self) -> int:
        """The index of the newest exchange in the history."""
        ...

    def history(self) -> History:
        """Everything so far."""
        ...


class Figure(Record):
    """A measured number with its interval."""

    name: str
    value: float
    unit: str = ""
    lower: float | None = None
    upper: float | None = None
    confidence: float | None = None
    samples: int = 0


class Judgement(Record):
    """What a judgement concludes from a history."""

    verdict: Verdict
    says: str
    """One or two sentences with the decisive figures."""
    figures: tuple[Figure, ...] = ()
    offending: tuple[int, ...] = ()
    """Indexes of the exchanges that broke the claim, the clearest first."""
    subjects: tuple[tuple[str, Verdict], ...] = ()
    """Per operation id, where the claim was tried operation by operation."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """An experiment as it is found in its folder."""

    id: str
    info: ExperimentInfo
    run: Callable[[Bench], Awaitable[None]]
    judge: Callable[[History, Budgets], Judgement]
    page: str


class Trial(Record):
    """An experiment that was carried out (or could not be), ready to be reported."""

    experiment: str
    title: str
    claim: str
    tier: Tier
    verdict: Verdict
    says: str
    figures: tuple[Figure, ...] = ()
    subjects: tuple[tuple[str, Verdict], ...] = ()
    budgets: tuple[str, ...] = ()
    seed: int = 0
    started_s: float = 0.0
    duration_s: float = 0.0
    reproduction: tuple[str, ...] = ()
    """curl commands that repeat what broke, in order."""
    explained_by: tuple[str, ...] = ()
    """Fingerprints of the findings that explain a broken claim."""
    history: History = History()
    standards: tuple[Standard, ...] = ()
