"""One file per coding agent: TITLE and `pieces(scope, command)`; being here is enough."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from nines.personas.piece import Piece, Scope


@dataclass(frozen=True, kw_only=True)
class Target:
    """A coding agent for which something is installed."""

    name: str
    title: str
    pieces: Callable[[Scope, str], tuple[Piece, ...]]
    """Of a scope, with the command that starts nines; () where the agent has no place for it."""


@functools.cache
def discover() -> tuple[Target, ...]:
    """Every target, sorted by name."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    modules = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return tuple(
        Target(name=name.replace("_", "-"), title=module.TITLE, pieces=module.pieces)
        for name, module in modules.items()
    )
