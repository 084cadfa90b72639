"""Traces as they are remembered: what their effects have in common is written once."""

from __future__ import annotations

from typing import Any

import msgspec

from nines.model.effect import Condition, Effect, Handler, Loop
from nines.model.place import Step
from nines.model.record import Record
from nines.model.service import Endpoint
from nines.model.trace import Trace


class Told(Record):
    """An entry point and what it does."""

    endpoint: Endpoint
    trace: Trace


class Rows(Record, array_like=True):
    """Sequences over a table of things: each repeats so many of the one before it, and goes on with these."""

    kept: tuple[int, ...] = ()
    added: tuple[tuple[int, ...], ...] = ()
    used: tuple[int, ...] = ()
    """For each effect the number of its sequence."""


class Packed(Record, array_like=True):
    """`trace` holds the effects without what stands in the tables."""

    endpoint: Endpoint
    trace: Trace
    conditions: tuple[Condition, ...] = ()
    conditions_of: Rows = Rows()
    path: tuple[Step, ...] = ()
    path_of: Rows = Rows()
    loops: tuple[Loop, ...] = ()
    loops_of: Rows = Rows()
    handlers: tuple[Handler, ...] = ()
    handlers_of: Rows = Rows()


def pack(told: Told) -> Packed:
    effects = told.trace.effects
    conditions, conditions_of = _rows([effect.conditions for effect in effects])
    path, path_of = _rows([effect.path for effect in effects])
    loops, loops_of = _rows([effect.loops for effect in effects])
    handlers, handlers_of = _rows([effect.handlers for effect in effects])
    bare = tuple(msgspec.structs.replace(effect, conditions=(), path=(), loops=(), handlers=()) for effect in effects)
    return Packed(
        endpoint=told.endpoint,
        trace=msgspec.structs.replace(told.trace, effects=bare),
        conditions=conditions,
        conditions_of=conditions_of,
        path=path,
        path_of=path_of,
        loops=loops,
        loops_of=loops_of,
        handlers=handlers,
        handlers_of=handlers_of,
    )


def unpack(packed: Packed) -> Told:
    """Raises IndexError where the tables and the sequences do not belong together."""
    columns = zip(
        packed.trace.effects,
        _sequences(packed.conditions, packed.conditions_of),
        _sequences(packed.path, packed.path_of),
        _sequences(packed.loops, packed.loops_of),
        _sequences(packed.handlers, packed.handlers_of),
        strict=False,
    )
    replace = msgspec.structs.replace
    effects: list[Effect] = [
        replace(effect, conditions=conditions, path=path, loops=loops, handlers=handlers)
        for effect, conditions, path, loops, handlers in columns
    ]
    if len(effects) != len(packed.trace.effects):
        raise IndexError
    return Told(endpoint=packed.endpoint, trace=replace(packed.trace, effects=tuple(effects)))


def _rows(sequences: list[tuple[Any, ...]]) -> tuple[tuple[Any, ...], Rows]:
    numbers: dict[Any, int] = {}
    known: dict[tuple[int, ...], int] = {}
    kept: list[int] = []
    added: list[tuple[int, ...]] = []
    used: list[int] = []
    before: tuple[int, ...] = ()
    for sequence in sequences:
        row = tuple([numbers.setdefault(each, len(numbers)) for each in sequence])
        number = known.get(row)
        if number is None:
            number = known[row] = len(known)
            same = next((i for i, (a, b) in enumerate(zip(before, row, strict=False)) if a != b), None)
            shared = min(len(before), len(row)) if same is None else same
            kept.append(shared)
            added.append(row[shared:])
            before = row
        used.append(number)
    return tuple(numbers), Rows(kept=tuple(kept), added=tuple(added), used=tuple(used))


def _sequences(table: tuple[Any, ...], rows: Rows) -> list[tuple[Any, ...]]:
    made: list[tuple[Any, ...]] = []
    before: tuple[Any, ...] = ()
    for shared, added in zip(rows.kept, rows.added, strict=False):
        before = (*before[:shared], *[table[number] for number in added])
        made.append(before)
    return [made[number] for number in rows.used]
