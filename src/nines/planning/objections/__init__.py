"""Why a blueprint cannot hold: one module for each objection, found by being there."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection

_HEAD = """\
# What speaks against a blueprint

`nines design` reads a blueprint, reckons, and refuses what cannot hold; lesser things are told as warnings. Each
objection names its place, shows its arithmetic, and offers two ways out or more, with what each gains and costs. This
page is made from the objections themselves (`nines design --objections`).
"""

Objector = Callable[[Blueprint], Iterator[Objection]]


@functools.cache
def objectors() -> tuple[tuple[str, Objector], ...]:
    """The code of each objection with the function that raises it, in the order of the codes."""
    found = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple((name.replace("_", "-"), importlib.import_module(f"{__name__}.{name}").object_to) for name in found)


def object_to(blueprint: Blueprint) -> tuple[Objection, ...]:
    """Everything that speaks against the blueprint: what is fatal first, then in the order of the file."""
    found = [objection for _, raise_ in objectors() for objection in raise_(blueprint)]
    return tuple(sorted(found, key=_order))


@functools.cache
def titles() -> tuple[tuple[str, str], ...]:
    """The code of each objection with what it says, in a sentence."""
    return tuple(
        (code, " ".join((importlib.import_module(raise_.__module__).__doc__ or "").split()))
        for code, raise_ in objectors()
    )


def page() -> str:
    """Markdown: every objection with what it says, for people who want to know what is looked for."""
    rows = [f"| `{code}` | {title} |" for code, title in titles()]
    return "\n".join([_HEAD, "| objection | raised where |", "|---|---|", *rows, ""])


def _order(objection: Objection) -> tuple[bool, int, int, str, str]:
    line, _, column = objection.where.rpartition(":")
    line = line.rpartition(":")[2]
    is_placed = line.isdigit() and column.isdigit()
    at = (int(line), int(column)) if is_placed else (0, 0)
    return (not objection.is_fatal, *at, objection.code, objection.path)
