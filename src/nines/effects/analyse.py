"""The whole analysis: link, register, interpret, unfold."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nines.effects.entries.boot import boot
from nines.effects.entries.build import entries
from nines.effects.entries.framework_views import framework_entries
from nines.effects.entries.hooks import note_hooks
from nines.effects.interpret.assembly import INTERPRETER
from nines.effects.interpret.database.mapping import every_mapped
from nines.effects.interpret.naming.resolve import resolve_base
from nines.effects.interpret.state.world import World
from nines.effects.limits import PYTHON_STACK
from nines.effects.link.frameworks import LinkedWithFrameworks
from nines.effects.remember import Memory, Share
from nines.effects.signatures import load
from nines.effects.tables import tables
from nines.model.code import Program
from nines.model.service import Service
from nines.model.statement import ReadStatement
from nines.model.trace import Blind


@dataclass(slots=True)
class Memo:
    """What one analysis remembers for the next. Under another `stamp` nothing is used; bytes that nobody but this
    package has written must be handed in."""

    stamp: bytes = b""
    content: bytes = b""
    reused: int = 0
    """How many groups of entry points were told from memory."""


def analyse(
    program: Program,
    *,
    read_statement: ReadStatement,
    signatures: Mapping[str, Any] | None = None,
    name: str = "",
    memo: Memo | None = None,
    share: Share | None = None,
) -> Service:
    """Predicts what every entry point of a program does; raises SignatureError for a broken signature.

    `memo` is read, and holds afterwards what the next analysis may use; `share` may do parts of the
    work in other processes. The service is the same with them and without."""
    memo = memo or Memo()
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, PYTHON_STACK))
    collects = gc.isenabled()
    # Nearly everything that is made here is kept to the end: looking for garbage again and again finds none.
    gc.disable()
    try:
        memory = Memory(program, memo.content, memo.stamp, signatures)
        service = memory.whole(name)
        if service is None:
            world = make_world(program, read_statement, signatures)
            memory.enter(world)
            service, memo.content = _analyse(world, program, name, memory, share)
        memo.reused = memory.reused
        return service
    finally:
        sys.setrecursionlimit(before)
        if collects:
            gc.enable()


def make_world(program: Program, read_statement: ReadStatement, signatures: Mapping[str, Any] | None = None) -> World:
    """The linked project with the signatures, ready to be interpreted."""
    linked = LinkedWithFrameworks(program)
    world = World(linked, load(signatures), read_statement, INTERPRETER)
    world.named = {statement.name: statement for statement in program.statements}
    linked.resolve_base = lambda info, expression: resolve_base(world, info, expression)
    return world


def _analyse(world: World, program: Program, name: str, memory: Memory, share: Share | None) -> tuple[Service, bytes]:
    """The service, and what the next analysis may remember."""
    boot(world, memory.registering)
    every_mapped(world)
    world.booted = dict(world.shared)
    note_hooks(world)
    world.booted = dict(world.shared)
    memory.begin(repr(sorted((key, repr(value)) for key, value in world.booted.items())))
    if share is not None:
        memory.share(share, lambda: (framework_entries(world, memory.tell), entries(world, memory.tell)))
    found = framework_entries(world, memory.tell)
    told = [*entries(world, memory.tell), *found.entries.values()]
    blind: list[Blind] = [*found.blind]
    if memory.unresolved:
        resolved = 100.0 * (memory.calls - min(memory.unresolved, memory.calls)) / max(memory.calls, 1)
        blind.append(Blind(reason=f"{resolved:.1f} % of {memory.calls} calls were resolved", text="calls"))
    service = Service(
        name=name,
        root=program.root,
        endpoints=tuple(each.endpoint for each in told),
        traces=tuple(each.trace for each in told),
        tables=tables(world),
        blind=tuple(blind),
    )
    return service, memory.encoded(told, service)
