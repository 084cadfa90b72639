"""Pages: an opaque, signed cursor that is bound to its list, its filters and its reader."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol, TypeAlias

from fastapi import Query

from payments.problems import FieldError, Problem

PAGE_SIZE_MAX = 200
_SIGNATURE_BYTES = 12

PageSize: TypeAlias = Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX, description="At most this many items.")]
CursorText: TypeAlias = Annotated[
    str | None, Query(max_length=200, description="`next_cursor` of the page before, with the same filters.")
]


class Identified(Protocol):
    @property
    def id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Cursors:
    """Makes and reads cursors with a key that only the service knows."""

    key: bytes

    def read(self, text: str | None, *binding: str | None) -> str | None:
        """The id after which the page begins; raises a 400 problem for a cursor that is not from this list."""
        if text is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            signature, after = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:].decode("ascii")
        except (binascii.Error, UnicodeError, ValueError):
            signature, after = b"", ""
        if not hmac.compare_digest(signature, self._sign(after, binding)):
            error = FieldError("cursor", "Not a cursor of this list with these filters.")
            raise Problem(400, "invalid-cursor", "The cursor does not belong here.", errors=[error])
        return after

    def next(self, rows: Sequence[Identified], page_size: int, *binding: str | None) -> str | None:
        """The cursor after the page, when one row more than the page was found."""
        if len(rows) <= page_size:
            return None
        after = rows[page_size - 1].id
        return base64.urlsafe_b64encode(self._sign(after, binding) + after.encode()).decode().rstrip("=")

    def _sign(self, after: str, binding: tuple[str | None, ...]) -> bytes:
        text = "\x1f".join([after, *("\x00" if part is None else part for part in binding)])
        return hmac.digest(self.key, text.encode("utf-8", "replace"), hashlib.sha256)[:_SIGNATURE_BYTES]
