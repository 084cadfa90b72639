"""SQL texts are understood as far as the rules need it, whatever the driver, and never cost more than they should."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nines.model.effect import Known, Rows
from nines.model.statement import Comparison, Statement, Written
from nines.readers.sql import read
from nines.readers.sql.scan import scan

PLACEHOLDERS = [("$1", "1"), ("%s", "1"), ("?", "1"), (":owner", "owner"), ("%(owner)s", "owner"), ("%b", "1")]


@pytest.mark.parametrize(("placeholder", "label"), PLACEHOLDERS)
def test_every_driver_s_placeholders(placeholder: str, label: str) -> None:
    statement = read(f"SELECT * FROM public.Accounts WHERE owner_id = {placeholder}")
    assert statement == Statement(
        action="SELECT",
        tables=("accounts",),
        comparisons=(Comparison(column="owner_id", parameter=label, is_bound=True),),
        columns=("*",),
        limit=Known.MISSING,
        shape="select * from public.accounts where owner_id = ?",
        is_understood=True,
    )


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("BEGIN ISOLATION LEVEL SERIALIZABLE", "BEGIN"),
        ("start transaction read only", "BEGIN"),
        ("COMMIT;", "COMMIT"),
        ("END", "COMMIT"),
        ("ROLLBACK", "ROLLBACK"),
        ("rollback to savepoint a", "SAVEPOINT"),
        ("RELEASE SAVEPOINT a", "SAVEPOINT"),
        ("/* x */ SAVEPOINT a -- y", "SAVEPOINT"),
        ("SET LOCAL lock_timeout = '2s'", "SET"),
        ("SHOW transaction_isolation", "SET"),
        ("LOCK TABLE t IN EXCLUSIVE MODE", "LOCK"),
        ("create table if not exists a.t (id int)", "DDL"),
        ("COPY t (a) FROM STDIN", "INSERT"),
        ("declare c no scroll cursor with hold for select * from t", "SELECT"),
        ("explain (analyze, buffers) delete from t", "DELETE"),
    ],
)
def test_steering_and_wrapped_statements(text: str, action: str) -> None:
    statement = read(text)
    assert (statement.action, statement.is_understood) == (action, True)
    assert statement.tables in ((), ("t",))


def _comparisons(condition: str, source: str = "t") -> list[tuple[str, str, bool]]:
    statement = read(f"SELECT 1 FROM {source} WHERE {condition}")
    assert statement.is_understood
    return [(found.column, found.operator, found.is_alternative) for found in statement.comparisons]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("a = 1 AND 2 < b", [("a", "=", False), ("b", ">", False)]),
        ("a = 1 OR b = 2", [("a", "=", True), ("b", "=", True)]),
        ("NOT (a = 1 OR b = 2)", [("a", "!=", False), ("b", "!=", False)]),
        ("NOT (a = 1 AND b IN (2))", [("a", "!=", True), ("b", "not in", True)]),
        ("a IN (1, 2) AND b = ANY($1::int[])", [("a", "in", False), ("b", "in", False)]),
        ("a BETWEEN 1 AND 2 AND b ILIKE 'x%'", [("a", "between", False), ("b", "ilike", False)]),
        ("a IS NULL AND b IS NOT NULL", [("a", "is", False), ("b", "not is", False)]),
        ("a NOT IN (1) AND b NOT LIKE 'x'", [("a", "not in", False), ("b", "not like", False)]),
        ("a NOT BETWEEN 1 AND 2 AND b IS DISTINCT FROM 3", [("a", "not between", False), ("b", "!=", False)]),
        ("active AND NOT deleted", [("active", "is", False), ("deleted", "not is", False)]),
        ("(a, b) = ($1, $2)", [("a", "=", False), ("b", "=", False)]),
        ("lower(a) = 'x'", [("a", "?", False)]),
        ("a::text = 'x'", [("a", "=", False)]),
        ("a ->> 'k' = 'x'", [("a", "?", False)]),
        ("d > now() - interval '1 hour'", [("d", ">", False)]),
    ],
)
def test_conditions(condition: str, expected: list[tuple[str, str, bool]]) -> None:
    assert _comparisons(condition) == expected


def test_columns_are_told_apart_where_tables_join() -> None:
    statement = read("SELECT o.id FROM orders o JOIN users AS u ON u.id = o.user_id WHERE u.email = 'x' AND total > 5")
    assert statement.tables == ("orders", "users")
    assert [(c.column, c.is_bound, c.literal) for c in statement.comparisons if c.is_bound] == [
        ("users.email", True, "x"),
        ("total", True, "5"),
    ]
    assert {c.column for c in statement.comparisons if not c.is_bound} == {"users.id"}


def test_conditions_of_subqueries_count() -> None:
    statement = read("SELECT * FROM items WHERE id IN (SELECT item_id FROM owners WHERE user_id = $1)")
    assert statement.tables == ("items", "owners")
    assert [(c.column, c.parameter) for c in statement.comparisons] == [("id", ""), ("user_id", "1")]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("UPDATE t SET a = a + $1, b = %s", [("a", "1", True), ("b", "1", False)]),
        ("INSERT INTO t (a, b) VALUES ($1, 'x')", [("a", "1", False), ("b", "", False)]),
        ("INSERT INTO t (a, b) SELECT x, $1 FROM s", [("a", "", False), ("b", "1", False)]),
        ("UPDATE t SET a = s.a FROM s WHERE s.id = t.id", [("a", "", False)]),
        (
            "INSERT INTO t (a, n) VALUES ($1, 1) ON CONFLICT (a) DO UPDATE SET n = t.n + 1",
            [("a", "1", False), ("n", "", True)],
        ),
    ],
)
def test_what_is_written(text: str, written: list[tuple[str, str, bool]]) -> None:
    assert read(text).written == tuple(
        Written(column=column, parameter=parameter, is_atomic=atomic) for column, parameter, atomic in written
    )


@pytest.mark.parametrize(
    ("text", "action", "conflict"),
    [
        ("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", "INSERT", True),
        ("INSERT INTO t VALUES ($1,$2) ON CONFLICT (a) DO UPDATE SET a=excluded.a", "UPSERT", True),
        ("MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE", "UPSERT", True),
        ("WITH old AS (DELETE FROM t WHERE id = $1 RETURNING *) SELECT * FROM old", "DELETE", False),
        ("WITH q AS (SELECT 1) UPDATE t SET a = 1", "UPDATE", False),
    ],
)
def test_writes(text: str, action: str, conflict: bool) -> None:
    statement = read(text)
    assert (statement.action, statement.handles_conflict, statement.tables[0]) == (action, conflict, "t")


@pytest.mark.parametrize(
    ("text", "limit", "rows"),
    [
        ("SELECT * FROM t", Known.MISSING, Rows.UNKNOWN),
        ("SELECT * FROM t LIMIT $1", Known.SET, Rows.UNKNOWN),
        ("SELECT * FROM t LIMIT 1", Known.SET, Rows.ONE),
        ("SELECT * FROM t LIMIT ALL", Known.MISSING, Rows.UNKNOWN),
        ("SELECT * FROM t FETCH FIRST 10 ROWS ONLY", Known.SET, Rows.UNKNOWN),
        ("SELECT * FROM (SELECT * FROM t LIMIT 5) x JOIN u ON u.t = x.id", Known.SET, Rows.UNKNOWN),
        ("WITH p AS (SELECT * FROM t LIMIT 5) SELECT * FROM p", Known.SET, Rows.UNKNOWN),
        ("SELECT a FROM t UNION SELECT b FROM u", Known.MISSING, Rows.UNKNOWN),
        ("SELECT count(*), coalesce(max(a), 0) FROM t", Known.SET, Rows.ONE),
        ("SELECT count(*) FROM t GROUP BY a", Known.UNKNOWN, Rows.UNKNOWN),
        ("SELECT DISTINCT a FROM t", Known.UNKNOWN, Rows.UNKNOWN),
        ("SELECT DISTINCT id, a FROM t", Known.MISSING, Rows.UNKNOWN),
        ("SELECT count(*) OVER () FROM t", Known.MISSING, Rows.UNKNOWN),
        ("SELECT EXISTS (SELECT 1 FROM t)", Known.SET, Rows.ONE),
        ("SELECT 1", Known.SET, Rows.ONE),
        ("INSERT INTO t (a) VALUES (1)", Known.UNKNOWN, Rows.ONE),
        ("INSERT INTO t (a) VALUES (1), (2), (3)", Known.UNKNOWN, Rows.MANY),
        ("INSERT INTO t DEFAULT VALUES", Known.UNKNOWN, Rows.ONE),
        ("DELETE FROM t WHERE id = 1", Known.UNKNOWN, Rows.UNKNOWN),
    ],
)
def test_bounds(text: str, limit: Known, rows: Rows) -> None:
    statement = read(text)
    assert (statement.limit, statement.rows, statement.is_understood) == (limit, rows, True)


@pytest.mark.parametrize(
    "lock", ["UPDATE", "SHARE", "NO KEY UPDATE", "KEY SHARE", "UPDATE SKIP LOCKED", "UPDATE OF t NOWAIT"]
)
def test_row_locks(lock: str) -> None:
    assert read(f"SELECT * FROM t WHERE id = 1 FOR {lock}").locks_rows


def test_shapes_are_equal_where_only_values_differ() -> None:
    shapes = {
        read(text).shape
        for text in (
            "SELECT a FROM t WHERE b IN (1, 2, 3) AND c = 'x'",
            "select a\n  from t where b in ($1) and c = $2 -- why",
            "SELECT a FROM t WHERE b IN (%s, %s, %s, %s, %s, %s, %s) AND c = E'it\\'s'",
            "SELECT /* x */ a FROM t WHERE b IN (?,?) AND c = $tag$ text $tag$",
        )
    }
    assert shapes == {"select a from t where b in (?) and c = ?"}
    assert read("insert into t values (1, 2)").shape == read("INSERT INTO t VALUES ($1,$2), ($3,$4), (5, 6)").shape
    assert read("SELECT a FROM t").shape != read("SELECT b FROM t").shape


def test_placeholders_that_look_like_something_else() -> None:
    assert [c.parameter for c in read("INSERT INTO t (a) SELECT x FROM s WHERE a=$1 AND b=$2").comparisons] == [
        "1",
        "2",
    ]
    statement = read("SELECT * FROM t WHERE data ? 'key' AND id = $1 AND at::date > '2024-01-01'")
    assert statement.is_understood
    assert [(c.column, c.operator) for c in statement.comparisons] == [("data", "?"), ("id", "="), ("at", ">")]


def test_question_marks_are_values_or_operators_by_where_they_stand() -> None:
    statement = read("SELECT a ?| $1 FROM t WHERE id = ? AND b IN (?, ?) AND ? < c AND d ? 'k' LIMIT ?")
    assert statement.is_understood
    assert [(c.column, c.operator, c.parameter) for c in statement.comparisons] == [
        ("id", "=", "1"),
        ("b", "in", "2"),
        ("c", ">", "4"),
        ("d", "?", ""),
    ]


@pytest.mark.parametrize(
    ("text", "action", "tables"),
    [
        ("SELECT count(*) FROM organizations o WHERE ", "SELECT", ("organizations",)),
        ('UPDATE "a"."b" SET x = (CASE WHEN', "UPDATE", ("b",)),
        ("INSERT INTO log (a) VALUES (1", "INSERT", ("log",)),
        ("SELECT a FROM t JOIN u ON MATCH ? !", "SELECT", ("t", "u")),
        ("no sql from here", "", ()),
    ],
)
def test_unfinished_texts_still_name_their_tables(text: str, action: str, tables: tuple[str, ...]) -> None:
    statement = read(text)
    assert (statement.action, statement.tables, statement.is_understood) == (action, tables, False)


def test_several_statements_show_the_one_that_writes_and_say_so() -> None:
    statement = read("SELECT 1; UPDATE t SET a = 1; COMMIT")
    assert (statement.action, statement.tables, statement.is_understood) == ("UPDATE", ("t",), False)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "select " * 20_000,
        "'" * 99_999,
        "select '" + "x" * 1_000_000,
        "$a1$" + "".join(f"$b{number}$" for number in range(10_000)),
        "/*a" * 30_000,
        "%(" * 49_000,
        "e'" + "\\" * 50_000,
        "select " + "not " * 20_000 + "a",
        "select * from t where " + " or ".join("a = b" for _ in range(3_000)),
        "\udc80\0" * 1_000,
        "with a as (" * 1_000,
    ],
    ids=lambda text: text[:12].strip(),
)
def test_hostile_texts_are_given_up_on(text: str) -> None:
    statement = read(text)
    assert len(statement.shape) < 3_000


def test_long_lists_of_values_are_understood() -> None:
    many = ",".join(str(number) for number in range(10_000))
    assert read(f"SELECT a FROM t WHERE id IN ({many})").is_understood
    rows = ",".join(f"({number}, 'x')" for number in range(5_000))
    assert read(f"INSERT INTO t (a, b) VALUES {rows}").rows is Rows.MANY


_WORDS = st.sampled_from(
    [
        *("select", "from", "where", "and", "or", "not", "in", "join", "on", "limit", "order by", "update", "set"),
        *("insert into", "values", "on conflict", "do nothing", "with", "as", "delete", "case", "when", "then", "end"),
        *("null", "exists", "any", "interval", "a", "b", "t", "1", "'x'", '"q"', "$1", "%s", ":n", "?"),
        *("(", ")", "[", "]", ",", ".", "*", "=", "<", "::", "--", ";", "$$", "/*"),
    ]
)


@given(st.one_of(st.text(max_size=80), st.lists(_WORDS, max_size=25).map(" ".join)))
@settings(max_examples=400, deadline=None)
def test_reading_never_raises(text: str) -> None:
    statement = read(text)
    assert statement == read(text)
    assert statement.action or not statement.is_understood


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_no_quoted_value_can_change_what_a_statement_does(values: list[str]) -> None:
    quoted = ["'" + value.replace("'", "''") + "'" for value in values]
    statement = read(f"SELECT a FROM t WHERE b IN ({', '.join(quoted)}) AND c = 1")
    assert statement.shape == "select a from t where b in (?) and c = ?"
    assert [comparison.column for comparison in statement.comparisons] == ["b", "c"]
    assert statement.comparisons[0].literal == values[0]


def test_a_template_s_slots_follow_the_values_that_are_left() -> None:
    scanned = scan("SELECT a FROM t WHERE b IN (1, 2, 3, 4, 5) AND c = 'last'")
    assert [slot.literal for slot in scanned.slots] == ["1", "2", "3", "last"]
