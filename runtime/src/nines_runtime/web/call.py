"""One request, as an operation sees it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.web.caller import ANONYMOUS, Caller, Headers
from nines_runtime.web.problem import Problem

if TYPE_CHECKING:
    from nines_runtime.web.operations import Key

_HEX = re.compile(r"[0-9a-f]{32}\Z")
_ETAG = re.compile(r'"(0|[1-9][0-9]{0,18})"\Z')


class Call(msgspec.Struct, kw_only=True, eq=False):
    """Made by the edge once the caller, the rate and the body were checked."""

    operation: str
    """The operationId."""
    method: str
    path: str
    """As it was asked for."""
    deadline: Deadline
    parameters: Mapping[str, str] = {}
    """Of the path."""
    query: Mapping[str, str] = {}
    headers: Headers = {}
    body: bytes = b""
    caller: Caller = ANONYMOUS
    address: str = ""
    """Of the caller; behind a trusted proxy the one that it tells."""
    request_id: str = ""
    trace_parent: str = ""
    key: Key | None = None
    """How the operation takes Idempotency-Key."""

    def __repr__(self) -> str:
        """Without headers and body, which hold what must not be printed."""
        return f"Call({self.request_id} {self.method} {self.operation})"

    @property
    def subject(self) -> str:
        return self.caller.subject

    @property
    def tenant(self) -> str:
        return self.caller.tenant

    @property
    def tenant_id(self) -> UUID:
        """The tenant where it is an identifier; raises Problem("forbidden") for a caller who has none."""
        found = identifier(self.tenant.rpartition("_")[2])
        if found is None:
            raise Problem("forbidden")
        return found

    @property
    def idempotency_key(self) -> str:
        """Empty: none was sent."""
        return self.headers.get("idempotency-key", "")

    def has(self, *roles: str) -> bool:
        """Whether the caller has one of the roles."""
        return not self.caller.roles.isdisjoint(roles)

    def identifier(self, name: str, prefix: str = "") -> UUID:
        """The path parameter as an identifier; raises Problem("not-found") for what is none, for nothing has it."""
        found = identifier(self.parameters[name], prefix)
        if found is None:
            raise Problem("not-found")
        return found

    @property
    def version(self) -> int | None:
        """Of If-Match; None where it is not given or is *. Raises Problem("precondition-failed") for an ETag that this
        service never gives out."""
        given = self.headers.get("if-match", "*").strip()
        if given == "*":
            return None
        matched = _ETAG.match(given)
        if matched is None or (version := int(matched[1])) >= 2**63:
            raise Problem("precondition-failed")
        return version

    def existing(self, row: Mapping[str, Any] | None, noun: str) -> Mapping[str, Any]:
        """The row that was looked for; raises Problem("not-found") where the caller may see none. `noun`: "order"."""
        if row is None:
            raise Problem("not-found", f"There is no such {noun}, or it is not yours.")
        return row

    def changeable(self, row: Mapping[str, Any] | None, noun: str, *states: str) -> Mapping[str, Any]:
        """As `existing`; raises Problem("precondition-failed") where it is of another `version` than If-Match wants,
        and Problem("state-conflict") where its `status` is none of the states."""
        row = self.existing(row, noun)
        version = row.get("version")
        if version is not None and self.version not in (None, version):
            raise Problem("precondition-failed")
        if states and row["status"] not in states:
            raise Problem("state-conflict", f"The {noun} is {row['status']}; it must be {' or '.join(states)}.")
        return row


def identifier(text: str, prefix: str = "") -> UUID | None:
    """`<prefix>_<32 hex>`, or a plain UUID where there is no prefix; None for what is none."""
    if prefix:
        head, _, text = text.partition("_")
        if head != prefix:
            return None
    elif len(text) == 36 and text[8] == text[13] == text[18] == text[23] == "-":
        text = text.replace("-", "")
    return UUID(hex=text) if _HEX.match(text) else None
