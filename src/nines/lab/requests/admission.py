"""Letting somebody in who was nobody: a registration, and the code in the letter that it sends."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode

from nines.lab.requests import answers, encode
from nines.lab.requests.confirming import (
    Confirmation,
    Mail,
    RunCommand,
    codes_in,
    command_of,
    schema_of_code,
    values_in,
)
from nines.lab.requests.filling import filled, values_of
from nines.model.contract import Contract
from nines.model.errors import NinesError
from nines.model.experiment import Call
from nines.model.history import Exchange, Outcome
from nines.model.settings import Identity, LoginSettings

LETTER_S_MAX = 10.0
"""How long a letter is awaited: services send them from a queue."""
LETTER_AGAIN_S_MAX = 5.0
AGAIN_S = 0.5
"""After so long a code that was refused is shown once more."""
_KEYS = ("idempotency-key", "x-idempotency-key")

SendPlain = Callable[[Call], Awaitable[Exchange]]


class Admission:
    """Registers identities; `send` sends a call of nobody as it is, `run` gives what a command prints."""

    def __init__(
        self,
        contract: Contract,
        *,
        register: LoginSettings,
        confirmation: Confirmation,
        send: SendPlain,
        note: Callable[[str], None],
        mail: Mail | None,
        run: RunCommand | None,
    ) -> None:
        self._contract = contract
        self._confirmation = confirmation
        self._send = send
        self._note = note
        self._mail = mail
        self._run = run
        self.register = register
        self.is_confirming = False
        """Whether somebody could not sign in before the address was shown to be theirs."""

    async def registered(self, identity: Identity) -> Exchange:
        """The answer to the registration; where it fails, that is noted: often somebody is there already."""
        answer = await self._send(self.call(self.register, values_of(identity), "register"))
        if answer.outcome is not Outcome.OK:
            self._note(f"identity {identity.name}: the registration answered {told(answer)}")
        return answer

    async def confirmed(self, identity: Identity, registered: Exchange) -> bool:
        """Shows that the address is theirs; False where nothing tells how, or where it was refused."""
        show = self._confirmation.show
        if not self._confirmation.is_known:
            return False
        values = {**values_in(answers.parsed(registered)), **values_of(identity)}
        codes = await self._codes(identity, values)
        for number, code in enumerate((*codes[:1], *codes)):
            answer = await self._send(self.call(show, {**values, "code": code}, "confirm"))
            if answer.outcome is Outcome.OK:
                self.is_confirming = True
                return True
            if number:
                self._note(f"identity {identity.name}: the code from the letter was answered {told(answer)}")
            else:
                # Some services answer, and send the letter, a moment before they commit.
                await asyncio.sleep(AGAIN_S)
        return False

    async def _codes(self, identity: Identity, values: Mapping[str, str]) -> list[str]:
        show = self._confirmation.show
        if show.command:
            return await self._printed(identity, values)
        if self._mail is None:
            return []
        address, schema = values["email"], schema_of_code(self._contract, show)
        letters = await self._mail.letters(address, 0, LETTER_S_MAX if self._is_posted() else LETTER_AGAIN_S_MAX)
        if not letters and self._confirmation.ask.path:
            await self._send(self.call(self._confirmation.ask, values, "confirm"))
            letters = await self._mail.letters(address, 0, LETTER_AGAIN_S_MAX)
        if not letters:
            self._note(
                f"identity {identity.name}: a registration is confirmed at {show.method} {show.path}, but no letter to "
                f"{address} reached the laboratory's post; give the service its address as {{mail.host}} and "
                "{mail.port}, or name a command that prints the code in confirm.command"
            )
            return []
        found = codes_in(letters[0], schema)
        if not found:
            self._note(f"identity {identity.name}: no code was found in the letter to {address}")
        return found

    def _is_posted(self) -> bool:
        """Whether a letter is sent by itself, so that waiting for it is worth while."""
        return self.is_confirming or not self._confirmation.ask.path

    async def _printed(self, identity: Identity, values: Mapping[str, str]) -> list[str]:
        if self._run is None:
            return []
        try:
            code = (await self._run(command_of(self._confirmation.show, values))).strip()
        except (NinesError, ValueError) as error:
            self._note(f"identity {identity.name}: confirm.command failed: {error}")
            return []
        return [code] if code else []

    def call(self, login: LoginSettings, values: Mapping[str, str], purpose: str) -> Call:
        """The request that a template describes; where the contract asks for an idempotency key, with a fresh one."""
        headers = [(name.lower(), filled(text, values)) for name, text in login.headers.items()]
        body = b""
        if login.json:
            body = encode.as_json(filled(login.json, values))
            headers.append(("content-type", "application/json"))
        elif login.form:
            body = urlencode(filled(login.form, values)).encode()
            headers.append(("content-type", "application/x-www-form-urlencoded"))
        path = filled(login.path, values)
        operation = self._contract.at(login.method, login.path.partition("?")[0])
        given = {name for name, _ in headers}
        for parameter in operation.parameters if operation else ():
            if parameter.location == "header" and parameter.name.lower() in _KEYS and parameter.is_required:
                headers += [(parameter.name, str(uuid.uuid4()))] if parameter.name.lower() not in given else []
        return Call(
            operation=operation.id if operation else f"{login.method} {login.path}",
            method=login.method.upper(),
            path=path if path.startswith("/") else "/" + path,
            headers=tuple(headers),
            body=body,
            phase=purpose,
        )


def told(answer: Exchange) -> str:
    """An answer in a note."""
    return f"{answer.status or answer.error} {answer.body[:200]}".strip()
