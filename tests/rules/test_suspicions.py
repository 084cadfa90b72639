"""What rests on something that was only not seen is told, but below what is to be mended first."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from nines.model.effect import Assignment, Condition, Effect, Known, Predicate, Retry, Rows
from nines.model.finding import Finding
from nines.model.rule import Confidence, Tier
from nines.model.schema import Column, Table
from nines.model.service import Endpoint
from nines.model.trace import UNREAD_BASE, Blind, Trace, Transaction, Witness
from tests.rules.build import SIGNED_IN, effect, endpoint, found, origin, service

IMPLICIT = Transaction(ordinal=0, is_explicit=False)


def is_suspicion(finding: Finding) -> bool:
    return (finding.tier, finding.confidence) == (Tier.CONVENIENCE, Confidence.LOW)


class TestLostUpdate:
    RULE = "consistency/lost-update"
    READ = effect("database_read", "parts", "SELECT", 3)
    OWN = origin("database", "held", 0, is_calculated=True)

    def update(self, *origins: object, **fields: object) -> Effect:
        assignment = Assignment(column="held", origins=origins)  # type: ignore[arg-type]
        return effect("database_write", "parts", "UPDATE", 5, assignments=(assignment,), row_origins=(0,), **fields)

    def parts(self, type: str) -> tuple[Table, ...]:
        return (Table(name="parts", columns=(Column(name="held", type=type),)),)

    def test_a_number_is_counted_on_and_a_text_is_brought_into_form(self) -> None:
        write = self.update(self.OWN, origin("constant", "1"))
        (counted,) = found(self.RULE, service(self.READ, write, tables=self.parts("integer")))
        assert (counted.tier, counted.confidence) == (Tier.RELIABILITY, Confidence.HIGH)
        (formed,) = found(self.RULE, service(self.READ, write, tables=self.parts("text")))
        assert is_suspicion(formed)

    @pytest.mark.parametrize("kind", ["remote", "chance"])
    def test_what_is_decided_elsewhere_adds_nothing_up(self, kind: str) -> None:
        write = self.update(self.OWN, origin(kind))
        assert not found(self.RULE, service(self.READ, write, tables=self.parts("integer")))

    @pytest.mark.parametrize(("text", "arm"), [("not row.held", 0), ("row.held", 1), ("row.held is None", 0)])
    def test_an_empty_value_is_filled(self, text: str, arm: int) -> None:
        asked = Condition(branch=0, arm=arm, text=text)
        write = self.update(self.OWN, conditions=(asked,))
        assert not found(self.RULE, service(self.READ, write, tables=self.parts("integer")))
        other = self.update(self.OWN, conditions=(replace(asked, arm=1 - arm),))
        assert found(self.RULE, service(self.READ, other, tables=self.parts("integer")))

    def test_another_row_of_the_table_is_not_the_one_that_is_written(self) -> None:
        write = replace(self.update(replace(self.OWN, effect=1)), row_origins=(0, 1))
        assert not found(self.RULE, service(self.READ, self.READ, write, tables=self.parts("integer")))


class TestPublishInTransaction:
    RULE = "transactions/publish-in-transaction"
    WRITE = effect("database_write", "orders", "INSERT", transaction=0)
    TASK = effect("publish", "shop.tasks.send_receipt", "delay", 5, transaction=0)

    def told(self, *effects: Effect) -> Finding:
        (finding,) = found(self.RULE, service(*effects, transactions=(IMPLICIT,)))
        return finding

    def test_a_commit_that_depends_on_something(self) -> None:
        maybe = effect("commit", transaction=0, conditions=(Condition(branch=0, arm=0),))
        assert is_suspicion(self.told(self.WRITE, maybe, self.TASK))
        elsewhere = replace(self.TASK, conditions=(Condition(branch=0, arm=1),))
        assert self.told(self.WRITE, maybe, elsewhere).tier is Tier.RELIABILITY

    def test_a_write_of_nobody_knows_what(self) -> None:
        assert is_suspicion(self.told(replace(self.WRITE, target=""), self.TASK))

    def test_a_list_that_nobody_awaits(self) -> None:
        assert is_suspicion(self.told(self.WRITE, replace(self.TASK, target="sessions", action="rpush")))
        assert self.told(self.WRITE, replace(self.TASK, target="mail_queue", action="rpush")).tier is Tier.RELIABILITY

    def test_what_is_done_only_in_tests(self) -> None:
        eager = Condition(branch=0, arm=0, text="settings.CELERY_TASK_ALWAYS_EAGER")
        assert is_suspicion(self.told(self.WRITE, replace(self.TASK, conditions=(eager,))))
        assert not is_suspicion(self.told(self.WRITE, replace(self.TASK, conditions=(replace(eager, arm=1),))))


class TestCheckThenAct:
    RULE = "consistency/check-then-act"
    USER = Predicate(column="user_id", origins=(origin("principal", "user"),))
    READ = effect("database_read", "carts", "SELECT", 3, predicates=(USER,), predicates_known=True)
    WRITE = effect(
        "database_write",
        "carts",
        "INSERT",
        6,
        assignments=(Assignment(column="user_id", origins=(origin("principal", "request.user"),)),),
        conditions=(Condition(branch=0, arm=1, effects=(0,), wants="absent"),),
    )
    TABLE = Table(
        name="carts", columns=(Column(name="id", is_primary=True), Column(name="user_id", references="users.id"))
    )

    def told(self, read: Effect, write: Effect | None = None, *before: Effect) -> list[Finding]:
        return list(found(self.RULE, service(read, write or self.WRITE, *before, tables=(self.TABLE,))))

    def test_one_row_of_a_parent(self) -> None:
        (finding,) = self.told(self.READ)
        assert finding.tier is Tier.RELIABILITY

    @pytest.mark.parametrize("operator", ["=", ">"])
    def test_a_look_up_that_wants_more_than_the_parent(self, operator: str) -> None:
        more = Predicate(column="made_at", operator=operator, origins=(origin("clock"),))
        (finding,) = self.told(replace(self.READ, predicates=(self.USER, more)))
        assert is_suspicion(finding)

    def test_a_state_is_no_key_and_another_value_is_another_row(self) -> None:
        state = Predicate(column="user_id", origins=(origin("constant", "None"),))
        assert not self.told(replace(self.READ, predicates=(state,)))
        other = replace(self.WRITE, assignments=(Assignment(column="user_id", origins=(origin("caller", "guest"),)),))
        assert not self.told(self.READ, other)

    def test_children_of_a_row_that_was_just_made(self) -> None:
        parent = effect("database_write", "users", "INSERT", 1)
        look = replace(self.READ, predicates=(Predicate(column="user_id", origins=(origin("database", "id", 0),)),))
        absent = Condition(branch=0, arm=1, effects=(1,), wants="absent")
        made = (Assignment(column="user_id", origins=(origin("database", "id", 0),)),)
        write = replace(self.WRITE, conditions=(absent,), assignments=made)
        assert not found(self.RULE, service(parent, look, write, tables=(self.TABLE,)))


class TestMissingAuthentication:
    RULE = "security/missing-authentication"
    WRITE = effect("database_write", "hits", "INSERT")
    OPEN = endpoint("POST /track", function="app.main.track")

    def told(self, *guarded: Endpoint, writes: tuple[Effect, ...] = ()) -> Finding:
        others = tuple((e, Trace(endpoint=e.id, witness=Witness.PREDICTED, effects=writes)) for e in guarded)
        (finding,) = found(self.RULE, service(self.WRITE, entry=self.OPEN, others=others))
        return finding

    def test_an_open_file_is_open_on_purpose(self) -> None:
        far = replace(self.OPEN.place, file="app/orders.py")
        orders = [endpoint(f"GET /orders/{n}", guards=SIGNED_IN, place=far) for n in range(3)]
        assert is_suspicion(self.told(*orders))
        beside = [replace(each, place=self.OPEN.place) for each in orders]
        assert self.told(*beside).tier is Tier.SECURITY
        assert self.told(*orders, writes=(self.WRITE,)).tier is Tier.SECURITY


@pytest.mark.parametrize(
    ("function", "target"),
    [("app.client.unregister", ""), ("app.client.update_network", ""), ("app.client.send", "https://x/networks/{}")],
)
def test_a_request_that_sets_what_it_names_may_be_repeated(function: str, target: str) -> None:
    call = effect(
        "remote_call",
        target or "https://x.example/networks",
        "POST",
        idempotency=Known.MISSING,
        retries=(Retry(known=Known.SET, attempts_max=3),),
    )
    (finding,) = found("deadlines/retry-non-idempotent", service(call, entry=endpoint(function=function)))
    assert is_suspicion(finding)


def test_a_view_with_a_base_that_was_not_read_may_page_its_rows() -> None:
    read = effect("database_read", "orders", "SELECT", limit=Known.MISSING, rows=Rows.MANY, predicates_known=True)
    read = replace(read, reaches_response=True)
    told = service(read, effect("database_write", "orders", "INSERT"), entry=endpoint("GET /orders"))
    (finding,) = found("database/unbounded-query", told)
    assert finding.tier is Tier.RELIABILITY
    (trace,) = told.traces
    blind = replace(trace, blind=(Blind(reason=UNREAD_BASE, text="tables.SingleTableMixin"),))
    (finding,) = found("database/unbounded-query", replace(told, traces=(blind,)))
    assert finding.tier is Tier.PERFORMANCE
