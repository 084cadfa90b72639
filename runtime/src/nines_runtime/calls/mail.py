"""Mail by SMTP: the standard library in a few threads, with a limit for every wait."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

import msgspec

from nines_runtime.calls.breaker import Breaker, Pass
from nines_runtime.calls.bulkhead import Bulkhead, BulkheadFull
from nines_runtime.calls.credential import Credential
from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.delivery import Delivery, Server
from nines_runtime.calls.observer import FAILED, OK, REFUSED, TIMEOUT, CallObserver, Nobody
from nines_runtime.calls.outcome import Declined, Unanswered, Why
from nines_runtime.calls.reply import harmless
from nines_runtime.calls.tracing import request_id, span

ADDRESS_LENGTH_MAX = 254
SUBJECT_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 262_144
CONCURRENCY = 8
_logger = logging.getLogger("nines_runtime.calls")
_PORTS = {"smtp": 587, "smtps": 465}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
UNUSABLE = 553
"""Of an address or a subject that is not even sent (RFC 5321, 4.2.3)."""
_OUTCOMES = {Why.TIMEOUT: TIMEOUT, Why.THROTTLED: REFUSED, Why.CREDENTIAL: REFUSED}


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one person."""

    to: str
    subject: str
    text: str
    html: str = ""
    id: str = ""
    """Becomes the Message-ID: the same when it is sent again, so that a mailbox may keep one of two."""

    def __repr__(self) -> str:
        return f"Mail(id={self.id!r}, [redacted])"


class Mailer:
    """Sends by `smtp://user@host:587` with STARTTLS, which is required but on loopback, or by `smtps://user@host`.

    Raises Declined where the server refuses for good or the message cannot be sent at all, Unanswered else. Nothing is
    repeated here: whoever leaves mail as tasks does that, and then a message may arrive twice."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        sender: str,
        timeout_s: float = 5.0,
        credential: str | Credential | None = None,
        breaker: Breaker | None = None,
        bulkhead: Bulkhead | None = None,
        tls: ssl.SSLContext | None = None,
        observer: CallObserver | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        address = urlsplit(url)
        if address.scheme not in _PORTS or not address.hostname or address.password:
            raise ValueError(f"the address of {name} is smtp://host:587 or smtps://host:465, without a password")
        if not is_address(sender):
            raise ValueError(f"the sender of {name} is not an address")
        secret = credential.reveal() if isinstance(credential, Credential) else credential or ""
        self.name = name
        self._server = Server(
            host=address.hostname,
            port=address.port or _PORTS[address.scheme],
            is_wrapped=address.scheme == "smtps",
            tls=tls or (None if address.hostname in _LOOPBACK else ssl.create_default_context()),
            user=unquote(address.username or ""),
            password=secret,
        )
        self._sender = sender
        self._timeout_s = timeout_s
        self._breaker = breaker
        self._bulkhead = bulkhead or Bulkhead(CONCURRENCY)
        self._observer: CallObserver = observer or Nobody()
        self._clock = clock
        self._threads = ThreadPoolExecutor(self._bulkhead.limit, thread_name_prefix=f"smtp-{name}")
        self._under_way: set[Delivery] = set()
        if breaker is not None:
            breaker.tell(lambda is_open: self._observer.breaker(name, is_open=is_open))

    async def close(self) -> None:
        """Breaks off what is on its way."""
        for delivery in self._under_way:
            delivery.abort()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    async def send(self, deadline: Deadline, mail: Mail, *, verb: str = "send") -> None:
        if reason := objection(mail):
            raise Declined(self.name, verb, status=UNUSABLE, reason=reason)
        message = written(mail, self._sender)
        try:
            await self._bulkhead.enter(deadline)
        except BulkheadFull:
            self._observer.refused(self.name, verb)
            raise self._unanswered(verb, Why.BULKHEAD_FULL) from None
        admitted = None
        try:
            admitted = self._admit(verb)
            delivery = Delivery(self._server, self._sender, mail.to, message, limit_s=deadline.within(self._timeout_s))
            future = self._threads.submit(delivery.carry_out)
        except BaseException:
            self._bulkhead.leave()
            raise
        loop = asyncio.get_running_loop()
        self._under_way.add(delivery)
        # Its place is free when its thread is, not when somebody stops waiting.
        future.add_done_callback(lambda _: _tell(loop, lambda: self._ended(delivery)))
        started = self._clock()
        self._observer.began(self.name)
        try:
            with span(f"{self.name}.{verb}", "client"):
                async with asyncio.timeout(delivery.limit_s):
                    await asyncio.wrap_future(future)
        except TimeoutError:
            delivery.why = Why.TIMEOUT
            delivery.abort()
        except BaseException:
            delivery.abort()
            self._observer.ended(self.name, verb, FAILED, self._clock() - started)
            if admitted is not None:
                admitted.abandoned()
            raise
        self._judge(delivery, verb, admitted, self._clock() - started)

    def _judge(self, delivery: Delivery, verb: str, admitted: Pass | None, duration_s: float) -> None:
        why = delivery.why
        outcome = OK if why is None else _OUTCOMES.get(why, FAILED)
        if why is None and delivery.refusal:
            outcome = REFUSED
        self._observer.ended(self.name, verb, outcome, duration_s)
        if admitted is not None:
            if outcome in (FAILED, TIMEOUT):
                admitted.failed()
            else:
                admitted.succeeded()
        if why is not None:
            fields = {"dependency": self.name, "verb": verb, "attempt": 1, "outcome": outcome, "why": str(why)}
            fields["request_id"] = request_id.get()
            _logger.warning("A call did not end well.", extra=fields)
            raise self._unanswered(verb, why, may_have_happened=delivery.was_offered, status=delivery.refusal)
        if delivery.refusal:
            reason = harmless(delivery.reason, self._server.password)
            raise Declined(self.name, verb, status=delivery.refusal, reason=reason)

    def _admit(self, verb: str) -> Pass | None:
        if self._breaker is None:
            return None
        admitted = self._breaker.admit()
        if admitted is None:
            self._observer.refused(self.name, verb)
            raise self._unanswered(verb, Why.BREAKER_OPEN, retry_after_s=self._breaker.retry_after_s)
        return admitted

    def _ended(self, delivery: Delivery) -> None:
        self._under_way.discard(delivery)
        self._bulkhead.leave()

    def _unanswered(
        self,
        verb: str,
        why: Why,
        *,
        may_have_happened: bool = False,
        status: int = 0,
        retry_after_s: float | None = None,
    ) -> Unanswered:
        return Unanswered(
            self.name, verb, why=why, may_have_happened=may_have_happened, status=status, retry_after_s=retry_after_s
        )


def is_address(text: str) -> bool:
    """Whether it can stand in a header and in an envelope as it is: one address in ASCII, nothing around it."""
    name, at, host = text.rpartition("@")
    plain = text.isascii() and text.isprintable() and not any(each in text for each in ' ",:;<>()[]\\')
    return plain and bool(at and name and host) and "@" not in name and 0 < len(text) <= ADDRESS_LENGTH_MAX


def objection(mail: Mail) -> str:
    """Why a message cannot be sent; empty: it can. A line feed in a header would begin another header."""
    if not is_address(mail.to):
        return "The address cannot be used."
    if not mail.subject.isprintable() or len(mail.subject) > SUBJECT_LENGTH_MAX:
        return "The subject is too long, or holds control characters."
    if not (mail.id.isascii() and (mail.id.replace("-", "").replace("_", "").isalnum() or not mail.id)):
        return "The id is of letters, digits, - and _."
    if len(mail.text) + len(mail.html) > TEXT_LENGTH_MAX:
        return "The text is too long."
    return ""


def written(mail: Mail, sender: str) -> bytes:
    """As it goes over the wire; Auto-Submitted keeps answering machines quiet (RFC 3834)."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate()
    message["Auto-Submitted"] = "auto-generated"
    if mail.id:
        message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2]}>"
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    return message.as_bytes()


def _tell(loop: asyncio.AbstractEventLoop, ended: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(ended)
