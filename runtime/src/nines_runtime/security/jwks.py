"""Tokens of an issuer elsewhere: its public keys are fetched, kept, and fetched anew when it changes them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from nines_runtime.calls.client import Client
from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.observer import CallObserver
from nines_runtime.calls.outcome import Declined, Unanswered
from nines_runtime.calls.retry import Retry
from nines_runtime.security.authenticator import IsRevoked, TokenAuthenticator
from nines_runtime.security.keys import PublicKey, public_key_of
from nines_runtime.security.tokens import TokenRefused, TokenRules, Verifier, kid_of, split
from nines_runtime.web.caller import Caller
from nines_runtime.web.problem import Problem

FRESH_S = 300.0
"""So old keys are fetched anew, beside the requests."""
REFETCH_S = 30.0
"""A token with an unknown key, or an issuer that is down, makes no more than one fetch in this time."""
FIRST_S = 2.0
"""The same while no key is known: then nobody gets in."""
STALE_MAX_S = 86_400.0
"""So long the keys of an issuer that is down are believed."""
FETCH_S = 3.0
START_S = 2.0
KEYS_MAX = 64
DOCUMENT_BYTES_MAX = 262_144
_DISCOVERY = "/.well-known/openid-configuration"

Document = TypeVar("Document")
_logger = logging.getLogger("nines_runtime.tokens")


class _Set(msgspec.Struct):
    keys: list[dict[str, object]]


class _Metadata(msgspec.Struct):
    issuer: str
    jwks_uri: str


class JwksAuthenticator(TokenAuthenticator):
    """Believes tokens of one issuer. `url` is where its keys are; empty: its discovery document tells."""

    def __init__(
        self,
        rules: TokenRules,
        *,
        url: str = "",
        is_revoked: IsRevoked | None = None,
        allows_private: bool = False,
        observer: CallObserver | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        verifier = Verifier(rules, {}, clock=clock)
        super().__init__(verifier, is_revoked=is_revoked)
        self._rules = rules
        self._url = url
        self._allows_private = allows_private
        self._named = {urlsplit(each).hostname for each in (rules.issuer, url) if each}
        self._observer = observer
        self._monotonic = monotonic
        self._fetched_s: float | None = None
        self._tried_s: float | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._kids: frozenset[str] = frozenset()

    async def start(self) -> None:
        """Fetches the keys before the first request; an issuer that is slow or down hardly holds up the start."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                await self._refresh()

    async def close(self) -> None:
        task, self._fetching = self._fetching, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _read(self, token: str) -> Caller:
        try:
            kid = kid_of(split(token)[0])
            await self._have(kid)
            return self._verifier.verify(token)
        except TokenRefused as refused:
            raise Problem("unauthorized") from refused

    async def identity(self, token: str) -> tuple[Caller, Mapping[str, Any]]:
        """Whose identity token it is, and what it says; raises Problem("unauthorized")."""
        try:
            await self._have(kid_of(split(token)[0]))
            return self._verifier.identity(token)
        except TokenRefused as refused:
            raise Problem("unauthorized") from refused

    async def _have(self, kid: str) -> None:
        now = self._monotonic()
        age_s = None if self._fetched_s is None else now - self._fetched_s
        if age_s is None or age_s > STALE_MAX_S:
            await self._refresh()
            if self._fetched_s is None or self._monotonic() - self._fetched_s > STALE_MAX_S:
                raise Problem("unavailable", retry_after_s=FIRST_S)
        elif kid not in self._kids:
            await self._refresh()
        elif age_s > FRESH_S:
            self._begin()

    async def _refresh(self) -> None:
        task = self._begin()
        if task is not None:
            # Whoever stops waiting must not stop it for the others.
            await asyncio.shield(task)

    def _begin(self) -> asyncio.Task[None] | None:
        """The fetch that is under way, or a new one where one is due."""
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        now = self._monotonic()
        pause_s = FIRST_S if self._fetched_s is None else REFETCH_S
        if self._tried_s is not None and now - self._tried_s < pause_s:
            return None
        self._tried_s = now
        self._fetching = asyncio.get_running_loop().create_task(self._fetch(), name="jwks")
        return self._fetching

    async def _fetch(self) -> None:
        try:
            keys = await self._keys()
        except (Declined, Unanswered, ValueError) as error:
            _logger.warning("The keys of the issuer could not be fetched.", extra={"error": str(error)})
            return
        self._verifier.replace_keys(keys)
        self._kids = frozenset(keys)
        self._fetched_s = self._monotonic()

    async def _keys(self) -> dict[str, PublicKey]:
        url = self._url or await self._discover()
        found = await self._ask(url, _Set)
        keys = (public_key_of(jwk, algorithms=self._rules.algorithms) for jwk in found.keys[:KEYS_MAX])
        usable = {key.kid: key for key in keys if key is not None}
        if not usable:
            raise ValueError("the issuer publishes no key of an algorithm that is allowed")
        return usable

    async def _discover(self) -> str:
        issuer = self._rules.issuer
        metadata = await self._ask(issuer.rstrip("/") + _DISCOVERY, _Metadata)
        if metadata.issuer != issuer:
            raise ValueError("the discovery document is that of another issuer")
        if urlsplit(issuer).scheme == "https" and urlsplit(metadata.jwks_uri).scheme != "https":
            raise ValueError("the discovery document leads to an address without TLS")
        return metadata.jwks_uri

    async def _ask(self, url: str, kind: type[Document]) -> Document:
        return await ask(url, kind, named=self._named, allows_private=self._allows_private, observer=self._observer)


async def ask(
    url: str,
    kind: type[Document],
    *,
    named: Collection[str | None] = (),
    allows_private: bool = False,
    observer: CallObserver | None = None,
) -> Document:
    """A document of an issuer; raises Declined, Unanswered or ValueError."""
    address = urlsplit(url)
    client = Client(
        "issuer",
        f"{address.scheme}://{address.netloc}",
        timeout_s=FETCH_S,
        retry=Retry(max=1),
        # Whoever set the service up named this host; others are named by a document, and must be public.
        allows_private=allows_private or address.hostname in named,
        answer_bytes_max=DOCUMENT_BYTES_MAX,
        observer=observer,
    )
    async with client:
        # Asked so rarely that a connection of its own each time costs nothing.
        reply = await client.get(Deadline.after(2 * FETCH_S), address.path or "/", verb="keys")
    return reply.decode(kind)
