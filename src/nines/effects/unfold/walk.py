"""Walks a tree of nodes in order and writes down the trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from nines.effects.limits import BLIND_PER_TRACE_MAX, EFFECTS_PER_TRACE_MAX, STEPS_PER_TRACE_MAX
from nines.effects.nodes import (
    BlindNode,
    BranchNode,
    CallNode,
    ChangeNode,
    ContextNode,
    DeferNode,
    EffectNode,
    HoleNode,
    LoopNode,
    Node,
    RefineNode,
    RetryDraft,
    ScopeNode,
    TransactionNode,
    TryNode,
)
from nines.effects.unfold.scope import Scope
from nines.effects.unfold.state import Context, State, joined
from nines.effects.unfold.writing import Writing
from nines.effects.values import Sources
from nines.model.effect import Assignment, Condition, Deadline, Effect, Handler, Known, Loop, Predicate, Retry
from nines.model.origin import Origin, OriginKind
from nines.model.place import Step
from nines.model.trace import Blind, Trace, Witness

_WEIGHT = {"continue": 0, "break": 0, "return": 1, "raise": 2}


class Full(Exception):  # noqa: N818
    """The trace has reached its limit."""


def unfold(endpoint: str, nodes: list[Node], *, mode: str, returned: Sources = ()) -> Trace:
    """The trace of one entry point; `mode` is "loop" where waiting stops every other request."""
    walker = Walker(mode)
    scope = Scope(None, None, (), mode)
    try:
        walker.walk(nodes, scope)
        walker.writing.finish()
    except Full:
        walker.blind.append(Blind(reason="trace too long: the rest was not followed", text=endpoint))
    walker.mark_response(scope.origins(returned))
    return Trace(
        endpoint=endpoint,
        witness=Witness.PREDICTED,
        effects=tuple(walker.effects),
        transactions=tuple(walker.writing.transactions),
        blind=tuple(walker.blind[:BLIND_PER_TRACE_MAX]),
    )


class Walker:
    """Holds what is collected, and the circumstances at the present point."""

    def __init__(self, mode: str) -> None:
        self.effects: list[Effect] = []
        self.blind: list[Blind] = []
        self._blind_seen: set[tuple[str, str]] = set()
        self.state = State()
        self.loops: list[Loop] = []
        self.conditions: list[tuple[Condition, str]] = []
        self.handlers: list[Handler] = []
        self.retries: list[tuple[RetryDraft, Scope]] = []
        self.deadlines: list[Deadline] = []
        self.mode = mode
        self.after_response = False
        self.branches = 0
        self.loop_count = 0
        self.loop_base = 0
        """How many of the loops belong to the callers of the function that is walked."""
        self.steps = 0
        self.writing = Writing(self)
        self._by_node: dict[type, Callable[[Any, Scope], None]] = {
            EffectNode: self._effect,
            RefineNode: self._refine,
            BranchNode: self._branch,
            LoopNode: self._loop,
            TryNode: self._try,
            ScopeNode: self._scope,
            HoleNode: self._hole,
            TransactionNode: self.writing.transaction,
            ChangeNode: self.writing.change,
            BlindNode: self._blind,
            CallNode: self._call,
            ContextNode: self._context,
            DeferNode: self._defer,
        }

    def walk(self, nodes: list[Node], scope: Scope) -> None:
        for node in nodes:
            self.steps += 1
            if self.steps > STEPS_PER_TRACE_MAX:
                raise Full
            self._by_node[type(node)](node, scope)

    def context(self, scope: Scope) -> Context:
        conditions = tuple(condition for condition, _ in self.conditions)
        return Context(scope.path, tuple(self.loops), conditions, tuple(self.handlers), self.mode, self.after_response)

    def add(self, effect: Effect) -> int:
        if len(self.effects) >= EFFECTS_PER_TRACE_MAX:
            raise Full
        self.effects.append(effect)
        return len(self.effects) - 1

    def _effect(self, node: EffectNode, scope: Scope) -> None:
        if node.connection and node.is_unit_of_work:
            self.writing.flush(node.connection)
        transaction = self.writing.for_effect(node, scope)
        context = self.context(scope)
        assignments = tuple(
            Assignment(column=w.column.lower(), origins=scope.origins(w.sources), is_atomic=w.is_atomic)
            for w in node.written
        )
        predicates = tuple(
            Predicate(
                column=f"{c.table}.{c.column}" if c.table else c.column,
                operator=c.operator,
                origins=scope.origins(c.sources),
            )
            for c in node.conditions
        )
        renews_key = self._renews_key(node, scope)
        index = self.add(
            Effect(
                kind=node.kind,
                target=node.target,
                action=node.action,
                text=node.text,
                library=node.library,
                place=node.place,
                path=context.path,
                transaction=transaction,
                loops=context.loops,
                conditions=context.conditions,
                handlers=context.handlers,
                deadline=self._bounded(node.deadline),
                retries=tuple(_retry(draft) for draft in (*node.retries, *(draft for draft, _ in self.retries))),
                rows=node.rows,
                limit=node.limit,
                limit_origins=scope.origins(node.limit_sources),
                predicates=predicates,
                predicates_known=node.predicates_known,
                assignments=assignments,
                locks_rows=node.locks_rows,
                handles_conflict=node.handles_conflict,
                is_lazy=node.is_lazy,
                text_origins=scope.origins(node.text_sources),
                payload_origins=scope.origins(node.payload),
                row_origins=self.rows_behind(node.target, assignments),
                idempotency=Known.MISSING if renews_key else node.idempotency,
                renews_key=renews_key,
                blocks_thread=node.blocks_thread,
                on_event_loop=context.mode == "loop",
                after_response=context.after_response,
                reaches_response=node.reaches_response,
            )
        )
        scope.tokens[node.token] = index

    def _renews_key(self, node: EffectNode, scope: Scope) -> bool:
        """Whether the idempotency key is drawn by chance alone, and anew in each attempt."""
        sources = [source for source in node.key_sources if source.kind is not OriginKind.CONSTANT]
        origins = [scope.origin(source) for source in sources]
        if not origins or any(origin.kind is not OriginKind.CHANCE for origin in origins):
            return False
        return any(
            _is_drawn_inside(scope.drawn(source), origin, draft, around)
            for source, origin in zip(sources, origins, strict=True)
            for draft, around in self.retries
        )

    def _bounded(self, own: Deadline) -> Deadline:
        """The effect's own deadline, or a shorter one around it."""
        for around in self.deadlines:
            if around.known is not Known.SET:
                continue
            longer = own.duration_s is not None and around.duration_s is not None and own.duration_s > around.duration_s
            if own.known is not Known.SET or longer:
                own = around
        return own

    def rows_behind(self, target: str, assignments: tuple[Assignment, ...]) -> tuple[int, ...]:
        """The reads of the same table whose values are written back."""
        found: dict[int, None] = {}
        for assignment in assignments:
            if assignment.is_atomic:
                continue
            for origin in assignment.origins:
                if origin.effect is not None and target and self.effects[origin.effect].target == target:
                    found[origin.effect] = None
        return tuple(found)

    def _refine(self, node: RefineNode, scope: Scope) -> None:
        for source, others in node.checked:
            origin = scope.origin(source)
            if origin.effect is None or origin.effect >= len(self.effects):
                continue
            read = self.effects[origin.effect]
            predicate = Predicate(column=origin.name.lower(), operator="checked", origins=scope.origins(others))
            if read.is_database and predicate not in read.predicates:
                predicates = (*read.predicates, predicate)
                self.effects[origin.effect] = msgspec.structs.replace(read, predicates=predicates)
        key = scope.key(node.token) if node.token else None
        if key is None or key < 0:
            return
        effect = self.effects[key]
        self.effects[key] = msgspec.structs.replace(
            effect,
            rows=node.rows if node.rows is not None else effect.rows,
            limit=node.limit if node.limit is not None else effect.limit,
            reaches_response=effect.reaches_response or node.reaches_response,
        )

    def _branch(self, node: BranchNode, scope: Scope) -> None:
        number = self.branches
        self.branches += 1
        origins = scope.origins(node.sources)
        seen = tuple(dict.fromkeys(o.effect for o in origins if o.effect is not None))
        base = len(self.conditions)
        start = self.state
        ends: list[State] = []
        kept: list[tuple[int, list[tuple[Condition, str]]]] = []
        for arm_number, arm in enumerate(node.arms):
            self.state = start.copy()
            wants = node.wants[arm_number] if arm_number < len(node.wants) else ""
            condition = Condition(
                branch=number,
                arm=arm_number,
                place=node.place,
                effects=seen,
                origins=origins,
                wants=wants if seen else "",
                text=node.text,
            )
            kind = min((a.ends for a in node.arms if a.ends), key=lambda e: _WEIGHT[e], default="")
            self.conditions.append((condition, kind))
            around, self.loops = self.loops, self._repeating(arm.ends)
            self.walk(arm.nodes, scope)
            self.loops = around
            if not arm.ends:
                ends.append(self.state)
                kept.append((arm_number, self.conditions[base:]))
            del self.conditions[base:]
        self.state = joined(ends) if ends else self.state
        if len(kept) == 1 and len(node.arms) > 1 and any(arm.ends for arm in node.arms):
            self.conditions.extend(kept[0][1])

    def _repeating(self, ends: str) -> list[Loop]:
        """The loops that go on after an arm; one that leaves by break or return happens once, not in each round."""
        own = len(self.loops) > self.loop_base
        left = self.loop_base if ends == "return" else len(self.loops) - (ends == "break" and own)
        return self.loops[:left]

    def _drop(self, base: int, kinds: tuple[str, ...]) -> None:
        """Ends the reach of early exits that led only out of the block that ends here."""
        self.conditions[base:] = [each for each in self.conditions[base:] if each[1] not in kinds]

    def _loop(self, node: LoopNode, scope: Scope) -> None:
        origins = scope.origins(node.sources)
        effect = next((o.effect for o in origins if o.kind is OriginKind.DATABASE and o.effect is not None), None)
        loop = Loop(
            place=node.place,
            ordinal=self.loop_count,
            effect=effect,
            origins=origins,
            iterations_max=node.iterations_max,
        )
        self.loop_count += 1
        base = len(self.conditions)
        self.loops.append(loop)
        self.walk(node.body, scope)
        self.loops.pop()
        del self.conditions[base:]

    def _try(self, node: TryNode, scope: Scope) -> None:
        base = len(self.conditions)
        added = [Handler(errors=h.errors, place=h.place, ends_by=h.ends_by) for h in node.handlers]
        self.handlers.extend(added)
        self.walk(node.body, scope)
        if added:
            del self.handlers[-len(added) :]
        goes_on = any(h.ends_by == "continues" for h in node.handlers)
        self._drop(base, ("raise",) if goes_on else ())
        ends: list[State] = []
        number = self.branches
        self.branches += bool(node.handlers)
        after_body = self.state
        if not node.body_ends:
            self.state = after_body.copy()
            self.walk(node.otherwise, scope)
            ends.append(self.state)
        caught = False
        for arm, handler in enumerate(node.handlers, 1):
            self.state = after_body.copy()
            text = f"except {', '.join(handler.errors)}".strip()
            inner = len(self.conditions)
            before = len(self.effects)
            self.conditions.append((Condition(branch=number, arm=arm, place=handler.place, text=text), ""))
            self.walk(handler.nodes, scope)
            del self.conditions[inner:]
            caught = caught or len(self.effects) > before
            if handler.ends_by == "continues":
                ends.append(self.state)
        self.state = joined(ends) if ends else after_body
        self.walk(node.final, scope)
        if caught and not goes_on and not node.body_ends:
            self.conditions.append((Condition(branch=number, arm=0, place=node.place, text="no error"), "return"))

    def _scope(self, node: ScopeNode, scope: Scope) -> None:
        self.walk(node.enter, scope)
        self.walk(node.body, scope)
        self.walk(node.exit, scope)

    def _hole(self, _node: HoleNode, scope: Scope) -> None:
        if scope.call is None or scope.call.hole is None or scope.parent is None:
            return
        scope.export()
        mode, self.mode = self.mode, scope.parent.mode
        self.walk(scope.call.hole, scope.parent)
        self.mode = mode

    def _call(self, node: CallNode, scope: Scope) -> None:
        path = (*scope.path, Step(function=node.function, place=node.place)) if node.is_step else scope.path
        outer = self.mode
        if node.thread:
            self.mode = "" if node.thread == "thread" else node.thread
        scope.mode = outer
        inner = Scope(scope, node, path, self.mode)
        base = len(self.conditions)
        loop_base, self.loop_base = self.loop_base, len(self.loops)
        self.walk(node.nodes, inner)
        self.loop_base = loop_base
        self._drop(base, ("return", "break", "continue"))
        inner.export()
        self.mode = outer

    def _context(self, node: ContextNode, scope: Scope) -> None:
        mode, after = self.mode, self.after_response
        if node.thread:
            self.mode = "" if node.thread == "thread" else node.thread
        self.after_response = after or node.after_response
        if node.retry is not None:
            self.retries.append((node.retry, scope))
        if node.deadline is not None:
            self.deadlines.append(node.deadline)
        base = len(self.conditions)
        self.walk(node.body, scope)
        if node.after_response:
            del self.conditions[base:]
        if node.retry is not None:
            self.retries.pop()
        if node.deadline is not None:
            self.deadlines.pop()
        self.mode, self.after_response = mode, after

    def _defer(self, node: DeferNode, scope: Scope) -> None:
        if self.state.open.get(node.connection):
            self.state.deferred += ((node.connection, node.body, scope, self.context(scope)),)
        else:
            self.walk(node.body, scope)

    def _blind(self, node: BlindNode, scope: Scope) -> None:
        key = (node.reason, node.text)
        if key not in self._blind_seen and len(self.blind) < BLIND_PER_TRACE_MAX:
            self._blind_seen.add(key)
            self.blind.append(Blind(reason=node.reason, text=node.text, place=node.place, path=scope.path))

    def mark_response(self, origins: tuple[Origin, ...]) -> None:
        """What the handler returns reaches the response."""
        for origin in origins:
            if origin.effect is not None and origin.effect < len(self.effects):
                effect = self.effects[origin.effect]
                self.effects[origin.effect] = msgspec.structs.replace(effect, reaches_response=True)


def _is_drawn_inside(drawn: Scope | None, origin: Origin, draft: RetryDraft, around: Scope) -> bool:
    """Whether what chance gives at the line `origin.name` arises in the part of the program that is tried again."""
    if drawn is None or draft.place is None:
        return False
    is_below = origin.name.isdecimal() and int(origin.name) > draft.place.line
    return drawn.is_within(around) or (drawn is around and is_below)


def _retry(draft: RetryDraft) -> Retry:
    return Retry(
        place=draft.place,
        attempts_max=draft.attempts_max,
        known=draft.known if draft.known is not Known.SET or draft.attempts_max is not None else Known.UNKNOWN,
        errors=draft.errors,
        methods=draft.methods,
        is_jittered=draft.is_jittered,
        source=draft.source,
    )
