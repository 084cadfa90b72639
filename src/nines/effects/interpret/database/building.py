"""Statements under construction: each builder verb that a signature names makes a changed copy of the query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nines.effects.interpret.database.mapping import mapped, relation_of
from nines.effects.interpret.database.texts import from_text
from nines.effects.interpret.libraries.arguments import OPEN, rest_of
from nines.effects.interpret.libraries.library import LibraryCall
from nines.effects.interpret.state.world import World
from nines.effects.link import ClassInfo
from nines.effects.mapped import Mapped
from nines.effects.queries import Condition, Query, Written
from nines.effects.values import (
    NO_SOURCES,
    ClassThing,
    ColumnThing,
    ContainerThing,
    CriterionThing,
    InstanceThing,
    ObjectThing,
    Sources,
    Value,
    deep_sources,
    merge_sources,
)
from nines.model.effect import Known

_LOOKUPS = {
    "exact": "=", "iexact": "=", "in": "in", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "contains": "like",
    "icontains": "like", "startswith": "like", "istartswith": "like", "endswith": "like", "iendswith": "like",
    "isnull": "is", "range": "between", "year": "=", "month": "=", "day": "=", "date": "=", "regex": "like",
    "iregex": "like", "overlap": "overlap", "contained_by": "in", "has_key": "like", "search": "like",
}  # fmt: skip


def query_of(value: Value | None) -> Query | None:
    """The statement that a value holds; of several alternatives, the first."""
    if value is None:
        return None
    for each in value.alternatives():
        if isinstance(each.thing, ObjectThing) and each.thing.query is not None:
            return each.thing.query
    return None


def with_query(value: Value, query: Query) -> Value:
    """The same builder, holding another statement."""
    thing = value.thing
    if isinstance(thing, ObjectThing):
        return Value(replace(thing, query=query), value.sources)
    for each in value.alternatives():
        if isinstance(each.thing, ObjectThing) and each.thing.query is not None:
            return Value(replace(each.thing, query=query), value.sources)
    return value


def build(call: LibraryCall) -> Value | None:
    """The stage for a signature with `query`; running it, if the signature says so, is a later stage's."""
    verbs = call.signature.query
    if not verbs:
        return None
    query = query_of(call.receiver) or _start(call)
    for verb in verbs.split():
        query = _VERBS[verb](call, query if verb == "same" else replace(query, is_loaded=False))
    sources = merge_sources(query.text_sources, call.receiver.sources if call.receiver is not None else NO_SOURCES)
    if call.signature.run:
        call.receiver = Value(ObjectThing(_type(call), query=query), sources)
        return None
    text = call.signature.returns
    if call.receiver is not None and text in ("", "self") and query_of(call.receiver) is not None:
        return with_query(call.receiver, query)
    type = text if text not in ("", "self") else _type(call)
    return Value(ObjectThing(type, query=query), sources)


def _type(call: LibraryCall) -> str:
    thing = call.receiver.thing if call.receiver is not None else None
    return thing.type if isinstance(thing, ObjectThing) else call.name.rpartition(".")[0]


def _start(call: LibraryCall) -> Query:
    """A fresh statement; on a mapped class (or an object that stands for one) it starts with that class."""
    query = Query(connection=call.connection)
    receiver = call.receiver.thing if call.receiver is not None else None
    if isinstance(receiver, ClassThing | InstanceThing):
        return _of_entity(call.world, query, receiver.info)
    return query


def _of_entity(world: World, query: Query, info: ClassInfo) -> Query:
    table = mapped(world, info)
    if table is None:
        return replace(query, entity=info, known=False)
    eager = frozenset(name for name, relation in table.relations.items() if relation.is_eager)
    return replace(query, entity=info, table=table.name, eager=query.eager | eager)


def start_entity(world: World, info: ClassInfo, connection: str = "") -> Query:
    """All rows of a mapped class."""
    return _of_entity(world, Query(connection=connection), info)


def _select(call: LibraryCall, query: Query) -> Query:
    """Entities, columns and aggregates, as arguments."""
    single: list[bool] = []
    for value in _flat(call.bound):
        for each in value.alternatives():
            thing = each.thing
            if isinstance(thing, ClassThing):
                if query.entity is None:
                    query = _of_entity(call.world, query, thing.info)
                single.append(False)
            elif isinstance(thing, ColumnThing):
                if query.entity is None and thing.info is not None:
                    query = replace(_of_entity(call.world, query, thing.info), is_column=True)
                elif not query.table:
                    query = replace(query, table=thing.table, is_column=True)
                single.append(False)
            elif isinstance(thing, ObjectThing):
                inner = thing.query
                single.append(inner is not None and inner.is_single)
                if inner is not None and not query.table:
                    query = replace(
                        query, table=inner.table, entity=query.entity or inner.entity, is_column=True,
                        conditions=query.conditions + inner.conditions, known=query.known and inner.known,
                    )  # fmt: skip
            else:
                single.append(False)
    return replace(query, is_single=bool(single) and all(single), is_column=query.is_column or all(single))


def _flat(bound: dict[str, Value]) -> list[Value]:
    found: list[Value] = []
    for name, value in bound.items():
        if name == OPEN:
            continue
        thing = value.thing
        if isinstance(thing, ContainerThing) and thing.entries is not None:
            found.extend(thing.entries)
        else:
            found.append(value)
    return found


def _from(call: LibraryCall, query: Query) -> Query:
    for value in _flat(call.bound):
        thing = value.thing
        if isinstance(thing, ClassThing) and not query.table:
            single, column = query.is_single, query.is_column
            query = replace(_of_entity(call.world, query, thing.info), is_single=single, is_column=column)
    return query


def _aggregate(call: LibraryCall, query: Query) -> Query:
    """`count(...)` and its like: one row, whatever the data."""
    for value in _flat(call.bound):
        thing = value.thing
        if isinstance(thing, ColumnThing) and thing.info is not None and not query.table:
            query = _of_entity(call.world, query, thing.info)
    return replace(query, is_single=True, is_column=True)


def condition(query: Query, column: str, operator: str, sources: Sources) -> Query:
    """The query with one more predicate."""
    table, _, name = column.rpartition(".")
    own = "" if table == query.table else table
    return replace(query, conditions=(*query.conditions, Condition(name.lower(), operator, sources, own)))


def _where(call: LibraryCall, query: Query) -> Query:
    values = [
        value
        for name, value in call.bound.items()
        if name == "*" or name.startswith("*") or name in call.signature.parameters
    ]
    return restricted(call.world, query, values or rest_of(call.bound))


def restricted(world: World, query: Query, criteria: list[Value]) -> Query:
    """The query under these conditions as well."""
    for value in criteria:
        for each in value.alternatives():
            thing = each.thing
            if isinstance(thing, CriterionThing):
                for column, operator, sources in thing.predicates:
                    if column.startswith("?"):
                        table = mapped(world, query.entity) if query.entity else None
                        found, word = lookup(world, table, column[1:])
                        query = condition(query, found, word if operator == "=" else operator, sources)
                    else:
                        query = condition(query, column, operator, sources)
                query = query if thing.known else replace(query, known=False)
            elif isinstance(thing, ColumnThing):
                query = condition(query, f"{thing.table}.{thing.column}", "=", ())
            elif isinstance(thing, ContainerThing) and thing.entries is not None:
                query = restricted(world, query, list(thing.entries))
            elif isinstance(thing, ObjectThing) and thing.query is not None:
                inner = tuple(
                    Condition(c.column, c.operator, c.sources, c.table or thing.query.table)
                    for c in thing.query.conditions
                )
                query = replace(query, conditions=query.conditions + inner, known=query.known and thing.query.known)
            elif each.constant is not True:
                sources = tuple(s for s in each.sources if s.kind.value != "constant")
                query = replace(query, known=False)
                if sources:
                    query = condition(query, "", "", sources)
    return query


def _equals(call: LibraryCall, query: Query) -> Query:
    """Keyword conditions, with lookups after a double underscore; positional ones are ready-made conditions."""
    positional = [v for n, v in call.bound.items() if n.startswith("*") and n not in (OPEN, "*")]
    query = restricted(call.world, query, positional)
    for name, value in call.bound.items():
        if name == OPEN:
            query = replace(query, known=False)
            query = condition(query, "", "", deep_sources(value))
        elif not name.startswith("*") and name not in call.signature.parameters:
            query = keyword_condition(call.world, query, name, deep_sources(value))
    return query


def keyword_condition(world: World, query: Query, name: str, sources: Sources) -> Query:
    """`owner__id__in=...` as a predicate on the column that it reaches."""
    column, operator = lookup(world, mapped(world, query.entity) if query.entity else None, name)
    return condition(query, column, operator, sources)


def lookup(world: World, table: Mapped | None, name: str) -> tuple[str, str]:
    """The column and the operator of a keyword lookup; a table stands in front when it is another one."""
    parts = name.split("__")
    operator = "="
    if len(parts) > 1 and parts[-1] in _LOOKUPS:
        operator = _LOOKUPS[parts.pop()]
    current, prefix = table, ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if last or current is None:
            break
        relation = relation_of(world, current, part)
        target = mapped(world, relation.target) if relation and relation.target else None
        if relation is not None and index == len(parts) - 2 and target is not None and parts[-1] in ("pk", target.key):
            column = relation.column or f"{part}_id"
            return (f"{prefix}.{column}" if prefix else column), operator
        current, prefix = target, target.name if target else part
    column = parts[-1]
    if column == "pk":
        column = current.key if current and current.key else "id"
    elif current is not None:
        column = current.column_of(column)
    return (f"{prefix}.{column}" if prefix else column), operator


def _limit(call: LibraryCall, query: Query) -> Query:
    value = next(iter(call.bound.values()), None)
    return limited(query, value) if value is not None else query


def limited(query: Query, value: Value) -> Query:
    if value.has_constant and value.constant is None:
        return query
    one = value.constant == 1
    return replace(
        query, limit=Known.SET, limit_sources=merge_sources(query.limit_sources, value.sources), limit_one=one
    )


def _values(call: LibraryCall, query: Query) -> Query:
    """Columns that are set, by keyword or in a mapping."""
    table = mapped(call.world, query.entity) if query.entity else None
    return replace(
        query,
        written=query.written + written_of(table, call.bound),
        payload=merge_sources(query.payload, *(deep_sources(v) for v in call.bound.values())),
    )


def written_of(table: Mapped | None, bound: dict[str, Value]) -> tuple[Written, ...]:
    """Assignments from keywords, mappings and lists of mappings."""
    found: list[Written] = []
    for name, value in bound.items():
        thing = value.thing
        if name == OPEN:
            found.append(Written("*", deep_sources(value)))
        elif name.startswith("*") or (isinstance(thing, ContainerThing) and thing.kind == "dict"):
            found.extend(_written_inside(table, value))
        else:
            found.append(_written(table, name, value))
    return tuple(found)


def _written_inside(table: Mapped | None, value: Value) -> list[Written]:
    thing = value.thing
    if isinstance(thing, ContainerThing) and thing.kind == "dict":
        named = [_written(table, key, held) for key, held in thing.fields]
        return named or [Written("*", deep_sources(value))]
    if isinstance(thing, ContainerThing) and thing.entries:
        return [each for entry in thing.entries[:1] for each in _written_inside(table, entry)]
    return [Written("*", deep_sources(value))]


def _written(table: Mapped | None, name: str, value: Value) -> Written:
    column = table.column_of(name) if table else name
    return Written(column, deep_sources(value), isinstance(value.thing, ColumnThing | CriterionThing))


def _eager(call: LibraryCall, query: Query) -> Query:
    names: set[str] = set(query.eager)
    for value in _flat(call.bound):
        names.update(eager_names(value))
    return replace(query, eager=frozenset(names))


def eager_names(value: Value) -> set[str]:
    """Relations that a loader option or a text names: "author__profile", joinedload(Book.author)."""
    thing = value.thing
    if isinstance(value.constant, str):
        parts = value.constant.split("__")
        return {"__".join(parts[: i + 1]) for i in range(len(parts))} | {parts[0]}
    if isinstance(thing, ColumnThing):
        return {thing.column}
    if isinstance(thing, ObjectThing):
        return {name for _, held in thing.fields for name in eager_names(held)}
    if isinstance(thing, ContainerThing):
        return {name for held in thing.entries or () for name in eager_names(held)}
    return set()


def _text(call: LibraryCall, query: Query) -> Query:
    """A statement as text."""
    value = next(iter(call.bound.values()), None)
    return from_text(call.world, value, query.connection) if value is not None else query


def _start_write(action: str) -> Callable[[LibraryCall, Query], Query]:
    def start(call: LibraryCall, query: Query) -> Query:
        for value in _flat(call.bound)[:1]:
            thing = value.thing
            if isinstance(thing, ClassThing):
                query = _of_entity(call.world, query, thing.info)
            elif isinstance(thing, ObjectThing) and thing.query is not None:
                query = replace(query, table=thing.query.table, entity=thing.query.entity)
        return replace(query, action=action)

    return start


def _entity(call: LibraryCall, query: Query) -> Query:
    """The mapped class that an argument names, or a ready query that it already is."""
    value = call.argument(call.signature.entity) or next(iter(call.bound.values()), None)
    for each in value.alternatives() if value is not None else ():
        thing = each.thing
        if isinstance(thing, ClassThing):
            return _of_entity(call.world, query, thing.info)
        if isinstance(thing, ObjectThing) and thing.query is not None:
            return thing.query
    return replace(query, known=False)


def sliced(_frame: object, receiver: Value, upper: Value) -> Value | None:
    """`query[:n]` bounds a query under construction."""
    query = query_of(receiver)
    return with_query(receiver, limited(query, upper)) if query is not None else None


def _group(call: LibraryCall, query: Query) -> Query:
    """Totals of each group; there are as many groups as rows only where a key is among the columns."""
    columns = [value.thing for value in _flat(call.bound)]
    is_by_key = any(not isinstance(thing, ColumnThing) or _is_key(call.world, thing) for thing in columns)
    return query if is_by_key or not columns else replace(query, limit=Known.UNKNOWN)


def _is_key(world: World, thing: ColumnThing) -> bool:
    table = mapped(world, thing.info) if thing.info is not None else None
    column = table.columns.get(thing.column) if table is not None else None
    return column is None or column.is_primary or column.is_unique or bool(column.references)


_VERBS: dict[str, Callable[[LibraryCall, Query], Query]] = {
    "select": _select,
    "from": _from,
    "entity": _entity,
    "aggregate": _aggregate,
    "where": _where,
    "equals": _equals,
    "excludes": lambda call, query: replace(_equals(call, replace(query, conditions=())), conditions=query.conditions),
    "limit": _limit,
    "one": lambda _call, query: replace(query, limit=Known.SET, limit_one=True),
    "lock": lambda _call, query: replace(query, locks=True),
    "eager": _eager,
    "conflict": lambda _call, query: replace(query, conflict=True, action="UPSERT"),
    "values": _values,
    "columns": lambda _call, query: replace(query, is_column=True),
    "group": lambda call, query: _group(call, replace(query, is_single=False)),
    # Columns chosen first are what the totals are grouped by, or what differs: how many there are is not known.
    "grouped": lambda _call, query: replace(query, limit=Known.UNKNOWN) if query.is_column else query,
    "returning": lambda _call, query: replace(query, returning=True),
    "none": lambda _call, query: replace(query, limit=Known.SET),
    "stream": lambda _call, query: replace(query, is_streamed=True),
    "same": lambda _call, query: query,
    "vague": lambda _call, query: replace(query, known=False),
    "text": _text,
    "insert": _start_write("INSERT"),
    "update": _start_write("UPDATE"),
    "delete": _start_write("DELETE"),
    "single": lambda _call, query: replace(query, is_single=True, is_column=True),
}
