"""What is told: claims with what stands behind each, ways with their trade-offs, risks, questions, what to run next."""

from __future__ import annotations

from enum import StrEnum

from nines.model.record import Record


class Basis(StrEnum):
    """What a claim rests on, the strongest first."""

    MEASURED = "measured"
    READ = "read"
    """In the code, by review or trace."""
    DERIVED = "derived"
    """Arithmetic of a design."""
    PAGE = "page"
    """A page of nines with its sources; true in general, not shown here."""
    ASSUMED = "assumed"


class Sureness(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Claim(Record):
    says: str
    basis: Basis
    source: str
    """A run, a finding, a trace or a page by its id."""
    is_settled: bool = True
    """False for an experiment that came to no conclusion: what was tried, and shows nothing."""


class Approach(Record):
    """One way, with what it gains and costs."""

    title: str
    trade_off: str
    source: str
    about: str = ""
    """What it is an answer to."""


class Risk(Record):
    says: str
    mitigation: str
    source: str


class Open(Record):
    """Something decisive that is not known."""

    question: str
    assumed: str = ""
    matters: str = ""
    is_decisive: bool = False
    """The answer would be another one: who sits at a terminal is asked at once."""


class Step(Record):
    """Something to run next, and why."""

    command: str
    why: str
    duration_s: float = 0.0
    is_heavy: bool = False
    """Puts load or faults on the service, so that it is never run without being asked for."""
    experiments: tuple[str, ...] = ()


class Answer(Record):
    """The whole answer; a part that is empty is left out where it is shown."""

    question: str
    intent: str
    """"" where the question was not understood."""
    understood: str
    headline: str
    sureness: Sureness
    because: str
    """Why one may be as sure, and what would make it surer."""
    reasoning: tuple[Claim, ...] = ()
    approaches: tuple[Approach, ...] = ()
    standards: tuple[str, ...] = ()
    risks: tuple[Risk, ...] = ()
    figures: tuple[Claim, ...] = ()
    questions: tuple[Open, ...] = ()
    steps: tuple[Step, ...] = ()
    not_examined: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    """Ids for `nines explain`."""
    blueprint: str = ""
    """A blueprint that the answer made or chose, as YAML."""
    code: str = ""
    """A trace or a text that is shown as it is."""
