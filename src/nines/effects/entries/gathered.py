"""What the parameters, dependencies and guards of one entry point have shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from nines.effects.interpret.state.frame import Frame
from nines.effects.values import (
    ClassThing,
    ContainerThing,
    FunctionThing,
    InstanceThing,
    ObjectThing,
    Source,
    Value,
    merge_sources,
)
from nines.model.origin import OriginKind
from nines.model.place import Place
from nines.model.service import EndpointParameter, Guard, GuardKind

_PLACEHOLDER = re.compile(r"\{(\w+)[^}]*\}|<(?:[\w.]+(?:\([^)]*\))?:)?(\w+)>|\(\?P<(\w+)>")


@dataclass(slots=True)
class Gathered:
    """What the parameters and dependencies of one entry point have shown."""

    parameters: dict[str, EndpointParameter] = field(default_factory=dict)
    guards: dict[tuple[str, str], Guard] = field(default_factory=dict)
    guards_known: bool = True
    cache: dict[object, Value] = field(default_factory=dict)
    depth: int = 0


def path_names(path: str) -> list[str]:
    """The names of a path's placeholders, in any framework's notation."""
    return [one or two or three for one, two, three in _PLACEHOLDER.findall(path)]


def add_guards(gathered: Gathered, kinds: str, name: str, place: Place | None) -> None:
    """Notes what a signature says that something guards against, one kind for each word."""
    for kind in kinds.split():
        gathered.guards[(kind, name)] = Guard(kind=GuardKind(kind), name=name, place=place)


def note_guard(frame: Frame, function: Value, value: Value, gathered: Gathered) -> Value:
    """Notes what a dependency establishes; what an authentication gives back is the principal."""
    kinds = guard_kinds(frame.facts)
    thing = function.thing
    place: Place | None = None
    name = ""
    if isinstance(thing, FunctionThing) or isinstance(thing, ClassThing | InstanceThing):  # noqa: SIM101
        name, place = thing.info.qualified, thing.info.place
    elif isinstance(thing, ObjectThing):
        name = thing.type
    for kind in kinds:
        gathered.guards.setdefault((kind.value, name), Guard(kind=kind, name=name, place=place))
    return principal(value, name.rpartition(".")[2]) if GuardKind.AUTHENTICATION in kinds else value


def principal(value: Value, name: str) -> Value:
    """The value as established by authentication."""
    kept = tuple(s for s in value.sources if s.kind not in (OriginKind.CALLER, OriginKind.UNKNOWN))
    sources = merge_sources(kept, (Source(OriginKind.PRINCIPAL, name),))
    thing = value.thing
    if isinstance(thing, InstanceThing) and not thing.row:
        fields = tuple((key, principal(held, name)) for key, held in thing.fields)
        thing = InstanceThing(thing.info, fields, thing.row, thing.eager, thing.connection)
    if isinstance(thing, ContainerThing):
        fields = tuple((key, principal(held, name)) for key, held in thing.fields)
        entries = None if thing.entries is None else tuple(principal(e, name) for e in thing.entries)
        items = None if thing.items is None else principal(thing.items, name)
        thing = ContainerThing(thing.kind, items, fields, entries, thing.is_open)
    return Value(thing, sources, value.constant)


def guard_kinds(facts: set[str]) -> list[GuardKind]:
    """What the facts gathered in a function amount to."""
    kinds: list[GuardKind] = []
    if "authentication" in facts:
        kinds.append(GuardKind.AUTHENTICATION)
    elif "signature" in facts:
        kinds.append(GuardKind.SIGNATURE)
    elif {"credential", "refuses"} <= facts:
        kinds.append(GuardKind.AUTHENTICATION)
    if "authorisation" in facts or ("decides" in facts and "refuses" in facts):
        kinds.append(GuardKind.AUTHORISATION)
    if "rate_limit" in facts:
        kinds.append(GuardKind.RATE_LIMIT)
    return kinds
