"""Signing in by a code that was sent, without a password."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import python
from nines.building.accounts.entering import opened_session, refused_code
from nines.building.accounts.recovering import asked_for
from nines.building.accounts.writing import Module
from nines.model.design import PlannedEndpoint


def request(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    yield from asked_for(module, endpoint, "sign-in", '{"session": "code asked for"}')


def sign_in(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    people = module.people
    kebab = people.noun.replace("_", "-")
    module.imports.add("nines_runtime", "Problem")
    yield from module.opened(endpoint, body=endpoint.request)
    yield f'    challenge, answer = {module.tried()}(call.parameters["challenge_id"]), None'
    yield "    async with service.database.transaction(call.deadline) as tx:"
    yield f'        tried = await {module.right(endpoint)}(service, tx, challenge, body.code, "sign-in")'
    find = module.sql(endpoint, f"find-{kebab}-by-id")
    found = python.call("await tx.fetchrow", find, f'tried["{people.noun}_id"]')
    yield from python.laid(found, before="row = None if tried is None else ", depth=2)
    step: tuple[str, ...] = ()
    condition = "tried is not None and row is not None"
    if people.has_second_factor:
        # A wrong one counts as an attempt at the code, of which there are few.
        yield f"        step = None if row is None else {module.factor()}(service.accounts, row, body.second_code)"
        step, condition = ("step",), f"{condition} and step is not None"
    yield f"        if {condition}:"
    yield f"            await tx.execute({module.sql(endpoint, f'delete-{kebab}-code')}, challenge)"
    yield f'            guessed = service.accounts.guesses.account(tried["{people.login}"])'
    opened = python.call(opened_session(module, endpoint), "service", "tx", "call", "row", *step, "guessed")
    yield from python.laid(opened, before="answer = await ", depth=3)
    yield from refused_code("answer")
    yield "    return answer"
