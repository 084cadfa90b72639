"""One call of a described function or method, as the stages and machinery see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.state.world import World
from nines.effects.signatures import CallSignature
from nines.effects.values import NO_SOURCES, InstanceThing, ObjectThing, Sources, Value, deep_sources, merge_sources
from nines.model.place import Place


@dataclass(slots=True)
class LibraryCall:
    """One call of a described function or method."""

    frame: Frame
    name: str
    signature: CallSignature
    receiver: Value | None
    arguments: list[Value]
    keywords: dict[str, Value]
    bound: dict[str, Value]
    line: int
    column: int
    changed: dict[str, Value]

    @property
    def world(self) -> World:
        return self.frame.world

    @property
    def place(self) -> Place:
        return self.frame.place(self.line, self.column)

    @property
    def library(self) -> str:
        return self.world.signatures.libraries.get(self.name, "")

    def argument(self, text: str) -> Value | None:
        """A signature's reference to an argument, with or without its leading "@"."""
        return self.bound.get(text.removeprefix("@")) if text else None

    @property
    def sources(self) -> Sources:
        """Where the result of a harmless call comes from: its receiver and what it was given."""
        chosen = self.signature.passes
        values = [self.bound[name] for name in chosen if name in self.bound] if chosen else list(self.bound.values())
        own = self.receiver.sources if self.receiver is not None else NO_SOURCES
        return merge_sources(own, *(deep_sources(value) for value in values))

    @property
    def connection(self) -> str:
        return connection_of(self.world, self.receiver)


Mechanism = Callable[[LibraryCall], Value]


def connection_of(world: World, receiver: Value | None) -> str:
    """Which session or connection an object speaks through."""
    thing = receiver.thing if receiver is not None else None
    if isinstance(thing, ObjectThing):
        if thing.query is not None and thing.query.connection:
            return thing.query.connection
        name = world.signatures.trait(thing.type, "connection_name")
        return str(name) if name else thing.site or thing.type
    if isinstance(thing, InstanceThing):
        if thing.connection:
            return thing.connection
        for base in world.linked.ancestry(thing.info)[1]:
            name = world.signatures.trait(base, "connection_name")
            if name:
                return str(name)
    return ""
