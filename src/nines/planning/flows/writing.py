"""Creating, changing, moving and deleting: one transaction, or reserve, commit, call, settle where others are asked."""

from __future__ import annotations

from nines.model.blueprint import Action, Operation, Resource
from nines.model.design import Branch, StepKind
from nines.planning.data import facts
from nines.planning.flows import changing, keeping
from nines.planning.flows.checking import check
from nines.planning.flows.draft import Draft, is_queued
from nines.planning.flows.reading import one

RETRIES_MAX = 3
"""Of a transaction that the database refused for a conflict; then the caller gets 503."""
_BAD_WORDS = ("fail", "reject", "declin", "refus", "cancel", "expir", "error", "dead", "abort", "void", "bounce")
_MISSING = Branch(when="there is none, or the caller may not change it", then="both look alike", status=404)
_CHANGED = Branch(when="If-Match names another version", then="nothing is changed", status=412)
_HELD = Branch(when="another operation holds it", then="nothing is changed", status=409)


def create(draft: Draft, operation: Operation, resource: Resource) -> None:
    draft.isolate(
        "read committed",
        "Uniqueness and references are the constraints' business; nothing that was read decides what is written.",
    )
    check(draft, operation)
    draft.begin()
    keeping.claim_key(draft, operation)
    _refer(draft, resource)
    twice = Branch(when="a unique key is taken", then="nothing is written", status=409)
    broken = Branch(when="an invariant is broken", then="nothing is written", status=422)
    noun = keeping.subject(resource)
    reserved = " as reserved" if operation.calls else ""
    draft.query(changing.insert(draft, resource, operation), f"insert the {noun}{reserved}", branches=(twice, broken))
    for statement in changing.insert_children(draft, resource):
        draft.query(statement, f"insert its {statement.tables[0].replace('_', ' ')}")
    if operation.calls:
        _ask(draft, operation, resource)
    else:
        _finish(draft, operation, resource)
    _respond(draft, 202 if operation.is_asynchronous else 201)


def change(draft: Draft, operation: Operation, resource: Resource) -> None:
    draft.isolate("read committed", "The version in the condition decides: a change that came between affects no row.")
    check(draft, operation)
    draft.query(
        one(draft, resource, resource.access.write, suffix="-to-change"),
        "read the object as it is, and merge the change",
        branches=(_MISSING,),
    )
    draft.begin()
    keeping.claim_key(draft, operation)
    _refer(draft, resource)
    again = Branch(
        when="no row has that version any more",
        then=f"with If-Match nothing is changed; without, it is read and merged again, {RETRIES_MAX} times at most",
        status=412,
    )
    broken = Branch(when="an invariant is broken", then="nothing is changed", status=422)
    held = (_HELD,) if facts.reserving(draft.blueprint, resource) else ()
    if operation.calls:
        draft.query(changing.reserve(draft, resource, operation, ()), "reserve the row", branches=(again, _HELD))
        _ask(draft, operation, resource, also_update=True)
    else:
        statement = changing.update(draft, resource)
        draft.query(statement, "write the change under the next version", branches=(again, broken, *held))
        _rewrite_lists(draft, resource)
        _finish(draft, operation, resource)
    _respond(draft, 200)


def move(draft: Draft, operation: Operation, resource: Resource) -> None:
    states = sources(resource, operation.to_state)
    check(draft, operation)
    late = Branch(when=f"its state is not {' or '.join(states)}", then="nothing is changed", status=409)
    branches = (_MISSING, late, _CHANGED)
    draft.isolate(
        "read committed",
        "State and version stand in the condition of the UPDATE that changes them; who comes second affects no row.",
    )
    draft.begin()
    keeping.claim_key(draft, operation)
    if operation.calls:
        reserve = changing.reserve(draft, resource, operation, states)
        draft.query(reserve, "reserve the row for this operation", branches=(*branches, _HELD))
        draft.also(one(draft, resource, resource.access.write, suffix="-to-change"))
        _ask(draft, operation, resource)
    elif operation.hook:
        _with_hook(draft, operation, resource, branches)
        _finish(draft, operation, resource)
    else:
        statement = changing.transition(draft, resource, operation, states)
        draft.query(statement, f"move it to {operation.to_state}", branches=branches)
        draft.also(one(draft, resource, resource.access.write, suffix="-to-change"))
        _finish(draft, operation, resource)
    _respond(draft, 202 if operation.is_asynchronous else 200)


def remove(draft: Draft, operation: Operation, resource: Resource) -> None:
    draft.isolate(
        "read committed", "One DELETE names the row and its version; what refers to it is a foreign key's business."
    )
    check(draft, operation)
    draft.begin()
    keeping.claim_key(draft, operation)
    used = Branch(when="others refer to it", then="nothing is deleted", status=409)
    draft.query(changing.delete(draft, resource), "delete the row", branches=(_MISSING, _CHANGED, used))
    draft.also(one(draft, resource, resource.access.write, suffix="-to-change"))
    _finish(draft, operation, resource)
    _respond(draft, 204)


def custom(draft: Draft, operation: Operation, resource: Resource | None) -> None:
    """The owner's function; what it reads and writes through its ports is not known here."""
    draft.isolate(
        "serializable",
        "What the owner's function reads before it writes is not known; serializable keeps any rule that it keeps when "
        f"run alone. A transaction that the database refuses for it (SQLSTATE 40001) is run again, {RETRIES_MAX} times "
        "at most.",
    )
    check(draft, operation)
    draft.begin()
    keeping.claim_key(draft, operation)
    refused = Branch(when="the function refuses", then="nothing is changed", status=409)
    conflict = Branch(when=f"the database refuses it {RETRIES_MAX} times", then="nothing is changed", status=503)
    hook = operation.hook or operation.name
    if resource is not None and operation.calls:
        draft.query(changing.reserve(draft, resource, operation, ()), "reserve the row", branches=(_MISSING, _HELD))
        _ask(draft, operation, resource, hook=hook)
    else:
        if operation.calls:
            draft.commit("commit the key alone: what is asked of others happens outside")
            for verb in operation.calls:
                draft.call(verb, f"ask {verb}", branches=_failures(draft, verb))
            draft.begin()
        draft.add(StepKind.COMPUTE, f"run the owner's function {hook}", branches=(refused, conflict))
        _finish(draft, operation, resource)
    _respond(draft, 202 if operation.is_asynchronous else 200)


def sources(resource: Resource, to_state: str) -> tuple[str, ...]:
    """The states from which one may go there."""
    return tuple(state.name for state in resource.states if to_state in state.to)


def settled_state(operation: Operation, resource: Resource) -> str:
    """Where a row stands when the calls went well: as the blueprint or its event says, or the first good way on."""
    names = facts.state_names(resource)
    if operation.to_state in names:
        return operation.to_state
    if operation.do is not Action.CREATE or not names:
        return ""
    told = [event.rpartition(".")[2] for event in operation.emits]
    following = next((state.to for state in resource.states if state.name == names[0]), ())
    return next((name for name in (*told, *following) if name in following and not is_bad(name)), "")


def failed_state(operation: Operation, resource: Resource) -> str:
    """Where a new row goes that was refused for good; "": it stays where it was, as others do."""
    if operation.do is not Action.CREATE or not resource.states:
        return ""
    return next((name for name in resource.states[0].to if is_bad(name)), "")


def is_bad(state: str) -> bool:
    return any(word in state for word in _BAD_WORDS)


def _refer(draft: Draft, resource: Resource) -> None:
    for target, statement in changing.find_referred(draft, resource):
        noun = keeping.subject(target)
        strange = Branch(when="there is none that the caller may see", then="nothing is written", status=422)
        draft.query(statement, f"see that the caller may refer to the {noun}", branches=(strange,))


def _rewrite_lists(draft: Draft, resource: Resource) -> None:
    inserts = {statement.tables[0]: statement for statement in changing.insert_children(draft, resource)}
    for statement in changing.delete_children(draft, resource):
        name = statement.tables[0].replace("_", " ")
        draft.query(statement, f"empty its {name}, where the list is part of the change")
        draft.query(inserts[statement.tables[0]], f"insert its {name} anew")


def _with_hook(draft: Draft, operation: Operation, resource: Resource, branches: tuple[Branch, ...]) -> None:
    refused = Branch(when="the function refuses", then="nothing is changed", status=409)
    broken = Branch(when="an invariant is broken", then="nothing is changed", status=422)
    draft.query(changing.lock(draft, resource, resource.access.write), "lock the row", branches=branches)
    draft.add(StepKind.COMPUTE, f"run the owner's function {operation.hook} on the locked row", branches=(refused,))
    store = changing.store(draft, resource, operation.to_state)
    draft.query(store, "write what it made of the row", branches=(broken,))


def _ask(draft: Draft, operation: Operation, resource: Resource, *, hook: str = "", also_update: bool = False) -> None:
    """Commits the reservation, asks the others, and settles in a transaction of its own."""
    draft.commit("commit the reservation, so that no lock is held while others are asked")
    for verb in operation.calls:
        draft.call(verb, f"ask {verb} under a key made of the row and the operation", branches=_failures(draft, verb))
    draft.begin()
    if hook or operation.hook:
        draft.add(StepKind.COMPUTE, f"run the owner's function {hook or operation.hook} on the answers")
    good, bad = settled_state(operation, resource), failed_state(operation, resource)
    lost = Branch(when="the job has settled it meanwhile", then="what the job decided is answered")
    as_state = f" as {good}" if good else ""
    draft.query(changing.settle(draft, resource, operation, good), f"settle the row{as_state}", branches=(lost,))
    draft.also(changing.settle(draft, resource, operation, bad))
    if also_update or hook or operation.hook:
        draft.query(changing.store(draft, resource), "write what changed besides")
    _finish(draft, operation, resource)


def _failures(draft: Draft, verb: str) -> tuple[Branch, ...]:
    name, dependency = draft.callee(verb)
    refuses = Branch(when=f"{name} refuses for good", then="the row is released or marked as failed", status=422)
    late = f"{name} gives no answer in time, after every attempt"
    if is_queued(dependency):
        unknown = Branch(when=late, then="the row stays reserved; a job asks again and settles it", status=202)
    else:
        then = "the outcome is not known: the row stays reserved, a job asks again under the same key and settles it"
        unknown = Branch(when=late, then=then, status=503)
    found = [refuses, unknown]
    if dependency and dependency.breaker:
        status = 202 if is_queued(dependency) else 503
        found.append(Branch(when=f"the breaker of {name} is open", then="it is not asked now", status=status))
    return tuple(found)


def _finish(draft: Draft, operation: Operation, resource: Resource | None) -> None:
    keeping.post(draft, operation)
    keeping.emit(draft, operation)
    keeping.audit(draft, resource)
    keeping.finish_key(draft, operation)
    lost = Branch(
        when="the connection breaks before the answer", then="the same request under the same key tells what happened"
    )
    draft.commit(branches=(lost,) if operation.idempotency else ())
    keeping.publish(draft, operation)


def _respond(draft: Draft, status: int) -> None:
    says = f"answer {status}"
    if status == 202:
        says += " with where the status can be read"
    elif status in (200, 201):
        says += " with the object and its ETag"
    draft.add(StepKind.RESPOND, says)
