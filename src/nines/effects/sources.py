"""Where a value comes from, before the effects of a trace are numbered."""

from __future__ import annotations

from typing import NamedTuple

from nines.model.origin import OriginKind


class Source(NamedTuple):
    """An origin before its effect has an index: `token` names the effect within the function that had it."""

    kind: OriginKind
    name: str = ""
    location: str = ""
    token: int = 0
    sanitised: tuple[str, ...] = ()
    slot: int = 0
    """Above 0: stands for a source that the caller of the function knows."""


Sources = tuple[Source, ...]
NO_SOURCES: Sources = ()
