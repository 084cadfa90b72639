"""The part of the plan that tells what was decided, and what is still open."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable

from msgspec.structs import replace

from nines.model.design import Decision, Design
from nines.planning.decisions import concerns
from nines.planning.decisions.gaps import gaps

Decider = Callable[[Design], Decision | None]


@functools.cache
def deciders() -> tuple[Decider, ...]:
    """One for each concern, by number."""
    modules = (
        importlib.import_module(f"{concerns.__name__}.{m.name}") for m in pkgutil.iter_modules(concerns.__path__)
    )
    return tuple(module.decide for module in sorted(modules, key=lambda module: int(module.NUMBER)))


def decisions(design: Design) -> Design:
    """The design with a decision for each concern that it really has, and the questions that stay open."""
    found = tuple(decision for decide in deciders() if (decision := decide(design)) is not None)
    if design.is_recovered:
        # What follows from a choice was made by others: code shows that they chose, not what they made of it.
        found = tuple(replace(decision, consequences=()) for decision in found)
    return replace(design, decisions=found, gaps=(*design.gaps, *gaps(design)))
