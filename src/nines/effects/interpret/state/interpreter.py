"""The parts of the interpreter that call one another: handed down with the world, so that none has to know the others.

An expression is a call, a call runs a body, a body is statements and expressions again. Each part enters the next
through `entrances`; only `assembly`, above all of them, knows who answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nines.effects.mapped import Mapped
from nines.effects.values import Value


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What `entrances` and the calls of libraries look up."""

    evaluators: Mapping[type, Callable[..., Value]]
    """For each kind of expression."""
    executors: Mapping[type, Callable[..., str]]
    """For each kind of statement; they say how it ends."""
    call: Callable[..., Value]
    attribute: Callable[..., Value]
    table: Callable[..., Mapped | None]
    """What a class is mapped to."""
    stages: tuple[Callable[..., Value | None], ...]
    """What a library's call may do, asked in order; the first that answers gives the value."""
    mechanisms: Mapping[str, Callable[..., Value]]
    """What a signature may name in `mechanism`."""
