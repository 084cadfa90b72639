"""Who comes to the service: the identities that are configured, or two that register where everybody may."""

from __future__ import annotations

import time
from collections.abc import Callable

from nines.lab.load.client import Client
from nines.lab.load.connection import Address
from nines.lab.load.ending import exchange_of_answer
from nines.lab.load.request import request_of
from nines.lab.requests import confirming
from nines.lab.requests.confirming import Confirmation, Mail, RunCommand
from nines.lab.requests.fields import PASSWORD
from nines.lab.requests.login import propose
from nines.lab.requests.secrets import Secrets
from nines.lab.requests.sessions import Sessions
from nines.model.contract import Contract
from nines.model.experiment import Call
from nines.model.history import Exchange
from nines.model.settings import Identity, LoginSettings, Settings

LIMITED = 429
ORIGINS = tuple(f"127.0.1.{number}" for number in range(1, 17))
"""Own addresses from which somebody comes whom the service turned away for coming too often from one address."""


class Doorway:
    """Sends what somebody sends before being signed in, from another own address once the last one is limited."""

    def __init__(self, client: Client, secrets: Secrets, note: Callable[[str], None]) -> None:
        self._client = client
        self._secrets = secrets
        self._note = note
        self._origins = list(ORIGINS)
        self._origin = ""

    async def send(self, call: Call) -> Exchange:
        answered = await self._sent(call)
        while answered.status == LIMITED and self._origins and self._client.address.host.startswith("127."):
            self._origin = self._origins.pop(0)
            if len(self._origins) == len(ORIGINS) - 1:
                self._note(
                    f"{call.operation} is limited by address ({LIMITED}), so that those whom nines registers came "
                    f"from several: {ORIGINS[0]} and following"
                )
            answered = await self._sent(call)
        return answered

    async def _sent(self, call: Call) -> Exchange:
        address = self._client.address
        request = request_of(call, host=address.host_header)
        if not self._origin:
            answer = await self._client.send(request)
        else:
            other = Address(host=address.host, port=address.port, local_host=self._origin, is_tls=address.is_tls)
            async with Client(other, keeps_connections=False) as client:
                answer = await client.send(request)
        return exchange_of_answer(request, answer, url=address.url, secrets=self._secrets.named)


def make_sessions(
    contract: Contract,
    settings: Settings,
    client: Client,
    note: Callable[[str], None],
    *,
    run: RunCommand | None = None,
    mail: Mail | None = None,
) -> Sessions:
    """Sessions that are still to be opened, by the configured doors or by those that the contract shows.

    `run` gives what a command prints in the service's environment, `mail` the letters that the service sent."""
    register, door = propose(contract)
    register = settings.register if settings.register.path else register
    login = settings.login if settings.login.is_given else door
    confirmation = confirming.propose(contract)
    if settings.confirm.is_given:
        confirmation = Confirmation(show=settings.confirm, ask=confirmation.ask)
    secrets = Secrets()
    return Sessions(
        contract,
        _identities(settings.identities, register, login),
        register=register,
        login=login,
        send=Doorway(client, secrets, note).send,
        run=run,
        note=note,
        now_s=time.time,
        secrets=secrets,
        confirmation=confirmation,
        mail=mail,
        door=login if login.path or login.headers else door,
    )


def _identities(given: tuple[Identity, ...], register: LoginSettings, login: LoginSettings) -> tuple[Identity, ...]:
    """The configured ones; where they are administrators only, an owner and a peer come first if they may register."""
    if any(not identity.is_admin for identity in given) or not (register.path and login.is_given):
        return given
    taken = {identity.name for identity in given}
    names = [name for name in ("owner", "peer") if name not in taken]
    return (*(Identity(name=name, username=f"n9{name}", password=PASSWORD) for name in names), *given)
