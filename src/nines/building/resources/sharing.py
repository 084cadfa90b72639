"""Moves that share their commits: where nothing but one row changes, and no key came that would have to be kept."""

from __future__ import annotations

from nines.building import names, python
from nines.building.resources import carrying, hooks, keeping
from nines.building.resources.code import Module
from nines.model.blueprint import Operation
from nines.model.design import PlannedEndpoint, PlannedQuery


def is_shared(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> bool:
    """In a service whose creations share theirs; an operation that asks for a key always keeps it in its own."""
    capacity, key = module.design.capacity, endpoint.idempotency
    if capacity is None or not capacity.is_grouped or key is None or key.is_required:
        return False
    thing = module.thing
    noun = names.kebab(thing.resource.name)
    own = {"claim-idempotency-key", "read-idempotency-key", "finish-idempotency-key", f"read-{noun}-to-change"}
    own.add(f"move-{noun}-to-{names.kebab(operation.to_state)}")
    sent = {query.base for query in thing.design.queries if endpoint.id in query.used_by}
    is_watched = thing.resource.audit in ("all", "writes") or hooks.is_hooked(operation)
    beside = operation.calls or operation.emits or operation.posts or operation.saga or is_watched
    return sent <= own and not beside and carrying.is_last(module, operation)


def move(module: Module, endpoint: PlannedEndpoint, query: PlannedQuery, given: dict[str, str]) -> None:
    """Where the row could not be moved, the transaction that follows tells why."""
    thing = module.thing
    with module.block("if not call.idempotency_key:"):
        module.line("# Nothing is to be kept, so it shares a commit with others; what follows tells why it could not.")
        sent = module.send("tx.fetchrow", query, given)
        parts = ("call.deadline", module.id, *sent.parts)
        module.put(python.call("service.database.changed", *parts), before="row = await ")
        with module.block("if row is not None:"):
            module.put(keeping.shown_expression(module, "row"), before=f"{thing.noun} = ")
            module.put(carrying.shown_answer(module, endpoint), before="return ")
