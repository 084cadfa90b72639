"""What a pattern is: a page about one thing that a backend reliability engineer recommends, and what it is tied to."""

from __future__ import annotations

from enum import StrEnum

from nines.model.finding import Option
from nines.model.page import Example
from nines.model.record import Record


class PatternTopic(StrEnum):
    """What patterns are about, in the order in which they are told."""

    CALLS = "calls"
    """Calling somebody who may be slow, wrong or gone."""
    LOAD = "load"
    """More work than there is room for."""
    CONSISTENCY = "consistency"
    """Keeping data right under concurrency and crashes."""
    MESSAGES = "messages"
    """Work and news that leave the request."""
    DATABASE = "database"
    """Statements, connections, and data that outgrow one server."""
    INTERFACE = "interface"
    """What callers see and may rely on."""
    SECURITY = "security"
    DELIVERY = "delivery"
    """Changing a service that is in use."""
    OPERATION = "operation"
    """Seeing, proving and recovering."""

    @property
    def rank(self) -> int:
        return list(PatternTopic).index(self)


class Source(Record):
    """A standard, paper, chapter or vendor's document, and the fact that it is cited for."""

    title: str
    url: str
    says: str


class Pattern(Record):
    """A pattern's page with its ties; its id is the name of its file."""

    id: str
    title: str
    topic: PatternTopic
    summary: str
    """One sentence."""
    page: str
    """The page's Markdown, as it was read."""
    also_called: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """Ids of the rules that find its absence."""
    experiments: tuple[str, ...] = ()
    """Ids of the experiments that prove its presence."""
    objections: tuple[str, ...] = ()
    """Codes of what `nines design` objects to where a blueprint lacks it."""
    blueprint: tuple[str, ...] = ()
    """Words of a blueprint that ask for it: "dependency.breaker"."""
    built_by: str = ""
    """How build provides it, in a sentence."""
    related: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    sources: tuple[Source, ...] = ()
    examples: tuple[Example, ...] = ()

    def is_about(self, id: str) -> bool:
        """Whether it names this rule, experiment or objection."""
        return id in self.rules or id in self.experiments or id in self.objections
