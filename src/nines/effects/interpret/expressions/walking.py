"""Walking over something: one element stands for all, and what is done meanwhile is repeated."""

from __future__ import annotations

from nines.effects.interpret.database.fetching import materialise
from nines.effects.interpret.state.entrances import attribute, call
from nines.effects.interpret.state.frame import Frame
from nines.effects.nodes import LoopNode, Node
from nines.effects.values import ContainerThing, InstanceThing, ObjectThing, Sources, Value, element_of
from nines.model.origin import OriginKind
from nines.model.place import Place


def bound_of(value: Value) -> int | None:
    """How many elements there are at most, when all of them are known."""
    thing = value.thing
    if isinstance(thing, ContainerThing) and thing.entries is not None and thing.items is None and not thing.is_open:
        return len(thing.entries)
    return None


def walk(frame: Frame, iterable: Value, line: int, column: int = 1) -> tuple[Value, Sources]:
    """One element of what is walked, and the sources that decide how often."""
    thing = iterable.thing
    if isinstance(thing, InstanceThing) and not thing.row:
        method = frame.world.linked.find_method(thing.info, "__iter__") or frame.world.linked.find_method(
            thing.info, "__aiter__"
        )
        if method is not None:
            bound = attribute(frame, iterable, method.short, line, column)
            iterable = call(frame, bound, [], {}, line, column)
    value = materialise(frame, iterable, line, column)
    if isinstance(value.thing, ObjectThing) and value.thing.query is not None:
        value = materialise(frame, iterable, line, column, awaited=True)
    if isinstance(value.thing, ObjectThing) and value.thing.items is None:
        items = frame.world.signatures.trait(value.thing.type, "items")
        if isinstance(items, str):
            return Value(ObjectThing(items), value.sources), value.sources
    return element_of(value), value.sources


def note_loop(frame: Frame, nodes: list[Node], place: Place, sources: Sources, bound: int | None) -> None:
    if nodes:
        frame.nodes.append(LoopNode(nodes, place, telling(sources), bound))


def telling(sources: Sources) -> Sources:
    return tuple(source for source in sources if source.kind is not OriginKind.CONSTANT)
