"""Who is told how calls go; the metrics of `web` are one."""

from __future__ import annotations

from typing import Protocol

OK, REFUSED, FAILED, TIMEOUT, OPEN = "ok", "refused", "failed", "timeout", "open"
"""Outcomes of one attempt. Refused: by whoever was asked (4xx); open: here, by the breaker or the bulkhead."""


class CallObserver(Protocol):
    """Its methods are called in the event loop, must return at once and must not raise."""

    def began(self, dependency: str) -> None:
        """An attempt is on its way: dependency_calls_in_flight goes up."""

    def ended(self, dependency: str, verb: str, outcome: str, duration_s: float) -> None:
        """That attempt has ended, and dependency_calls_in_flight goes down."""

    def refused(self, dependency: str, verb: str) -> None:
        """No attempt was made, as the breaker is open or the bulkhead full: counts as outcome OPEN in 0 s."""

    def retried(self, dependency: str) -> None: ...

    def breaker(self, dependency: str, *, is_open: bool) -> None: ...


class Nobody:
    """Takes no notice."""

    def began(self, dependency: str) -> None: ...

    def ended(self, dependency: str, verb: str, outcome: str, duration_s: float) -> None: ...

    def refused(self, dependency: str, verb: str) -> None: ...

    def retried(self, dependency: str) -> None: ...

    def breaker(self, dependency: str, *, is_open: bool) -> None: ...
