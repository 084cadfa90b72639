"""Sending the single requests of an experiment, as whoever is signed in, and keeping what came back."""

from __future__ import annotations

import time
from collections.abc import Sequence

from nines.lab.chronicle import Chronicle
from nines.lab.load.answer import Answer
from nines.lab.load.client import Client
from nines.lab.load.connection import Address
from nines.lab.load.ending import exchange_of_answer
from nines.lab.load.request import Request, request_of
from nines.lab.requests.sessions import Sessions, with_credentials
from nines.lab.typed.calling import TypedClient
from nines.lab.typed.hostile import RPC
from nines.lab.typed.telling import curl_of_typed, exchange_of_typed
from nines.model.errors import LabError
from nines.model.experiment import Call, CredentialFlaw
from nines.model.history import Exchange, Outcome

UNSENDABLE = "unsendable"
"""The error of an exchange whose request could not even be written."""


class Sender:
    """Sends to one service and adds every exchange to the chronicle; `close` after it."""

    def __init__(
        self,
        address: Address,
        sessions: Sessions,
        chronicle: Chronicle,
        origin_s: float,
        typed: TypedClient | None = None,
    ) -> None:
        self._address = address
        self._sessions = sessions
        self._chronicle = chronicle
        self._origin_s = origin_s
        self._typed = typed
        # Common servers answer 500 and then close: a request on the same connection would be lost through no fault of
        # the operation that it asks for.
        self._client = Client(address, keeps_connections=False)

    async def close(self) -> None:
        await self._client.close()
        if self._typed is not None:
            await self._typed.close()

    async def send(self, call: Call, *, flaw: CredentialFlaw | None, timeout_s: float) -> Exchange:
        if call.method == RPC and self._typed is not None:
            return await self._called(self._typed, call, flaw, timeout_s)
        try:
            request = await self._request(call, flaw)
        except LabError as error:
            return self._unsendable(call, error)
        return self._keep(request, await self._client.send(request, timeout_s))

    async def together(self, calls: Sequence[Call]) -> tuple[Exchange, ...]:
        """All at the same moment, each on its own warm connection."""
        requests = [await self._request(call, None) for call in calls]
        answers = await self._client.together(requests)
        return tuple(self._keep(request, answer) for request, answer in zip(requests, answers, strict=True))

    async def _request(self, call: Call, flaw: CredentialFlaw | None) -> Request:
        if flaw is not None:
            credentials = self._sessions.flawed_headers(call.identity, flaw)
        else:
            credentials = await self._sessions.headers(call.identity)
        return request_of(with_credentials(call, credentials), host=self._address.host_header)

    def _keep(self, request: Request, answer: Answer) -> Exchange:
        secrets = self._sessions.secrets.named
        exchange = exchange_of_answer(request, answer, url=self._address.url, origin_s=self._origin_s, secrets=secrets)
        self._chronicle.add(exchange)
        return exchange

    async def _called(self, typed: TypedClient, call: Call, flaw: CredentialFlaw | None, timeout_s: float) -> Exchange:
        """Over gRPC; what it was answered is told as HTTP would tell it."""
        if flaw is not None:
            credentials = self._sessions.flawed_headers(call.identity, flaw)
        else:
            credentials = await self._sessions.headers(call.identity)
        metadata = tuple((name.lower(), value) for name, value in credentials)
        sent_s = time.monotonic() - self._origin_s
        answer = await typed.call(call.path, call.body, metadata, timeout_s)
        exchange = exchange_of_typed(
            call,
            answer,
            sent_s=sent_s,
            ended_s=time.monotonic() - self._origin_s,
            curl=curl_of_typed(call, metadata, typed.url, self._sessions.secrets.named),
        )
        self._chronicle.add(exchange)
        return exchange

    def _unsendable(self, call: Call, error: LabError) -> Exchange:
        now_s = time.monotonic() - self._origin_s
        exchange = Exchange(
            operation=call.operation,
            method=call.method,
            path=call.path,
            outcome=Outcome.FAILED,
            identity=call.identity,
            marker=call.marker,
            phase=call.phase,
            intended_s=now_s,
            sent_s=now_s,
            ended_s=now_s,
            error=UNSENDABLE,
        )
        self._chronicle.note(str(error))
        self._chronicle.add(exchange)
        return exchange
