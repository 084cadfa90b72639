"""The headers of a request: idempotency keys, entity tags, cookies, and whatever else is required."""

from __future__ import annotations

import random
import uuid
from collections.abc import Awaitable, Callable

from nines.lab.requests import paths
from nines.lab.requests.invent import Inventor
from nines.model.contract import Contract, Operation
from nines.model.experiment import Call
from nines.model.history import Exchange

KEY_HEADERS = ("idempotency-key", "x-idempotency-key", "idempotencykey")
_UNSENT = ("authorization", "content-type", "accept", "cookie", "host", "user-agent")
_ANY = "*"
"""Whatever the entity tag is (RFC 9110, 13.1.1)."""


class Headers:
    """Makes the headers of requests; `send` asks for the entity tags that they need."""

    def __init__(self, contract: Contract, send: Callable[[Call], Awaitable[Exchange]], rng: random.Random) -> None:
        self._contract = contract
        self._send = send
        self._rng = rng

    async def of(
        self, operation: Operation, identity: str, path: str, inventor: Inventor, created: Exchange | None
    ) -> tuple[list[tuple[str, str]], str]:
        """The headers that it needs, and its idempotency key, "" where it takes none."""
        headers: list[tuple[str, str]] = []
        cookies: list[str] = []
        key = ""
        for parameter in operation.parameters:
            name = parameter.name.lower()
            if parameter.location == "cookie" and parameter.is_required:
                cookies.append(f"{parameter.name}={paths.plain(inventor.value(parameter.schema, parameter.name))}")
            if parameter.location != "header" or name in _UNSENT:
                continue
            if name in KEY_HEADERS:
                key = fresh_key(self._rng)
                headers.append((parameter.name, key))
            elif name == "if-match" and parameter.is_required:
                # Somebody who must not see the object may all the same have learnt its tag.
                whose = (identity, created.identity) if created is not None else (identity,)
                tags = [await self._etag(operation, who, path) for who in dict.fromkeys(whose)]
                headers.append((parameter.name, next((tag for tag in tags if tag != _ANY), _ANY)))
            elif parameter.is_required:
                value = inventor.value(parameter.schema, parameter.name, hint=parameter.example)
                headers.append((parameter.name, paths.plain(value)))
        if cookies:
            headers.append(("cookie", "; ".join(cookies)))
        return headers, key

    async def _etag(self, operation: Operation, identity: str, path: str) -> str:
        """The current entity tag of the object, "*" where the service gives none (RFC 9110, 13.1.1).

        The object of an action below it is the nearest one above that can be read: .../payments/{id}/captures."""
        template, parts = operation.path.split("/"), path.partition("?")[0].split("/")
        for length in range(len(template), 1, -1):
            if not template[length - 1].startswith("{") and length < len(template):
                continue
            reader = self._contract.at("GET", "/".join(template[:length]))
            if reader is not None:
                at = "/".join(parts[:length])
                call = Call(
                    operation=reader.id,
                    method="GET",
                    path=at,
                    identity=identity,
                    phase="setup",
                    document=reader.document,
                )
                return (await self._send(call)).header("etag") or _ANY
        return _ANY


def fresh_key(rng: random.Random) -> str:
    """An idempotency key that nobody used before."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
