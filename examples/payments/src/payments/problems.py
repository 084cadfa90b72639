"""Everything that can go wrong, as problem details (RFC 9457); nothing of the inside is ever in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from payments.edge.context import current

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "https://payments.example/problems/"


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, named by a JSON pointer, or by a header's or parameter's name."""

    pointer: str
    detail: str


class Problem(Exception):  # noqa: N818 -- "problem" is the RFC's own word.
    """An answer other than success; raised anywhere, rendered once."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = headers or {}

    def body(self) -> bytes:
        """The JSON document; text that is not valid Unicode is replaced, never refused."""
        context = current()
        document: dict[str, object] = {
            "type": TYPE_BASE + self.code,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": context.path,
            "request_id": context.request_id,
        }
        if self.errors:
            document["errors"] = [{"pointer": error.pointer, "detail": error.detail} for error in self.errors]
        return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def not_found(what: str) -> Problem:
    """Also for what belongs to somebody else: its existence is nobody's business."""
    return Problem(404, "not-found", f"There is no such {what}.")


def invalid(pointer: str, detail: str) -> Problem:
    """A field that is well formed and still cannot be used."""
    return Problem(422, "invalid-request", "The request is not valid.", errors=[FieldError(pointer, detail)])


def conflict(code: str, detail: str, *, retry_after_s: int | None = None) -> Problem:
    """The state of the object does not allow it."""
    headers = {"retry-after": str(retry_after_s)} if retry_after_s else None
    return Problem(409, code, detail, headers=headers)


def unavailable(detail: str, *, retry_after_s: int = 1) -> Problem:
    """Something that the service needs is away, or too slow, or there is too much to do."""
    return Problem(503, "unavailable", detail, headers={"retry-after": str(retry_after_s)})


def unauthorized(detail: str) -> Problem:
    """No credential, or one that does not hold."""
    return Problem(401, "unauthorized", detail, headers={"www-authenticate": 'Bearer realm="payments"'})


def forbidden() -> Problem:
    """Signed in, but this operation is for another role."""
    return Problem(403, "forbidden", "Your role does not allow this operation.")
