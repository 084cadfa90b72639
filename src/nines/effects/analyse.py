"""The whole analysis: link, register, interpret, unfold."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping
from typing import Any

from nines.effects.entries.boot import boot
from nines.effects.entries.build import entries
from nines.effects.entries.framework_views import framework_entries
from nines.effects.interpret import expressions, stages, statements
from nines.effects.interpret.resolve import resolve_base
from nines.effects.interpret.world import World
from nines.effects.limits import PYTHON_STACK
from nines.effects.link.frameworks import LinkedWithFrameworks
from nines.effects.signatures import load
from nines.effects.tables import tables
from nines.effects.unfold import unfold
from nines.effects.unfold.relocate import relocated
from nines.model.code import Program
from nines.model.service import Service
from nines.model.statement import ReadStatement
from nines.model.trace import Blind

_LOADED = (expressions, stages, statements)


def analyse(
    program: Program,
    *,
    read_statement: ReadStatement,
    signatures: Mapping[str, Any] | None = None,
    name: str = "",
) -> Service:
    """Predicts what every entry point of a program does; raises SignatureError for a broken signature."""
    world = make_world(program, read_statement, signatures)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, PYTHON_STACK))
    collects = gc.isenabled()
    # Nearly everything that is made here is kept to the end: looking for garbage again and again finds none.
    gc.disable()
    try:
        return _analyse(world, program, name)
    finally:
        sys.setrecursionlimit(before)
        if collects:
            gc.enable()


def make_world(program: Program, read_statement: ReadStatement, signatures: Mapping[str, Any] | None = None) -> World:
    """The linked project with the signatures, ready to be interpreted."""
    linked = LinkedWithFrameworks(program)
    world = World(linked, load(signatures), read_statement)
    world.named = {statement.name: statement for statement in program.statements}
    linked.resolve_base = lambda info, expression: resolve_base(world, info, expression)
    return world


def _analyse(world: World, program: Program, name: str) -> Service:
    boot(world)
    world.calls = world.unresolved = 0
    endpoints = []
    traces = []
    found = framework_entries(world)
    for entry in (*entries(world), *found.entries.values()):
        endpoints.append(entry.endpoint)
        trace = unfold(entry.endpoint.id, entry.nodes, mode=entry.mode, returned=entry.returned)
        traces.append(relocated(trace, entry.endpoint.place))
    blind: list[Blind] = [*found.blind]
    if world.unresolved:
        share = 100.0 * (world.calls - min(world.unresolved, world.calls)) / max(world.calls, 1)
        blind.append(Blind(reason=f"{share:.1f} % of {world.calls} calls were resolved", text="calls"))
    return Service(
        name=name,
        root=program.root,
        endpoints=tuple(endpoints),
        traces=tuple(traces),
        tables=tables(world),
        blind=tuple(blind),
    )
