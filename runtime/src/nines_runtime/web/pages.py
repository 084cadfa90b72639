"""Pages by key: an opaque, signed cursor that is bound to the operation, the caller's tenant and the filters."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from time import time
from typing import Any, Protocol
from uuid import UUID

import msgspec

from nines_runtime.web.answer import Answer, sparse
from nines_runtime.web.call import Call
from nines_runtime.web.problem import Problem

CURSOR_LENGTH_MAX = 512
LATEST = datetime.max.replace(tzinfo=UTC)
"""Stands before every row where the newest come first."""
LARGEST_ID = UUID(int=(1 << 128) - 1)
"""Stands before every row where the largest identifier comes first."""
_MAC_BYTES = 16
_pack = msgspec.msgpack.Encoder().encode
_describe = msgspec.json.Encoder(order="deterministic").encode


class Page:
    """One page that was asked for."""

    __slots__ = ("_cursors", "_fields", "_order", "_scope", "after", "size")

    size: int
    after: tuple[Any, ...]
    """The values of the order's columns behind which it begins; before the first row on the first page."""

    def __init__(
        self, cursors: Cursors, scope: bytes, *, size: int, after: tuple[Any, ...], order: tuple[str, ...],
        fields: tuple[str, ...],
    ) -> None:  # fmt: skip
        self.size = size
        self.after = after
        self._cursors = cursors
        self._scope = scope
        self._order = order
        self._fields = fields

    def answer(
        self,
        rows: Sequence[Mapping[str, Any]],
        write: Callable[[Mapping[str, Any]], Any],
        *,
        cache: str = "private, no-cache",
    ) -> Answer:
        """`rows` holds one row more than `size` where there is a next page: {"items": [...], "next_cursor": ...}."""
        shown = rows[: self.size]
        following = None
        if len(rows) > self.size:
            following = self._cursors.write(self._scope, tuple(shown[-1][name] for name in self._order))
        items = [write(row) for row in shown]
        if self._fields:
            items = [sparse(item, self._fields) for item in items]
        return Answer.of({"items": items, "next_cursor": following}, cache=cache)


class Paged(Protocol):
    """What every query for a page holds."""

    @property
    def page_size(self) -> int: ...
    @property
    def cursor(self) -> str | None: ...
    @property
    def fields(self) -> Sequence[str]: ...


class Cursors:
    """Signed with the first key, taken with any: so a key is changed while cursors are under way."""

    def __init__(self, key: bytes, *older: bytes, ttl_s: float = 86_400.0, clock: Callable[[], float] = time) -> None:
        if any(len(each) < 16 for each in (key, *older)):
            raise ValueError("A key that signs cursors has at least 16 bytes.")
        self._keys = (key, *older)
        self._ttl_s = ttl_s
        self._clock = clock

    @classmethod
    def parse(cls, text: str, *, ttl_s: float = 86_400.0) -> Cursors:
        """One key, or several with commas between them, the one that signs first: a setting such as CURSOR_KEY."""
        keys = [each.strip().encode("utf-8") for each in text.split(",") if each.strip()]
        if not keys:
            raise ValueError("There is no key that signs cursors.")
        return cls(*keys, ttl_s=ttl_s)

    def page(
        self,
        call: Call,
        *,
        size: int,
        cursor: str | None,
        fields: tuple[str, ...] = (),
        order: tuple[str, ...],
        first: tuple[Any, ...],
        filters: tuple[Any, ...] = (),
    ) -> Page:
        """Raises Problem("invalid-cursor"). `order` names the columns (the last breaks ties), `first` stands before
        every row."""
        scope = _describe((call.operation, call.tenant, order, filters))
        after = first if cursor is None else self.read(scope, cursor, tuple(type(each) for each in first))
        return Page(self, scope, size=size, after=after, order=order, fields=fields)

    def page_of(
        self,
        call: Call,
        query: Paged,
        *,
        order: tuple[str, ...] = ("created_at", "id"),
        first: tuple[Any, ...] = (LATEST, LARGEST_ID),
        filters: tuple[Any, ...] = (),
    ) -> Page:
        """As `page`, of a query that names its parts as usual; the newest come first where nothing else is said."""
        return self.page(
            call, size=query.page_size, cursor=query.cursor, fields=tuple(query.fields), order=order, first=first,
            filters=filters,
        )  # fmt: skip

    def write(self, scope: bytes, values: tuple[Any, ...]) -> str:
        payload = _pack((int(self._clock() + self._ttl_s), values))
        return urlsafe_b64encode(_mac(self._keys[0], scope, payload) + payload).rstrip(b"=").decode("ascii")

    def read(self, scope: bytes, cursor: str, types: tuple[Any, ...]) -> tuple[Any, ...]:
        """Raises Problem("invalid-cursor") for one that is too old, too long, or was not made for this scope."""
        if len(cursor) > CURSOR_LENGTH_MAX:
            raise Problem("invalid-cursor")
        try:
            signed = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except ValueError:
            raise Problem("invalid-cursor") from None
        mac, payload = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
        if not any(hmac.compare_digest(mac, _mac(key, scope, payload)) for key in self._keys):
            raise Problem("invalid-cursor")
        try:
            ends_at_s, values = _decoder(types).decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Problem("invalid-cursor") from None
        if ends_at_s < self._clock():
            raise Problem("invalid-cursor", "The cursor has expired; begin again without it.")
        found: tuple[Any, ...] = values
        return found


def _mac(key: bytes, scope: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, len(scope).to_bytes(4, "big") + scope + payload, hashlib.sha256)[:_MAC_BYTES]


@lru_cache(maxsize=256)
def _decoder(types: tuple[Any, ...]) -> Any:
    return msgspec.msgpack.Decoder(tuple[int, tuple[tuple(each | None for each in types)]])  # type: ignore[misc]
