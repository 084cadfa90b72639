"""A new password for whoever has the mailbox."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.accounts.entering import refused_code
from nines.building.accounts.writing import CODE_TTL_S, Module
from nines.model.design import PlannedEndpoint


def request(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    yield from asked_for(module, endpoint, "reset", '{"password": "reset asked for"}')


def asked_for(module: Module, endpoint: PlannedEndpoint, purpose: str, changes: str) -> Iterator[str]:
    """A code by the name of an account, with the same answer whether there is one or not."""
    people = module.people
    kebab = people.noun.replace("_", "-")
    module.imports.add("uuid", "uuid4")
    yield from module.opened(endpoint, body=endpoint.request)
    yield f"    {module.evenly()}"
    yield "    challenge = uuid4()"
    yield "    code = service.accounts.codes.new(challenge)"
    ttl = module.lasting("CODE_TTL", CODE_TTL_S)
    yield "    async with service.database.transaction(call.deadline) as tx:"
    query = module.query(endpoint, f"keep-{kebab}-code-to-{purpose}")
    given = {"id": "challenge", "code_hash": "code.digest", "ttl": ttl}
    values = [given.get(each, module.lowered(f"body.{people.login}")) for each in query.parameters]
    call = python.call("await tx.fetchrow", f"sql.{names.constant(query.id)}", *values)
    yield from python.laid(call, before="row = ", depth=2)
    yield "        if row is not None:"
    locale = ['locale=row["locale"]'] if people.has_locale else []
    told = list(module.left(purpose, f"to=body.{people.login}", *locale, "code=code.text", depth=3))
    told += module.audited('row["id"]', changes, depth=3)
    yield from told or ["            pass"]
    yield from module.woken(endpoint)
    yield "    await even.wait()"
    yield f"    return {module.challenge()}(service, challenge)"


def reset(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    people = module.people
    kebab = people.noun.replace("_", "-")
    holder = f'row["{people.noun}_id"]'
    module.imports.add("nines_runtime", "Problem")
    yield from module.opened(endpoint, body=endpoint.request)
    yield "    accounts = service.accounts"
    yield module.checked(people.password)
    yield f'    challenge = {module.tried()}(call.parameters["challenge_id"])'
    yield f"    password_hash = await accounts.passwords.hash(body.{people.password}, deadline=call.deadline)"
    yield "    async with service.database.transaction(call.deadline) as tx:"
    yield f'        row = await {module.right(endpoint)}(service, tx, challenge, body.code, "reset")'
    yield "        if row is not None:"
    for base, *given in (
        (f"delete-{kebab}-code", "challenge"),
        (f"change-{kebab}-password", holder, "password_hash"),
        (f"revoke-all-{kebab}-sessions", holder),
        (f"forget-{kebab}-failures", f'accounts.guesses.account(row["{people.login}"])'),
        *(((f"verify-{kebab}", holder),) if people.has_unverified else ()),
    ):
        yield from python.laid(python.call("await tx.execute", module.sql(endpoint, base), *given), depth=3)
    locale = ['locale=row["locale"]'] if people.has_locale else []
    yield from module.left("changed", f'to=row["{people.login}"]', *locale, depth=3)
    yield from module.audited(holder, '{"password": "changed"}', depth=3)
    yield from refused_code("row")
    yield from module.woken(endpoint)
    yield "    return Answer.nothing()"
