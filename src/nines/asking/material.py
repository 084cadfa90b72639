"""What an answer may be made of; verbs/ gathers it, and only what a recipe asks for."""

from __future__ import annotations

from typing import Protocol

from nines.model.experiment import Experiment
from nines.model.pattern import Pattern
from nines.model.record import Record
from nines.model.report import Report
from nines.model.rule import Rule
from nines.model.schema import Table


class Measurement(Record):
    """A report of prove or check that is there already."""

    report: Report
    where: str
    age_s: float
    is_fresh: bool
    """Nothing that it speaks of was changed since."""


class Traced(Record):
    """An entry point, with its trace as a tree and what counts in it."""

    endpoint: str
    place: str
    tree: str
    reads: int = 0
    writes: int = 0
    remote_calls: int = 0
    in_loops: int = 0
    in_transaction: int = 0
    """Remote calls while a transaction is open."""
    without_deadline: int = 0
    not_understood: int = 0


class Hit(Record):
    """A page."""

    id: str
    kind: str
    title: str
    summary: str
    page: str = ""


class Objected(Record):
    says: str
    options: tuple[tuple[str, str], ...]
    """Names with what each gains and costs."""


class Decided(Record):
    """A decision of a design."""

    concern: str
    chosen: str
    because: str
    options: tuple[tuple[str, str], ...]


class Draft(Record):
    """A blueprint and what became of it when it was designed."""

    name: str
    text: str
    is_shipped: bool
    """A blueprint that nines brings, at most with another load; else one made of what is known and assumed."""
    steady: str = ""
    peak: str = ""
    objections: tuple[Objected, ...] = ()
    """None: it holds."""
    operations: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    bottleneck: str = ""
    availability: float | None = None
    promised: float | None = None
    decisions: tuple[Decided, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    """What fails, and what contains it."""
    threats: tuple[tuple[str, str], ...] = ()
    """What may be attacked, and what is done against it."""
    gaps: tuple[tuple[str, str, str], ...] = ()
    """Question, what was assumed, why it matters."""
    limits: tuple[str, ...] = ()


class Material(Protocol):
    """Gathered when it is asked for, each once."""

    @property
    def where(self) -> str:
        """The project as it is written in commands; "" where there is none."""
        ...

    def review(self) -> Report | None:
        """The findings of today; None where there is no project, or nothing that could be judged."""
        ...

    def traces(self, wanted: str) -> tuple[Traced, ...]:
        """Of the entry points whose id, path or function contains this."""
        ...

    def tables(self) -> tuple[Table, ...]: ...

    def measurement(self) -> Measurement | None: ...

    def patterns(self) -> tuple[Pattern, ...]: ...

    def rules(self) -> tuple[Rule, ...]: ...

    def experiments(self) -> tuple[Experiment, ...]: ...

    def pages(self, words: str) -> tuple[Hit, ...]:
        """Those that are called so, or speak of it, the best first."""
        ...

    def draft(self, subject: str, name: str, rate_hz: float | None) -> Draft:
        """A blueprint for the subject, or a first one under this name, designed."""
        ...

    def compared(self, before: str, after: str) -> tuple[str, tuple[str, ...]]:
        """What changed between two reports in files: a sentence, and every difference; raises NinesError."""
        ...
