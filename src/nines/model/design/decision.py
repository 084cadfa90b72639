"""What was decided between which options, and what is still open."""

from __future__ import annotations

from nines.model.record import Record


class Choice(Record):
    """One option with its trade-off."""

    name: str
    gains: str
    costs: str
    when: str = ""
    """In which circumstances it would be the better one."""


class Decision(Record):
    id: str
    """Kebab case: "data-store"."""
    concern: str
    """"Data store", "Transport of events"..."""
    context: str
    options: tuple[Choice, ...]
    """At least two."""
    chosen: str
    """The name of one of the options."""
    because: str
    consequences: tuple[str, ...] = ()
    changes_when: str = ""
    """What would change the choice."""
    is_given: bool = False
    """Found in the blueprint or in the code, rather than made here."""
    number: int = 0
    """Of its record; the same concern has the same number in every design, so that records can be referred to."""


class Gap(Record):
    """Something decisive that is not known, and what was assumed."""

    question: str
    assumed: str = ""
    """Empty: nothing was assumed, and nothing is said that depends on it."""
    matters: str = ""
    where: str = ""
    """A path in the blueprint, or a place in the code."""
    kind: str = "question"
    """question (nobody answered), reading (the code was not understood)."""


class Objection(Record):
    """Why a blueprint cannot hold, with the ways out."""

    code: str
    """Kebab case, stable: "latency-below-dependency"."""
    says: str
    where: str = ""
    """`file:line:column`."""
    path: str = ""
    """In the blueprint: "operations.createPayment"."""
    options: tuple[Choice, ...] = ()
    is_fatal: bool = True
    """False: a warning that the dossier carries."""
