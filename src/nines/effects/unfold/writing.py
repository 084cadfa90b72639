"""Transactions and pending writes along a trace, as the database would see them."""

from __future__ import annotations

from typing import Protocol

from nines.effects.nodes import ChangeNode, EffectNode, Node, TransactionNode
from nines.effects.unfold.scope import Scope
from nines.effects.unfold.state import Context, Pending, State, copied
from nines.model.effect import Assignment, Effect, EffectKind, Known, Predicate, Rows
from nines.model.place import Place
from nines.model.trace import Transaction


class Walking(Protocol):
    """What writing needs of the walk that it is part of."""

    effects: list[Effect]
    state: State

    def add(self, effect: Effect) -> int: ...
    def context(self, scope: Scope) -> Context: ...
    def rows_behind(self, target: str, assignments: tuple[Assignment, ...]) -> tuple[int, ...]: ...
    def walk(self, nodes: list[Node], scope: Scope) -> None: ...


class Writing:
    """Begins, commits and rolls back, and writes pending objects when their session would."""

    def __init__(self, walker: Walking) -> None:
        self.walker = walker
        self.transactions: list[Transaction] = []
        self.last_key = 0
        self.inserted: set[int] = set()
        """Objects made here whose row is written: a later change updates it."""

    def for_effect(self, node: EffectNode, scope: Scope) -> int | None:
        """The transaction in which an effect happens; opened here when the library opens one by itself."""
        if not node.connection:
            return self.walker.state.current()
        current = self.current(node.connection, node.library)
        if current is None and node.begins == "auto":
            context = self.walker.context(scope)
            return self._begin(node.connection, node.place, context, library=node.library, explicit=False, blocks=False)
        return current

    def current(self, connection: str, library: str) -> int | None:
        """The connection's open transaction, or the only open one of its library where the object was lost sight of."""
        name = self.owner(connection, library)
        return self.walker.state.current(name) if name else None

    def owner(self, connection: str, library: str) -> str:
        state = self.walker.state
        if state.open.get(connection):
            return connection
        if ":" in connection:
            return ""
        same = [name for name, stack in state.open.items() if stack and self._library(stack[-1]) == library]
        return same[0] if len(same) == 1 else ""

    def _library(self, transaction: int) -> str:
        begin = next(
            (e for e in self.walker.effects if e.kind is EffectKind.BEGIN and e.transaction == transaction), None
        )
        return begin.library if begin is not None else ""

    def _begin(
        self,
        connection: str,
        place: Place,
        context: Context,
        *,
        library: str,
        explicit: bool,
        blocks: bool,
        isolation: str = "",
    ) -> int:
        ordinal = len(self.transactions)
        self.transactions.append(
            Transaction(ordinal=ordinal, place=place, is_explicit=explicit, isolation=isolation, connection=connection)
        )
        self.walker.state.own().open[connection] = (ordinal,)
        self._control(EffectKind.BEGIN, "BEGIN", place, context, library, ordinal, blocks)
        return ordinal

    def _control(  # noqa: PLR0917
        self, kind: EffectKind, action: str, place: Place, context: Context, library: str, ordinal: int, blocks: bool
    ) -> None:
        self.walker.add(
            Effect(
                kind=kind,
                action=action,
                library=library,
                place=place,
                path=context.path,
                transaction=ordinal,
                loops=context.loops,
                conditions=context.conditions,
                handlers=context.handlers,
                blocks_thread=blocks,
                on_event_loop=context.mode == "loop",
                after_response=context.after_response,
            )
        )

    def transaction(self, node: TransactionNode, scope: Scope) -> None:
        """Begin, commit, roll back, flush or close."""
        state = self.walker.state
        context = self.walker.context(scope)
        connection = self.owner(node.connection, node.library) or node.connection
        stack = state.open.get(connection, ())
        if node.verb == "begin":
            if stack:
                state.own().open[connection] = (*stack, stack[-1])
                return
            self._begin(
                connection, node.place, context, library=node.library, explicit=node.is_explicit,
                blocks=node.blocks_thread, isolation=node.isolation,
            )  # fmt: skip
        elif node.verb == "flush":
            self.flush(connection)
        elif node.verb == "close":
            self._forget(connection)
            state.own().open.pop(connection, None)
        elif node.verb == "rollback":
            self._forget(connection)
            if stack:
                self._control(
                    EffectKind.ROLLBACK, "ROLLBACK", node.place, context, node.library, stack[-1], node.blocks_thread
                )
            state.own().open.pop(connection, None)
        else:
            self._commit(node, context, connection)

    def _commit(self, node: TransactionNode, context: Context, connection: str) -> None:
        state = self.walker.state
        self.flush(connection)
        stack = state.open.get(connection, ())
        if node.is_scope and len(stack) > 1:
            state.own().open[connection] = stack[:-1]
            return
        if not stack:
            return
        self._control(EffectKind.COMMIT, "COMMIT", node.place, context, node.library, stack[-1], node.blocks_thread)
        state.own().open.pop(connection, None)
        waiting = [each for each in state.deferred if each[0] == connection]
        state.deferred = tuple(each for each in state.deferred if each[0] != connection)
        for _, body, scope, _ in waiting:
            self.walker.walk(body, scope)

    def _forget(self, connection: str) -> None:
        pending = self.walker.state.own().pending
        for key in [key for key, each in pending.items() if each.connection == connection]:
            del pending[key]

    def change(self, node: ChangeNode, scope: Scope) -> None:
        """A mapped object was made, changed, added, saved or deleted."""
        pending = self.walker.state.own().pending
        if node.verb == "new":
            self.last_key -= 1
            scope.tokens[node.row] = self.last_key
        key = scope.key(node.row) if node.row else None
        name = key if key is not None else ("?", node.table, node.place.line)
        written = tuple(
            Assignment(column=w.column.lower(), origins=scope.origins(w.sources), is_atomic=w.is_atomic)
            for w in node.written
        )
        found = pending.get(name)
        if found is None:
            state = "loaded" if key is not None and (key >= 0 or key in self.inserted) else "new"
            if node.verb in ("change", "save", "delete", "remove") and key is None:
                state = "loaded"
            found = Pending(node.table, node.place, self.walker.context(scope), state, is_active=node.is_active)
        else:
            found = copied(found)
        pending[name] = found
        found.written = (*(w for w in found.written if w.column not in {new.column for new in written}), *written)
        found.payload = tuple(dict.fromkeys((*found.payload, *(o for w in written for o in w.origins))))
        found.connection = node.connection or found.connection
        found.library = node.library or found.library
        found.begins = node.begins or found.begins
        found.blocks = node.blocks_thread or found.blocks
        if node.keys and not found.predicates:
            found.predicates = tuple(Predicate(column=c.column, origins=scope.origins(c.sources)) for c in node.keys)
        self._act(node, scope, name, found)

    def _act(self, node: ChangeNode, scope: Scope, name: object, found: Pending) -> None:
        if node.verb in ("insert", "save", "delete", "remove"):
            found.place, found.context, found.is_added = node.place, self.walker.context(scope), True
            if not node.table and not found.table:
                found.table = ""
        if node.verb == "insert" and found.state == "loaded" and not isinstance(name, int):
            found.state = "new"
        if node.verb in ("delete", "remove"):
            found.state = "deleted"
        if node.verb in ("save", "remove"):
            self._write(name, found)

    def flush(self, connection: str) -> None:
        """Writes what a session has gathered."""
        for key, each in list(self.walker.state.pending.items()):
            mine = not each.connection or each.connection == connection or not self._is_open(each.connection)
            # To add what was fetched changes nothing; only a column that was set is written.
            waits = bool(each.written) if each.state == "loaded" else each.is_added
            if mine and waits and not each.is_active and key in self.walker.state.pending:
                mine_now = copied(each)
                mine_now.connection = connection
                self._write(key, mine_now)

    def _is_open(self, connection: str) -> bool:
        return bool(self.walker.state.open.get(connection))

    def _write(self, key: object, pending: Pending) -> None:
        self.walker.state.own().pending.pop(key, None)
        action = {"new": "INSERT", "loaded": "UPDATE", "deleted": "DELETE"}[pending.state]
        if pending.state == "new" and isinstance(key, int):
            self.inserted.add(key)
        context = pending.context
        ordinal = self.current(pending.connection, pending.library)
        if ordinal is None and (pending.begins == "auto" or not pending.begins) and not pending.is_active:
            connection = pending.connection or "session"
            ordinal = self._begin(
                connection, pending.place, context, library=pending.library, explicit=False, blocks=pending.blocks
            )
        rows = self.walker.rows_behind(pending.table, pending.written)
        if isinstance(key, int) and key >= 0:
            # The row itself comes first; the others are rows that something was taken from.
            rows = (key, *(row for row in rows if row != key))
        library = pending.library
        if not library and rows:
            library = self.walker.effects[rows[0]].library
        self.walker.add(
            Effect(
                kind=EffectKind.DATABASE_WRITE,
                target=pending.table,
                action=action,
                text=f"{action} {pending.table}",
                library=library,
                place=pending.place,
                path=context.path,
                transaction=ordinal,
                loops=context.loops,
                conditions=context.conditions,
                handlers=context.handlers,
                rows=Rows.ONE,
                predicates=pending.predicates if action != "INSERT" else (),
                predicates_known=action != "INSERT" and bool(pending.predicates),
                assignments=pending.written if action != "DELETE" else (),
                payload_origins=pending.payload,
                row_origins=rows if action != "INSERT" else (),
                limit=Known.UNKNOWN,
                blocks_thread=pending.blocks,
                on_event_loop=context.mode == "loop",
                after_response=context.after_response,
            )
        )

    def finish(self) -> None:
        """What was added to a session whose commit was not seen is written all the same."""
        for key, each in list(self.walker.state.pending.items()):
            waits = each.is_added and (each.state != "loaded" or each.written)
            if waits and not each.is_active and key in self.walker.state.pending:
                self._write(key, each)
