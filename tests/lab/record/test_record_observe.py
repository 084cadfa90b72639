"""From what was seen on the wire to a trace: transactions, remote calls within, loops, housekeeping."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from nines.lab.record.events import CommandSeen, ConnectionEnded, Event, RequestSeen, StatementSeen
from nines.lab.record.observe import observe
from nines.model.effect import Effect, EffectKind, Known, Rows
from nines.model.statement import Comparison, Statement, Written
from nines.model.trace import Trace, Witness


def read(text: str) -> Statement:
    """Understands just enough SQL for these tests."""
    match = re.match(
        r"\s*(select|insert|update|delete)\b.*?\b(?:from|into|update)?\s*\b(item|account|orders)\b", text, re.IGNORECASE
    )
    if match is None:
        return Statement()
    where = re.findall(r"(\w+) = (\$\d)", text.partition("where")[2])
    written = re.findall(r"set (\w+) = (\$\d)?", text)
    return Statement(
        action=match[1].upper(),
        tables=(match[2],),
        comparisons=tuple(Comparison(column=c, parameter=p[1:], is_bound=True) for c, p in where),
        written=tuple(Written(column=c, parameter=p[1:], is_atomic=not p) for c, p in written),
        limit=Known.SET if "limit" in text else Known.MISSING,
        locks_rows="for update" in text,
        handles_conflict="on conflict" in text,
        shape=re.sub(r"\d+", "?", text),
        is_understood=True,
    )


@dataclass
class Wire:
    """Writes events as a proxy would, one millisecond after the other."""

    events: list[Event] = field(default_factory=list)
    now_s: float = 100.0
    status: dict[int, str] = field(default_factory=dict)

    def _tick(self) -> tuple[float, float]:
        started_s = self.now_s
        self.now_s += 0.001
        return started_s, started_s + 0.0005

    def sql(self, text: str, rows: int | None = None, *, on: int = 1, batch: int = 0, error: str = "") -> None:
        started_s, ended_s = self._tick()
        before = self.status.get(on, "I")
        tag = "" if error else text.split(maxsplit=1)[0].upper()
        after = {"BEGIN": "T", "COMMIT": "I", "ROLLBACK": "I"}.get(tag, "E" if error and before == "T" else before)
        self.status[on] = after
        event = StatementSeen(
            dependency="database", connection=on, started_s=started_s, ended_s=ended_s, text=text, tag=tag, rows=rows,
            before=before, after=after, error=error, batch=batch or len(self.events) + 1000,
        )  # fmt: skip
        self.events.append(event)

    def http(self, method: str, path: str, status: int | None = 200, *, has_key: bool = False) -> None:
        started_s, ended_s = self._tick()
        event = RequestSeen(
            dependency="payments", connection=1, started_s=started_s, ended_s=ended_s, method=method, path=path,
            status=status, has_key=has_key, error="" if status else "lost",
        )  # fmt: skip
        self.events.append(event)

    def redis(self, text: str, *flags: str) -> None:
        started_s, ended_s = self._tick()
        name, *keys = text.split()
        event = CommandSeen(
            dependency="redis", connection=1, started_s=started_s, ended_s=ended_s,
            name=name, keys=tuple(keys), flags=flags,
        )  # fmt: skip
        self.events.append(event)

    def trace(self) -> Trace:
        return observe(self.events, read, endpoint="GET /x", began_s=100.0, duration_s=1.0, status=200)


def kinds(trace: Trace) -> list[tuple[str, int | None]]:
    return [(effect.kind.value, effect.transaction) for effect in trace.effects]


def test_a_call_between_begin_and_commit_is_in_the_transaction() -> None:
    wire = Wire()
    wire.sql("select id from account where id = $1", 1)
    wire.http("GET", "/rates")
    wire.sql("BEGIN ISOLATION LEVEL REPEATABLE READ")
    wire.sql("select id from account where id = $1 for update", 1)
    wire.http("POST", "/charges?x=1")
    wire.redis("GET user:17")
    wire.sql("update account set balance = $1 where id = $2", 1)
    wire.sql("COMMIT")
    wire.http("POST", "/mails", has_key=True)
    trace = wire.trace()
    assert kinds(trace) == [
        ("database_read", None),
        ("remote_call", None),
        ("begin", 0),
        ("database_read", 0),
        ("remote_call", 0),
        ("cache_read", 0),
        ("database_write", 0),
        ("commit", 0),
        ("remote_call", None),
    ]
    assert trace.witness is Witness.OBSERVED
    assert [(t.ordinal, t.isolation, t.connection) for t in trace.transactions] == [
        (0, "repeatable read", "database 1")
    ]
    lock, charge, write, mail = (trace.effects[i] for i in (3, 4, 6, 8))
    assert lock.locks_rows
    assert lock.rows is Rows.ONE
    assert (charge.target, charge.action, charge.idempotency) == ("payments/charges", "POST", Known.MISSING)
    assert mail.idempotency is Known.SET
    assert (write.target, write.assignments[0].column, write.predicates[0].column) == ("account", "balance", "id")
    assert all(effect.dependency for effect in trace.effects)
    assert all(effect.at_s is not None and effect.duration_s is not None for effect in trace.effects)


def test_housekeeping_and_empty_transactions_are_left_out() -> None:
    wire = Wire()
    wire.sql("BEGIN")
    wire.sql("select pg_catalog.version()", 1)
    wire.sql("ROLLBACK")
    wire.sql("BEGIN")
    wire.sql("SELECT 1", 1)
    wire.sql("ROLLBACK")
    wire.sql("SET TIME ZONE 'UTC'")
    wire.sql("select t.oid from pg_catalog.pg_type t join pg_catalog.pg_namespace n on true", 3)
    wire.sql("/* ping */")
    wire.redis("PING")
    wire.redis("CLIENT SETINFO")
    wire.sql("BEGIN")
    wire.sql("delete from item where id = $1", 1)
    wire.sql("COMMIT")
    trace = wire.trace()
    assert kinds(trace) == [("begin", 0), ("database_write", 0), ("commit", 0)]
    assert [t.ordinal for t in trace.transactions] == [0]


def test_a_call_in_an_otherwise_empty_transaction_keeps_it() -> None:
    wire = Wire()
    wire.sql("BEGIN")
    wire.http("GET", "/slow")
    wire.sql("ROLLBACK")
    assert kinds(wire.trace()) == [("begin", 0), ("remote_call", 0), ("rollback", 0)]


def test_two_connections_keep_their_transactions_apart() -> None:
    wire = Wire()
    wire.sql("BEGIN", on=1)
    wire.sql("update item set name = $1 where id = $2", 1, on=1)
    wire.sql("insert into orders values ($1)", 1, on=2)
    wire.sql("BEGIN", on=2)
    wire.sql("insert into orders values ($1)", 1, on=2)
    wire.http("GET", "/inner")
    wire.sql("COMMIT", on=2)
    wire.http("GET", "/outer")
    wire.sql("COMMIT", on=1)
    assert [ordinal for _, ordinal in kinds(wire.trace())] == [0, 0, None, 1, 1, 1, 1, 0, 0]


def test_a_connection_that_ends_within_a_transaction_rolls_back() -> None:
    wire = Wire()
    wire.sql("BEGIN")
    wire.sql("insert into orders values ($1)", 1)
    wire.events.append(
        ConnectionEnded(
            dependency="database", connection=1, started_s=1.0, ended_s=wire.now_s, status="T", error="reset"
        )
    )
    wire.now_s += 0.001
    wire.http("GET", "/after")
    trace = wire.trace()
    assert kinds(trace) == [("begin", 0), ("database_write", 0), ("rollback", 0), ("remote_call", None)]
    assert trace.effects[2].error == "reset"


def test_a_query_per_row_is_a_loop_over_the_read() -> None:
    wire = Wire()
    wire.sql("select id from account where id = $1", 1)
    wire.sql("select * from orders limit 10", 5)
    for _ in range(5):
        wire.sql("select * from item where id = $1", 1)
    trace = wire.trace()
    assert [loop.effect for effect in trace.effects[2:] for loop in effect.loops] == [1] * 5
    assert trace.effects[2].shares_loop(trace.effects[6])
    assert not trace.effects[0].loops
    assert not trace.effects[1].loops
    assert trace.effects[1].rows is Rows.MANY


def test_interleaved_and_nested_loops() -> None:
    wire = Wire()
    wire.sql("select * from orders limit 10", 3)
    for count in (2, 1, 4):
        wire.sql("select * from account where id = $1", count)
        for number in range(count):
            wire.http("GET", f"/prices/{number}7")
        wire.sql("update item set name = $1 where id = $2", 1)
    effects = wire.trace().effects
    outer = {effect.loops[0].ordinal for effect in effects[1:]}
    assert len(outer) == 1
    assert effects[1].loops[0].effect == 0
    calls = [effect for effect in effects if effect.kind is EffectKind.REMOTE_CALL]
    assert [len(effect.loops) for effect in calls] == [2, 2, 1, 2, 2, 2, 2]
    assert [effect.loops[1].effect for effect in calls if len(effect.loops) == 2] == [1, 1, 8, 8, 8, 8]


def test_a_pair_is_no_loop_and_neither_are_attempts() -> None:
    wire = Wire()
    wire.sql("BEGIN")
    wire.sql("select * from account where id = $1 for update", 1)
    wire.sql("select * from account where id = $1 for update", 1)
    wire.sql("update account set balance = $1 where id = $2", 1)
    wire.sql("update account set balance = $1 where id = $2", 1)
    wire.sql("COMMIT")
    for status in (503, 503, 503, None, 200):
        wire.http("POST", "/charges", status)
    trace = wire.trace()
    assert not any(effect.loops for effect in trace.effects)
    assert [effect.error for effect in trace.effects[6:]] == ["HTTP 503"] * 3 + ["lost", ""]


def test_a_pair_over_a_read_of_two_rows_is_a_loop() -> None:
    wire = Wire()
    wire.sql("select * from orders", 2)
    wire.sql("select * from item where id = $1", 1)
    wire.sql("select * from item where id = $1", 1)
    assert [[loop.effect for loop in effect.loops] for effect in wire.trace().effects] == [[], [0], [0]]


def test_an_executemany_is_one_effect() -> None:
    wire = Wire()
    for _ in range(20):
        wire.sql("insert into item values ($1)", 1, batch=7)
    (effect,) = wire.trace().effects
    assert effect.rows is Rows.MANY
    assert "x 20" in effect.text
    assert not effect.loops


def test_statements_with_values_inside_that_were_sent_together_are_one_effect_too() -> None:
    wire = Wire()
    for number in range(5):
        wire.sql(f"insert into item values ({number})", 1, batch=7)
    wire.sql("update item set name = $1", 5, batch=7)
    assert [effect.action for effect in wire.trace().effects] == ["INSERT", "UPDATE"]


def test_statements_that_are_not_understood_still_read_or_write() -> None:
    wire = Wire()
    wire.sql("with gone as (delete from x returning 1) select * from gone", 1)
    wire.sql("declare c cursor with hold for select * from orders")
    wire.sql("fetch forward 100 from c", 100)
    wire.sql("truncate x")
    wire.sql("select pg_advisory_lock(7)", 1)
    wire.sql("savepoint a")
    wire.sql("select broken", error="42703")
    effects = wire.trace().effects
    assert [(e.kind.value, e.action, e.target, e.predicates_known) for e in effects] == [
        ("database_write", "SELECT", "", False),
        ("database_read", "SELECT", "orders", True),
        ("database_write", "DELETE", "", False),
        ("lock", "SELECT", "advisory", False),
        ("database_read", "SELECT", "", False),
    ]
    assert effects[4].error == "42703"


def test_redis_locks_lists_and_messages() -> None:
    wire = Wire()
    wire.redis("SET lock:1 x", "NX", "PX")
    wire.redis("SET page:1", "EX")
    wire.redis("RPUSH queue")
    wire.redis("LPUSH recent")
    wire.redis("LTRIM recent")
    wire.redis("PUBLISH news")
    wire.redis("EVALSHA lock:1")
    wire.redis("BLPOP queue")
    found = [(e.kind.value, e.action, e.target) for e in wire.trace().effects]
    assert found == [
        ("lock", "SET NX PX", "lock:1"),
        ("cache_write", "SET EX", "page:1"),
        ("publish", "RPUSH", "queue"),
        ("cache_write", "LPUSH", "recent"),
        ("cache_write", "LTRIM", "recent"),
        ("publish", "PUBLISH", "news"),
        ("unlock", "EVALSHA", "lock:1"),
    ]


def test_too_many_events_and_unread_connections_are_said() -> None:
    wire = Wire()
    for _ in range(5_100):
        wire.sql("select * from item", 1)
    trace = observe(wire.events, read, endpoint="x", began_s=100.0, blind=[("payments", "TLS")])
    assert len(trace.effects) == 5_000
    assert [blind.text for blind in trace.blind] == ["payments: TLS", "100 were cut off"]


def test_effects_are_plain_values() -> None:
    wire = Wire()
    wire.sql("select * from item", 1)
    (effect,) = wire.trace().effects
    assert isinstance(effect, Effect)
    assert effect.text == "select * from item"


def test_what_begins_after_the_answer_is_background_work() -> None:
    wire = Wire()
    wire.sql("select * from item", 1)
    wire.now_s += 2.0
    wire.http("POST", "/mails?token=secret&to=me")
    before, after = wire.trace().effects
    assert not before.after_response
    assert after.after_response
    assert "secret" not in after.text
    assert after.text.startswith("POST /mails?token=…&to=…")
