"""Registering, showing that an address is theirs, signing in, and the keys by which others check tokens."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.accounts.writing import CODE_TTL_S, FAILURES_TTL_S, Module
from nines.building.resources.values import taken
from nines.model.design import PlannedEndpoint

_KEYS_FRESH_S = 3_600


def register(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    people = module.people
    yield from module.opened(endpoint, body=endpoint.request)
    yield f"    {module.evenly()}"
    yield module.checked(people.password, f"body.{people.login}")
    yield f"    password_hash = await service.accounts.passwords.hash(body.{people.password}, deadline=call.deadline)"
    if people.is_verified:
        module.imports.add("uuid", "uuid4")
        yield "    challenge = uuid4()"
        yield "    code = service.accounts.codes.new(challenge)"
    yield "    async with service.database.transaction(call.deadline) as tx:"
    if endpoint.idempotency:
        yield "        claim = await service.keys.claim(tx, call, ttl_s=claim_ttl_s)".replace(
            "claim_ttl_s", f"{endpoint.idempotency.ttl_s:_.0f}"
        )
        yield "        if claim.answer is not None:"
        yield "            return claim.answer"
    told = list(_told_by_mail(module))
    changes = f'{{"{people.noun}": "registered" if is_made else "refused"}}'
    audited = module.audited('row["id"]', changes, depth=3)
    emitted = module.emitted(endpoint, 'row["id"]', depth=4)
    yield from _inserted(module, endpoint, before="row = " if told or audited or emitted else "")
    if told or audited:
        yield '        is_made = row is not None and row["is_made"]'
    yield from told
    if audited or emitted:
        yield "        if row is not None:"
    if emitted:
        yield '            if row["is_new"]:'
    yield from (*emitted, *audited)
    answer = f"{module.challenge()}(service, challenge)" if people.is_verified else "Answer.nothing(status=202)"
    yield f"        answer = {answer}"
    if endpoint.idempotency:
        yield "        await service.keys.finish(tx, claim, answer)"
    yield from module.woken(endpoint)
    yield "    await even.wait()"
    yield "    return answer"


def _inserted(module: Module, endpoint: PlannedEndpoint, *, before: str) -> Iterator[str]:
    people = module.people
    query = module.query(endpoint, f"register-{people.noun.replace('_', '-')}")
    given = {
        "id": "new_id()",
        "password_hash": "password_hash",
        "code_id": "challenge",
        "code_hash": "code.digest",
        "ttl": "CODE_TTL",
    }
    module.imports.add("nines_runtime.data.identifiers", "new_id")
    tenant = people.thing.tenant
    if tenant in query.parameters:
        # Whoever registers is alone in a tenant of their own, until an operator puts them into another.
        given[tenant] = "str(new_id())"
    if "ttl" in query.parameters:
        module.lasting("CODE_TTL", CODE_TTL_S)
    values: list[str] = []
    for each in query.parameters:
        column = people.table.column(each) if each not in given else None
        if column is None:
            values.append(given[each])
        else:
            values.append(taken(people.thing, column, "body", "new_id()", module.imports))
    call = python.call("await tx.fetchrow", f"sql.{names.constant(query.id)}", *values)
    yield from python.laid(call, before=before, depth=2)


def _told_by_mail(module: Module) -> Iterator[str]:
    people = module.people
    locale = ["locale=body.locale"] if people.has_locale else []
    if not people.is_verified:
        return
    to = f"to=body.{people.login}"
    made = module.left("verify", to, *locale, "code=code.text", depth=3)
    if made:
        yield "        if is_made:"
        yield from made
        yield "        else:"
        yield from module.left("taken", to, *locale, depth=3)


def verify(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    people = module.people
    kebab = people.noun.replace("_", "-")
    module.imports.add("nines_runtime", "Problem")
    yield from module.opened(endpoint, body=endpoint.request)
    yield f"    challenge = {module.tried()}(body.challenge_id)"
    yield "    async with service.database.transaction(call.deadline) as tx:"
    yield f'        row = await {module.right(endpoint)}(service, tx, challenge, body.code, "verify")'
    yield "        if row is not None:"
    yield f"            await tx.execute({module.sql(endpoint, f'delete-{kebab}-code')}, challenge)"
    if people.has_unverified:
        yield f'            await tx.execute({module.sql(endpoint, f"verify-{kebab}")}, row["{people.noun}_id"])'
    yield from module.audited(f'row["{people.noun}_id"]', f'{{"{people.login}": "verified"}}', depth=3)
    yield from refused_code("row")
    yield "    return Answer.nothing()"


def refused_code(row: str) -> Iterator[str]:
    yield f"    if {row} is None:"
    yield '        raise Problem("code-rejected")'


def send_again(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    people = module.people
    kebab = people.noun.replace("_", "-")
    yield from module.opened(endpoint, body=endpoint.request)
    yield f"    {module.evenly()}"
    yield f"    challenge = {module.tried()}(body.challenge_id)"
    yield "    code = service.accounts.codes.new(challenge)"
    ttl = module.lasting("CODE_TTL", CODE_TTL_S)
    yield "    async with service.database.transaction(call.deadline) as tx:"
    given = {"code_hash": "code.digest", "ttl": ttl, "id": "challenge"}
    query = module.query(endpoint, f"renew-{kebab}-code")
    call = python.call(
        "await tx.fetchrow", f"sql.{names.constant(query.id)}", *(given[each] for each in query.parameters)
    )
    yield from python.laid(call, before="row = ", depth=2)
    yield "        if row is not None:"
    locale = ['locale=row["locale"]'] if people.has_locale else []
    told = list(module.left("verify", f'to=row["{people.login}"]', *locale, "code=code.text", depth=3))
    told += module.audited('row["id"]', '{"code": "sent again"}', depth=3)
    yield from told or ["            pass"]
    yield from module.woken(endpoint)
    yield "    await even.wait()"
    yield f"    return {module.challenge()}(service, challenge)"


def sign_in(module: Module, endpoint: PlannedEndpoint) -> Iterator[str]:
    people = module.people
    kebab = people.noun.replace("_", "-")
    module.imports.add("nines_runtime", "Problem")
    module.imports.add("nines_runtime.security.guessing", "refuse_blocked")
    yield from module.opened(endpoint, body=endpoint.request)
    yield f"    {module.evenly()}"
    yield "    accounts = service.accounts"
    yield f"    guessed = accounts.guesses.account(body.{people.login}), accounts.guesses.address(call.address)"
    read = module.sql(endpoint, f"read-{kebab}-failures")
    yield f"    refuse_blocked(await service.database.fetch(call.deadline, {read}, *guessed))"
    find = module.sql(endpoint, f"find-{kebab}-to-sign-in")
    name = module.lowered(f"body.{people.login}")
    yield f"    row = await service.database.fetchrow(call.deadline, {find}, {name})"
    yield '    kept = None if row is None else row["password_hash"]'
    yield f"    is_right = await accounts.passwords.matches(body.{people.password}, kept, deadline=call.deadline)"
    state = f' or row["status"] != {python.quoted(people.signing_state)}' if people.signing_state else ""
    yield f"    if row is None or not is_right{state}:"
    yield f"        raise await {_refusal(module, endpoint)}(service, call, guessed, even)"
    step = ""
    if people.has_second_factor:
        step = "step"
        yield f"    step = {module.factor()}(accounts, row, body.code)"
        yield "    if step is None:"
        yield "        raise await _refused(service, call, guessed, even)"
    yield "    async with service.database.transaction(call.deadline) as tx:"
    given = ("service", "tx", "call", "row", *([step] if step else []), "guessed[0]")
    yield from python.laid(python.call(f"return await {opened_session(module, endpoint)}", *given), depth=2)


def _refusal(module: Module, endpoint: PlannedEndpoint) -> str:
    kebab = module.people.noun.replace("_", "-")
    ttl = module.lasting("FAILURES_TTL", FAILURES_TTL_S)
    count = module.sql(endpoint, f"count-{kebab}-failure")
    head = python.Group(
        head="async def _refused",
        parts=("service: Service", "call: Call", "guessed: tuple[bytes, bytes]", "even: Evenly"),
        tail=" -> Problem:",
    )
    module.helper(
        "refused",
        [
            *python.laid(head),
            '    """Counts the failure, of whoever is there and of whoever is not."""',
            f"    await service.database.execute(call.deadline, {count}, *guessed, {ttl})",
            "    await even.wait()",
            '    return Problem("credentials-rejected")',
        ],
    )
    return "_refused"


def opened_session(module: Module, endpoint: PlannedEndpoint) -> str:
    """The function that opens a session."""
    people = module.people
    kebab = people.noun.replace("_", "-")
    module.imports.add("nines_runtime", "Connection", "Problem")
    module.imports.add("nines_runtime.data.identifiers", "new_id")
    module.imports.add("collections.abc", "Mapping")
    module.imports.add("typing", "Any")
    has_factor, is_shown = people.has_second_factor, people.keeps_sessions
    first = "cookie" if is_shown else "first tokens"
    query = module.query(endpoint, f"insert-{kebab}-session")
    given = {
        "id": "session",
        f"{people.noun}_id": 'row["id"]',
        "address": "call.address or None",
        "agent": 'call.headers.get("user-agent", "")[:255]',
        "has_second_factor": "step > 0",
        "expires_at": "until",
        "token_hash": "cookie.digest",
    }
    values = [given[each] for each in query.parameters]
    parts = ["service: Service", "tx: Connection", "call: Call", "row: Mapping[str, Any]"]
    parts += [*(["step: int"] if has_factor else []), "guessed: bytes"]
    lines = [
        *python.laid(python.Group(head="async def _open", parts=tuple(parts), tail=" -> Answer:")),
        f'    """A session with its {first}, if the account may still be signed in to."""',
        "    accounts = service.accounts",
        "    session, until = new_id(), accounts.now() + accounts.session_ttl",
    ]
    if is_shown:
        module.imports.add("nines_runtime.security.sessions", "new_session")
        lines.append("    cookie = new_session()")
    inserted = python.call("await tx.fetchval", f"sql.{names.constant(query.id)}", *values)
    lines += python.laid(inserted, before="opened = ", depth=1)
    lines += ["    if opened is None:", '        raise Problem("credentials-rejected")']
    if has_factor:
        use = module.sql(endpoint, f"use-{kebab}-second-factor")
        lines += [
            f'    if step and await tx.fetchval({use}, step, row["id"]) is None:',
            '        raise Problem("credentials-rejected")',
        ]
    forget = module.sql(endpoint, f"forget-{kebab}-failures")
    lines += [
        *([] if is_shown else ["    refresh = await accounts.refresh.issue(tx, session, until=until)"]),
        f"    await tx.execute({forget}, guessed)",
        *module.audited('row["id"]', '{"session": str(session)}', depth=1),
    ]
    if is_shown:
        module.helper("open", [*lines, f"    return {module.signed_in()}(cookie, until)"])
        return "_open"
    roles = ['row["roles"]'] if people.has_roles else []
    told = ("service", 'row["id"]', "session", *roles, *(["step > 0"] if has_factor else []), "refresh")
    module.helper("open", [*lines, *python.laid(python.call(f"return {module.tokens()}", *told), depth=1)])
    return "_open"


def keys(module: Module) -> Iterator[str]:
    """What others need to check a token without asking: RFC 7517, and where it is told by OpenID Connect Discovery."""
    module.imports.add("nines_runtime", "Answer")
    module.imports.add("msgspec")
    cache = f'((b"cache-control", b"public, max-age={_KEYS_FRESH_S}"),)'
    module.constant("KEYS_FRESH", cache)
    yield '@operations.get("/.well-known/jwks.json", id="getKeys", is_public=True)'
    yield "async def get_keys(service: Service, call: Call) -> Answer:"
    yield '    """The public keys; the next one is among them before anything is signed with it."""'
    yield "    return Answer(body=service.accounts.issuer.jwks(), headers=KEYS_FRESH)"
    yield ""
    yield ""
    yield '@operations.get("/.well-known/openid-configuration", id="getIssuer", is_public=True)'
    yield "async def get_issuer(service: Service, call: Call) -> Answer:"
    yield '    """Where the keys are."""'
    yield "    issuer = service.accounts.issuer.rules.issuer"
    yield '    found = {"issuer": issuer, "jwks_uri": f"{issuer.rstrip(\'/\')}/.well-known/jwks.json"}'
    yield "    return Answer(body=msgspec.json.encode(found), headers=KEYS_FRESH)"
