"""Answers that turn a caller away without an exception."""

from __future__ import annotations

import re

from nines.effects.interpret.symbols.text import written
from nines.effects.values import ContainerThing, Value
from nines.model import code

_WORDS = ("401", "403", "UNAUTHORIZED", "FORBIDDEN")
_DENIAL = re.compile(
    r"\b40[13]\b|_40[13]_|unauthori[sz]ed|notauthori[sz]ed|forbidden|permission|denied|notallowed|unauthenticated"
    r"|notauthenticated|authenticationfailed|auth\w*(?:error|exception)|loginrequired|notloggedin|invalid\w*(?:token|credential)",
    re.IGNORECASE,
)


def is_refusal(status: Value | None) -> bool:
    """Whether a status, as a number or by a constant's name, says "not you"."""
    if status is None:
        return False
    said = str(status.constant) if status.has_constant else str(getattr(status.thing, "name", ""))
    return any(word in said for word in _WORDS)


def answers_no(value: Value) -> bool:
    """A returned pair of an answer and its status, as Flask takes it."""
    thing = value.thing
    entries = thing.entries or () if isinstance(thing, ContainerThing) and thing.kind == "tuple" else ()
    return len(entries) > 1 and is_refusal(entries[1])


def denies(error: code.Expression) -> bool:
    """Whether an exception, by its name or by its status, says "not you"."""
    said = [written(error)]
    if isinstance(error, code.Call):
        said.extend(written(given.value) for given in error.keywords)
    return any(_DENIAL.search(text) for text in said)
