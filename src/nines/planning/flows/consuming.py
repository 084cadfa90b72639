"""Events of others: each is taken once, in the transaction of what it causes, whatever comes again."""

# ruff: noqa: S608 -- Names are quoted and values are placeholders; nothing of a caller becomes part of a text.

from __future__ import annotations

from nines.model import words as wording
from nines.model.blueprint import Action, Blueprint, Consumer, Operation, Resource
from nines.model.design import Branch, PlannedTable, StepKind
from nines.model.design.ddl import literal, quoted
from nines.planning.data import consuming, facts, own
from nines.planning.data.names import kebab, table_name
from nines.planning.flows import changing, keeping
from nines.planning.flows.draft import Draft, Script
from nines.planning.flows.reading import shown
from nines.planning.flows.statement import Statement, Wish, both, listed

_REASON = "The row is locked before it is looked at, and the inbox lets one of two deliveries through."
_OF_OWNER = (
    "What the owner's function reads beside the locked row it locks itself (FOR UPDATE), for others may change it "
    "meanwhile."
)


def take(blueprint: Blueprint, tables: tuple[PlannedTable, ...], consumer: Consumer) -> Script:
    """What one event causes."""
    draft = Draft(blueprint, tables, consumer.name)
    draft.isolate("read committed", _OF_OWNER if consumer.hook else _REASON)
    resource = blueprint.resource(consumer.on)
    _receive(draft, consumer)
    draft.begin()
    again = Branch(when="it was taken before", then="nothing is done, and it is acknowledged again")
    draft.query(_take(draft), "write down in the inbox that it is taken", branches=(again,))
    if resource is None:
        _decide(draft, consumer)
    elif consumer.do is Action.CREATE:
        _create(draft, consumer, resource)
    else:
        _change(draft, consumer, resource)
    if resource is not None:
        keeping.emit(draft, consumer)
        keeping.audit(draft, resource)
    draft.commit(f"commit; only then is it {'deleted from the outbox' if _is_own(consumer) else 'acknowledged'}")
    keeping.publish(draft, consumer)
    if not _is_own(consumer):
        draft.also(_keep_dead(draft), _take_dead(draft, consumer), _leave_dead(draft, consumer))
    return draft.done()


def says(consumer: Consumer) -> str:
    what = {
        Action.CREATE: f"makes {_an(consumer.on)} of it",
        Action.UPDATE: f"changes the {_spoken(consumer.on)} that it names",
        Action.TRANSITION: f"moves the {_spoken(consumer.on)} that it names to {consumer.to_state}",
    }.get(consumer.do, f"runs {consumer.hook}")
    return f"Takes {consumer.event} and {what}."


def dead_letter(blueprint: Blueprint, consumer: Consumer) -> str:
    if _is_own(consumer):
        return f"{facts.own_name(blueprint, own.OUTBOX)} with is_dead"
    return facts.own_name(blueprint, own.DEAD_EVENTS)


def _receive(draft: Draft, consumer: Consumer) -> None:
    unread = Branch(when="its data is not what was agreed", then="it is kept as a dead letter at once")
    failed = Branch(
        when=f"attempt {consumer.attempts_max} failed as well",
        then=f"it is kept in {dead_letter(draft.blueprint, consumer)} with its reason, and those behind it go on",
    )
    if _is_own(consumer):
        where = "the relay of the outbox"
    else:
        where = f"{consumer.source} ({consuming.address(draft.blueprint, consumer)})"
    says = f"take {consuming.type_of(draft.blueprint, consumer)} from {where}, those of one subject in their order"
    draft.add(StepKind.CHECK, says, branches=(unread, failed), target=consumer.source)


def _create(draft: Draft, consumer: Consumer, resource: Resource) -> None:
    if consumer.hook:
        _decide(draft, consumer)
    made = Operation(name=consumer.name, on=resource.name, do=Action.CREATE)
    twice = Branch(when="a unique key is taken, or what it refers to is not there", then="it is tried again")
    statement = changing.insert(draft, resource, made, is_whole=True)
    draft.query(statement, f"insert the {keeping.subject(resource)}", branches=(twice,))


def _change(draft: Draft, consumer: Consumer, resource: Resource) -> None:
    states = facts.sources(draft.blueprint, resource, consumer.to_state) if consumer.to_state else ()
    noun = keeping.subject(resource)
    branches = [Branch(when="there is none yet", then="it is tried again")]
    if states:
        branches.append(Branch(when=f"it is {consumer.to_state} already", then="nothing is changed"))
        branches.append(Branch(when=f"it is not {' or '.join(states)}", then="it is tried again"))
    if facts.reserving(draft.blueprint, resource):
        branches.append(Branch(when="an operation holds it while it asks others", then="it is tried again"))
    draft.query(_lock(draft, consumer, resource), f"find the {noun}, and lock it", branches=branches)
    if consumer.hook:
        _decide(draft, consumer)
    if consumer.hook or consuming.taken_over(draft.blueprint, consumer, resource):
        draft.query(changing.store(draft, resource, consumer.to_state), f"write what became of the {noun}")
    elif consumer.to_state:
        draft.query(changing.move_by_event(draft, resource, consumer.to_state), f"move it to {consumer.to_state}")


def _decide(draft: Draft, consumer: Consumer) -> None:
    refused = Branch(when="the function refuses it for good", then="it is kept as a dead letter at once")
    draft.add(StepKind.COMPUTE, f"run the owner's function {consumer.hook}", branches=(refused,))


def _lock(draft: Draft, consumer: Consumer, resource: Resource) -> Statement:
    """By what the event names it with; of a tenant, where the event tells one."""
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    columns = found_columns(draft.blueprint, table, consumer)
    held = ["pending_operation"] if table.column("pending_operation") else []
    text = (
        f"SELECT {listed([*shown(table, resource), *held])}\nFROM {quoted(table.name)}\n"
        f"WHERE {both([sql.equal(column) for column in columns])}\nFOR UPDATE"
    )
    wish = Wish(table=table.name, equal=columns)
    return sql.done(f"find-{kebab(resource.name)}-of-event", text, wish=wish, rows_max=1)


def found_columns(blueprint: Blueprint, table: PlannedTable, consumer: Consumer) -> tuple[str, ...]:
    """The columns by which the object is found."""
    return tuple(dict.fromkeys(_column(table, field) for field, _ in consuming.finding(blueprint, consumer)))


def _column(table: PlannedTable, path: str) -> str:
    """Of a field such as external_ref, account or amount.currency."""
    wanted = {path, f"{path}_id"}
    kept = next((each.name for each in table.columns if each.member in wanted), "")
    return kept or path


def _take(draft: Draft) -> Statement:
    table = draft.table(facts.own_name(draft.blueprint, own.INBOX))
    sql = draft.sql(table)
    values = f"{sql.value('source')}, {sql.value('id', is_fresh=True)}"
    text = f"INSERT INTO {table.name} (source, id)\nVALUES ({values})\nON CONFLICT DO NOTHING\nRETURNING id"
    wish = Wish(table=table.name, equal=("source", "id"))
    says = "no row: it was taken before"
    return sql.done("take-from-inbox", text, wish=wish, rows_max=1, is_write=True, says=says)


def _keep_dead(draft: Draft) -> Statement:
    table = draft.table(facts.own_name(draft.blueprint, own.DEAD_EVENTS))
    sql = draft.sql(table)
    names = [each.name for each in table.columns if not each.default and each.name != "again_at"]
    values = [sql.value(name, is_fresh=name == "id") for name in names]
    text = f"INSERT INTO {table.name} ({listed(names)})\nVALUES ({', '.join(values)})"
    return sql.done("keep-dead-event", text, rows_max=0, is_write=True)


def _take_dead(draft: Draft, consumer: Consumer) -> Statement:
    table = draft.table(facts.own_name(draft.blueprint, own.DEAD_EVENTS))
    sql = draft.sql(table)
    text = (
        f"DELETE FROM {table.name}\nWHERE ctid = (\n    SELECT ctid\n    FROM {table.name}\n"
        f"    WHERE consumer = {sql.bind(literal(consumer.name), 'consumer')} AND again_at <= now()\n"
        "    ORDER BY again_at\n    LIMIT 1\n    FOR UPDATE SKIP LOCKED\n)\n"
        "RETURNING source, id, document, attempts"
    )
    wish = Wish(table=table.name, equal=("consumer",), order=("again_at",), where="again_at IS NOT NULL")
    says = "those that somebody wants to be taken once more"
    return sql.done("take-dead-event-again", text, wish=wish, rows_max=1, is_write=True, says=says)


def _leave_dead(draft: Draft, consumer: Consumer) -> Statement:
    table = draft.table(facts.own_name(draft.blueprint, own.DEAD_EVENTS))
    sql = draft.sql(table)
    which = [f"consumer = {sql.bind(literal(consumer.name), 'consumer')}", sql.equal("source"), sql.equal("id")]
    reason, attempts = sql.value("reason"), sql.value("attempts")
    text = f"UPDATE {table.name}\nSET again_at = NULL, reason = {reason}, attempts = {attempts}\nWHERE {both(which)}"
    wish = Wish(table=table.name, equal=("consumer", "source", "id"))
    return sql.done("leave-dead-event", text, wish=wish, rows_max=0, is_write=True)


def _is_own(consumer: Consumer) -> bool:
    return consuming.is_own(consumer)


def _spoken(resource: str) -> str:
    return " ".join(kebab(resource).split("-"))


def _an(resource: str) -> str:
    return wording.an(_spoken(resource))
