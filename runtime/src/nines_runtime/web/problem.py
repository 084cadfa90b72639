"""Failures as problem details (RFC 9457); nothing of the inside is ever in one."""

from __future__ import annotations


class Problem(Exception):  # noqa: N818 -- the word of RFC 9457
    """Raised anywhere below an operation; the edge turns it into application/problem+json.

    The code is the last part of the problem's type and must be one of KINDS, which gives status, title and the usual
    detail."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: tuple[tuple[str, str], ...] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s
