"""What an expression may be: a thing (class, function, library object, row ...), where it comes from, and its constant."""  # noqa: E501

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Any

from nines.effects.limits import ALTERNATIVES_MAX, FIELDS_MAX, SOURCES_MAX
from nines.effects.sources import NO_SOURCES as NO_SOURCES  # noqa: PLC0414
from nines.effects.sources import Source as Source  # noqa: PLC0414
from nines.effects.sources import Sources as Sources  # noqa: PLC0414
from nines.model.origin import OriginKind

if TYPE_CHECKING:
    from nines.effects.link.names import ClassInfo, FunctionInfo
    from nines.effects.queries import Query


class Missing:
    """The constant of a value that has none."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = Missing()


@dataclass(frozen=True, slots=True)
class Thing:
    """What a value is; the base says that nothing is known."""


@dataclass(frozen=True, slots=True)
class ModuleThing(Thing):
    name: str


@dataclass(frozen=True, slots=True)
class FunctionThing(Thing):
    """A project function; `bound` is its receiver, `closure` the names it took from around it."""

    info: FunctionInfo
    bound: Value | None = None
    closure: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class ClassThing(Thing):
    info: ClassInfo


ANYTHING = frozenset({"*"})
"""Among eager relations: names that were not understood, so that any relation may have been read with its row."""


@dataclass(frozen=True, slots=True)
class InstanceThing(Thing):
    """An object of a project class; `row` is the effect that fetched it, when it is a mapped row."""

    info: ClassInfo
    fields: tuple[tuple[str, Value], ...] = ()
    row: int = 0
    eager: frozenset[str] = frozenset()
    connection: str = ""


@dataclass(frozen=True, slots=True)
class LibraryThing(Thing):
    """A library's module, class or function, by qualified name."""

    name: str


@dataclass(frozen=True, slots=True)
class ObjectThing(Thing):
    """An object of a library's type; `fields` keeps what it was made with, `site` where it was made."""

    type: str
    site: str = ""
    fields: tuple[tuple[str, Value], ...] = ()
    items: Value | None = None
    query: Query | None = None
    token: int = 0


@dataclass(frozen=True, slots=True)
class MethodThing(Thing):
    """A library object's method (or a library attribute of a project object) before it is called."""

    receiver: Value
    name: str
    """Qualified: the type that declares it, then the method."""


@dataclass(frozen=True, slots=True)
class ContainerThing(Thing):
    """`kind` is list, tuple, set, dict or generator; `entries` are its elements where they are told apart."""

    kind: str
    items: Value | None = None
    fields: tuple[tuple[str, Value], ...] = ()
    entries: tuple[Value, ...] | None = None
    is_open: bool = True
    """It may hold more than its fields."""
    connection: str = ""
    has_own_keys: bool = False
    """A mapping whose keys stand in the code, also where it is not known which of them it holds."""


@dataclass(frozen=True, slots=True)
class ColumnThing(Thing):
    """A column of a mapped class, as it stands in a query."""

    info: ClassInfo | None
    column: str
    table: str = ""
    relation: ClassInfo | None = None


@dataclass(frozen=True, slots=True)
class CriterionThing(Thing):
    """A condition for a query: pairs of column, operator, sources; not `known` when a part was not understood."""

    predicates: tuple[tuple[str, str, Sources], ...] = ()
    known: bool = True


@dataclass(frozen=True, slots=True)
class PartialThing(Thing):
    function: Value
    arguments: tuple[Value, ...] = ()
    keywords: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class WrappedThing(Thing):
    """A function behind a library's decorator that changes how its effects happen."""

    function: Value
    signature: str
    arguments: tuple[tuple[str, Value], ...] = ()
    line: int = 0
    file: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class SuperThing(Thing):
    receiver: Value
    after: ClassInfo


@dataclass(frozen=True, slots=True)
class ManagedThing(Thing):
    """A context manager made by a generator function, not yet entered."""

    function: Value
    arguments: tuple[Value, ...] = ()
    keywords: tuple[tuple[str, Value], ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class TextThing(Thing):
    """Text of which only parts are known; a NUL stands for each unknown part."""

    skeleton: str


@dataclass(frozen=True, slots=True)
class ScalarThing(Thing):
    """A plain value of a type that makes it safe for something: an integer, a UUID, an enumeration's member."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecoratorThing(Thing):
    """A library's decorator with its arguments, not yet applied to a function."""

    signature: str
    receiver: Value | None = None
    arguments: tuple[tuple[str, Value], ...] = ()
    line: int = 0
    file: str = ""


@dataclass(frozen=True, slots=True)
class UnionThing(Thing):
    values: tuple[Value, ...]


NOTHING = Thing()
SITE = "\0site"
"""The field in which an object of a project's class keeps where it was made, when that tells it from others."""


@dataclass(frozen=True, slots=True)
class Value:
    """A symbolic value."""

    thing: Thing = NOTHING
    sources: Sources = NO_SOURCES
    constant: Any = MISSING
    _hash: int = dataclass_field(default=0, init=False, compare=False, repr=False)
    _plain: int = dataclass_field(default=0, init=False, compare=False, repr=False)

    @property
    def is_plain(self) -> bool:
        """Holds no source or token that differs from call to call; computed once."""
        if not self._plain:
            plain = all(s.kind is OriginKind.CONSTANT for s in self.sources) and _is_plain(self.thing)
            object.__setattr__(self, "_plain", 1 if plain else 2)
        return self._plain == 1

    def __hash__(self) -> int:
        """Computed once, for values nest and are looked up often."""
        if not self._hash:
            constant = self.constant if self.constant is not MISSING else "\0missing"
            object.__setattr__(self, "_hash", hash((self.thing, self.sources, constant)) or 1)
        return self._hash

    @property
    def has_constant(self) -> bool:
        return self.constant is not MISSING

    @property
    def is_unknown(self) -> bool:
        return self.thing is NOTHING and self.constant is MISSING

    @property
    def is_vague(self) -> bool:
        """Nothing is known but perhaps where it comes from: an annotation knows more."""
        if isinstance(self.thing, MethodThing):
            return self.thing.name.startswith("?.")
        return self.is_unknown

    def alternatives(self) -> tuple[Value, ...]:
        """The values that this one may be; itself when it is not a union."""
        if isinstance(self.thing, UnionThing):
            return self.thing.values
        return (self,)


def _is_plain(thing: Thing) -> bool:
    inner: list[Value | None] = []
    if isinstance(thing, InstanceThing):
        if thing.row:
            return False
        inner.extend(held for _, held in thing.fields)
    elif isinstance(thing, ObjectThing):
        if thing.token or thing.query is not None:
            return False
        inner.extend(held for _, held in thing.fields)
        inner.append(thing.items)
    elif isinstance(thing, ContainerThing):
        inner.extend(held for _, held in thing.fields)
        inner.extend(thing.entries or ())
        inner.append(thing.items)
    elif isinstance(thing, FunctionThing):
        inner.extend(held for _, held in thing.closure)
        inner.append(thing.bound)
    elif isinstance(thing, UnionThing):
        inner.extend(thing.values)
    elif isinstance(thing, MethodThing):
        inner.append(thing.receiver)
    else:
        return thing is NOTHING or isinstance(
            thing, ModuleThing | ClassThing | LibraryThing | ScalarThing | ColumnThing
        )
    return all(held is None or held.is_plain for held in inner)


UNKNOWN = Value()
NONE = Value(constant=None)
CONSTANT_SOURCE = Source(OriginKind.CONSTANT)


def constant(value: str | int | float | bool | None) -> Value:
    if value is None:
        return NONE
    return Value(sources=(Source(OriginKind.CONSTANT, str(value)[:80]),), constant=value)


def unknown(sources: Sources = NO_SOURCES) -> Value:
    return Value(sources=sources) if sources else UNKNOWN


def merge_sources(*groups: Sources) -> Sources:
    """Their union in order; constants give way to anything else when there are too many."""
    present = [group for group in groups if group]
    if len(present) == 1:
        return present[0]
    merged: dict[Source, None] = {}
    for group in present:
        merged.update(dict.fromkeys(group))
    if len(merged) > SOURCES_MAX:
        telling = [source for source in merged if source.kind is not OriginKind.CONSTANT]
        return tuple(telling[:SOURCES_MAX])
    return tuple(merged)


def with_sources(value: Value, sources: Sources) -> Value:
    """The value with these sources added, also to its alternatives."""
    if not sources or all(source in value.sources for source in sources):
        return value
    if isinstance(value.thing, UnionThing):
        values = tuple(with_sources(each, sources) for each in value.thing.values)
        return Value(UnionThing(values), merge_sources(value.sources, sources))
    return Value(value.thing, merge_sources(value.sources, sources), value.constant)


def only_sources(value: Value, sources: Sources) -> Value:
    return Value(value.thing, sources, value.constant)


def deep_sources(value: Value | None, depth: int = 4) -> Sources:
    """The sources of a value and of what it holds."""
    if value is None or depth == 0:
        return NO_SOURCES
    thing = value.thing
    inner: list[Value] = []
    if isinstance(thing, UnionThing):
        inner.extend(thing.values)
    elif isinstance(thing, ContainerThing):
        inner.extend(held for _, held in thing.fields)
        if thing.items is not None:
            inner.append(thing.items)
        inner.extend(thing.entries or ())
    elif isinstance(thing, InstanceThing | ObjectThing):
        inner.extend(held for _, held in thing.fields)
        if isinstance(thing, ObjectThing) and thing.items is not None:
            inner.append(thing.items)
    if not inner:
        return value.sources
    return merge_sources(value.sources, *(deep_sources(each, depth - 1) for each in inner))


def join(values: list[Value]) -> Value:
    """A value that may be any of these."""
    flat: dict[Value, None] = {}
    for value in values:
        flat.update(dict.fromkeys(value.alternatives()))
    if not flat:
        return UNKNOWN
    if len(flat) == 1:
        return next(iter(flat))
    known = [value for value in flat if not value.is_unknown]
    sources = merge_sources(*(value.sources for value in flat))
    if not known:
        return unknown(sources)
    merged = _merge_alike(known)
    if len(known) < len(flat) and all(value.has_constant and value.thing is NOTHING for value in merged):
        # What may also be something unknown is not certain: a constant must not stand for it alone.
        telling = [value for value in merged if value.constant is not None]
        if not telling:
            return unknown(sources)
        merged = [*telling[: ALTERNATIVES_MAX - 1], unknown(sources)]
    if len(merged) == 1:
        return with_sources(merged[0], sources)
    return Value(UnionThing(tuple(merged[:ALTERNATIVES_MAX])), sources)


def _merge_alike(values: list[Value]) -> list[Value]:
    """Puts values of one thing together, so that a union tells only different things apart."""
    merged: dict[Any, Value] = {}
    for value in values:
        key: Any = value.thing
        if value.thing is NOTHING:
            key = ("constant", value.constant is None or value.constant)
        elif isinstance(value.thing, InstanceThing):
            key = (value.thing.info, value.thing.row)
        earlier = merged.get(key)
        if earlier is None:
            merged[key] = value
        elif earlier.thing == value.thing:
            merged[key] = Value(earlier.thing, merge_sources(earlier.sources, value.sources), earlier.constant)
        else:
            merged[key] = _merge_instances(earlier, value)
    return list(merged.values())


def _merge_instances(first: Value, second: Value) -> Value:
    one, two = first.thing, second.thing
    assert isinstance(one, InstanceThing)
    assert isinstance(two, InstanceThing)
    fields = dict(two.fields)
    for name, value in one.fields:
        fields[name] = value if name not in fields or fields[name] == value else join([value, fields[name]])
    thing = replace(
        one, fields=tuple(sorted_fields(fields)), eager=one.eager & two.eager | (one.eager | two.eager) & ANYTHING
    )
    return Value(thing, merge_sources(first.sources, second.sources))


def sorted_fields(fields: dict[str, Value]) -> list[tuple[str, Value]]:
    return sorted(fields.items(), key=lambda pair: pair[0])[:FIELDS_MAX]


def field(value: Value, name: str) -> Value | None:
    """What an object holds under this name, when it is known."""
    thing = value.thing
    if isinstance(thing, InstanceThing | ObjectThing | ContainerThing):
        for key, held in thing.fields:
            if key == name:
                return held
    return None


def with_field(value: Value, name: str, held: Value) -> Value:
    """The value with this field set."""
    thing = value.thing
    if isinstance(thing, InstanceThing | ObjectThing | ContainerThing):
        fields = dict(thing.fields)
        fields[name] = held
        return Value(replace(thing, fields=tuple(sorted_fields(fields))), value.sources)
    return value


def instance(info: ClassInfo, sources: Sources = NO_SOURCES) -> Value:
    return Value(InstanceThing(info), sources)


def sanitised(sources: Sources, labels: tuple[str, ...]) -> Sources:
    """The sources after they were made safe for these."""
    if not labels or not sources:
        return sources
    return tuple(s._replace(sanitised=tuple(dict.fromkeys((*s.sanitised, *labels)))) for s in sources)


_CALCULATED = ("calculated",)
_TRACED = (OriginKind.DATABASE, OriginKind.CALLER)


def calculated(value: Value) -> Value:
    """The value as the outcome of a calculation or of composing text; the label travels as sanitising ones do."""
    if not any(s.kind in _TRACED for s in value.sources):
        return value
    sources = tuple(sanitised((s,), _CALCULATED)[0] if s.kind in _TRACED else s for s in value.sources)
    return replace(value, sources=sources)


def composed(sources: Sources) -> Sources:
    """Those that went through a calculation or through composing text."""
    return tuple(source for source in sources if set(_CALCULATED) & set(source.sanitised))


def without_calculated(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The labels that say what a value was made safe for."""
    return tuple(label for label in labels if label not in _CALCULATED)


def library(name: str) -> Value:
    return Value(LibraryThing(name))


def library_object(type: str, sources: Sources = NO_SOURCES, site: str = "") -> Value:
    return Value(ObjectThing(type, site), sources)


def list_of(items: Value, sources: Sources = NO_SOURCES, kind: str = "list") -> Value:
    return Value(ContainerThing(kind, items), merge_sources(sources, items.sources))


def key_of(mapping: Value) -> Value:
    """A key of a mapping: it comes from the code where the mapping was written or declared there."""
    thing = mapping.thing
    if isinstance(thing, ContainerThing) and (
        thing.has_own_keys or (thing.fields and thing.items is None and not thing.is_open)
    ):
        return unknown((CONSTANT_SOURCE,))
    return unknown(mapping.sources)


def element_of(value: Value) -> Value:
    """What iterating over the value gives."""
    found: list[Value] = []
    for each in value.alternatives():
        thing = each.thing
        if isinstance(thing, ContainerThing):
            if thing.kind == "dict":
                found.append(key_of(each))
                continue
            if thing.entries:
                found.extend(thing.entries)
            if thing.items is not None:
                found.append(thing.items)
        elif isinstance(thing, ObjectThing) and thing.items is not None:
            found.append(thing.items)
    return with_sources(join(found), value.sources) if found else unknown(value.sources)
