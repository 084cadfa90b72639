"""Statements that stand as text in the code, read by the reader that the analysis was given."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.state.world import World
from nines.effects.interpret.symbols.shapes import spliced
from nines.effects.limits import TEXT_MAX
from nines.effects.queries import Condition, Query, Written
from nines.effects.values import (
    NO_SOURCES,
    ContainerThing,
    ObjectThing,
    ScalarThing,
    Sources,
    TextThing,
    Value,
    composed,
    deep_sources,
    element_of,
    merge_sources,
)
from nines.model.effect import Known, Rows
from nines.model.statement import Statement


def from_text(world: World, value: Value, connection: str = "", bound: Value | None = None) -> Query:
    """A query from a text, as far as it is known; `bound` are its parameters."""
    held = value.thing
    if isinstance(held, ObjectThing) and held.query is not None:
        return _with_parameters(held.query, world, bound)
    if isinstance(held, ObjectThing):
        return Query(action="", known=False, limit=Known.UNKNOWN, connection=connection)
    text = value.constant if isinstance(value.constant, str) else ""
    sources: Sources = NO_SOURCES
    if isinstance(held, TextThing):
        text = held.skeleton.replace("\0", "nines_part")
    if not isinstance(value.constant, str):
        # What is neither text nor known may be a statement that was built; only text that was composed splices.
        sources = spliced(value) if isinstance(held, TextThing | ScalarThing) else composed(spliced(value))
    if not text:
        return Query(action="", known=False, limit=Known.UNKNOWN, text_sources=sources, connection=connection)
    statement = world.read_statement(text)
    query = Query(
        action=statement.action,
        table=statement.tables[0] if statement.tables else "",
        entity=None,
        is_column=True,
        is_single=statement.rows is Rows.ONE,
        known=statement.is_understood and not isinstance(held, TextThing),
        limit=statement.limit if not isinstance(held, TextThing) or statement.limit is Known.SET else Known.UNKNOWN,
        locks=statement.locks_rows,
        conflict=statement.handles_conflict,
        text=" ".join(text.replace("nines_part", "{}").split())[:TEXT_MAX],
        text_sources=sources,
        connection=connection,
    )
    return _bound(query, statement, bound)


def _with_parameters(query: Query, world: World, bound: Value | None) -> Query:
    """A text that was wrapped before its parameters were known."""
    if not query.text or bound is None:
        return query
    return _bound(replace(query, conditions=(), written=()), world.read_statement(query.text), bound)


def _bound(query: Query, statement: Statement, bound: Value | None) -> Query:
    conditions = []
    for comparison in statement.comparisons:
        table, _, column = comparison.column.rpartition(".")
        own = "" if table == query.table else table
        sources = parameter(bound, comparison.parameter)
        operator = comparison.operator if comparison.is_bound or comparison.parameter or comparison.literal else "join"
        conditions.append(Condition(column, operator, sources, own))
    written = tuple(Written(w.column, parameter(bound, w.parameter), w.is_atomic) for w in statement.written)
    payload = merge_sources(query.payload, deep_sources(bound))
    return replace(query, conditions=tuple(conditions), written=written, payload=payload)


def parameter(bound: Value | None, name: str) -> Sources:
    """The sources of one placeholder: by number, by name, or of all where they are not told apart."""
    if bound is None or not name:
        return NO_SOURCES
    thing = bound.thing
    if isinstance(thing, ContainerThing):
        for key, held in thing.fields:
            if key == name.lstrip(":%$@"):
                return deep_sources(held)
        if name.lstrip("$").isdigit() and thing.entries is not None:
            index = int(name.lstrip("$")) - 1
            if 0 <= index < len(thing.entries):
                return deep_sources(thing.entries[index])
        if thing.entries and isinstance(thing.entries[0].thing, ContainerThing):
            return parameter(thing.entries[0], name)
        inner = element_of(bound)
        if isinstance(inner.thing, ContainerThing):
            return parameter(inner, name)
    return deep_sources(bound)
