"""Strict reading: whatever is wrong is told with a pointer to it, and nothing that is right is refused."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.web.problem import Problem
from nines_runtime.web.reading import DEPTH_MAX, PARAMETERS_MAX, form_reader, json_reader, pairs, query_reader


class Money(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    amount_minor: Annotated[int, msgspec.Meta(gt=0, le=10**12)]
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=5)]
    price: Money


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    total: Money
    lines: Annotated[list[Line], msgspec.Meta(max_length=3)]
    note: Annotated[str, msgspec.Meta(max_length=8)] | None = None
    kind: Literal["gift", "plain"] = "plain"
    at: Annotated[datetime.datetime, msgspec.Meta(tz=True)] | None = None
    ref: uuid.UUID | msgspec.UnsetType | None = msgspec.UNSET
    share: Decimal | None = None
    tags: dict[str, int] = {}


class Filter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    page_size: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str | None = None
    fields: tuple[Literal["id", "status"], ...] = ()
    created_from: datetime.datetime | None = None
    is_open: bool | None = None
    weight: float = 1.0
    ids: list[int] = []


read = json_reader(Order)
query = query_reader(Filter)
form = form_reader(Filter)
_money = st.fixed_dictionaries(
    {"amount_minor": st.integers(1, 10**12), "currency": st.text("ABC", min_size=3, max_size=3)}
)
_lines = st.lists(
    st.fixed_dictionaries({"title": st.text("xyz~/", min_size=1, max_size=5), "price": _money}), max_size=3
)
_orders = st.fixed_dictionaries(
    {"total": _money, "lines": _lines},
    optional={
        "note": st.none() | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8),
        "kind": st.sampled_from(["gift", "plain"]),
        "at": st.just("2030-01-31T12:00:00Z"),
        "ref": st.uuids().map(str) | st.none(),
        "share": st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=0, max_value=9).map(str),
        "tags": st.dictionaries(st.text("ab/~", max_size=3), st.integers(-5, 5), max_size=3),
    },
)


def _spots(value: Any, pointer: str = "") -> list[str]:
    found = [pointer] if pointer else []
    if isinstance(value, dict):
        for name, each in value.items():
            found += _spots(each, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for at, each in enumerate(value):
            found += _spots(each, f"{pointer}/{at}")
    return found


def _put(value: Any, pointer: str, new: Any) -> None:
    *before, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))
    for part in before:
        value = value[int(part)] if isinstance(value, list) else value[part]
    value[int(last) if isinstance(value, list) else last] = new


def _errors(reader: Any, given_: Any) -> tuple[str, dict[str, str]]:
    with pytest.raises(Problem) as raised:
        reader(given_)
    return raised.value.code, dict(raised.value.errors)


@given(_orders)
def test_what_is_right_is_read(order: dict[str, Any]) -> None:
    assert isinstance(read(msgspec.json.encode(order)), Order)


@given(_orders, st.data())
def test_every_wrong_value_is_told_where_it_stands(order: dict[str, Any], data: st.DataObject) -> None:
    spots = _spots(order)
    wrong = data.draw(st.lists(st.sampled_from(spots), min_size=1, max_size=3, unique=True))
    # A spot within another one that is replaced is gone.
    wrong = [each for each in wrong if not any(each != other and each.startswith(f"{other}/") for other in wrong)]
    for each in wrong:
        _put(order, each, {"is": ["no such thing"]})
    code, errors = _errors(read, msgspec.json.encode(order))
    assert code == "invalid-request"
    for each in wrong:
        assert any(pointer == each or pointer.startswith(f"{each}/") for pointer in errors), (each, errors)
    for pointer in errors:
        assert any(pointer == each or pointer.startswith(f"{each}/") for each in wrong), (pointer, wrong)


@pytest.mark.parametrize(
    ("change", "pointer", "detail"),
    [
        ({"total": None}, "/total", "Must be an object."),
        ({"total": {"amount_minor": 0, "currency": "EUR"}}, "/total/amount_minor", "Must be at least 1."),
        ({"total": {"amount_minor": 1}}, "/total/currency", "This member is missing."),
        ({"total": {"amount_minor": 1, "currency": "eur"}}, "/total/currency", "Must match ^[A-Z]{3}$."),
        ({"note": "123456789"}, "/note", "At most 8 characters."),
        ({"lines": [{}] * 4}, "/lines/0/title", "This member is missing."),
        ({"kind": "cat"}, "/kind", "Must be one of gift, plain."),
        ({"at": "noon"}, "/at", "Must be a time after RFC 3339, such as 2030-01-31T12:00:00Z."),
        ({"at": "2030-01-31T12:00:00"}, "/at", "Must be a time with its offset, such as 2030-01-31T12:00:00Z."),
        ({"ref": "x"}, "/ref", "Must be a UUID."),
        ({"tags": {"a/b": "x"}}, "/tags/a~1b", "Must be an integer."),
        ({"is_admin": True}, "/is_admin", "There is no such member."),
        ({"note": "a\0b"}, "/note", "Must not hold U+0000."),
    ],
)
def test_words_for_callers(change: dict[str, Any], pointer: str, detail: str) -> None:
    order = {"total": {"amount_minor": 1, "currency": "EUR"}, "lines": [], **change}
    code, errors = _errors(read, msgspec.json.encode(order))
    assert code == "invalid-request"
    assert errors[pointer] == detail


def test_all_that_is_wrong_is_told_at_once() -> None:
    code, errors = _errors(read, b'{"lines":[{"title":"","price":{}}],"note":7,"what":1}')
    assert code == "invalid-request"
    assert set(errors) == {
        "/total", "/lines/0/title", "/lines/0/price/amount_minor", "/lines/0/price/currency", "/note", "/what",
    }  # fmt: skip


def test_no_more_faults_than_anybody_reads() -> None:
    _, errors = _errors(read, msgspec.json.encode({f"x{at}": 1 for at in range(1_000)}))
    assert len(errors) == 20


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"not json", b'{"a":1}x', b"\xff\xfe", b'{"note":"\\ud800"}', b'{"note":"\xff"}', b"[" * 60_000,
        b'{"x":' * 5_000, b'{"tags":' + b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1) + b"}",
    ],
)  # fmt: skip
def test_what_is_no_document_is_malformed(body: bytes) -> None:
    code, errors = _errors(read, body)
    assert (code, errors) == ("malformed-request", {})


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    code, _ = _errors(read, body)
    assert code in ("malformed-request", "invalid-request")


def test_brackets_within_texts_are_no_depth() -> None:
    note = "{[" * 4
    lines = [{"title": "[[[[[", "price": {"amount_minor": 1, "currency": "EUR"}}] * 3
    order = {"total": {"amount_minor": 1, "currency": "EUR"}, "note": note, "lines": lines}
    order["tags"] = {"[" * 40 + '"\\': 1}
    assert read(msgspec.json.encode(order)).note == note


def test_a_query_string_is_read_by_its_types() -> None:
    text = (
        "page_size=7&cursor=null&fields=id,status&created_from=2030-01-31T12%3A00%3A00Z&is_open=true&weight=1.5&ids=1,2"
    )
    found = query(pairs(text))
    assert found == Filter(
        page_size=7,
        cursor="null",
        fields=("id", "status"),
        created_from=datetime.datetime(2030, 1, 31, 12, tzinfo=datetime.UTC),
        is_open=True,
        weight=1.5,
        ids=[1, 2],
    )
    assert query(pairs("")) == Filter()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("page_size=0", "page_size"), ("page_size=201", "page_size"), ("page_size=1e2", "page_size"),
        ("page_size= 7", "page_size"), ("page_size=", "page_size"), ("page_size=1&page_size=2", "page_size"),
        ("nothing=1", "nothing"), ("fields=id,secret", "fields/1"), ("created_from=1700000000", "created_from"),
        ("created_from=null", "created_from"), ("is_open=1", "is_open"), ("weight=nan", "weight"), ("ids=1,x", "ids/1"),
    ],
)  # fmt: skip
def test_a_parameter_that_cannot_be_used_is_named(text: str, name: str) -> None:
    code, errors = _errors(lambda given_: query(pairs(given_)), text)
    assert code == "invalid-parameter"
    assert name in errors


def test_a_form_is_told_by_pointers() -> None:
    code, errors = _errors(form, b"page_size=0&x=1")
    assert (code, set(errors)) == ("invalid-request", {"/page_size", "/x"})
    assert _errors(form, b"\xff")[0] == "malformed-request"


@pytest.mark.parametrize("text", ["a=%00", "a=%ff", "&".join("a" * (PARAMETERS_MAX + 1))])
def test_what_is_no_query_string_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"U\+0000|decode|more than"):
        pairs(text)
