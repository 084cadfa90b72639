"""Refreshing and signing out."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import python
from nines.building.accounts.writing import Module
from nines.model.design import PlannedEndpoint


def refresh(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    people = module.people
    module.imports.add("nines_runtime", "Problem")
    module.imports.add("nines_runtime.security.refresh", "Rejected")
    module.imports.add("logging")
    module.constant("log", f'logging.getLogger("{people.package}.signing")')
    yield from module.opened(endpoint, body=endpoint.request)
    yield "    refresh = service.accounts.refresh"
    yield "    rotated = await refresh.rotate_in(service.database, call.deadline, body.refresh_token)"
    yield "    if isinstance(rotated, Rejected):"
    yield "        if rotated.reused_session is not None:"
    yield '            log.warning("a refresh token came twice", extra={"session": str(rotated.reused_session)})'
    yield '        raise Problem("token-rejected")'
    yield "    session = rotated.session"
    roles = ['session["roles"]'] if people.has_roles else []
    factor = ['session["has_second_factor"]'] if people.has_second_factor else []
    parts = ("service", f'session["{people.noun}_id"]', 'session["id"]', *roles, *factor, "rotated.token")
    yield from python.laid(python.call(f"return {module.tokens()}", *parts), depth=1)


def sign_out(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    kebab = module.people.noun.replace("_", "-")
    module.imports.add("uuid", "UUID")
    yield from module.opened(endpoint)
    yield "    async with service.database.transaction(call.deadline) as tx:"
    yield f"        await tx.execute({module.sql(endpoint, f'revoke-{kebab}-session')}, UUID(call.caller.session))"
    yield from module.audited("call.subject", '{"session": "ended"}', depth=2)
    yield f"    return {module.ended()}"


def sign_out_everywhere(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    kebab = module.people.noun.replace("_", "-")
    module.imports.add("nines_runtime.data.identifiers", "identifier_of")
    yield from module.opened(endpoint)
    holder = f"identifier_of(call.subject, {python.quoted(module.people.prefix)})"
    yield "    async with service.database.transaction(call.deadline) as tx:"
    revoked = python.call("await tx.execute", module.sql(endpoint, f"revoke-all-{kebab}-sessions"), holder)
    yield from python.laid(revoked, depth=2)
    yield from module.audited("call.subject", '{"sessions": "ended"}', depth=2)
    yield f"    return {module.ended()}"


def list_sessions(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    kebab = module.people.noun.replace("_", "-")
    module.imports.add("nines_runtime.data.identifiers", "identifier_of", "identifier_text")
    one, all_of_them = module.shape("OpenSession"), module.shape("OpenSessions")
    yield from module.opened(endpoint)
    holder = f"identifier_of(call.subject, {python.quoted(module.people.prefix)})"
    read = python.call(
        "await service.database.fetch", "call.deadline", module.sql(endpoint, f"read-{kebab}-sessions"), holder
    )
    yield from python.laid(read, before="rows = ", depth=1)
    yield "    items = ["
    yield f"        {one}("
    yield f'            id=identifier_text(row["id"], "{SESSION}"),'
    yield '            agent=row["agent"],'
    yield '            address=row["address"],'
    yield '            is_current=str(row["id"]) == call.caller.session,'
    yield '            created_at=row["created_at"],'
    yield '            expires_at=row["expires_at"],'
    yield "        )"
    yield "        for row in rows"
    yield "    ]"
    yield f"    return Answer.of({all_of_them}(items=items))"


def end_session(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    kebab = module.people.noun.replace("_", "-")
    module.imports.add("nines_runtime", "Problem")
    module.imports.add("nines_runtime.data.identifiers", "identifier_of")
    yield from module.opened(endpoint)
    yield f'    session = identifier_of(call.parameters["session_id"], "{SESSION}")'
    holder = f"identifier_of(call.subject, {python.quoted(module.people.prefix)})"
    ended = python.call("await tx.fetchval", module.sql(endpoint, f"end-{kebab}-session"), "session", holder)
    yield "    async with service.database.transaction(call.deadline) as tx:"
    yield from python.laid(ended, before="ended = ", depth=2)
    yield "        if ended is None:"
    yield '            raise Problem("not-found", "There is no such session, or it is over.")'
    yield from module.audited("call.subject", '{"session": "ended"}', depth=2)
    yield "    return Answer.nothing()"


SESSION = "sn"
"""With which the ids of sessions begin outside."""
