"""What one server keeps while it runs: reports, lists that are read page by page, dossiers; each with a limit."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from nines.model.errors import UsageError
from nines.model.record import Record
from nines.model.report import Report

REPORTS_MAX = 20
LISTS_MAX = 40
DOSSIERS_MAX = 4
_T = TypeVar("_T", bound=Record)


class _Mark(Record):
    """Where a list was left: what an opaque cursor holds."""

    list: str
    offset: int


class Page(Record, Generic[_T]):
    """A part of a list, and the cursor of the next part, "" at the end."""

    items: tuple[_T, ...]
    total: int
    about: str
    """What the list was made of: a report's id."""
    next_cursor: str = ""


class Kept(Record):
    """A report under its id."""

    id: str
    report: Report
    where: str
    """The folder that was examined."""


class _List(Record):
    items: tuple[Record, ...]
    about: str


class Desk:
    """Belongs to one owner, who holds the token: what one client asked for, another of the same owner may read."""

    def __init__(self) -> None:
        self._reports: dict[str, Kept] = {}
        self._lists: dict[str, _List] = {}
        self._dossiers: dict[str, dict[str, str]] = {}
        self._made = 0

    def keep(self, report: Report, where: str) -> str:
        """Keeps a report; the oldest of too many goes."""
        id = f"r{self._next()}"
        self._reports[id] = Kept(id=id, report=report, where=where)
        _shorten(self._reports, REPORTS_MAX)
        return id

    @property
    def reports(self) -> tuple[Kept, ...]:
        """The newest first."""
        return tuple(reversed(self._reports.values()))

    def report(self, id: str) -> Kept:
        """Raises UsageError with those that there are."""
        if id not in self._reports:
            there = ", ".join(self._reports) or "none yet"
            hint = f"Reports of this session: {there}. Make one with review, prove or check."
            raise UsageError(f"there is no report {id!r}", hint=hint)
        return self._reports[id]

    def keep_dossier(self, documents: dict[str, str]) -> str:
        id = f"d{self._next()}"
        self._dossiers[id] = documents
        _shorten(self._dossiers, DOSSIERS_MAX)
        return id

    @property
    def dossiers(self) -> dict[str, dict[str, str]]:
        return dict(self._dossiers)

    def first_page(self, items: Sequence[_T], limit: int, *, about: str = "") -> Page[_T]:
        """Begins a list; it is kept only where there is more than one page."""
        if len(items) <= limit:
            return Page(items=tuple(items), total=len(items), about=about)
        id = f"l{self._next()}"
        self._lists[id] = _List(items=tuple(items), about=about)
        _shorten(self._lists, LISTS_MAX)
        return Page(items=tuple(items[:limit]), total=len(items), about=about, next_cursor=_cursor(id, limit))

    def next_page(self, cursor: str, limit: int, kind: type[_T]) -> Page[_T]:
        """Raises UsageError for a cursor that is not of this session, too old, or of another tool."""
        mark = _mark(cursor)
        found = self._lists.get(mark.list)
        if found is None or not found.items or not isinstance(found.items[0], kind):
            raise _strange()
        part = tuple(item for item in found.items[mark.offset : mark.offset + limit] if isinstance(item, kind))
        end = mark.offset + limit
        following = _cursor(mark.list, end) if end < len(found.items) else ""
        return Page(items=part, total=len(found.items), about=found.about, next_cursor=following)

    def _next(self) -> int:
        self._made += 1
        return self._made


def _shorten(kept: dict[str, _K], limit: int) -> None:
    while len(kept) > limit:
        del kept[next(iter(kept))]


_K = TypeVar("_K")


def _cursor(id: str, offset: int) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(_Mark(list=id, offset=offset))).decode().rstrip("=")


def _mark(cursor: str) -> _Mark:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        mark = msgspec.msgpack.decode(base64.urlsafe_b64decode(padded), type=_Mark)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise _strange() from None
    if mark.offset < 0:
        raise _strange()
    return mark


def _strange() -> UsageError:
    return UsageError(
        "this cursor is not one of this session, or too old",
        hint="Ask again without a cursor, then follow next_cursor.",
    )
