"""An operation as the edge holds it: everything that can be worked out before the first request is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from nines_runtime.web import limits
from nines_runtime.web.caller import Caller
from nines_runtime.web.incoming import network_of
from nines_runtime.web.operations import Limit, Operation
from nines_runtime.web.problem import Problem
from nines_runtime.web.reading import form_reader, json_reader, query_reader

KEY_LENGTH_MAX = 255
NAME_LENGTH_MAX = 128
_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")
_FORM = "application/x-www-form-urlencoded"


class Policy:
    """A limit under its name, and whom it counts."""

    __slots__ = ("_policy", "_quota", "detail", "limit", "name")

    def __init__(self, limit: Limit, operation: str) -> None:
        self.name = limit.name or operation
        self.limit = limit
        self._policy = limits.policy_header(self.name, limit)
        self._quota = limits.quota_template(self.name)
        whose = "in all" if limit.per == "all" else f"for each {limit.per}"
        self.detail = f"At most {limit.requests:,} requests in {_duration(limit.window_s)} {whose}."

    def counted(self, caller: Caller, address: str) -> str:
        """Under which name a request is counted; who has no name or tenant is told by the address."""
        per = self.limit.per
        if per == "subject" and caller.subject:
            return f"{self.name}|s|{caller.tenant}|{caller.subject}"
        if per == "tenant" and caller.tenant:
            return f"{self.name}|t|{caller.tenant}"
        return f"{self.name}|" if per == "all" else f"{self.name}|a|{network_of(address)}"

    def account(self, taken: Any) -> str:
        value = str(getattr(taken, self.limit.field, "")).strip().casefold()
        if len(value) > NAME_LENGTH_MAX:
            value = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
        return f"{self.name}|n|{value}"

    async def check(self, limiter: limits.Limiter, counted: str, quotas: list[tuple[bytes, bytes]]) -> None:
        """As `told`, for a limiter that must be waited for."""
        self.told(await limiter.take(counted, self.limit), quotas)

    def told(self, quota: limits.Quota, quotas: list[tuple[bytes, bytes]]) -> None:
        """Adds what the answer tells about the quota; raises Problem("rate-limited")."""
        quotas += (self._policy, limits.quota_header(self._quota, quota))
        if not quota.is_allowed:
            raise Problem("rate-limited", self.detail, retry_after_s=quota.more_in_s)


class Route:
    __slots__ = (
        "_read",
        "_source",
        "account_policies",
        "forbidden",
        "is_taking",
        "media_type",
        "operation",
        "policies",
        "roles",
    )

    def __init__(self, operation: Operation, *, limit_factor: float = 1.0) -> None:
        self.operation = operation
        self.roles = frozenset(operation.roles)
        self.forbidden = (
            f"This operation is for the role{'s' if len(operation.roles) > 1 else ''} {', '.join(operation.roles)}."
        )
        self.is_taking = operation.body is not None
        self.media_type = _media_type(operation)
        self._source = operation.source
        self._read = _reader(operation)
        limits_of = operation.limit
        several = limits_of if isinstance(limits_of, tuple) else (limits_of,) if limits_of else ()
        policies = [Policy(_scaled(each, limit_factor), operation.id) for each in several]
        self.policies = tuple(each for each in policies if each.limit.per != "account")
        self.account_policies = tuple(each for each in policies if each.limit.per == "account")
        """They count what is in the body, so they are asked once it was read."""

    def admit(self, caller: Caller, challenge: bytes) -> None:
        """Raises Problem for a caller who may not call it; `challenge` is what 401 asks for."""
        if not caller.subject:
            # Whoever showed nothing is told how, and not that something is wrong with it (RFC 6750, 3.1).
            raise Problem("unauthorized", headers=((b"www-authenticate", challenge.partition(b" error=")[0]),))
        if self.roles and caller.roles.isdisjoint(self.roles):
            raise Problem("forbidden", self.forbidden)

    def check_headers(self, headers: Mapping[str, str]) -> None:
        """Raises Problem where a header is missing that the operation cannot do without."""
        key = self.operation.key
        if key is not None:
            given = headers.get("idempotency-key")
            if given is None:
                if key.is_required:
                    raise Problem("idempotency-key-missing")
            elif not _KEY.match(given):
                wrong = f"1 to {KEY_LENGTH_MAX} visible ASCII characters."
                raise Problem("invalid-parameter", errors=(("Idempotency-Key", wrong),))
        if self.operation.needs_if_match and headers.get("if-match", "*").strip() in ("*", ""):
            raise Problem("precondition-required")

    def take(self, body: bytes, query: Mapping[str, list[str]]) -> Any:
        """What the handler takes beside the call; a parameter that there is not is refused, not ignored."""
        if self._source == "query":
            return self._read(query)
        if query:
            unknown = tuple((name, "There is no such parameter.") for name in query)
            raise Problem("invalid-parameter", errors=unknown[:20])
        return self._read(body) if self._source else None


def _duration(seconds: float) -> str:
    for unit, size_s in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size_s and seconds % size_s == 0:
            return f"{seconds / size_s:,g} {unit}"
    return f"{seconds:,g} s"


def _media_type(operation: Operation) -> str:
    if operation.source not in ("body", "form"):
        return operation.media_type if operation.is_compound else ""
    if operation.media_type:
        return operation.media_type
    if operation.source == "form":
        return _FORM
    return "application/merge-patch+json" if operation.method == "PATCH" else "application/json"


def _reader(operation: Operation) -> Any:
    makers = {"body": json_reader, "form": form_reader, "query": query_reader}
    return makers[operation.source](operation.body) if operation.source else None


def _scaled(limit: Limit, factor: float) -> Limit:
    if factor == 1.0:
        return limit
    return msgspec.structs.replace(limit, requests=max(1, int(limit.requests * factor)))
