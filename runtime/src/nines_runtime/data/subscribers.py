"""Events to subscribers over HTTP, signed: who receives one can tell who sent it, when, and that nobody changed it.

A delivery carries `webhook-id`, `webhook-timestamp` (Unix seconds) and `webhook-signature`: one or several words
"v1,<base64>", each the HMAC-SHA-256 of "<id>.<timestamp>.<body>" under one secret. Two while a secret is changed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from nines_runtime.calls.breaker import Breaker
from nines_runtime.calls.bulkhead import Bulkhead
from nines_runtime.calls.client import Client
from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.relay import Event
from nines_runtime.web.problem import Problem

AT_ONCE, WAITING_MAX = 8, 100
"""Deliveries to one subscriber, so that one that is slow does not hold up the others."""
TIMEOUT_S = 5.0
TOLERANCE_S = 300.0
"""How old a delivery may be, and how wrong a clock."""
SECRETS_MAX = 4
MEDIA_TYPE = "application/cloudevents+json"
_PREFIX = "whsec_"
_VERSION = "v1,"


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants to know."""

    url: str
    secrets: tuple[str, ...]
    """The current one first; with an older one while it is changed."""
    events: tuple[str, ...] = ()
    """Empty: all of them."""


def subscribers_of(text: str) -> dict[str, Subscriber]:
    """Of the setting SUBSCRIBER_SECRETS: {"billing": {"url": "https://...", "secrets": ["..."]}}, by name.

    Raises ValueError without repeating the text, for it holds secrets."""
    if not text.strip():
        return {}
    try:
        found = msgspec.json.decode(text, type=dict[str, Subscriber])
    except msgspec.MsgspecError:
        raise ValueError('Subscribers are written as {"name": {"url": "https://...", "secrets": ["..."]}}.') from None
    for name, each in found.items():
        if urlsplit(each.url).scheme not in ("https", "http") or not 0 < len(each.secrets) <= SECRETS_MAX:
            raise ValueError(f"The subscriber {name} needs a URL and one to {SECRETS_MAX} secrets.")
    return found


class Subscribers:
    """`deliver` is what a relay calls, `destinations` what an outbox does."""

    def __init__(
        self,
        subscribers: Mapping[str, Subscriber],
        *,
        allows_private: bool = False,
        timeout_s: float = TIMEOUT_S,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._subscribers, self._wall = dict(subscribers), wall
        self._clients = {
            name: Client(
                name,
                _origin(each.url),
                timeout_s=timeout_s,
                breaker=Breaker(),
                bulkhead=Bulkhead(AT_ONCE, waiting_max=WAITING_MAX, wait_s=timeout_s),
                allows_private=allows_private,
            )
            for name, each in subscribers.items()
        }

    def destinations(self, event: str) -> Sequence[str]:
        return tuple(name for name, each in self._subscribers.items() if not each.events or event in each.events)

    async def deliver(self, event: Event, deadline: Deadline) -> None:
        """Returns when it answered 2xx; any other end is tried again."""
        subscriber, client = self._subscribers.get(event.destination), self._clients.get(event.destination)
        if subscriber is None or client is None:
            raise LookupError("no such subscriber")
        body = event.document()
        signed = signature_headers(subscriber.secrets, str(event.id), int(self._wall()), body)
        trace = {"traceparent": event.trace_parent} if event.trace_parent else {}
        headers = {"content-type": MEDIA_TYPE, **signed, **trace}
        await client.post(deadline, subscriber.url, body, verb="deliver", headers=headers)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def signature_headers(secrets: Sequence[str], id: str, at_s: int, body: bytes) -> dict[str, str]:
    words = " ".join(_signature(secret, id, str(at_s), body) for secret in secrets)
    return {"webhook-id": id, "webhook-timestamp": str(at_s), "webhook-signature": words}


def check_signature(
    secrets: Sequence[str], headers: Mapping[str, str], body: bytes, *, now_s: float, tolerance_s: float = TOLERANCE_S
) -> str:
    """The id of a delivery that was signed with one of the secrets; raises Problem("unauthorized") for any other.

    Headers have lower-case names. The id goes to an Inbox, for the same delivery may come again."""
    id, at, words = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not id or not at.isascii() or not at.isdigit() or len(at) > 12 or abs(now_s - int(at)) > tolerance_s:
        raise Problem("unauthorized")
    given = [word.encode() for word in words.split(" ")[: 2 * SECRETS_MAX]]
    is_signed = False
    for secret in secrets:
        wanted = _signature(secret, id, at, body).encode()
        for word in given:
            is_signed |= hmac.compare_digest(wanted, word)
    if not is_signed:
        raise Problem("unauthorized")
    return id


def _signature(secret: str, id: str, at: str, body: bytes) -> str:
    digest = hmac.new(_key(secret), b".".join((id.encode(), at.encode(), body)), hashlib.sha256).digest()
    return _VERSION + base64.b64encode(digest).decode()


def _key(secret: str) -> bytes:
    """A secret that says so is base64; any other is taken as it is written."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret[len(_PREFIX) :], validate=True)
        except binascii.Error:
            raise ValueError(f"A secret that begins with {_PREFIX} goes on in base64.") from None
    return secret.encode()
