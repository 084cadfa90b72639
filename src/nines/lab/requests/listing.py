"""Reading lists back, page by page, by whatever paging the contract declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from nines.lab.requests import answers
from nines.lab.requests.shapes import settled
from nines.model.contract import Operation
from nines.model.history import Exchange

PAGES_MAX = 20
ROWS = 100
"""How many rows a page is asked for, where the contract allows as many."""


class Listing:
    """What the pages of a list showed, as text; pages that repeat an earlier one end the walk."""

    def __init__(self) -> None:
        self._pages: list[str] = []
        self._items: list[str] = []

    def add(self, answer: Exchange) -> bool:
        """Whether the page was new and had items."""
        shown = answers.items(answers.parsed(answer))
        if not shown or answer.body in self._pages:
            return False
        self._pages.append(answer.body)
        self._items.extend(str(item) for item in shown)
        return True

    def count(self, marker: str) -> int:
        return sum(1 for item in self._items if marker in item)


def page_of(lister: Operation, path: str, page: int, values: Mapping[str, Any]) -> str | None:
    """The address of a page, by whatever paging the contract declares; None after the only page."""
    known = {p.name.lower(): p for p in lister.parameters if p.location == "query"}
    size = next((known[n] for n in ("limit", "per_page", "page_size", "pagesize", "size", "count") if n in known), None)
    start = next((known[n] for n in ("offset", "skip", "start") if n in known), None)
    number = known.get("page") or known.get("page_number")
    rows = ROWS
    if size is not None:
        top = settled(size.schema).get("maximum")
        rows = int(min(rows, top)) if isinstance(top, int | float) else rows
    extra: list[tuple[str, str]] = [(size.name, str(rows))] if size is not None and size.name not in values else []
    if page > 0:
        if start is not None:
            extra.append((start.name, str(page * rows)))
        elif number is not None:
            extra.append((number.name, str(page + 1)))
        else:
            return None
    joint = "&" if urlsplit(path).query else "?"
    return path + joint + urlencode(extra) if extra else path
