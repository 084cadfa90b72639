"""How an operation is carried out: its steps in order, transactions, deadlines, and what happens when a step fails."""

from __future__ import annotations

from enum import StrEnum

from nines.model.record import Record


class StepKind(StrEnum):
    CHECK = "check"
    """Validation, authentication, authorization, a rate limit: nothing leaves the process."""
    BEGIN = "begin"
    QUERY = "query"
    COMMIT = "commit"
    CALL = "call"
    PUBLISH = "publish"
    CACHE = "cache"
    COMPUTE = "compute"
    RESPOND = "respond"
    ENQUEUE = "enqueue"
    """Work is left for a job."""


class Branch(Record):
    """What happens instead, when a step does not go as wished."""

    when: str
    """A clause: "the gateway answers too late"."""
    then: str
    """A clause: "the payment stays pending; the relay asks again"."""
    status: int | None = None
    """What the caller gets."""


class FlowStep(Record):
    kind: StepKind
    says: str
    """A clause without a subject: "reserve the payment as pending"."""
    target: str = ""
    """The participant that it reaches: a dependency's name, a module, a table."""
    query: str = ""
    """The id of the query, for a QUERY."""
    transaction: int | None = None
    """Numbers the transactions of one flow from 0; None: outside."""
    timeout_s: float | None = None
    attempts_max: int = 1
    branches: tuple[Branch, ...] = ()
    undo: str = ""
    """For a step of a saga: what compensates it."""
    after_response: bool = False
    is_repeated: bool = False
    """Happens once for each of several rows."""


class Flow(Record):
    steps: tuple[FlowStep, ...] = ()
    is_complete: bool = True
    """False for a recovered design with parts that were not understood."""

    @property
    def transactions(self) -> int:
        return len({step.transaction for step in self.steps if step.transaction is not None})

    @property
    def calls(self) -> tuple[FlowStep, ...]:
        return tuple(step for step in self.steps if step.kind is StepKind.CALL)


class Reception(Record):
    """An event that a piece of work begins with."""

    type: str
    """As it is told: "payments.payment.captured.v1"."""
    dependency: str = ""
    """What carries it; empty: the service's own outbox."""
    address: str = ""
    """The topic, stream or subject."""
    shape: str = ""
    """Of its data; empty: nothing of it is looked at."""
    finds: tuple[tuple[str, str], ...] = ()
    """By which members the object is found, as (column or field, member)."""
    sets: tuple[tuple[str, str], ...] = ()
    """What the object takes over, as (field, member)."""


class PlannedJob(Record):
    """Work outside a request, with the flow of one piece of it."""

    name: str
    says: str = ""
    resource: str = ""
    every_s: float | None = None
    attempts_max: int = 1
    concurrency: int = 1
    steady_hz: float | None = None
    peak_hz: float | None = None
    flow: Flow = Flow()
    queries: tuple[str, ...] = ()
    dead_letter: str = ""
    """Where a piece goes that failed for good."""
    receives: Reception | None = None
    """None: it looks for work by itself."""
