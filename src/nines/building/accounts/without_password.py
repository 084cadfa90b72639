"""Signing in by a code that was sent, without a password."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building.accounts.entering import answered, opened_session
from nines.building.accounts.recovering import asked_for
from nines.building.accounts.writing import Module
from nines.model.design import PlannedEndpoint


def request(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    yield from asked_for(module, endpoint, "sign-in", '{"session": "code asked for"}')


def sign_in(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    people = module.people
    kebab = people.noun.replace("_", "-")
    module.imports.add("nines_runtime", "Problem")
    module.imports.add("nines_runtime.data.identifiers", "new_id")
    yield from module.opened(endpoint, body=endpoint.request)
    yield "    accounts = service.accounts"
    yield f'    challenge = {module.tried()}(call.parameters["challenge_id"])'
    yield "    session = new_id()"
    yield "    until = accounts.now() + accounts.session_ttl"
    yield "    async with service.database.transaction(call.deadline) as tx:"
    yield f'        tried = await tx.fetchrow({module.sql(endpoint, f"try-{kebab}-code")}, challenge, "sign-in")'
    yield '        is_right = tried is not None and accounts.codes.matches(challenge, body.code, tried["code_hash"])'
    yield "        if is_right:"
    find = module.sql(endpoint, f"find-{kebab}-by-id")
    yield f'            row = await tx.fetchrow({find}, tried["{people.noun}_id"])'
    if people.has_second_factor:
        yield from _second_factor(module)
    yield "        if is_right:"
    yield f"            await tx.execute({module.sql(endpoint, f'delete-{kebab}-code')}, challenge)"
    guessed = f'accounts.guesses.account(tried["{people.login}"])'
    yield from opened_session(module, endpoint, guessed, depth=3)
    yield "    # Outside of the transaction: the attempt is counted whether it was right or not."
    yield "    if not is_right:"
    yield '        raise Problem("code-rejected")'
    yield from answered(module)


def _second_factor(module: Module) -> Iterator[str]:
    """A wrong one counts as an attempt at the code, of which there are few."""
    table = f"{module.people.noun}_second_factors.secret"
    yield "            step = None"
    yield '            if row["factor_secret"] is not None:'
    yield "                if not body.second_code:"
    yield '                    raise Problem("second-factor-required")'
    yield f'                secret = accounts.cipher.decrypt_bytes(row["factor_secret"], "{table}", row["id"])'
    yield "                step = accounts.totp.accepted(secret, body.second_code)"
    yield "                is_right = step is not None"
