"""Endpoints as a list, and traces as trees: what `nines trace` shows."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from nines.model.effect import Condition, Effect, Known
from nines.model.service import Endpoint
from nines.model.trace import Trace

Pairs = Sequence[tuple[Endpoint, Trace | None]]

_BLIND_MAX = 20
"""Places that were not understood, shown per trace."""
_CONDITIONS_MAX = 3
"""Conditions, new against the line before, that one effect shows; the others are counted."""
_CONDITION_WIDTH = (28, 60)
"""Characters of a condition, at 80 columns and at 140."""
_WIDE = 110
"""Columns from which a listing has room for handlers."""


def listing(pairs: Pairs, *, width: int, is_coloured: bool) -> str:
    """One line for each endpoint: what it is, where it is, what guards it, how much it does."""
    table = Table(box=None, pad_edge=False)
    table.add_column("endpoint", overflow="fold")
    if width >= _WIDE:
        table.add_column("handler", overflow="fold")
    table.add_column("place", no_wrap=True)
    table.add_column("guards", overflow="fold")
    table.add_column("effects", justify="right")
    table.add_column("blind", justify="right")
    for endpoint, trace in pairs:
        guards = ", ".join(dict.fromkeys(_short(guard.name) for guard in endpoint.guards))
        guards += "" if endpoint.guards_known else " ?"
        handler = [_short(endpoint.function)] if width >= _WIDE else []
        counts = (str(len(trace.effects)), str(len(trace.blind) or "")) if trace else ("-", "-")
        table.add_row(
            *map(Text, (endpoint.id, *handler, _left_cut(str(endpoint.place), width // 4), guards.strip(), *counts))
        )
    return f"{_text(table, width, is_coloured)}\n\n{textwrap.fill(_summary(pairs), width)}"


def _left_cut(text: str, limit: int) -> str:
    """The end of a path says more than its beginning."""
    return text if len(text) <= limit else "…" + text[len(text) - limit + 1 :]


def _summary(pairs: Pairs) -> str:
    effects = sum(len(trace.effects) for _, trace in pairs if trace)
    unknown = sum(1 for endpoint, _ in pairs if not endpoint.guards_known)
    blind = sum(1 for _, trace in pairs if trace and trace.blind)
    parts = [f"{len(pairs)} entry points with {effects} effects"]
    parts += [f"in {blind} of them something was not understood (blind)"] if blind else []
    parts += [f"the guards of {unknown} are not known for certain (?)"] if unknown else []
    return "; ".join(parts)


def traces(pairs: Pairs, *, width: int, is_coloured: bool) -> str:
    """One tree for each endpoint: calls are branches, effects are leaves, in order."""
    return "\n\n".join(_text(_tree(endpoint, trace, width), width, is_coloured) for endpoint, trace in pairs)


def _text(shown: Table | Tree, width: int, is_coloured: bool) -> str:
    buffer = io.StringIO()
    Console(file=buffer, width=width, force_terminal=is_coloured, no_color=not is_coloured, highlight=False).print(
        shown
    )
    return "\n".join(line.rstrip() for line in buffer.getvalue().rstrip("\n").splitlines())


def _short(name: str) -> str:
    """A qualified name without its module, as far as spelling tells: what stands beside it says the file."""
    parts = name.split(".")
    has_class = len(parts) > 1 and parts[-2][:1].isupper()
    return ".".join(parts[-2:] if has_class else parts[-1:])


def _tree(endpoint: Endpoint, trace: Trace | None, width: int) -> Tree:
    title = Text.assemble((endpoint.id, "bold"), f"  {_short(endpoint.function)}  ", (str(endpoint.place), "dim"))
    root = Tree(title, guide_style="dim")
    _add_guards(root, endpoint)
    if trace is None:
        root.add(Text("no trace", style="dim"))
        return root
    open_calls: list[tuple[str, Tree]] = []
    before: tuple[Condition, ...] = ()
    for effect in trace.effects:
        names = [f"{step.function}@{step.place}" for step in effect.path]
        shared = 0
        while shared < min(len(names), len(open_calls)) and open_calls[shared][0] == names[shared]:
            shared += 1
        del open_calls[shared:]
        for name, step in list(zip(names, effect.path, strict=True))[shared:]:
            parent = open_calls[-1][1] if open_calls else root
            label = Text.assemble(_short(step.function), ("  called at " + str(step.place), "dim"))
            open_calls.append((name, parent.add(label)))
        (open_calls[-1][1] if open_calls else root).add(_leaf(effect, before, width))
        before = effect.conditions
    if not trace.effects:
        root.add(Text("no effect was found", style="dim"))
    _add_blind(root, trace)
    return root


def _add_guards(root: Tree, endpoint: Endpoint) -> None:
    """One line for each guard, with everything that it establishes."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for guard in endpoint.guards:
        found = kinds.setdefault((guard.name, str(guard.place or "")), [])
        if guard.kind.value not in found:
            found.append(guard.kind.value)
    for (name, place), established in kinds.items():
        words = " and ".join(established).replace("_", " ")
        root.add(Text.assemble((f"{words}: ", "green"), _short(name), (f"  {place}", "dim")))
    if not endpoint.guards_known:
        root.add(Text("guards: not everything that may turn callers away was understood", style="yellow"))


def _leaf(effect: Effect, before: tuple[Condition, ...], width: int) -> Text:
    words = " ".join(part for part in (effect.action, effect.target) if part) or effect.text
    leaf = Text.assemble((effect.kind.value.replace("_", " "), "bold"), f"  {words}")
    for context in (*_contexts(effect), *_conditions(effect, before, width)):
        leaf.append(f"  [{context}]", style="cyan")
    leaf.append(f"  {effect.place or ''}", style="dim")
    return leaf


def _conditions(effect: Effect, before: tuple[Condition, ...], width: int) -> list[str]:
    """What must hold beyond what had to hold for the effect before; of many, the innermost."""
    known = {(condition.branch, condition.arm) for condition in before}
    limit = _CONDITION_WIDTH[width >= _WIDE]
    fresh = [condition for condition in effect.conditions if (condition.branch, condition.arm) not in known]
    new = list(dict.fromkeys(_condition(condition, limit) for condition in fresh))
    if len(new) <= _CONDITIONS_MAX:
        return new
    return [f"{len(new) - _CONDITIONS_MAX} conditions", *new[-_CONDITIONS_MAX:]]


def _condition(condition: Condition, limit: int) -> str:
    """Arm 0 of a branch is taken when its test holds, arm 1 when it does not; a match has more of them."""
    if not condition.text:
        return f"branch {condition.arm + 1}"
    text = " ".join(condition.text.split())
    word = ("if", "unless")[condition.arm] if condition.arm < 2 else f"case {condition.arm + 1} of"
    if word == "unless" and text.startswith("not ") and not re.search(r" (and|or) ", text):
        word, text = "if", text.removeprefix("not ")
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return text if text.startswith("except") or text == "no error" else f"{word} {text}"


def _contexts(effect: Effect) -> list[str]:
    found = []
    if effect.transaction is not None:
        found.append(f"transaction {effect.transaction + 1}")
    found += ["loop" if loop.iterations_max is None else f"loop of {loop.iterations_max}" for loop in effect.loops]
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
