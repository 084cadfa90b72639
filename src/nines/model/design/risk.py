"""What may go wrong: threats by people, failures of parts, and the availability that is left."""

from __future__ import annotations

from enum import StrEnum

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


class Forecast(Record):
    """The availability that follows from the failure modes."""

    availability: float
    target: float
    contributions: tuple[tuple[str, float], ...] = ()
    """Failure mode ids with the share of a year that each costs, largest first."""
    assumptions: tuple[str, ...] = ()
