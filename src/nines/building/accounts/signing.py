"""`_generated/signing.py`: registering, signing in and out, refreshing, codes and resets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nines.building import names, python
from nines.building.accounts import entering, leaving, recovering, without_password
from nines.building.accounts.facts import People
from nines.building.accounts.writing import Module
from nines.building.file import File
from nines.model.blueprint import Action
from nines.model.design import PlannedEndpoint

_SAYS = "Signing up, in and out: no answer, and no time that passes, tells whether somebody has an account."


def write(people: People) -> Iterator[File]:
    module = Module(people)
    body: list[str] = []
    for endpoint in people.endpoints:
        body += ["", "", *_ACTIONS[endpoint.action](module, endpoint)]
    if not people.keeps_sessions:
        body += ["", "", *entering.keys(module)]
    body += [line for helper in module.helpers() for line in ("", "", *helper)]
    text = python.module(_SAYS, module.imports, [*module.head(), *body])
    yield File(path=names.source(people.design, f"_generated/{names.SIGNING}.py"), text=text)


_ACTIONS: dict[Action, Callable[[Module, PlannedEndpoint], Iterator[str]]] = {
    Action.REGISTER: entering.register,
    Action.VERIFY_CODE: entering.verify,
    Action.SEND_CODE: entering.send_again,
    Action.SIGN_IN: entering.sign_in,
    Action.REFRESH: leaving.refresh,
    Action.SIGN_OUT: leaving.sign_out,
    Action.SIGN_OUT_EVERYWHERE: leaving.sign_out_everywhere,
    Action.LIST_SESSIONS: leaving.list_sessions,
    Action.END_SESSION: leaving.end_session,
    Action.REQUEST_RESET: recovering.request,
    Action.REQUEST_SIGN_IN: without_password.request,
    Action.SIGN_IN_BY_CODE: without_password.sign_in,
    Action.RESET_PASSWORD: recovering.reset,
}
