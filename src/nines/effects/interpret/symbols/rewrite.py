"""Renames the sources and tokens inside a value: into slots on the way into a function, back on the way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nines.effects.limits import VALUE_DEPTH_MAX
from nines.effects.queries import Condition, Query, Written
from nines.effects.values import (
    NONE,
    NOTHING,
    UNKNOWN,
    ContainerThing,
    CriterionThing,
    DecoratorThing,
    FunctionThing,
    InstanceThing,
    ManagedThing,
    MethodThing,
    ObjectThing,
    PartialThing,
    Source,
    Sources,
    SuperThing,
    Thing,
    UnionThing,
    Value,
    WrappedThing,
)
from nines.model.origin import OriginKind

Fields = tuple[tuple[str, Value], ...]


class Rewriter:
    """Applies two maps throughout a value; `forget` drops constants, to make different calls alike."""

    def __init__(
        self, source: Callable[[Source], Source], token: Callable[[int], int], *, forgets: bool = False
    ) -> None:
        self._source = source
        self._token = token
        self._forgets = forgets

    def sources(self, sources: Sources) -> Sources:
        if not sources:
            return sources
        if self._forgets:
            sources = tuple(source for source in sources if source.kind is not OriginKind.CONSTANT)
        renamed = tuple([self._source(source) for source in sources])
        return renamed if len(renamed) < 2 else tuple(dict.fromkeys(renamed))

    def value(self, value: Value, depth: int = 0) -> Value:
        if value is UNKNOWN or value is NONE or (value.is_plain and not self._forgets):
            return value
        if depth > VALUE_DEPTH_MAX:
            return UNKNOWN
        thing = value.thing if value.thing is NOTHING else self._thing(value.thing, depth + 1)
        sources = self.sources(value.sources)
        constant = value.constant
        if self._forgets and isinstance(constant, str | int | float) and not isinstance(constant, bool):
            return Value(thing, sources)
        if thing is value.thing and sources == value.sources:
            return value
        return Value(thing, sources, constant)

    def _fields(self, fields: Fields, depth: int) -> Fields:
        return tuple([(name, self.value(held, depth)) for name, held in fields]) if fields else fields

    def _maybe(self, value: Value | None, depth: int) -> Value | None:
        return None if value is None else self.value(value, depth)

    def _thing(self, thing: Thing, depth: int) -> Thing:
        if isinstance(thing, InstanceThing):
            if not thing.fields and not thing.row:
                return thing
            row = self._token(thing.row) if thing.row else 0
            return InstanceThing(thing.info, self._fields(thing.fields, depth), row, thing.eager, thing.connection)
        if isinstance(thing, ObjectThing):
            return self._object(thing, depth)
        if isinstance(thing, ContainerThing):
            entries = None if thing.entries is None else tuple([self.value(e, depth) for e in thing.entries])
            fields = self._fields(thing.fields, depth)
            return replace(thing, items=self._maybe(thing.items, depth), fields=fields, entries=entries)
        if isinstance(thing, UnionThing):
            return UnionThing(tuple([self.value(each, depth) for each in thing.values]))
        if isinstance(thing, CriterionThing):
            pairs = tuple([(column, operator, self.sources(s)) for column, operator, s in thing.predicates])
            return CriterionThing(pairs, thing.known)
        return self._callable(thing, depth)

    def _object(self, thing: ObjectThing, depth: int) -> Thing:
        if not thing.fields and thing.items is None and thing.query is None and not thing.token:
            return thing
        return ObjectThing(
            thing.type,
            thing.site,
            self._fields(thing.fields, depth),
            self._maybe(thing.items, depth),
            None if thing.query is None else self.query(thing.query),
            self._token(thing.token) if thing.token else 0,
        )

    def _callable(self, thing: Thing, depth: int) -> Thing:
        if isinstance(thing, FunctionThing):
            if thing.bound is None and not thing.closure:
                return thing
            return FunctionThing(thing.info, self._maybe(thing.bound, depth), self._fields(thing.closure, depth))
        if isinstance(thing, MethodThing):
            return MethodThing(self.value(thing.receiver, depth), thing.name)
        if isinstance(thing, PartialThing | ManagedThing):
            arguments = tuple([self.value(a, depth) for a in thing.arguments])
            function, keywords = self.value(thing.function, depth), self._fields(thing.keywords, depth)
            return replace(thing, function=function, arguments=arguments, keywords=keywords)
        if isinstance(thing, WrappedThing):
            fields = self._fields(thing.arguments, depth)
            return replace(thing, function=self.value(thing.function, depth), arguments=fields)
        if isinstance(thing, DecoratorThing):
            fields = self._fields(thing.arguments, depth)
            return replace(thing, receiver=self._maybe(thing.receiver, depth), arguments=fields)
        if isinstance(thing, SuperThing):
            return SuperThing(self.value(thing.receiver, depth), thing.after)
        return thing

    def query(self, query: Query) -> Query:
        return replace(
            query,
            conditions=tuple(
                [Condition(c.column, c.operator, self.sources(c.sources), c.table) for c in query.conditions]
            ),
            written=tuple([Written(w.column, self.sources(w.sources), w.is_atomic) for w in query.written]),
            limit_sources=self.sources(query.limit_sources),
            text_sources=self.sources(query.text_sources),
            payload=self.sources(query.payload),
        )


class Slots:
    """Renames a call's sources and tokens in order of appearance, so that alike calls become equal."""

    def __init__(self) -> None:
        self.sources: dict[int, Source] = {}
        self.tokens: dict[int, int] = {}
        self._numbers: dict[Source, Source] = {}
        self._tokens: dict[int, int] = {}

    def source(self, source: Source) -> Source:
        if source.kind is OriginKind.CONSTANT:
            return source
        slot = self._numbers.get(source)
        if slot is None:
            number = len(self._numbers) + 1
            slot = Source(source.kind, sanitised=source.sanitised, slot=number)
            self._numbers[source] = slot
            self.sources[number] = source
        return slot

    def token(self, token: int) -> int:
        slot = self._tokens.get(token)
        if slot is None:
            slot = -1 - len(self._tokens)
            self._tokens[token] = slot
            self.tokens[slot] = token
        return slot


class Returns:
    """Renames what a function gave back: its slots become the caller's sources, its own tokens fresh ones."""

    def __init__(self, slots: Slots, fresh: Callable[[], int]) -> None:
        self._slots = slots
        self._fresh = fresh
        self.exports: dict[int, int] = {}

    def source(self, source: Source) -> Source:
        if source.slot:
            outer = self._slots.sources.get(source.slot)
            if outer is None:
                return source
            added = tuple(label for label in source.sanitised if label not in outer.sanitised)
            return outer._replace(sanitised=(*outer.sanitised, *added)) if added else outer
        return source._replace(token=self.token(source.token)) if source.token else source

    def token(self, token: int) -> int:
        if token < 0:
            return self._slots.tokens.get(token, 0)
        if token not in self.exports:
            self.exports[token] = self._fresh()
        return self.exports[token]
