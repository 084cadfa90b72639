"""Endpoints as a list, and traces as trees: what `nines trace` shows."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from nines.model.effect import Effect, Known
from nines.model.service import Endpoint
from nines.model.trace import Trace

Pairs = Sequence[tuple[Endpoint, Trace | None]]

_BLIND_MAX = 20
"""Places that were not understood, shown per trace."""


def listing(pairs: Pairs, *, width: int, is_coloured: bool) -> str:
    """One line for each endpoint: what it is, where it is, how much it does."""
    table = Table(box=None, pad_edge=False)
    for heading in ("endpoint", "handler", "guards", "effects", "not understood"):
        table.add_column(heading, overflow="fold")
    for endpoint, trace in pairs:
        guards = ", ".join(dict.fromkeys(guard.name for guard in endpoint.guards))
        guards += "" if endpoint.guards_known else " ?"
        effects = str(len(trace.effects)) if trace else "-"
        blind = str(len(trace.blind)) if trace else "-"
        table.add_row(endpoint.id, f"{endpoint.function} {endpoint.place}", guards, effects, blind)
    return _text(table, width, is_coloured)


def traces(pairs: Pairs, *, width: int, is_coloured: bool) -> str:
    """One tree for each endpoint: calls are branches, effects are leaves, in order."""
    return "\n".join(_text(_tree(endpoint, trace), width, is_coloured) for endpoint, trace in pairs)


def _text(shown: Table | Tree, width: int, is_coloured: bool) -> str:
    buffer = io.StringIO()
    Console(file=buffer, width=width, force_terminal=is_coloured, no_color=not is_coloured, highlight=False).print(
        shown
    )
    return buffer.getvalue().rstrip("\n")


def _tree(endpoint: Endpoint, trace: Trace | None) -> Tree:
    title = Text.assemble((endpoint.id, "bold"), f"  {endpoint.function}  ", (str(endpoint.place), "dim"))
    root = Tree(title, guide_style="dim")
    for guard in endpoint.guards:
        root.add(Text.assemble(f"{guard.kind.value}: ", guard.name, ("  " + str(guard.place or ""), "dim")))
    if trace is None:
        root.add(Text("no trace", style="dim"))
        return root
    open_calls: list[tuple[str, Tree]] = []
    for effect in trace.effects:
        names = [f"{step.function}@{step.place}" for step in effect.path]
        shared = 0
        while shared < min(len(names), len(open_calls)) and open_calls[shared][0] == names[shared]:
            shared += 1
        del open_calls[shared:]
        for name, step in list(zip(names, effect.path, strict=True))[shared:]:
            parent = open_calls[-1][1] if open_calls else root
            label = Text.assemble(step.function, ("  called at " + str(step.place), "dim"))
            open_calls.append((name, parent.add(label)))
        (open_calls[-1][1] if open_calls else root).add(_leaf(effect))
    _add_blind(root, trace)
    return root


def _leaf(effect: Effect) -> Text:
    words = " ".join(part for part in (effect.action, effect.target) if part) or effect.text
    leaf = Text.assemble((effect.kind.value.replace("_", " "), "bold"), f"  {words}")
    for context in _contexts(effect):
        leaf.append(f"  [{context}]", style="cyan")
    leaf.append(f"  {effect.place or ''}", style="dim")
    return leaf


def _contexts(effect: Effect) -> list[str]:
    found = []
    if effect.transaction is not None:
        found.append(f"transaction {effect.transaction}")
    found += ["loop" if loop.iterations_max is None else f"loop of {loop.iterations_max}" for loop in effect.loops]
    found += [
        f"if {condition.text}" if condition.text else f"branch {condition.arm}" for condition in effect.conditions
    ]
    if effect.deadline.known is Known.MISSING:
        found.append("no deadline")
    elif effect.deadline.duration_s is not None:
        found.append(f"deadline {effect.deadline.duration_s:g} s")
    found += ["retried"] if effect.retries else []
    found += ["locks rows"] if effect.locks_rows else []
    found += ["lazy"] if effect.is_lazy else []
    found += ["blocks the event loop"] if effect.blocks_thread and effect.on_event_loop else []
    found += ["after the response"] if effect.after_response else []
    found += ["text from the caller"] if effect.text_origins else []
    return found


def _add_blind(root: Tree, trace: Trace) -> None:
    if not trace.blind:
        return
    branch = root.add(Text(f"not understood: {len(trace.blind)}", style="yellow"))
    for blind in trace.blind[:_BLIND_MAX]:
        branch.add(Text.assemble(f"{blind.reason}: {blind.text}", ("  " + str(blind.place or ""), "dim")))
    if len(trace.blind) > _BLIND_MAX:
        branch.add(f"and {len(trace.blind) - _BLIND_MAX} more")
