"""A conversation with a model, whichever protocol carries it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from nines.model.errors import NinesError
from nines.model.record import Record


class ModelError(NinesError):
    """A model that cannot be asked, or does not answer."""


class Called(Record):
    """A tool that the model wants to be called."""

    id: str
    name: str
    arguments: dict[str, Any] | None
    """None: what it wrote is no JSON object."""


class Returned(Record):
    """What a tool gave back, made harmless."""

    id: str
    text: str
    is_error: bool = False


class Turn(Record):
    """One turn: what was said, what the model wants called, or what the tools returned."""

    is_ours: bool
    text: str = ""
    calls: tuple[Called, ...] = ()
    results: tuple[Returned, ...] = ()


class Reply(Record):
    """What the model answered, and the tokens that it took."""

    text: str
    calls: tuple[Called, ...]
    tokens: int


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A tool that the model may call; `call` raises NinesError where it cannot be used so."""

    name: str
    says: str
    schema: dict[str, Any]
    call: Callable[[dict[str, Any]], Awaitable[str]]


class Speaker(Protocol):
    """One protocol to one model."""

    async def say(
        self, system: str, turns: Sequence[Turn], tools: Sequence[Offered], *, tokens_max: int, timeout_s: float
    ) -> Reply:
        """The next reply; raises ModelError."""
        ...

    async def close(self) -> None: ...
