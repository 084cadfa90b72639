"""What an operation answers with: bytes that are ready to be sent."""

from __future__ import annotations

from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @classmethod
    def of(
        cls,
        value: Any,
        *,
        status: int = 200,
        version: int | None = None,
        location: str = "",
        cache: str = "no-store",
        fields: tuple[str, ...] = (),
        retry_after_s: float | None = None,
    ) -> Answer:
        """`value` (a msgspec Struct) as JSON; `version` becomes a strong ETag; `fields` leaves out all other members
        but `id` (sparse fieldset)."""
        raise NotImplementedError

    @classmethod
    def nothing(cls) -> Answer:
        """204."""
        raise NotImplementedError
