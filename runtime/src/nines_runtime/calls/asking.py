"""Asking a dependency, whatever it speaks: everything that keeps its trouble from becoming ours."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

from nines_runtime.calls.attempt import Attempt, Message
from nines_runtime.calls.breaker import Breaker, Pass
from nines_runtime.calls.bulkhead import Bulkhead, BulkheadFull
from nines_runtime.calls.credential import Credential, TakesCredential
from nines_runtime.calls.deadline import DEADLINE_HEADER, Deadline
from nines_runtime.calls.observer import FAILED, REFUSED, CallObserver, Nobody
from nines_runtime.calls.outcome import Declined, Unanswered, Why
from nines_runtime.calls.pace import Pace, TooFast
from nines_runtime.calls.reply import reason_of
from nines_runtime.calls.retry import Retry
from nines_runtime.calls.tracing import request_id, span, trace_parent

KEY_LENGTH_MAX = 255
LEAVES_S = 0.25
"""Of the deadline, for whoever asked: to write down what came of it."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_logger = logging.getLogger("nines_runtime.calls")
_NO_REPEAT = Retry(max=0)


class Wire(Protocol):
    """What carries one attempt; it never raises for what the network or the other side does."""

    async def attempt(self, message: Message, *, limit_s: float) -> Attempt: ...

    async def close(self) -> None: ...


class Asking:
    """One dependency; every wait is bounded by the caller's deadline, and only this layer repeats."""

    def __init__(
        self,
        name: str,
        wire: Wire,
        *,
        timeout_s: float,
        retry: Retry | None = None,
        breaker: Breaker | None = None,
        bulkhead: Bulkhead | None = None,
        pace: Pace | None = None,
        credential: str | Credential | TakesCredential | None = None,
        leaves_s: float = LEAVES_S,
        observer: CallObserver | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.breaker = breaker
        self.bulkhead = bulkhead
        self._wire = wire
        self._pace = pace
        self._timeout_s = timeout_s
        self._leaves_s = leaves_s
        self._retry = retry or _NO_REPEAT
        self._credential = Credential(credential) if isinstance(credential, str) and credential else credential or None
        self._credential_refused: Callable[[], None] | None = getattr(credential, "refused", None)
        self._observer: CallObserver = observer or Nobody()
        self._clock = clock
        if breaker is not None:
            breaker.tell(self._breaker_changed)

    async def close(self) -> None:
        await self._wire.close()

    async def ask(self, deadline: Deadline, verb: str, message: Message, *, is_idempotent: bool) -> Attempt:
        """An attempt that was answered with less than 400; raises Declined or Unanswered."""
        deadline = deadline.earlier(self._leaves_s)
        if self.bulkhead is None:
            return await self._attempts(deadline, verb, message, is_idempotent=is_idempotent)
        try:
            await self.bulkhead.enter(deadline)
        except BulkheadFull:
            self._observer.refused(self.name, verb)
            raise self._unanswered(verb, Why.BULKHEAD_FULL, may_have_happened=False, retry_after_s=1.0) from None
        try:
            return await self._attempts(deadline, verb, message, is_idempotent=is_idempotent)
        finally:
            self.bulkhead.leave()

    async def _attempts(self, deadline: Deadline, verb: str, message: Message, *, is_idempotent: bool) -> Attempt:
        retry = self._retry
        retry.budget.earn()
        can_repeat = is_idempotent or not retry.only_idempotent
        failures, may_have_happened = 0, False
        while True:
            attempt = await self._attempt(deadline, verb, message, may_have_happened)
            if attempt.status == 409 and may_have_happened and "idempotency-key" in message.headers:
                # The attempt before may still be under way there: 409 is what one answers to its key meanwhile.
                attempt.why, attempt.is_repeatable = Why.THROTTLED, True
            if attempt.why is None:
                return self._answered(attempt, verb)
            failures += 1
            _logger.warning(
                "A call did not end well.",
                extra={
                    "dependency": self.name,
                    "verb": verb,
                    "attempt": failures,
                    "outcome": attempt.outcome,
                    "why": str(attempt.why),
                    "status": attempt.status,
                    "request_id": request_id.get(),
                },
            )
            may_have_happened = may_have_happened or (_may_have_happened(attempt) and message.method not in _SAFE)
            wait = None
            if attempt.is_repeatable and (can_repeat or not attempt.reached):
                wait = retry.next_s(failures, deadline, retry_after_s=attempt.retry_after_s)
            if wait is None:
                raise self._unanswered(
                    verb,
                    attempt.why,
                    may_have_happened=may_have_happened,
                    retry_after_s=attempt.retry_after_s,
                    status=attempt.status,
                )
            await asyncio.sleep(wait)
            self._observer.retried(self.name)

    async def _attempt(self, deadline: Deadline, verb: str, message: Message, may_have_happened: bool) -> Attempt:
        if deadline.is_over:
            raise self._unanswered(verb, Why.TIMEOUT, may_have_happened=may_have_happened)
        if self._pace is not None:
            try:
                await self._pace.turn(deadline)
            except TooFast as held:
                self._observer.refused(self.name, verb)
                raise self._unanswered(
                    verb, Why.THROTTLED, may_have_happened=may_have_happened, retry_after_s=held.retry_after_s
                ) from None
        admitted = self._admit(verb, may_have_happened)
        started = self._clock()
        self._observer.began(self.name)
        outcome = FAILED
        try:
            if self._credential is not None:
                shown = self._credential if isinstance(self._credential, Credential) else await self._credential()
                message.headers[shown.header] = shown.shown()
            message.headers[DEADLINE_HEADER] = deadline.told(self._timeout_s)
            outer = trace_parent.get()
            with span(f"{self.name}.{verb}", "client"):
                if (own := trace_parent.get()) != outer:
                    # Somebody keeps this span, so whoever is asked is its child.
                    message.headers["traceparent"] = own
                attempt = await self._wire.attempt(message, limit_s=deadline.within(self._timeout_s))
            outcome = attempt.outcome
            if attempt.why is Why.CREDENTIAL and self._credential_refused is not None:
                self._credential_refused()
            if admitted is not None:
                _settle(admitted, attempt)
            return attempt
        finally:
            self._observer.ended(self.name, verb, outcome, self._clock() - started)
            if admitted is not None:
                admitted.abandoned()

    def _breaker_changed(self, is_open: bool) -> None:
        self._observer.breaker(self.name, is_open=is_open)
        if is_open:
            _logger.warning("A breaker has opened.", extra={"dependency": self.name})

    def _admit(self, verb: str, may_have_happened: bool) -> Pass | None:
        if self.breaker is None:
            return None
        admitted = self.breaker.admit()
        if admitted is None:
            self._observer.refused(self.name, verb)
            raise self._unanswered(
                verb,
                Why.BREAKER_OPEN,
                may_have_happened=may_have_happened,
                retry_after_s=self.breaker.retry_after_s,
            )
        return admitted

    def _answered(self, attempt: Attempt, verb: str) -> Attempt:
        if attempt.status < 400:
            return attempt
        secret = self._credential.reveal() if isinstance(self._credential, Credential) else ""
        reason, code = reason_of(attempt.body, secret=secret)
        raise Declined(self.name, verb, status=attempt.status, reason=reason, reason_code=code)

    def _unanswered(
        self, verb: str, why: Why, *, may_have_happened: bool, retry_after_s: float | None = None, status: int = 0
    ) -> Unanswered:
        return Unanswered(
            self.name, verb, why=why, may_have_happened=may_have_happened, retry_after_s=retry_after_s, status=status
        )


def check_key(key: str) -> None:
    """Raises ValueError for an idempotency key that cannot be sent; empty: there is none."""
    if len(key) > KEY_LENGTH_MAX or not key.isascii() or not key.isprintable():
        raise ValueError("an idempotency key has at most 255 printable ASCII characters")


def _may_have_happened(attempt: Attempt) -> bool:
    """A refusal did nothing; whatever broke, came late or failed there may have done it."""
    return attempt.reached and attempt.outcome != REFUSED


def _settle(admitted: Pass, attempt: Attempt) -> None:
    if attempt.why is Why.EGRESS:
        admitted.abandoned()
    elif attempt.counts_against_it:
        admitted.failed()
    else:
        admitted.succeeded()
