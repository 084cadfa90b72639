"""Whether a row is tied to who is calling: by its own conditions, or by a test around it."""

from __future__ import annotations

import re

from nines.model.effect import Condition, Effect
from nines.model.origin import Origin, OriginKind
from nines.model.trace import Trace

_MERELY_ACTIVE = re.compile(
    r"active|disabled|enabled|verified|confirmed|deleted|banned|blocked|suspended|anonymous|expire", re.IGNORECASE
)
_IDENTITY = re.compile(r"^auth|_auth|subject|principal|identity|current_|viewer|^me$|^user$|^request$", re.IGNORECASE)
"""Names of parameters that hold who is calling, where the authentication itself was not understood."""
_RIGHTS = re.compile(
    r"admin|staff|super_?user|has_perm|permission|\brole|scope|\bcan_|\bowns?\b|owner|is_member|belongs", re.IGNORECASE
)
"""Words of a test that asks for rights, also where it was not understood whose they are."""
_OWNERS_TESTED = re.compile(
    r"(?:user|owner|author|customer|account|org\w*|tenant|member|workspace|team)(?:_?id)?\)?"
    r" *(?:==|!=|in |not in )"
)
_COMPARES = re.compile(r"==|!=|\bin\b")
_TRAVELS = ("path", "query", "body", "form", "")


def is_sent(origin: Origin) -> bool:
    """Whether the request carries it as a value, not as its credentials."""
    travels = origin.kind is OriginKind.CALLER and origin.location in _TRAVELS
    return travels and not _IDENTITY.search(origin.name)


def is_mine(effect: Effect) -> bool:
    """Whether a condition comes from who is calling."""
    return any(_is_caller_himself(origin) for predicate in effect.predicates for origin in predicate.origins)


def _is_caller_himself(origin: Origin) -> bool:
    """The signed-in user, or an argument named like him that no address carries."""
    is_unclear = origin.kind is OriginKind.CALLER and origin.location not in ("path", "query", "form")
    return origin.kind is OriginKind.PRINCIPAL or (is_unclear and bool(_IDENTITY.search(origin.name)))


def is_tied(trace: Trace, index: int) -> bool:
    """By a test that looks at the signed-in user, or by another statement that joins the user with the same value."""
    effect = trace.effects[index]
    later = [e for _, e in trace.after(index)]
    if any(_asks_for_the_user(condition, index, trace) for e in (effect, *later) for condition in e.conditions):
        return True
    mine = _caller_names(effect)
    others = (e for e in (*(e for _, e in trace.before(index)), *later) if is_mine(e))
    return any(mine & _caller_names(other) for other in others)


def _caller_names(effect: Effect) -> set[str]:
    """The request's values that choose its rows."""
    return {o.name for predicate in effect.predicates for o in predicate.origins if is_sent(o) and o.name}


def _asks_for_the_user(condition: Condition, index: int, trace: Trace) -> bool:
    """A test of the user and this row, or of the user's rights; that the user exists and is active is no such test."""
    is_about_user = any(_is_caller_himself(origin) for origin in condition.origins)
    is_about_rights = condition.wants == "" and not _MERELY_ACTIVE.search(condition.text)
    is_about_row = index in condition.effects
    if is_about_user and (is_about_row or is_about_rights):
        return True
    if is_about_row and _OWNERS_TESTED.search(condition.text):
        return True
    is_named = (is_about_row or is_about_rights) and bool(_RIGHTS.search(condition.text))
    return is_named or _compares_rows(condition, index, trace)


def _compares_rows(condition: Condition, index: int, trace: Trace) -> bool:
    """A test of this row, or of the value that chose it, against another row, or of anything against the user's own."""
    others = [trace.effects[i] for i in condition.effects if i != index and i < len(trace.effects)]
    names = {origin.name for origin in condition.origins if is_sent(origin)}
    is_about_it = index in condition.effects or bool(names & _caller_names(trace.effects[index]))
    is_compared = bool(others) and bool(_COMPARES.search(condition.text))
    return is_compared and (is_about_it or any(is_mine(other) for other in others))
