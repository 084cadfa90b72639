"""The kinds of things that an expression may be, and the value: a thing, where it comes from, and its constant."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Any

from nines.effects.sources import NO_SOURCES, Sources
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


PRESENT = ("present",)
"""The labels of a key that a row surely has."""


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


def instance(info: ClassInfo, sources: Sources = NO_SOURCES) -> Value:
    return Value(InstanceThing(info), sources)


def library(name: str) -> Value:
    return Value(LibraryThing(name))
