"""An entry point with its tree, and what every kind of them needs while it is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from nines.effects.entries.gathered import Gathered, guard_kinds
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.state.world import World
from nines.effects.link import ClassInfo, FunctionInfo, ModuleInfo
from nines.effects.nodes import CallNode, Node
from nines.effects.packing import Told
from nines.effects.values import Sources
from nines.model.service import Endpoint, Guard, GuardKind

_FLASK_PATH = re.compile(r"<(?:[\w.]+(?:\([^)]*\))?:)?(\w+)>")
_SLASHES = re.compile(r"/{2,}")


@dataclass(slots=True)
class Entry:
    """An endpoint with the tree that unfolds into its trace."""

    endpoint: Endpoint
    nodes: list[Node] = field(default_factory=list)
    returned: Sources = ()
    mode: str = ""


Tell = Callable[[str, Callable[[], Iterable[Entry]]], list[Told]]
"""Makes the entry points of one unit and tells what they do; the text names all that the unit depends on, but for
the modules that it looks at."""


def joined_path(*parts: str) -> str:
    path = _FLASK_PATH.sub(r"{\1}", "".join(parts))
    return _SLASHES.sub("/", path if path.startswith("/") else f"/{path}")


def path_labels(path: str, name: str) -> tuple[str, ...]:
    """What a path converter guarantees: `<int:id>` is a number."""
    match = re.search(rf"<(\w+):{re.escape(name)}>", path) or re.search(rf"\{{{re.escape(name)}:(\w+)\}}", path)
    kind = match[1] if match else ""
    return (kind,) if kind in ("int", "uuid", "float", "slug") else ()


_ROOTS: dict[int, list[Node]] = {}


def entry_frame(world: World, module: ModuleInfo, line: int) -> Frame:
    """A frame in which the framework's own steps stand; its first list of nodes is the whole tree."""
    world.start_entry()
    world.stack.clear()
    world.levels.clear()
    frame = Frame(world, module)
    frame.line = line
    _ROOTS[id(frame)] = frame.nodes
    return frame


def root_nodes(frame: Frame) -> list[Node]:
    return _ROOTS.pop(id(frame))


def flattened(nodes: list[Node], info: FunctionInfo) -> list[Node]:
    """The handler itself is where the trace starts, not a call on the way."""
    for node in nodes:
        if isinstance(node, CallNode) and node.function == info.qualified:
            node.is_step = False
    return nodes


def note_own_guard(frame: Frame, info: FunctionInfo | ClassInfo, gathered: Gathered) -> None:
    """What the handler or its decorators check themselves."""
    for kind in guard_kinds(frame.facts):
        guard = Guard(kind=kind, name=info.qualified, place=info.place)
        if not any(each.kind is kind for each in gathered.guards.values()):
            gathered.guards[(kind.value, info.qualified)] = guard
    is_told = any(g.kind is GuardKind.AUTHORISATION or g.name == info.qualified for g in gathered.guards.values())
    if "denies" in frame.facts and not is_told:
        # Somebody is turned away by a test that was not understood.
        gathered.guards_known = False


def cut_short(error: BaseException) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else "work limit reached"
