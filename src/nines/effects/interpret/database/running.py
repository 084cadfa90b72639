"""A statement's effect on the database, and one of its rows as a value."""

from __future__ import annotations

from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.database.rows import row_value
from nines.effects.interpret.libraries.call import LibraryCall
from nines.effects.interpret.state.frame import Frame
from nines.effects.limits import TEXT_MAX
from nines.effects.mapped import Mapped
from nines.effects.nodes import EffectNode, TransactionNode
from nines.effects.queries import Query
from nines.effects.values import ClassThing, InstanceThing, ObjectThing, Value, field, merge_sources, unknown
from nines.model.effect import EffectKind, Known, Rows
from nines.model.place import Place

_READS = ("SELECT", "", "SET", "SAVEPOINT")

_STEERS = ("SET", "SAVEPOINT")
"""Statements that change the session, not a row: they are sent and answered like a read of one row."""

_CONTROL = {"BEGIN": "begin", "COMMIT": "commit", "ROLLBACK": "rollback"}


class Run:
    """How a statement is run: where, by which library, on what connection."""

    __slots__ = ("begins", "blocks", "connection", "frame", "library", "place", "unit")

    def __init__(self, frame: Frame, place: Place, type: str, connection: str, library: str, blocks: bool) -> None:  # noqa: PLR0917
        trait = frame.world.signatures.trait
        self.frame = frame
        self.place = place
        self.library = library
        self.connection = connection or type or "database"
        self.begins = str(trait(type, "connection") or "") if type else ""
        self.unit = bool(trait(type, "unit_of_work")) if type else False
        self.blocks = blocks


def run_of(call: LibraryCall) -> Run:
    thing = call.receiver.thing if call.receiver is not None else None
    type = thing.type if isinstance(thing, ObjectThing) else ""
    if isinstance(thing, InstanceThing):
        bases = call.world.linked.ancestry(thing.info)[1]
        type = next(
            (base for base in bases if call.world.signatures.trait(base, "connection")), bases[0] if bases else ""
        )
    if isinstance(thing, ClassThing):
        bases = call.world.linked.ancestry(thing.info)[1]
        type = bases[0] if bases else ""
    run = Run(call.frame, call.place, type, call.connection, call.library, call.signature.blocks)
    if run.begins == "auto" and call.receiver is not None and _commits_alone(call, call.receiver, type):
        run.begins = "explicit"
    return run


def _commits_alone(call: LibraryCall, receiver: Value, type: str) -> bool:
    """Whether the connection was told, or may have been told, to commit every statement by itself."""
    told = call.world.signatures.trait(type, "commits_alone")
    for name, text in (told if isinstance(told, dict) else {}).items():
        held = field(receiver, name)
        if held is not None and (not held.has_constant or str(held.constant) == text):
            return True
    return False


def emit_query(
    run: Run, query: Query, *, rows: Rows = Rows.UNKNOWN, held: bool = False, lazy: bool = False
) -> tuple[int, Value]:
    """Adds the effect of a statement; gives its token and one of its rows."""
    frame = run.frame
    if query.action in _CONTROL:
        verb = _CONTROL[query.action]
        frame.nodes.append(
            TransactionNode(verb, run.connection, run.place, library=run.library, blocks_thread=run.blocks)
        )
        return 0, unknown()
    if query.is_loaded:
        return 0, row_value(query, 0, run.connection)
    token = frame.world.fresh()
    node = _effect(run, query, token, rows)
    node.is_lazy, node.reaches_response = lazy, held
    frame.nodes.append(node)
    return token, row_value(query, token, run.connection)


def _effect(run: Run, query: Query, token: int, rows: Rows) -> EffectNode:
    table = mapped(run.frame.world, query.entity) if query.entity is not None else None
    bounded = query.is_single or query.limit_one or query.action in _STEERS or _is_by_key(query, table)
    is_read = query.action in _READS
    return EffectNode(
        token,
        EffectKind.DATABASE_READ if is_read else EffectKind.DATABASE_WRITE,
        run.place,
        target=query.table.lower(),
        action=query.action,
        text=(query.text or f"{query.action} {query.table}")[:TEXT_MAX],
        library=run.library,
        connection=query.connection or run.connection,
        begins=run.begins,
        is_unit_of_work=run.unit,
        rows=Rows.ONE if bounded else rows,
        limit=_limit(query, bounded) if is_read else Known.UNKNOWN,
        limit_sources=query.limit_sources,
        conditions=query.conditions,
        predicates_known=query.known,
        written=query.written,
        locks_rows=query.locks,
        handles_conflict=query.conflict,
        text_sources=query.text_sources,
        payload=merge_sources(
            query.payload, *(c.sources for c in query.conditions), *(w.sources for w in query.written)
        ),
        blocks_thread=run.blocks,
    )


def _is_by_key(query: Query, table: Mapped | None) -> bool:
    """Whether the conditions fix a key, so that there is one row at most."""
    fixed = {c.column for c in query.conditions if c.operator == "=" and not c.table}
    return table is not None and query.known and table.is_unique(fixed)


def _limit(query: Query, bounded: bool) -> Known:
    if bounded:
        return Known.SET
    is_open = not query.known and query.entity is None and not query.text
    return Known.UNKNOWN if query.limit is Known.MISSING and is_open else query.limit
