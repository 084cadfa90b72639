"""Whose an object is, and what proves that somebody else saw it."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from nines.model.history import Exchange, Outcome

_OWNING = frozenset(
    ("owner", "user", "author", "customer", "creator", "account", "tenant", "member", "createdby", "holder", "sender")
)
_IDENTIFYING = frozenset(("id", "_id", "uuid", "guid", "slug", "key", "code", "number", "reference"))
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_DEPTH_MAX = 3


class Belonging(StrEnum):
    """What the service itself shows about whose its objects are."""

    SEPARATED = "separated"
    """The list of its owner shows it, that of the peer does not."""
    UNLISTED = "unlisted"
    """There is no list that could show it to everybody."""
    CLOSED = "closed"
    """There is a list, which its owner and the peer must not see."""
    SHARED = "shared"
    """The list shows it to both."""
    UNCLEAR = "unclear"
    """Not even its owner's list showed it."""
    PUBLIC = "public"
    """It is shown to everyone, signed in or not."""

    @property
    def separates(self) -> bool:
        return self in (Belonging.SEPARATED, Belonging.UNLISTED, Belonging.CLOSED)

    @property
    def words(self) -> str:
        if self is Belonging.SHARED:
            return "the list shows everybody's objects to everybody"
        return "everyone can read it anyway" if self is Belonging.PUBLIC else "no list showed whose it is"


def sharing(marker: str, own_id: str, own: Exchange | None, others: Exchange | None) -> Belonging:
    """From the two lists, as its owner and as the peer got them."""
    if own is None or others is None or not shows(own, marker, own_id):
        return Belonging.UNCLEAR
    return Belonging.SHARED if shows(others, marker, own_id) else Belonging.SEPARATED


def shows(listing: Exchange, marker: str, own_id: str) -> bool:
    """Whether a list holds the object: its marker, or its identifier as a value of its own."""
    if listing.outcome is not Outcome.OK:
        return False
    if marker and marker in listing.body:
        return True
    try:
        return bool(own_id) and _holds(json.loads(listing.body), own_id, 0)
    except ValueError:
        return False


def id_in(path: str) -> str:
    """The identifier at the end of a path."""
    return unquote(path.partition("?")[0].rstrip("/").rpartition("/")[2])


def _holds(value: Any, own_id: str, depth: int) -> bool:
    if isinstance(value, list):
        return any(_holds(item, own_id, depth) for item in value)
    if not isinstance(value, dict) or depth > _DEPTH_MAX:
        return False
    named = (inner for name, inner in value.items() if str(name).lower() in _IDENTIFYING)
    return any(str(inner) == own_id for inner in named) or any(
        _holds(inner, own_id, depth + 1) for inner in value.values() if isinstance(inner, dict | list)
    )


def is_evidence(own: Exchange, other: Exchange, marker: str) -> bool:
    """Whether another's answer shows the owner's object: by its marker, or by being the same to the letter.

    A marker that stands in the path proves nothing, for any answer may repeat the path."""
    if other.outcome is not Outcome.OK or other.status is None or other.status >= 300:
        return False
    if marker and marker in own.body and marker not in other.path:
        return marker in other.body
    own_id = id_in(own.path)
    return bool(own_id) and own_id in own.body and own.body == other.body


def names_owner(exchange: Exchange) -> bool:
    """Whether the object itself says that it belongs to somebody."""
    try:
        value = json.loads(exchange.body)
    except ValueError:
        return False
    return _names_owner(value, 0)


def _names_owner(value: Any, depth: int) -> bool:
    if isinstance(value, list):
        return bool(value) and depth <= _DEPTH_MAX and _names_owner(value[0], depth + 1)
    if not isinstance(value, dict) or depth > _DEPTH_MAX:
        return False
    return any(_is_owning(str(name)) or _names_owner(inner, depth + 1) for name, inner in value.items())


def _is_owning(name: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(name)]
    return bool(words) and (words[0] in _OWNING or "".join(words[:2]) in _OWNING)
