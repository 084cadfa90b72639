"""How a call to somebody else can end, where it does not end with an answer.

Both are problems, so that whoever does not catch them tells its caller the truth: 422 declined, 503 unavailable; what
the provider said stays inside."""

from __future__ import annotations

from enum import StrEnum

from nines_runtime.web.problem import Problem


class Why(StrEnum):
    """Why there is no answer."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    """It could not be reached, or the connection broke."""
    FAILED = "failed"
    """It answered with 5xx."""
    THROTTLED = "throttled"
    """It asked to come back later, or would: the pace that it allows is kept here."""
    CREDENTIAL = "credential"
    """It does not accept what this service shows it (401, 403, 407): nobody's payment is at fault."""
    NOT_UNDERSTOOD = "not-understood"
    """Too large, redirected, of another shape; or it does not understand how it is asked (405, 415 and such)."""
    BREAKER_OPEN = "breaker-open"
    BULKHEAD_FULL = "bulkhead-full"
    EGRESS = "egress"
    """Its address is none that this service may call."""


class Declined(Problem):
    """Whoever was asked refused for good; asking again changes nothing."""

    def __init__(self, dependency: str, verb: str, *, status: int, reason: str = "", reason_code: str = "") -> None:
        super().__init__("declined")
        self.dependency = dependency
        self.verb = verb
        self.status = status
        self.reason = reason
        """In the provider's words, cut off and without what looks like a secret; for the service, not its callers."""
        self.reason_code = reason_code

    def __str__(self) -> str:
        return f"{self.dependency}.{self.verb} declined with {self.status} {self.reason_code}".rstrip()


class Unanswered(Problem):
    """There is no answer, and perhaps something was done all the same."""

    def __init__(
        self,
        dependency: str,
        verb: str,
        *,
        why: Why,
        may_have_happened: bool,
        retry_after_s: float | None = None,
        status: int = 0,
    ) -> None:
        super().__init__("unavailable", retry_after_s=retry_after_s)
        self.dependency = dependency
        self.verb = verb
        self.why = why
        self.may_have_happened = may_have_happened
        """False only where no attempt reached it."""
        self.status = status

    def __str__(self) -> str:
        done = "may have happened" if self.may_have_happened else "did not happen"
        status = f" {self.status}" if self.status else ""
        return f"{self.dependency}.{self.verb} unanswered ({self.why}{status}): it {done}"
