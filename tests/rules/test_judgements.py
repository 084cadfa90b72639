"""What each rule makes of hand-built traces: the one that accuses, and every change that must silence it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from nines.model.effect import (
    Assignment,
    Condition,
    Deadline,
    Effect,
    EffectKind,
    Handler,
    Known,
    Loop,
    Predicate,
    Retry,
    Rows,
)
from nines.model.rule import Confidence, Severity, Tier
from nines.model.schema import Column, Table
from nines.model.service import Endpoint, EndpointKind, EndpointParameter, Guard, GuardKind
from nines.model.trace import Trace, Transaction, Witness
from tests.rules.build import SIGNED_IN, effect, endpoint, found, origin, service

TRANSACTION = Transaction(ordinal=0)
IMPLICIT = Transaction(ordinal=0, is_explicit=False)


class TestRemoteCallInTransaction:
    RULE = "transactions/remote-call-in-transaction"
    WRITE = effect("database_write", "orders", "INSERT", transaction=0)
    READ = effect("database_read", "orders", "SELECT", transaction=0)
    CALL = effect("remote_call", "https://pay.example/charges", "POST", 5, transaction=0)

    def test_locks_make_it_grave(self) -> None:
        (finding,) = found(self.RULE, service(self.WRITE, self.CALL, transactions=(IMPLICIT,)))
        assert (finding.severity, finding.confidence) == (Severity.HIGH, Confidence.HIGH)
        assert "POST to pay.example" in finding.message
        assert "orders" in finding.consequence

    def test_a_row_lock_counts_as_a_lock(self) -> None:
        (finding,) = found(self.RULE, service(replace(self.READ, locks_rows=True), self.CALL, transactions=(IMPLICIT,)))
        assert finding.severity is Severity.HIGH

    def test_a_block_that_has_only_read_is_less_grave(self) -> None:
        (finding,) = found(self.RULE, service(self.READ, self.CALL, transactions=(TRANSACTION,)))
        assert finding.severity is Severity.MEDIUM

    def test_an_implicit_transaction_that_has_only_read_is_minor(self) -> None:
        (finding,) = found(self.RULE, service(self.READ, self.CALL, transactions=(IMPLICIT,)))
        assert (finding.severity, finding.confidence) == (Severity.LOW, Confidence.MEDIUM)

    def test_a_write_on_another_arm_holds_nothing(self) -> None:
        one = replace(self.WRITE, conditions=(Condition(branch=1, arm=0),))
        other = replace(self.CALL, conditions=(Condition(branch=1, arm=1),))
        (finding,) = found(self.RULE, service(self.READ, one, other, transactions=(IMPLICIT,)))
        assert finding.severity is Severity.LOW

    def test_a_write_that_was_committed_on_its_own_way_holds_nothing(self) -> None:
        arm = (Condition(branch=1, arm=0),)
        write = replace(self.WRITE, conditions=arm)
        commit = effect("commit", transaction=0, conditions=arm)
        (finding,) = found(self.RULE, service(self.READ, write, commit, self.CALL, transactions=(IMPLICIT,)))
        assert finding.severity is Severity.LOW
        maybe = replace(commit, conditions=(*arm, Condition(branch=2, arm=0)))
        (finding,) = found(self.RULE, service(self.READ, write, maybe, self.CALL, transactions=(IMPLICIT,)))
        assert finding.severity is Severity.HIGH

    @pytest.mark.parametrize("change", [{"transaction": None}, {"after_response": True}])
    def test_silent(self, change: dict[str, object]) -> None:
        assert not found(self.RULE, service(self.WRITE, replace(self.CALL, **change), transactions=(TRANSACTION,)))


class TestPublishInTransaction:
    RULE = "transactions/publish-in-transaction"
    WRITE = effect("database_write", "orders", "INSERT", transaction=0)
    TASK = effect("publish", "shop.tasks.send_receipt", "delay", 5, transaction=0)

    def test_after_the_write(self) -> None:
        (finding,) = found(self.RULE, service(self.WRITE, self.TASK, transactions=(IMPLICIT,)))
        assert finding.message.startswith("send_receipt is sent before the transaction")
        assert finding.confidence is Confidence.HIGH

    def test_before_the_write_in_a_block(self) -> None:
        (finding,) = found(self.RULE, service(self.TASK, self.WRITE, transactions=(TRANSACTION,)))
        assert finding.confidence is Confidence.MEDIUM

    @pytest.mark.parametrize(
        "effects",
        [
            (TASK,),
            (effect("database_read", "orders", "SELECT", transaction=0), TASK),
            (WRITE, replace(TASK, transaction=None)),
            (WRITE, replace(TASK, after_response=True)),
            (TASK, WRITE),
        ],
    )
    def test_silent(self, effects: tuple[Effect, ...]) -> None:
        assert not found(self.RULE, service(*effects, transactions=(IMPLICIT,)))


class TestLostUpdate:
    RULE = "consistency/lost-update"
    ID = Predicate(column="id", origins=(origin("caller", "account_id", location="path"),))
    READ = effect("database_read", "accounts", "SELECT", 3, predicates=(ID,), predicates_known=True, transaction=0)
    NEW = Assignment(
        column="balance", origins=(origin("database", "balance", 0, is_calculated=True), origin("caller", "amount"))
    )
    WRITE = effect(
        "database_write", "accounts", "UPDATE", 5, assignments=(NEW,), row_origins=(0,), transaction=0, predicates=(ID,)
    )

    def test_a_new_value_from_the_old(self) -> None:
        (finding,) = found(self.RULE, service(self.READ, self.WRITE, transactions=(IMPLICIT,)))
        assert "accounts.balance" in finding.message
        assert finding.related[0][1].line == 3

    def test_plain_statements_that_choose_alike(self) -> None:
        write = replace(self.WRITE, row_origins=(), predicates_known=True)
        assert found(self.RULE, service(self.READ, write, transactions=(IMPLICIT,)))

    @pytest.mark.parametrize(
        ("read", "write"),
        [
            ({"kind": EffectKind.DATABASE_WRITE, "action": "INSERT"}, {}),
            ({"locks_rows": True}, {}),
            ({}, {"assignments": (replace(NEW, is_atomic=True),)}),
            ({}, {"assignments": (Assignment(column="balance", origins=(origin("caller", "balance"),)),)}),
            ({}, {"assignments": (Assignment(column="balance", origins=(origin("database", "balance", 0),)),)}),
            (
                {},
                {
                    "assignments": (
                        Assignment(column="total", origins=(origin("database", "balance", 0, is_calculated=True),)),
                    )
                },
            ),
            ({}, {"predicates": (ID, Predicate(column="version", origins=(origin("database", "version", 0),)))}),
            ({}, {"action": "INSERT"}),
            ({"target": "limits"}, {}),
            ({}, {"row_origins": ()}),
        ],
    )
    def test_silent(self, read: dict[str, object], write: dict[str, object]) -> None:
        effects = (replace(self.READ, **read), replace(self.WRITE, **write))
        assert not found(self.RULE, service(*effects, transactions=(IMPLICIT,)))

    @pytest.mark.parametrize("isolation", ["SERIALIZABLE", "repeatable_read"])
    def test_silent_where_the_database_refuses(self, isolation: str) -> None:
        transactions = (Transaction(ordinal=0, isolation=isolation),)
        assert not found(self.RULE, service(self.READ, self.WRITE, transactions=transactions))

    def test_silent_under_a_lock(self) -> None:
        lock = effect("lock", "advisory")
        read = self.READ
        write = replace(
            self.WRITE,
            row_origins=(1,),
            assignments=(replace(self.NEW, origins=(origin("database", "balance", 1, is_calculated=True),)),),
        )
        assert found(self.RULE, service(effect("sleep"), read, write, transactions=(IMPLICIT,)))
        assert not found(self.RULE, service(lock, read, write, transactions=(IMPLICIT,)))


class TestCheckThenAct:
    RULE = "consistency/check-then-act"
    EMAIL = (origin("caller", "email"),)
    READ = effect(
        "database_read",
        "users",
        "SELECT",
        3,
        predicates=(Predicate(column="email", origins=EMAIL),),
        predicates_known=True,
    )
    ABSENT = Condition(branch=0, arm=1, effects=(0,), wants="absent")
    WRITE = effect(
        "database_write",
        "users",
        "INSERT",
        6,
        assignments=(Assignment(column="email", origins=EMAIL),),
        conditions=(ABSENT,),
    )
    COLUMNS = (Column(name="id", is_primary=True), Column(name="email"))
    OPEN = Table(name="users", columns=COLUMNS, unique=(("id",),))
    UNIQUE = Table(name="users", columns=COLUMNS, unique=(("id",), ("email",)))
    HANDLER = Handler(errors=("sqlalchemy.exc.IntegrityError",), ends_by="raises")

    def test_without_a_constraint_there_are_two_rows(self) -> None:
        (finding,) = found(self.RULE, service(self.READ, self.WRITE, tables=(self.OPEN,)))
        assert (finding.severity, finding.confidence) == (Severity.HIGH, Confidence.HIGH)
        assert "email" in finding.message

    def test_with_one_the_second_gets_a_500(self) -> None:
        (finding,) = found(self.RULE, service(self.READ, self.WRITE, tables=(self.UNIQUE,)))
        assert finding.severity is Severity.LOW
        assert "500" in finding.message

    def test_a_wider_constraint_catches_equal_requests(self) -> None:
        wider = replace(self.OPEN, unique=(("id",), ("email", "project_id")))
        (finding,) = found(self.RULE, service(self.READ, self.WRITE, tables=(wider,)))
        assert finding.severity is Severity.LOW
        assert "500" in finding.message

    def test_numbers_of_the_database_are_not_made_up_twice(self) -> None:
        table = replace(self.OPEN, columns=(Column(name="email", type="integer", is_primary=True),))
        assert not found(self.RULE, service(self.READ, self.WRITE, tables=(table,)))

    @pytest.mark.parametrize("tables", [(), (replace(OPEN, is_complete=False),)])
    def test_an_unknown_constraint_is_said(self, tables: tuple[Table, ...]) -> None:
        (finding,) = found(self.RULE, service(self.READ, self.WRITE, tables=tables))
        assert finding.confidence is Confidence.LOW
        assert "not seen" in finding.consequence

    @pytest.mark.parametrize(
        ("read", "write"),
        [
            ({}, {"handlers": (HANDLER,)}),
            ({}, {"handlers": (Handler(errors=()),)}),
            ({}, {"handles_conflict": True}),
            ({}, {"conditions": (replace(ABSENT, wants="present"),)}),
            ({}, {"conditions": ()}),
            ({}, {"action": "UPDATE"}),
            ({}, {"assignments": (Assignment(column="name"),)}),
            ({"locks_rows": True}, {}),
            ({"target": "teams"}, {}),
        ],
    )
    def test_silent(self, read: dict[str, object], write: dict[str, object]) -> None:
        effects = (replace(self.READ, **read), replace(self.WRITE, **write))
        assert not found(self.RULE, service(*effects, tables=(self.OPEN,)))

    def test_a_look_up_for_more_than_is_created_is_no_key(self) -> None:
        missing = Predicate(column="confirmed_at", operator="!=", origins=(origin("constant", "None"),))
        read = replace(self.READ, predicates=(*self.READ.predicates, missing))
        assert not found(self.RULE, service(read, self.WRITE, tables=(self.OPEN,)))

    def test_a_command_does_not_race(self) -> None:
        entry = endpoint(kind=EndpointKind.COMMAND)
        assert not found(self.RULE, service(self.READ, self.WRITE, tables=(self.OPEN,), entry=entry))

    def test_a_handler_of_something_else_does_not_help(self) -> None:
        write = replace(self.WRITE, handlers=(Handler(errors=("KeyError",)),))
        assert found(self.RULE, service(self.READ, write, tables=(self.OPEN,)))

    def test_the_error_may_be_handled_around_the_commit(self) -> None:
        commit = effect("commit", handlers=(self.HANDLER,), transaction=0)
        effects = (self.READ, replace(self.WRITE, transaction=0), commit)
        assert not found(self.RULE, service(*effects, tables=(self.OPEN,), transactions=(IMPLICIT,)))


class TestCallWithoutDeadline:
    RULE = "deadlines/call-without-deadline"
    CALL = effect("remote_call", "api.example", "GET", deadline=Deadline(known=Known.MISSING))

    @pytest.mark.parametrize(
        ("kind", "severity"),
        [
            (EndpointKind.HTTP, Severity.HIGH),
            (EndpointKind.TASK, Severity.MEDIUM),
            (EndpointKind.COMMAND, Severity.LOW),
        ],
    )
    def test_missing(self, kind: EndpointKind, severity: Severity) -> None:
        (finding,) = found(self.RULE, service(self.CALL, entry=endpoint(kind=kind)))
        assert (finding.message, finding.severity) == ("GET to api.example has no timeout", severity)

    @pytest.mark.parametrize("known", [Known.SET, Known.UNKNOWN])
    def test_silent(self, known: Known) -> None:
        assert not found(self.RULE, service(replace(self.CALL, deadline=Deadline(known=known))))


class TestRetryNonIdempotent:
    RULE = "deadlines/retry-non-idempotent"
    RETRY = Retry(known=Known.SET, attempts_max=3, source="tenacity")
    CALL = effect("remote_call", "https://pay.example/charges", "POST", idempotency=Known.MISSING, retries=(RETRY,))

    def test_a_retried_write(self) -> None:
        (finding,) = found(self.RULE, service(self.CALL))
        assert "retried by tenacity without an idempotency key" in finding.message

    @pytest.mark.parametrize(
        "change",
        [
            {"idempotency": Known.SET},
            {"idempotency": Known.UNKNOWN},
            {"action": "GET"},
            {"action": "PUT"},
            {"action": ""},
            {"retries": ()},
            {"retries": (replace(RETRY, attempts_max=1),)},
            {"retries": (replace(RETRY, methods=("GET", "PUT")),)},
            {"retries": (replace(RETRY, errors=("httpx.ConnectError", "httpx.ConnectTimeout")),)},
            {"target": "https://auth.example/oauth/token"},
            {"target": "https://search.example/_search"},
        ],
    )
    def test_silent(self, change: dict[str, object]) -> None:
        assert not found(self.RULE, service(replace(self.CALL, **change)))

    def test_a_delivery_expects_repetition(self) -> None:
        (finding,) = found(self.RULE, service(replace(self.CALL, target="https://client.example/webhook")))
        assert finding.severity is Severity.LOW

    @pytest.mark.parametrize(("error", "count"), [("timeout", 1), ("HTTP 503", 1), ("HTTP 409", 0), ("", 0)])
    def test_seen(self, error: str, count: int) -> None:
        first = replace(self.CALL, retries=(), error=error)
        again = replace(self.CALL, retries=())
        assert len(found(self.RULE, service(first, again, witness=Witness.OBSERVED))) == count


class TestNPlusOne:
    RULE = "database/n-plus-one-query"
    ROWS = effect("database_read", "books", "SELECT", 2, rows=Rows.MANY)
    LOOP = Loop(ordinal=0, effect=0)
    QUERY = effect("database_read", "authors", "SELECT", 4, loops=(LOOP,))

    def test_for_each_row(self) -> None:
        (finding,) = found(self.RULE, service(self.ROWS, self.QUERY))
        assert finding.message == "SELECT of authors runs once for each row of books"
        assert finding.severity is Severity.HIGH

    def test_for_each_item_of_the_request(self) -> None:
        loop = Loop(ordinal=0, origins=(origin("caller", "items"),))
        entry = endpoint(parameters=(EndpointParameter(name="items", location="body", type="list[Item]"),))
        query = replace(self.QUERY, loops=(loop,))
        (finding,) = found(self.RULE, service(self.ROWS, query, entry=entry))
        assert "each item of items" in finding.message
        assert finding.severity is Severity.MEDIUM
        (finding,) = found(self.RULE, service(self.ROWS, query))
        assert finding.severity is Severity.LOW

    def test_an_attribute_of_the_same_object_loads_only_once(self) -> None:
        lazy = replace(self.QUERY, is_lazy=True)
        of_row = replace(lazy, predicates=(Predicate(column="id", origins=(origin("database", "author", 0),)),))
        assert not found(self.RULE, service(self.ROWS, lazy))
        assert found(self.RULE, service(self.ROWS, of_row))

    def test_an_inner_constant_loop_does_not_hide_the_outer(self) -> None:
        loops = (self.LOOP, Loop(ordinal=1, iterations_max=2))
        assert found(self.RULE, service(self.ROWS, replace(self.QUERY, loops=loops)))

    @pytest.mark.parametrize(
        "loops",
        [
            (),
            (Loop(ordinal=0),),
            (Loop(ordinal=0, iterations_max=3, origins=(origin("caller", "items"),)),),
            (Loop(ordinal=0, origins=(origin("setting", "SHARDS"),)),),
        ],
    )
    def test_silent(self, loops: tuple[Loop, ...]) -> None:
        assert not found(self.RULE, service(self.ROWS, replace(self.QUERY, loops=loops)))

    @pytest.mark.parametrize(("limit", "count"), [("3", 0), ("100", 1)])
    def test_a_few_rows_are_no_growth(self, limit: str, count: int) -> None:
        rows = replace(self.ROWS, limit=Known.SET, limit_origins=(origin("constant", limit),))
        assert len(found(self.RULE, service(rows, self.QUERY))) == count

    def test_one_row_is_no_loop(self) -> None:
        assert not found(self.RULE, service(replace(self.ROWS, rows=Rows.ONE), self.QUERY))


class TestUnboundedQuery:
    RULE = "database/unbounded-query"
    READ = effect(
        "database_read", "orders", "SELECT", limit=Known.MISSING, predicates_known=True, reaches_response=True
    )
    TABLE = Table(
        name="orders",
        columns=(Column(name="id"), Column(name="number"), Column(name="customer_id", references="customers.id")),
        unique=(("id",), ("number",)),
    )
    VALUE = (origin("caller", "value"),)

    def test_all_rows(self) -> None:
        (finding,) = found(self.RULE, service(self.READ, tables=(self.TABLE,), others=(self.filling("orders"),)))
        assert finding.message == "all rows of orders are read at once"
        assert (finding.tier, finding.severity, finding.confidence) == (
            Tier.RELIABILITY,
            Severity.HIGH,
            Confidence.HIGH,
        )

    def test_its_name_alone_is_less_sure(self) -> None:
        (finding,) = found(self.RULE, service(self.READ, tables=(self.TABLE,)))
        assert (finding.tier, finding.confidence) == (Tier.PERFORMANCE, Confidence.MEDIUM)

    @staticmethod
    def filling(table: str, entry: Endpoint | None = None) -> tuple[Endpoint, Trace]:
        """An endpoint that adds rows to a table."""
        other = entry or endpoint("POST /rows", function="app.main.add")
        write = effect("database_write", table, "INSERT", line=90)
        return other, Trace(endpoint=other.id, witness=Witness.PREDICTED, effects=(write,))

    @pytest.mark.parametrize(
        ("filler", "tier"),
        [
            (endpoint("POST /parts", function="app.main.add"), Tier.RELIABILITY),
            (endpoint("POST /admin/parts", function="app.main.add"), Tier.PERFORMANCE),
            (endpoint("POST /settings/parts", function="app.main.add"), Tier.PERFORMANCE),
            (endpoint("command fill", kind=EndpointKind.COMMAND, function="app.main.add"), None),
        ],
    )
    def test_who_fills_the_table(self, filler: Endpoint, tier: Tier | None) -> None:
        others = (self.filling("parts", filler), self.filling("orders"))
        told = found(self.RULE, service(replace(self.READ, target="parts"), others=others))
        assert [finding.tier for finding in told] == ([tier] if tier else [])

    def test_a_list_of_names_stays_short(self) -> None:
        columns = (Column(name="id", type="integer"), Column(name="name", type="text"))
        told = service(
            replace(self.READ, target="parts"),
            tables=(Table(name="parts", columns=columns),),
            others=(self.filling("parts"),),
        )
        assert [finding.tier for finding in found(self.RULE, told)] == [Tier.PERFORMANCE]

    @pytest.mark.parametrize(
        ("predicate", "severity"),
        [
            (Predicate(column="is_active", origins=(origin("constant", "True"),)), Severity.MEDIUM),
            (Predicate(column="is_superuser", origins=(origin("constant", "True"),)), Severity.LOW),
            (Predicate(column="state", origins=(origin("caller", "state"),)), Severity.MEDIUM),
            (Predicate(column="state", origins=(origin("constant", "open"),)), Severity.LOW),
            (Predicate(column="created_at", operator=">", origins=(origin("caller", "since"),)), Severity.MEDIUM),
            (Predicate(column="created_at", operator=">", origins=(origin("clock"),)), Severity.LOW),
            (Predicate(column="lines.order", origins=(origin("caller", "id"),)), Severity.LOW),
            (Predicate(column="created_at", origins=(origin("caller", "at"),)), None),
            (Predicate(column="owner_id", operator="or", origins=(origin("caller", "id"),)), Severity.LOW),
            (Predicate(column="is_hidden", operator="or", origins=(origin("constant", "False"),)), Severity.MEDIUM),
        ],
    )
    def test_what_the_conditions_leave(self, predicate: Predicate, severity: Severity | None) -> None:
        told = service(replace(self.READ, predicates=(predicate,)), others=(self.filling("orders"),))
        assert [finding.severity for finding in found(self.RULE, told)] == ([severity] if severity else [])

    def test_what_a_class_compares_in_its_own_way_may_be_narrow(self) -> None:
        read = replace(self.READ, predicates=(Predicate(column="holder", origins=(origin("caller", "holder"),)),))
        told = service(read, tables=(self.TABLE,), others=(self.filling("orders"),))
        assert [finding.tier for finding in found(self.RULE, told)] == [Tier.PERFORMANCE]

    def test_the_rows_of_one_parent_are_fewer(self) -> None:
        read = replace(self.READ, predicates=(Predicate(column="customer_id", origins=self.VALUE),))
        (finding,) = found(self.RULE, service(read, tables=(self.TABLE,)))
        assert (finding.tier, finding.severity, finding.confidence) == (
            Tier.PERFORMANCE,
            Severity.LOW,
            Confidence.LOW,
        )

    def test_tables_that_may_be_small_are_fewer(self) -> None:
        (finding,) = found(self.RULE, service(replace(self.READ, target="email_templates")))
        assert finding.confidence is Confidence.LOW

    @pytest.mark.parametrize(("table", "count"), [("countries", 0), ("order_status", 0), ("opportunities", 1)])
    def test_tables_filled_by_hand_stay_short(self, table: str, count: int) -> None:
        assert len(found(self.RULE, service(replace(self.READ, target=table)))) == count

    @pytest.mark.parametrize(
        ("table", "path", "count"),
        [
            ("members", "/projects/{id}/members", 1),
            ("members", "/projects/{id}", 0),
            ("audit_log", "/projects/{id}", 1),
            ("member_invitations", "/projects/{id}/members", 0),
        ],
    )
    def test_children_of_one_parent(self, table: str, path: str, count: int) -> None:
        read = replace(self.READ, target=table, predicates=(Predicate(column="project_id", origins=self.VALUE),))
        told = service(read)
        listing = replace(told.endpoints[0], method="GET", path=path)
        assert len(found(self.RULE, replace(told, endpoints=(listing,)))) == count

    @pytest.mark.parametrize(
        "change",
        [
            {"limit": Known.SET},
            {"limit": Known.UNKNOWN},
            {"rows": Rows.ONE},
            {"predicates_known": False},
            {"reaches_response": False},
            {"predicates": (Predicate(column="number", origins=VALUE),)},
            {"predicates": (Predicate(column="id", operator="in", origins=VALUE),)},
        ],
    )
    def test_silent(self, change: dict[str, object]) -> None:
        assert not found(self.RULE, service(replace(self.READ, **change), tables=(self.TABLE,)))

    def test_commands_may_read_it_all(self) -> None:
        assert not found(self.RULE, service(self.READ, entry=endpoint(kind=EndpointKind.COMMAND)))


class TestBlockingInAsync:
    RULE = "concurrency/blocking-in-async"
    CALL = effect("remote_call", "api.example", "GET", text="requests.get(...)", blocks_thread=True, on_event_loop=True)

    def test_a_blocking_call(self) -> None:
        (finding,) = found(self.RULE, service(self.CALL))
        assert finding.message == "GET to api.example with requests.get blocks the event loop"
        assert "handler" in finding.consequence

    def test_one_finding_for_the_statements_of_a_function(self) -> None:
        statements = [
            effect("database_read", "orders", "SELECT", line, blocks_thread=True, on_event_loop=True)
            for line in (3, 4, 5)
        ]
        assert [f.place.line for f in found(self.RULE, service(*statements)) if f.place] == [3]

    @pytest.mark.parametrize("change", [{"blocks_thread": False}, {"on_event_loop": False}])
    def test_silent(self, change: dict[str, object]) -> None:
        assert not found(self.RULE, service(replace(self.CALL, **change)))

    def test_handing_a_task_over_is_quick(self) -> None:
        task = effect("publish", "mail", "delay", blocks_thread=True, on_event_loop=True)
        assert not found(self.RULE, service(task))


class TestMissingAuthentication:
    RULE = "security/missing-authentication"
    WRITE = effect("database_write", "orders", "DELETE")
    GUARDED = endpoint("GET /orders", function="app.main.orders", guards=SIGNED_IN)
    OTHERS = ((GUARDED, Trace(endpoint=GUARDED.id, witness=Witness.PREDICTED)),)

    def test_the_one_that_was_forgotten(self) -> None:
        entry = endpoint("DELETE /orders/{order_id}", function="app.main.delete_order")
        (finding,) = found(self.RULE, service(self.WRITE, entry=entry, others=self.OTHERS))
        assert finding.endpoint == entry.id
        assert finding.severity is Severity.CRITICAL

    def test_no_authentication_anywhere_is_one_finding(self) -> None:
        other = endpoint("PUT /orders/{id}", function="app.main.put_order")
        trace = Trace(endpoint=other.id, witness=Witness.PREDICTED, effects=(self.WRITE,))
        entry = endpoint("DELETE /orders/{id}", function="app.main.delete_order")
        (finding,) = found(self.RULE, service(self.WRITE, entry=entry, others=((other, trace),)))
        assert len(finding.endpoints) == 2
        assert finding.confidence is Confidence.LOW

    def test_more_than_are_guarded_are_no_exceptions(self) -> None:
        more = [endpoint(f"PUT /orders/{number}/note") for number in range(12)]
        others = tuple((e, Trace(endpoint=e.id, witness=Witness.PREDICTED, effects=(self.WRITE,))) for e in more)
        entry = endpoint("DELETE /orders/{id}")
        (finding,) = found(self.RULE, service(self.WRITE, entry=entry, others=(*self.OTHERS, *others)))
        assert len(finding.endpoints) == 13
        assert finding.confidence is Confidence.LOW

    @pytest.mark.parametrize(
        "entry",
        [
            endpoint("DELETE /orders/{id}", guards=SIGNED_IN),
            endpoint("DELETE /orders/{id}", guards=(Guard(kind=GuardKind.SIGNATURE, name="hmac"),)),
            endpoint("DELETE /orders/{id}", guards_known=False),
            endpoint("POST /login/access-token"),
            endpoint("POST /users/sign-up"),
            endpoint("POST /password-reset"),
            endpoint("POST /webhooks/stripe"),
            endpoint("POST /accounts", function="app.views.register"),
            endpoint("POST /x", parameters=(EndpointParameter(name="x_api_key", location="header"),)),
            endpoint("task send", kind=EndpointKind.TASK),
            endpoint("GET /articles"),
        ],
        ids=lambda entry: entry.id,
    )
    def test_silent(self, entry: Endpoint) -> None:
        assert not found(self.RULE, service(self.WRITE, entry=entry, others=self.OTHERS))

    def test_the_handler_may_ask_by_itself(self) -> None:
        asked = replace(self.WRITE, conditions=(Condition(branch=0, arm=1, origins=(origin("principal", "user"),)),))
        assert not found(self.RULE, service(asked, entry=endpoint("DELETE /orders/{id}"), others=self.OTHERS))


class TestBrokenObjectAuthorization:
    RULE = "security/broken-object-authorization"
    ENTRY = endpoint("GET /invoices/{invoice_id}", guards=SIGNED_IN)
    KEY = Predicate(column="id", origins=(origin("caller", "invoice_id", location="path"),))
    READ = effect(
        "database_read", "invoices", "SELECT", 3, predicates=(KEY,), predicates_known=True, reaches_response=True
    )
    MINE = Predicate(column="owner_id", origins=(origin("principal", "user"),))
    TABLES = (
        Table(name="users", columns=(Column(name="id"),)),
        Table(name="invoices", columns=(Column(name="id"), Column(name="owner_id", references="users.id"))),
        Table(
            name="lines",
            columns=(Column(name="id"), Column(name="invoice_id", references="invoices.id", is_nullable=False)),
        ),
        Table(name="posts", columns=(Column(name="id"), Column(name="author_id", references="users.id"))),
        Table(name="countries", columns=(Column(name="id"), Column(name="name"))),
    )

    def test_a_row_of_somebody_else(self) -> None:
        (finding,) = found(self.RULE, service(self.READ, entry=self.ENTRY, tables=self.TABLES))
        assert "invoice_id from the path" in finding.message
        assert (finding.severity, finding.confidence) == (Severity.CRITICAL, Confidence.MEDIUM)

    @pytest.mark.parametrize(("table", "count"), [("invoices", 1), ("site_invitations", 0)])
    def test_a_code_that_somebody_was_given_lets_in(self, table: str, count: int) -> None:
        by_code = Predicate(column="code", origins=(origin("caller", "code", location="path"),))
        change = effect("database_write", table, "DELETE", predicates=(by_code,), predicates_known=True)
        owner = Column(name="owner_id", references="users.id")
        tables = (*self.TABLES, Table(name="site_invitations", columns=(Column(name="id"), owner)))
        entry = endpoint("DELETE /things/{code}", guards=SIGNED_IN)
        assert len(list(found(self.RULE, service(change, entry=entry, tables=tables)))) == count

    def test_where_others_ask_for_the_owner_it_stands_out(self) -> None:
        other = endpoint("GET /invoices", guards=SIGNED_IN)
        listed = effect("database_read", "invoices", "SELECT", predicates=(self.MINE,))
        trace = Trace(endpoint=other.id, witness=Witness.PREDICTED, effects=(listed,))
        (finding,) = found(
            self.RULE, service(self.READ, entry=self.ENTRY, tables=self.TABLES, others=((other, trace),))
        )
        assert finding.confidence is Confidence.HIGH

    @pytest.mark.parametrize(
        "predicate",
        [
            Predicate(column="organization_id", operator="in"),
            Predicate(column="token", origins=(origin("caller", "token", location="query"),)),
            Predicate(column="owner_id", origins=(origin("caller", "auth_subject", location="body"),)),
        ],
    )
    def test_a_further_condition_that_may_tie_it(self, predicate: Predicate) -> None:
        read = replace(self.READ, predicates=(self.KEY, predicate))
        assert not found(self.RULE, service(read, entry=self.ENTRY, tables=self.TABLES))

    @pytest.mark.parametrize(
        ("text", "wants", "count"),
        [
            ("invoice.owner_id != somebody", "present", 0),
            ("not session.user.is_admin", "", 0),
            ("invoice is None", "present", 1),
            ("not user.is_active", "", 1),
        ],
    )
    def test_a_test_of_the_owner_or_of_rights(self, text: str, wants: str, count: int) -> None:
        condition = Condition(branch=0, arm=1, effects=(0,), wants=wants, text=text)
        later = effect("database_read", "lines", "SELECT", 5, conditions=(condition,))
        told = service(self.READ, later, entry=self.ENTRY, tables=self.TABLES)
        assert len(found(self.RULE, told)) == count

    def test_a_child_of_an_owned_row(self) -> None:
        (finding,) = found(self.RULE, service(replace(self.READ, target="lines"), entry=self.ENTRY, tables=self.TABLES))
        assert finding.confidence is Confidence.LOW

    def test_what_was_written_for_everyone_may_be_read_but_not_changed(self) -> None:
        posts = replace(self.READ, target="posts")
        delete = effect("database_write", "posts", "DELETE", 3, predicates=(self.KEY,), predicates_known=True)
        assert not found(self.RULE, service(posts, entry=self.ENTRY, tables=self.TABLES))
        entry = endpoint("DELETE /posts/{id}", guards=SIGNED_IN)
        assert found(self.RULE, service(delete, entry=entry, tables=self.TABLES))

    @pytest.mark.parametrize(
        ("change", "entry"),
        [
            ({"target": "countries"}, ENTRY),
            ({"target": "unknown"}, ENTRY),
            ({"predicates": (KEY, MINE)}, ENTRY),
            ({"predicates_known": False}, ENTRY),
            ({"predicates": (replace(KEY, origins=(origin("principal", "id"),)),)}, ENTRY),
            ({"predicates": (replace(KEY, column="state"),)}, ENTRY),
            ({"reaches_response": False}, ENTRY),
            ({}, replace(ENTRY, guards=())),
            ({}, replace(ENTRY, guards_known=False)),
            ({}, replace(ENTRY, guards=(*SIGNED_IN, Guard(kind=GuardKind.AUTHORISATION, name="admin")))),
        ],
    )
    def test_silent(self, change: dict[str, object], entry: Endpoint) -> None:
        assert not found(self.RULE, service(replace(self.READ, **change), entry=entry, tables=self.TABLES))

    def test_a_later_test_of_the_user_ties_it(self) -> None:
        checked = Condition(branch=0, arm=1, effects=(0,), origins=(origin("principal", "user"),))
        respond = effect("respond", conditions=(checked,))
        assert not found(self.RULE, service(self.READ, respond, entry=self.ENTRY, tables=self.TABLES))

    def test_the_child_of_another_row_is_judged_with_its_parent(self) -> None:
        parent = Predicate(column="project_id", origins=(origin("database", "id", 0),))
        read = replace(self.READ, predicates=(self.KEY, parent))
        assert not found(self.RULE, service(read, entry=self.ENTRY, tables=self.TABLES))

    @pytest.mark.parametrize(("text", "count"), [("not user.is_active", 1), ("not user.is_superuser", 0)])
    def test_rights_are_a_test_and_being_active_is_none(self, text: str, count: int) -> None:
        asked = Condition(branch=0, arm=1, origins=(origin("principal", "user"),), text=text)
        read = replace(self.READ, conditions=(asked,))
        assert len(found(self.RULE, service(read, entry=self.ENTRY, tables=self.TABLES))) == count

    def test_a_membership_ties_it(self) -> None:
        member = effect(
            "database_read", "members", "SELECT", predicates=(replace(self.KEY, column="invoice_id"), self.MINE)
        )
        assert not found(self.RULE, service(member, self.READ, entry=self.ENTRY, tables=self.TABLES))


class TestSqlInjection:
    RULE = "security/sql-injection"
    CALL = effect("database_read", "orders", "SELECT", text_origins=(origin("caller", "sort", location="query"),))

    def test_text_from_the_request(self) -> None:
        (finding,) = found(self.RULE, service(self.CALL))
        assert finding.message == "sort from the query becomes part of the text of a SQL statement"
        assert (finding.severity, finding.confidence) == (Severity.CRITICAL, Confidence.HIGH)

    @pytest.mark.parametrize("kind", ["setting", "constant", "unknown", "database", "principal"])
    def test_other_origins_are_silent(self, kind: str) -> None:
        assert not found(self.RULE, service(replace(self.CALL, text_origins=(origin(kind, "x"),))))

    @pytest.mark.parametrize("safe", ["sql", "int", "uuid", "enum"])
    def test_what_was_made_safe_is_silent(self, safe: str) -> None:
        origins = (replace(origin("caller", "sort"), sanitised=(safe,)),)
        assert not found(self.RULE, service(replace(self.CALL, text_origins=origins)))

    def test_a_value_that_a_table_knows_is_silent(self) -> None:
        look = effect(
            "database_read", "names", "SELECT", predicates=(Predicate(column="id", origins=self.CALL.text_origins),)
        )
        here = replace(self.CALL, conditions=(Condition(branch=0, arm=1, effects=(0,), wants="present"),))
        absent = replace(here, conditions=(replace(here.conditions[0], wants="absent"),))
        assert not found(self.RULE, service(look, here))
        assert found(self.RULE, service(look, absent))

    def test_an_operator_may_write_sql(self) -> None:
        assert not found(self.RULE, service(self.CALL, entry=endpoint(kind=EndpointKind.COMMAND)))
