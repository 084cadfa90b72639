"""How objects of a graph hang together: by whose identifiers they are read, and behind which operation's guards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from nines_runtime.web.call import Call


class Found(msgspec.Struct, frozen=True):
    """One object that was read."""

    value: Any
    """The Struct that callers see."""
    version: int | None = None


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How objects of a type are read by their identifiers: all of them with one statement."""

    type: str
    operation: str
    """Reads one of them; whoever may not carry it out gets none of them either."""
    fetch: Callable[[Any, Call, list[str]], Awaitable[Sequence[Found]]]
    """Takes the service, the call and the identifiers; what is not there, or not the caller's to see, it leaves out."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A field that is another object, by the identifier (or the list of them) that a member holds."""

    type: str
    field: str
    member: str
    """As the body has it: "account_id"."""
    load: Load


class Children(msgspec.Struct, frozen=True, kw_only=True):
    """A field that is a list of objects which refer to this one; its argument `first` says how many."""

    type: str
    field: str
    member: str
    """Of the children, what holds the identifier of this object: "order_id"."""
    operation: str
    """Lists them."""
    fetch: Callable[[Any, Call, list[str], int], Awaitable[Sequence[Found]]]
    """Takes the service, the call, the identifiers of the parents, and how many each gets at most."""
    first: int = 10
    first_max: int = 200
