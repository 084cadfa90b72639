"""What a server keeps: bounded, page by page, and nothing for a cursor that is not its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines.mcp.desk import DOSSIERS_MAX, LISTS_MAX, REPORTS_MAX, Desk
from nines.model.errors import UsageError
from nines.model.record import Record
from nines.model.report import Report


class Item(Record):
    number: int


class Other(Record):
    number: int


@given(st.integers(0, 60), st.integers(1, 25))
def test_pages_hold_everything_once_and_in_order(count: int, limit: int) -> None:
    desk = Desk()
    page = desk.first_page([Item(number=number) for number in range(count)], limit, about="r1")
    found, rounds = list(page.items), 0
    while page.next_cursor:
        page = desk.next_page(page.next_cursor, limit, Item)
        found += page.items
        rounds += 1
        assert page.about == "r1"
        assert rounds < 100
    assert [item.number for item in found] == list(range(count))
    assert page.total == count


@given(st.text(max_size=60))
def test_a_made_up_cursor_is_one_clear_error(cursor: str) -> None:
    with pytest.raises(UsageError, match="this cursor is not one of this session"):
        Desk().next_page(cursor, 5, Item)


def test_a_cursor_of_another_tool_or_of_long_ago_is_refused() -> None:
    desk = Desk()
    cursor = desk.first_page([Item(number=number) for number in range(9)], 2).next_cursor
    with pytest.raises(UsageError):
        desk.next_page(cursor, 2, Other)
    assert desk.next_page(cursor, 2, Item).items
    for _ in range(LISTS_MAX):
        desk.first_page([Item(number=number) for number in range(9)], 2)
    with pytest.raises(UsageError):
        desk.next_page(cursor, 2, Item)


def test_the_oldest_goes() -> None:
    desk = Desk()
    ids = [desk.keep(Report(command="review", project=str(number)), "/x") for number in range(REPORTS_MAX + 3)]
    assert len(desk.reports) == REPORTS_MAX
    assert desk.reports[0].id == ids[-1]
    with pytest.raises(UsageError, match="there is no report"):
        desk.report(ids[0])
    for number in range(DOSSIERS_MAX + 2):
        desk.keep_dossier({"README.md": str(number)})
    assert len(desk.dossiers) == DOSSIERS_MAX
