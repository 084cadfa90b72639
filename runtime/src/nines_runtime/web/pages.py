"""Pages by key: an opaque, signed cursor that is bound to the operation, the caller's tenant and the filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nines_runtime.web.answer import Answer
from nines_runtime.web.call import Call


class Page:
    """One page that was asked for."""

    size: int
    after: tuple[Any, ...]
    """The values of the order's columns behind which it begins; before the first row on the first page."""

    def answer(self, rows: Sequence[Mapping[str, Any]], write: Callable[[Mapping[str, Any]], Any]) -> Answer:
        """`rows` holds one row more than `size` where there is a next page: {"items": [...], "next_cursor": ...}."""
        raise NotImplementedError


class Cursors:
    def __init__(self, key: bytes, *, ttl_s: float = 86_400.0) -> None:
        raise NotImplementedError

    def page(
        self,
        call: Call,
        *,
        size: int,
        cursor: str | None,
        fields: tuple[str, ...],
        order: tuple[str, ...],
        first: tuple[Any, ...],
        filters: tuple[Any, ...],
    ) -> Page:
        """Raises Problem("invalid-cursor"). `order` names the columns (the last breaks ties), `first` stands before
        every row."""
        raise NotImplementedError
