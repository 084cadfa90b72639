"""Creating, changing, moving and deleting: one transaction, or reserve, commit, call, settle where others are asked."""

from __future__ import annotations

from nines.model.blueprint import Action, Operation, Resource
from nines.model.design import Branch, StepKind
from nines.planning.data import facts
from nines.planning.data.names import table_name
from nines.planning.flows import changing, keeping
from nines.planning.flows.checking import check
from nines.planning.flows.draft import Draft, is_queued
from nines.planning.flows.reading import children, one

RETRIES_MAX = 3
"""Of a transaction that the database refused for a conflict; then the caller gets 503."""
_BAD_WORDS = ("fail", "reject", "declin", "refus", "cancel", "expir", "error", "dead", "abort", "void", "bounce")
_TWICE = Branch(when="a unique key is taken", then="nothing is written", status=409)
_BROKEN = Branch(when="an invariant is broken", then="nothing is written", status=422)
MISSING = Branch(when="there is none, or the caller may not change it", then="both look alike", status=404)
CHANGED = Branch(when="If-Match names another version", then="nothing is changed", status=412)
_HELD = Branch(when="another operation holds it", then="nothing is changed", status=409)


def create(draft: Draft, operation: Operation, resource: Resource) -> None:
    _isolate(draft, operation, "The constraints keep uniqueness and references; nothing that was read decides a write.")
    check(draft, operation)
    draft.begin()
    keeping.claim_key(draft, operation)
    _refer(draft, resource)
    _decide(draft, operation)
    noun = keeping.subject(resource)
    reserved = " as reserved" if operation.calls else ""
    draft.query(
        changing.insert(draft, resource, operation),
        f"insert the {noun}{reserved}",
        branches=(*taken(resource), _BROKEN),
    )
    for statement in changing.insert_children(draft, resource):
        draft.query(statement, f"insert its {statement.tables[0].replace('_', ' ')}")
    if operation.calls:
        keeping.audit(draft, resource)
        keeping.remember_row(draft, operation)
        _ask(draft, operation, resource)
    else:
        _finish(draft, operation, resource)
    _respond(draft, 201)


def change(draft: Draft, operation: Operation, resource: Resource) -> None:
    _isolate(draft, operation, "The version in the condition decides: a change that came between affects no row.")
    check(draft, operation)
    draft.begin()
    keeping.claim_key(draft, operation)
    draft.query(
        one(draft, resource, draft.changers(resource), suffix="-to-change"),
        "read the object as it is, and merge the change",
        branches=(MISSING,),
    )
    _refer(draft, resource)
    _decide(draft, operation)
    again = Branch(
        when="no row has that version any more",
        then=f"with If-Match nothing is changed; without, it is read and merged again, {RETRIES_MAX} times at most",
        status=412,
    )
    held = (_HELD,) if facts.reserving(draft.blueprint, resource) else ()
    if operation.calls:
        draft.query(changing.reserve(draft, resource, operation, ()), "reserve the row", branches=(again, _HELD))
        _ask(draft, operation, resource)
    else:
        statement = changing.update(draft, resource)
        draft.query(statement, "write the change under the next version", branches=(again, _BROKEN, *held))
        _rewrite_lists(draft, resource)
        _finish(draft, operation, resource)
    _respond(draft, 200)


def move(draft: Draft, operation: Operation, resource: Resource) -> None:
    _isolate(
        draft, operation, "State and version are conditions of the UPDATE itself; who comes second affects no row."
    )
    states = facts.sources(draft.blueprint, resource, operation.to_state)
    check(draft, operation)
    late = Branch(when=f"its state is not {' or '.join(states)}", then="nothing is changed", status=409)
    held = (_HELD,) if facts.reserving(draft.blueprint, resource) else ()
    branches = (MISSING, late, CHANGED, *held)
    draft.begin()
    keeping.claim_key(draft, operation)
    if operation.hook:
        draft.query(changing.lock(draft, resource, draft.changers(resource)), "lock the row", branches=branches)
        _decide(draft, operation)
        branches = ()
    if operation.calls:
        reserve = changing.reserve(draft, resource, operation, states)
        draft.query(reserve, "reserve the row for this operation", branches=branches)
        draft.also(one(draft, resource, draft.changers(resource), suffix="-to-change"))
        _ask(draft, operation, resource)
    elif operation.hook:
        store = changing.store(draft, resource, operation.to_state)
        draft.query(store, "write what it made of the row", branches=(_BROKEN,))
        _finish(draft, operation, resource)
    else:
        statement = changing.transition(draft, resource, operation, states)
        draft.query(statement, f"move it to {operation.to_state}", branches=branches)
        draft.also(one(draft, resource, draft.changers(resource), suffix="-to-change"))
        _finish(draft, operation, resource)
    _respond(draft, 200)


def taken(resource: Resource) -> tuple[Branch, ...]:
    """What a caller meets whose values are in use: only keys that callers set can be taken by them."""
    settable = {field.name for field in resource.fields if not field.is_read_only}
    return (_TWICE,) if any(part.partition(".")[0] in settable for key in resource.unique for part in key) else ()


def remove(draft: Draft, operation: Operation, resource: Resource) -> None:
    _isolate(
        draft, operation, "One DELETE names the row and its version; what refers to it is a foreign key's business."
    )
    check(draft, operation)
    draft.begin()
    keeping.claim_key(draft, operation)
    _decide(draft, operation)
    own = f"{table_name(resource.name)}."
    columns = (column for table in draft.tables for column in table.columns)
    is_used = any(column.references.startswith(own) and column.on_delete == "RESTRICT" for column in columns)
    used = (Branch(when="others refer to it", then="nothing is deleted", status=409),) if is_used else ()
    draft.query(changing.delete(draft, resource), "delete the row", branches=(MISSING, CHANGED, *used))
    draft.also(one(draft, resource, draft.changers(resource), suffix="-to-change"))
    _finish(draft, operation, resource)
    _respond(draft, 204)


def custom(draft: Draft, operation: Operation, resource: Resource | None, *, has_object: bool) -> None:
    """The owner's function; what it reads and writes through its ports is not known here."""
    _isolate(draft, operation, "")
    check(draft, operation)
    draft.begin()
    keeping.claim_key(draft, operation)
    locked = resource if has_object else None
    if locked is not None:
        held = (_HELD,) if facts.reserving(draft.blueprint, locked) else ()
        lock = changing.lock(draft, locked, draft.changers(locked))
        draft.query(lock, "lock the row", branches=(MISSING, *held))
    if locked is not None and operation.calls:
        _decide(draft, operation)
        draft.query(changing.reserve(draft, locked, operation, ()), "reserve the row", branches=(_HELD,))
        _ask(draft, operation, locked)
    else:
        _ask_unreserved(draft, operation)
        _decide(draft, operation)
        if locked is not None and not locked.is_append_only:
            draft.query(changing.store(draft, locked), "write what it made of the row", branches=(_BROKEN,))
        _finish(draft, operation, resource)
    _respond(draft, 200)


def _ask_unreserved(draft: Draft, operation: Operation) -> None:
    """Without a row to reserve, only the key remembers that the others were asked."""
    if not operation.calls:
        return
    draft.commit("commit the key alone: what is asked of others happens outside")
    for verb in operation.calls:
        draft.call(verb, f"ask {verb} under a key made of the caller's", branches=_failures(draft, verb, ""))
    draft.begin()


def _isolate(draft: Draft, operation: Operation, reason: str) -> None:
    """What a function of the owner reads before it writes is not known, so that only one level keeps its rules."""
    if operation.hook or operation.do is Action.CUSTOM:
        draft.isolate(
            "serializable",
            "What a function of the owner reads before it writes is not known; serializable keeps any rule that it "
            "keeps when it runs alone. A transaction that is refused for it (SQLSTATE 40001) is run again, "
            f"{RETRIES_MAX} times at most.",
        )
    else:
        draft.isolate("read committed", reason)


def _decide(draft: Draft, operation: Operation) -> None:
    """The owner's function decides inside the transaction, before anybody else is asked."""
    if not operation.hook and operation.do is not Action.CUSTOM:
        return
    refused = Branch(when="the function refuses", then="nothing is changed", status=409)
    conflict = Branch(when=f"the database refuses it {RETRIES_MAX} times", then="nothing is changed", status=503)
    says = f"run the owner's function {operation.hook or operation.name}"
    draft.add(StepKind.COMPUTE, says, branches=(refused, conflict))


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


def _ask(draft: Draft, operation: Operation, resource: Resource) -> None:
    """Commits the reservation, asks the others, and settles in a transaction of its own."""
    draft.commit("commit the reservation, so that no lock is held while others are asked")
    bad = failed_state(operation, resource)
    refused = f"the row is settled as {bad}" if bad else "the row is let go as it was"
    for verb in operation.calls:
        says = f"ask {verb} under the key of the reservation"
        draft.call(verb, says, branches=_failures(draft, verb, refused))
    draft.begin()
    settle_reserved(draft, operation, resource, "the job has settled it meanwhile", "what the job decided is answered")
    draft.also(changing.settle(draft, resource, bad))
    _finish(draft, operation, resource)


def settle_reserved(draft: Draft, operation: Operation, resource: Resource, when: str, then: str) -> None:
    """With what was decided before the others were asked, where a function or a caller decided something."""
    good = settled_state(operation, resource)
    decided = bool(operation.hook) or operation.do in (Action.UPDATE, Action.CUSTOM)
    statement = changing.settle(draft, resource, good, with_fields=decided, is_answered=True)
    says = f"settle the row{f' as {good}' if good else ''}{', with what was decided' if decided else ''}"
    draft.query(statement, says, branches=(Branch(when=when, then=then),))


def _failures(draft: Draft, verb: str, refused: str) -> tuple[Branch, ...]:
    """`refused` tells what becomes of the reserved row; "" where there is none."""
    name, dependency = draft.callee(verb)
    refuses = Branch(when=f"{name} refuses for good", then=refused or "nothing is changed", status=422)
    late = f"{name} gives no answer in time, after every attempt"
    if not refused:
        unknown = Branch(when=late, then="the same request under the same key asks again", status=503)
    elif is_queued(dependency):
        unknown = Branch(when=late, then="the row stays reserved; a job asks again and settles it", status=202)
    else:
        then = "the outcome is not known: the row stays reserved, a job asks again under the same key and settles it"
        unknown = Branch(when=late, then=then, status=503)
    found = [refuses, unknown]
    if dependency and dependency.breaker:
        status = 202 if refused and is_queued(dependency) else 503
        found.append(Branch(when=f"the breaker of {name} is open", then="it is not asked now", status=status))
    return tuple(found)


def _finish(draft: Draft, operation: Operation, resource: Resource | None) -> None:
    if resource is not None and operation.do is not Action.DELETE and not operation.gives:
        for statement in children(draft, resource):
            draft.query(statement, f"read its {statement.tables[0].replace('_', ' ')}, for the answer")
    keeping.post(draft, operation)
    keeping.emit(draft, operation)
    keeping.audit(draft, resource)
    keeping.finish_key(draft, operation)
    lost = Branch(
        when="the connection breaks before the answer", then="the same request under the same key tells what happened"
    )
    draft.commit(branches=(lost,) if operation.idempotency else ())
    keeping.publish(draft, operation)


def _respond(draft: Draft, usual: int) -> None:
    status = draft.status or usual
    says = f"answer {status}"
    if status == 202:
        says += " with where the status can be read"
    elif status in (200, 201):
        says += " with the object and its ETag"
    draft.add(StepKind.RESPOND, says)
