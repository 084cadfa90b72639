"""What is collected while a blueprint is read: problems, the names that it declares, and those that it refers to."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from nines.model.blueprint import Problem
from nines.model.place import Place
from nines.model.record import Record
from nines.readers.blueprint.document import Mark, Node
from nines.readers.blueprint.elsewhere import REMARKS, WORDS

_SHOWN_MAX = 60
"""Characters of a text that was found, in a message."""
_WORDS_MAX = 12
"""Words that are listed where none is near."""


class Unreadable(Exception):  # noqa: N818 -- it is no error of its own: what it stands for was reported already
    """A part that could not be read; the problem was reported already."""


class Referral(Record):
    """A name that must be declared somewhere."""

    kind: str
    name: str
    of: str
    """The resource, for a field or a state."""
    mark: Mark
    path: str
    also: tuple[str, ...] = ()
    """Words that may stand there as well."""


class Collected:
    """Shared by every part of one blueprint."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.declared: dict[tuple[str, str], list[str]] = {}
        self.referrals: list[Referral] = []
        self.places: dict[str, Place] = {}


class Reading:
    """Where in the blueprint one is; what is reported goes to one collection."""

    def __init__(self, collected: Collected, *, path: str = "", scope: str = "") -> None:
        self.collected = collected
        self.path = path
        self.scope = scope
        """The resource or composite type whose fields and states are spoken of."""

    def under(self, key: str, *, scope: str | None = None) -> Reading:
        path = f"{self.path}.{key}" if self.path else key
        return Reading(self.collected, path=path, scope=self.scope if scope is None else scope)

    def about(self, scope: str) -> Reading:
        """The same place, where the fields and states of another resource are spoken of."""
        return Reading(self.collected, path=self.path, scope=scope)

    def place(self, mark: Mark) -> Place:
        return Place(file=self.collected.file, line=mark.line, column=mark.column)

    def report(self, node: Node | Mark, says: str) -> None:
        mark = node if isinstance(node, Mark) else node.mark
        self.collected.problems.append(Problem(place=self.place(mark), path=self.path, says=says))

    def refuse(self, node: Node | Mark, says: str) -> Unreadable:
        """Reports, and gives back what is to be raised."""
        self.report(node, says)
        return Unreadable(says)

    def mark(self, mark: Mark) -> None:
        """Notes where the path that is read now stands."""
        self.collected.places.setdefault(self.path, self.place(mark))

    def declare(self, kind: str, name: str, of: str = "") -> None:
        self.collected.declared.setdefault((kind, of), []).append(name)

    def refer(self, kind: str, name: str, node: Node, *, of: str = "", also: Iterable[str] = ()) -> None:
        self.collected.referrals.append(
            Referral(kind=kind, name=name, of=of, mark=node.mark, path=self.path, also=tuple(also))
        )

    @property
    def is_clean(self) -> bool:
        return not self.collected.problems


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """The known word that was probably meant; empty: none is near."""
    words = {each.lower(): each for each in known}
    usual = WORDS.get(word.lower(), "")
    if usual in words:
        return words[usual]
    near = difflib.get_close_matches(word.lower()[:_SHOWN_MAX], list(words), n=1, cutoff=likeness)
    return words[near[0]] if near else ""


def advice(word: str, known: Iterable[str]) -> str:
    """ "did you mean amount?", or the words that there are."""
    words = list(dict.fromkeys(known))
    near = nearest(word, words)
    if near:
        remark = REMARKS.get(word.lower(), "") if WORDS.get(word.lower()) == near else ""
        return f"did you mean {near}?{f' ({remark})' if remark else ''}"
    if not words:
        return "there is none"
    more = ", ..." if len(words) > _WORDS_MAX else ""
    verb = "are" if len(words) > 1 else "is"
    return f"there {verb} {', '.join(words[:_WORDS_MAX])}{more}"


def shown(text: str) -> str:
    """A text that was found, short enough and harmless in a message."""
    cut = text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."
    return '"' + "".join(c if c.isprintable() else "?" for c in cut) + '"'
