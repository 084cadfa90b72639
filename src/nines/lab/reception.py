"""Who comes to the service: the identities that are configured, or two that register where everybody may."""

from __future__ import annotations

import time
from collections.abc import Callable

from nines.lab.load.client import Client
from nines.lab.load.ending import exchange_of_answer
from nines.lab.load.request import request_of
from nines.lab.requests.fields import PASSWORD
from nines.lab.requests.login import propose
from nines.lab.requests.secrets import Secrets
from nines.lab.requests.sessions import RunCommand, Sessions
from nines.model.contract import Contract
from nines.model.experiment import Call
from nines.model.history import Exchange
from nines.model.settings import Identity, LoginSettings, Settings


def make_sessions(
    contract: Contract,
    settings: Settings,
    client: Client,
    note: Callable[[str], None],
    run: RunCommand | None = None,
) -> Sessions:
    """Sessions that are still to be opened, by the configured doors or by those that the contract shows.

    `run` gives what a command prints in the service's environment."""
    register, login = propose(contract)
    register = settings.register if settings.register.path else register
    login = settings.login if settings.login.is_given else login

    secrets = Secrets()

    async def send(call: Call) -> Exchange:
        request = request_of(call, host=client.address.host_header)
        answer = await client.send(request)
        return exchange_of_answer(request, answer, url=client.address.url, secrets=secrets.named)

    return Sessions(
        contract,
        _identities(settings.identities, register, login),
        register=register,
        login=login,
        send=send,
        run=run,
        note=note,
        now_s=time.time,
        secrets=secrets,
    )


def _identities(given: tuple[Identity, ...], register: LoginSettings, login: LoginSettings) -> tuple[Identity, ...]:
    """The configured ones; where they are administrators only, an owner and a peer come first if they may register."""
    if any(not identity.is_admin for identity in given) or not (register.path and login.is_given):
        return given
    taken = {identity.name for identity in given}
    names = [name for name in ("owner", "peer") if name not in taken]
    return (*(Identity(name=name, username=f"n9{name}", password=PASSWORD) for name in names), *given)
