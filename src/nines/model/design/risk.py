"""What may go wrong: threats by people, failures of parts, and the availability that is left."""

from __future__ import annotations

from enum import StrEnum

from nines.model.design.decision import Choice, Objection
from nines.model.record import Record


class Stride(StrEnum):
    """The six kinds of threat (Shostack, Threat Modeling, 2014)."""

    SPOOFING = "spoofing"
    TAMPERING = "tampering"
    REPUDIATION = "repudiation"
    DISCLOSURE = "information disclosure"
    DENIAL = "denial of service"
    ELEVATION = "elevation of privilege"


class ElementKind(StrEnum):
    """The elements of a data-flow diagram."""

    PERSON = "person"
    PROCESS = "process"
    STORE = "store"
    EXTERNAL = "external"
    FLOW = "flow"


class Element(Record):
    """One element of the data-flow diagram, in a zone of trust."""

    id: str
    kind: ElementKind
    zone: str
    """internet, edge, service, data, third party."""
    says: str = ""
    source: str = ""
    target: str = ""
    """The ends of a FLOW."""

    @property
    def is_flow(self) -> bool:
        return self.kind is ElementKind.FLOW


class Threat(Record):
    id: str
    """T-1 ..."""
    element: str
    stride: Stride
    says: str
    mitigation: str
    implemented_in: str
    """The part of the design or of the code that carries it."""
    tried_by: str
    """A nines rule or experiment by its id, or a test by its name; empty: by nothing yet."""
    owasp: str = ""
    """"API1:2023" ... where it is one of the ten."""
    is_open: bool = False
    """Not mitigated, or not known."""
    options: tuple[Choice, ...] = ()
    """Of an open one: the ways to close it."""

    @property
    def trials(self) -> tuple[str, ...]:
        """The single ids in `tried_by`."""
        return tuple(each.strip() for each in self.tried_by.split(",") if each.strip())


class Answer(Record):
    """How the design stands to one of the ten risks of the OWASP API Security Top 10 of 2023."""

    code: str
    """ "API1:2023"."""
    title: str
    says: str
    """How it is met, or why it does not apply."""
    applies: bool = True
    threats: tuple[str, ...] = ()
    """The ids of the threats that are counted to it."""


class Secret(Record):
    """Something that must not be known to others, by the name under which the service asks for it."""

    name: str
    """Of the setting: "DATABASE_PASSWORD"."""
    says: str
    """What it opens."""
    held_in: str
    rotation: str
    """The steps that change it while requests are answered."""
    dependency: str = ""
    every_s: float | None = None
    """None: only when it leaked, or when its holder says so."""
    is_assumed: bool = False
    """The blueprint does not name it; something of its kind is needed."""


class FailureMode(Record):
    """One way in which one dependency fails."""

    id: str
    """F-1 ..."""
    dependency: str
    mode: str
    """slow, stalled, refusing, resetting, answering errors, losing data, overloaded, wrong."""
    shows: str
    """How it is noticed: the metric and the alert."""
    contained_by: tuple[str, ...]
    """timeout, retry, breaker, bulkhead, fallback, shedding, each with its figure."""
    caller_sees: str
    """With the status."""
    operations: tuple[str, ...] = ()
    lasts_s: float = 0.0
    """From its begin to the first correct answer after it."""
    per_year: float = 0.0
    """How often it is expected."""
    share: float = 1.0
    """Of the requests that it fails while it lasts, 0 to 1."""
    tried_by: str = ""
    is_open: bool = False
    metric: str = ""
    """Its name alone, units last; empty: nothing shows it."""
    alert: str = ""
    """Its name alone; empty: nobody is told."""
    arithmetic: str = ""
    """How long, how often and for how many, as sums that a reader can check."""


class Forecast(Record):
    """The availability that follows from the failure modes."""

    availability: float
    target: float
    contributions: tuple[tuple[str, float], ...] = ()
    """Failure mode ids with the share of a year that each costs, largest first."""
    assumptions: tuple[str, ...] = ()
    says: str = ""
    """The sum, as arithmetic that a reader can check."""
    objection: Objection | None = None
    """Where the target is missed: by how much, and the ways out."""
