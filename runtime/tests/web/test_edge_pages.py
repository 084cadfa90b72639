"""Cursors: whatever was not made here, for this list and these filters, is refused; pages lose and repeat nothing."""

from __future__ import annotations

import datetime
import uuid
from base64 import urlsafe_b64encode
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.calls.deadline import Deadline
from nines_runtime.web.call import Call
from nines_runtime.web.caller import Caller
from nines_runtime.web.pages import CURSOR_LENGTH_MAX, LARGEST_ID, LATEST, Cursors, Page
from nines_runtime.web.problem import Problem

KEY = b"k" * 32
ORDER = ("created_at", "id")
FIRST = (datetime.datetime.max.replace(tzinfo=datetime.UTC), uuid.UUID(int=2**128 - 1))
_times = st.datetimes(min_value=datetime.datetime(1990, 1, 1), timezones=st.just(datetime.UTC))  # noqa: DTZ001
_values = st.tuples(_times, st.uuids())


class Item(msgspec.Struct):
    id: str
    name: str = "n"


def call(operation: str = "listThings", tenant: str = "t") -> Call:
    caller = Caller(subject="s", tenant=tenant)
    return Call(operation=operation, method="GET", path="/", deadline=Deadline.after(1), caller=caller)


def page(cursors: Cursors, cursor: str | None, **other: Any) -> Page:
    given_: dict[str, Any] = {"size": 2, "cursor": cursor, "order": ORDER, "first": FIRST, "filters": ("open", None)}
    asked = other.pop("call", call())
    return cursors.page(asked, **(given_ | other))


def cursor_after(cursors: Cursors, values: tuple[Any, ...], **other: Any) -> str:
    rows = [{"created_at": values[0], "id": values[1]}] * 3
    answer = page(cursors, None, **other).answer(rows, lambda row: Item(str(row["id"])))
    found: str = msgspec.json.decode(answer.body)["next_cursor"]
    assert len(found) <= CURSOR_LENGTH_MAX
    return found


@given(_values)
def test_a_cursor_leads_to_where_the_page_ended(values: tuple[Any, ...]) -> None:
    cursors = Cursors(KEY)
    assert page(cursors, cursor_after(cursors, values)).after == values


@given(_values, st.data())
def test_a_cursor_that_was_changed_is_refused(values: tuple[Any, ...], data: st.DataObject) -> None:
    cursors = Cursors(KEY)
    cursor = cursor_after(cursors, values)
    at = data.draw(st.integers(0, len(cursor) - 2))
    other = data.draw(st.sampled_from("ABCxyz019-_").filter(lambda each: each != cursor[at]))
    with pytest.raises(Problem, match="invalid-cursor"):
        page(cursors, cursor[:at] + other + cursor[at + 1 :])


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="invalid-cursor"):
        page(Cursors(KEY), text)


@pytest.mark.parametrize(
    "other",
    [
        {"filters": ("open", "x")}, {"filters": ("open",)}, {"call": call("listOthers")}, {"call": call(tenant="u")},
        {"order": ("id", "created_at")},
    ],
)  # fmt: skip
def test_a_cursor_belongs_to_its_list(other: dict[str, Any]) -> None:
    cursors = Cursors(KEY)
    cursor = cursor_after(cursors, FIRST)
    with pytest.raises(Problem, match="invalid-cursor"):
        page(cursors, cursor, **other)
    assert page(cursors, cursor, size=50).size == 50


def test_a_key_is_changed_while_cursors_are_under_way() -> None:
    old, new = Cursors(KEY), b"n" * 32
    cursor = cursor_after(old, FIRST)
    assert page(Cursors(new, KEY), cursor).after == FIRST
    with pytest.raises(Problem):
        page(Cursors(new), cursor)
    with pytest.raises(ValueError, match="16 bytes"):
        Cursors(b"short")
    assert page(Cursors.parse(f"{new.decode()}, {KEY.decode()}"), cursor).after == FIRST
    with pytest.raises(ValueError, match="no key"):
        Cursors.parse(" ,")


def test_a_cursor_ends() -> None:
    now_s = 1_000.0
    cursors = Cursors(KEY, ttl_s=60, clock=lambda: now_s)
    cursor = cursor_after(cursors, FIRST)
    now_s += 59
    assert page(cursors, cursor).after == FIRST
    now_s += 2
    with pytest.raises(Problem, match="invalid-cursor"):
        page(cursors, cursor)


def test_a_cursor_that_is_too_long_is_not_even_read() -> None:
    with pytest.raises(Problem):
        page(Cursors(KEY), "A" * 100_000)


@given(st.integers(0, 30), st.integers(1, 7), st.booleans())
def test_pages_show_every_row_once(count: int, size: int, has_fields: bool) -> None:
    cursors, rows = Cursors(KEY), [{"n": at} for at in range(count)]
    seen, cursor, asked = [], None, 0
    while True:
        found = cursors.page(
            call(), size=size, cursor=cursor, order=("n",), first=(-1,), fields=("id",) if has_fields else ()
        )
        following = [row for row in rows if row["n"] > found.after[0]][: size + 1]
        answer = msgspec.json.decode(found.answer(following, lambda row: Item(str(row["n"]))).body)
        seen += [int(each["id"]) for each in answer["items"]]
        assert all(set(each) == ({"id"} if has_fields else {"id", "name"}) for each in answer["items"])
        cursor = answer["next_cursor"]
        asked += 1
        if cursor is None:
            break
    assert seen == list(range(count))
    assert asked == max(1, -(-count // size))


def test_a_column_may_be_null() -> None:
    cursors = Cursors(KEY)
    made = page(cursors, None)
    body = made.answer([{"created_at": None, "id": uuid.UUID(int=1)}] * 3, lambda row: Item(str(row["id"]))).body
    assert page(cursors, msgspec.json.decode(body)["next_cursor"]).after == (None, uuid.UUID(int=1))


class Asked(msgspec.Struct):
    page_size: int = 2
    cursor: str | None = None
    fields: list[str] = []


def test_a_query_holds_what_a_page_needs_and_the_newest_come_first() -> None:
    cursors = Cursors(KEY)
    first = cursors.page_of(call(), Asked())
    assert (first.size, first.after) == (2, (LATEST, LARGEST_ID))
    told = first.answer([{"created_at": LATEST, "id": LARGEST_ID}] * 3, lambda row: Item(str(row["id"])))
    cursor = msgspec.json.decode(told.body)["next_cursor"]
    assert cursors.page_of(call(), Asked(cursor=cursor)).after == (LATEST, LARGEST_ID)
    with pytest.raises(Problem):
        cursors.page_of(call(), Asked(cursor=cursor), filters=("open",))
