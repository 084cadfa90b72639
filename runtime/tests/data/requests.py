"""A request as the data part sees it, made by hand."""

from __future__ import annotations

from collections.abc import Mapping

from nines_runtime import Answer, Deadline


class Request:
    """What a Call has of it."""

    def __init__(
        self,
        key: str = "",
        *,
        body: bytes = b"{}",
        operation: str = "createThing",
        path: str = "/v1/things",
        subject: str = "sub-1",
        tenant: str = "",
        limit_s: float = 10.0,
    ) -> None:
        self.operation, self.path, self.body = operation, path, body
        self.subject, self.tenant = subject, tenant
        self.headers: Mapping[str, str] = {"idempotency-key": key} if key else {}
        self.request_id, self.trace_parent = "req-1", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        self.deadline = Deadline.after(limit_s)


def soon(limit_s: float = 10.0) -> Deadline:
    return Deadline.after(limit_s)


def same(first: Answer, again: Answer) -> bool:
    """Whether the second is the first, given again."""
    marked = (b"idempotency-replayed", b"true")
    return (
        (first.status, first.body, first.media_type) == (again.status, again.body, again.media_type)
        and marked in again.headers
        and tuple(each for each in again.headers if each != marked) == first.headers
    )
